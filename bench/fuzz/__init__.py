"""Requests nobody would send, and the laws that hold all the same: `python -m bench.fuzz asgi | schema | wire | all`."""
