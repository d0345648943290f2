"""Running the shop: the listener, its processes and timers, logs, metrics and traces."""
