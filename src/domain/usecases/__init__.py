"""The stories: one verb a file, each read top to bottom."""
