"""The database of the tutorial's shop, from which one can move here."""
