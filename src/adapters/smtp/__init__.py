"""SMTP: mail by any server."""
