"""A bucket in S3-compatible storage, by `obstore`; imported only where a shop asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Credential, S3Store

_CONNECT: Final = timedelta(seconds=3)


class S3NotInstalled(Exception):
    """The library that speaks S3 is missing; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, where it is, and a key to it. Everything is given: nothing is read from the environment."""

    bucket: str
    prefix: str
    region: str
    endpoint: str | None
    key_id: str
    secret: str = field(repr=False)

    @property
    def address(self) -> str:
        """As people write it: s3://bucket/prefix."""
        return "s3://" + "/".join(part for part in (self.bucket, self.prefix) if part)

    def connect(self, *, timeout: timedelta, retries: int) -> S3Store:
        """Sends no request yet. `timeout` is for one request, and for all its tries. Raises S3NotInstalled."""
        try:
            from obstore.store import S3Store  # noqa: PLC0415 - an extra: shops without S3 start without it
        except ImportError as error:
            raise S3NotInstalled(
                'an address begins with s3://, which needs one more package: pip install "coatcheck[s3]"'
            ) from error
        config: S3Config = {"region": self.region}
        if self.endpoint is not None:
            config["endpoint"] = self.endpoint
        return S3Store(
            self.bucket,
            prefix=self.prefix or None,
            config=config,
            client_options={
                "allow_http": self.endpoint is not None and self.endpoint.startswith("http://"),
                "connect_timeout": _CONNECT,
                "timeout": timeout,
            },
            retry_config={"max_retries": retries, "retry_timeout": timeout},
            # Not as plain arguments: a session token in the environment would be mixed in.
            credential_provider=self._key,
        )

    def _key(self) -> S3Credential:
        return {
            "access_key_id": self.key_id, "secret_access_key": self.secret, "token": None, "expires_at": None,
        }  # fmt: skip
