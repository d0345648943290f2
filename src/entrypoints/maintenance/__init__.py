"""Maintenance of a shop: backup and restore, copying to another database, checks, imports and exports."""
