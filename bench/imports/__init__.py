"""How long a large import takes, in how much memory, and what a sale waits meanwhile."""
