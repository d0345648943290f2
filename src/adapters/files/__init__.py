"""Catalogue and goods in a folder that a merchant edits with any editor and keeps in git."""
