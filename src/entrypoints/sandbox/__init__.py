"""The stand-in for Stripe and Resend: their HTTP APIs, on loopback only, for demo and tests. Not part of a shop."""
