"""Emails as templates, with minijinja."""
