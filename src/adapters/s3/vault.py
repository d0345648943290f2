"""Backups in S3-compatible storage. A key that may write may also delete: let the bucket keep versions."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adapters.s3.connecting import Place
from adapters.s3.goods import words_of

if TYPE_CHECKING:
    from obstore.store import S3Store

_CHUNK: Final = 1024 * 1024
_PART: Final = 8 * 1024 * 1024
_PARTS_AT_ONCE: Final = 2
_LONGEST: Final = timedelta(minutes=4)
_TRIES: Final = 5


class S3Vault:
    """See Vault. An object is there whole or not at all; a broken upload leaves nothing with its name."""

    def __init__(self, place: Place, *, scratch: Path) -> None:
        """`scratch`: a folder on this machine with room for a copy of the database. Raises S3NotInstalled."""
        self._place = place
        self._scratch = scratch
        self._store: S3Store = place.connect(timeout=_LONGEST, retries=_TRIES)

    @property
    def place(self) -> str:
        """See Vault."""
        return self._place.address

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """See Vault."""
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=self._scratch) as folder:
            yield Path(folder)

    def names(self, prefix: str) -> list[str]:
        """See Vault."""
        with _told():
            return sorted(one["path"] for page in self._store.list(prefix=prefix or None) for one in page)

    def size(self, name: str) -> int | None:
        """See Vault."""
        with _told():
            try:
                return self._store.head(name)["size"]
            except FileNotFoundError:
                return None

    def put(self, name: str, source: Path, *, sha256: str) -> None:
        """See Vault."""
        with _told():
            size = source.stat().st_size
            content = _verified(source, sha256=sha256)
            self._store.put(
                name,
                content if size > _PART else b"".join(content),
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def read(self, name: str, *, most: int) -> Iterator[bytes]:
        """See Vault."""
        with _told():
            for chunk in self._store.get(name).stream(min_chunk_size=_CHUNK):
                if most <= 0:
                    break
                yield bytes(chunk)[:most]
                most -= len(chunk)


def _verified(path: Path, *, sha256: str) -> Iterator[bytes]:
    """The bytes of a file. An error at the end withdraws the upload if they are not those of the hash."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != sha256:
        raise OSError(errno.EIO, f"{path} is damaged: its SHA-256 is another")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra; see Place

    try:
        yield
    except FileNotFoundError as error:
        if error.errno is not None:  # a file of this machine; what the storage does not find has no number
            raise
        raise OSError(errno.ENOENT, "there is no such bucket") from error
    except BaseError as error:
        raise OSError(errno.EIO, words_of(error)) from error
