"""Locations in S3-compatible storage: `s3://bucket/prefix`, an endpoint and its access key."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

# Wider than Amazon's own rule: other storages accept more (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
_URL: Final = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,62})((?:/[A-Za-z0-9._-]+)*)/?")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_USUAL_REGION: Final = "us-east-1"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in S3-compatible storage. The secret does not show in its repr."""

    name: str
    prefix: str
    region: str
    endpoint: str | None
    key_id: str
    secret: str = field(repr=False)

    @property
    def label(self) -> str:
        """A unique label of this place, for file names."""
        return hashlib.sha256(f"{self.endpoint} {self.name} {self.prefix}".encode()).hexdigest()[:16]


def read_bucket(
    url: str,
    *,
    key_id: str,
    secret: str,
    region: str,
    endpoint: str,
    problems: list[str],
    named: str = "GOODS_URL",
) -> Bucket | None:
    """The place that a variable or argument names; None if it names none, with any problems added."""
    if not url:
        return None
    match = _URL.fullmatch(url)
    if match is None or ".." in url:
        problems.append(f"{named} is {url!r}: write it like s3://bucket/prefix, or leave it out")
        return None
    for variable, value in (("AWS_ACCESS_KEY_ID", key_id), ("AWS_SECRET_ACCESS_KEY", secret)):
        if not value:
            problems.append(
                f"{variable} is not set: {named} needs a key that may read, write and list {match[1]}"
            )
    if not region and not endpoint:
        problems.append("AWS_REGION is not set: name the region of the bucket, such as eu-central-1")
    if endpoint and not _is_endpoint(endpoint):
        problems.append(
            "AWS_ENDPOINT_URL is written like https://s3.example.com (plain http only on loopback): "
            "it is where shoppers' browsers go for their files"
        )
    return Bucket(
        name=match[1],
        prefix=match[2].strip("/"),
        region=region or _USUAL_REGION,
        endpoint=endpoint.rstrip("/") or None,
        key_id=key_id,
        secret=secret,
    )


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment and not parts.username
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return bool(parts.hostname) and port_is_fine and plain and safe
