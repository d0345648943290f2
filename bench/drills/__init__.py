"""Survival drills: the shop is broken in the middle of a storm of sales, and its records are held to Stripe's."""
