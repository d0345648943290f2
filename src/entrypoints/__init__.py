"""What starts the shop: settings, composition, HTTP, command line."""
