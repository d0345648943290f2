"""Stripe Checkout: its API and its webhooks."""
