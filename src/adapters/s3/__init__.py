"""Goods in S3-compatible storage."""
