"""The rules of the shop: pure, without I/O, clock or randomness."""
