"""The stand-in for the email service."""
