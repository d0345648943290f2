"""The shop's records as a use case sees them inside a transaction: one Protocol per record."""
