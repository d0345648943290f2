"""Email printed on the terminal."""
