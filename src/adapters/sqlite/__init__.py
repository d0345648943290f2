"""The records in an SQLite file: one writer that groups commits, readers beside it."""
