"""The stand-in for Stripe and Resend: speaks their HTTP, on loopback only, for demo and tests. Not part of a shop."""
