"""Resend: mail over HTTP."""
