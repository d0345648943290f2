"""The outside world, one folder for each thing in it."""
