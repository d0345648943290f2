"""Honest fakes: the same promises as the real adapters, held to the same contracts, without disk or network."""
