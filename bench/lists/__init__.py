"""How long lists and searches for the merchant take with a million sales."""
