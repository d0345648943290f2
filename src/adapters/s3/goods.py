"""The goods port on S3-compatible storage: browsers fetch from there, by addresses that lapse within a minute."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import mimetypes
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from adapters.s3.connecting import Place
from domain.media_types import shown_type
from domain.ports import Blob, FileAt, GoodsUnavailable
from domain.product import GoodsFile

_SIGNED_FOR: Final = timedelta(seconds=60)
TRUSTED_FOR: Final = timedelta(minutes=5)
"""How long an object that was there is believed to be there still."""
_PATIENCE: Final = 9.0
_CHUNK: Final = 1024 * 1024
# Two parts at a time bound the memory; 10,000 of them, the most there may be, are 84 GB.
_PART: Final = 8 * 1024 * 1024
_PARTS_AT_ONCE: Final = 2
# What a browser might run or show with the storage's own origin, where our headers do not reach.
_RUNS: Final = ("text/", "image/svg", "application/xhtml", "application/xml", "application/javascript")


class Known(Protocol):
    """Recognises files that were stored before: adapters.files.seen_files keeps such a list."""

    def digest(self, path: Path, stat: os.stat_result) -> str | None:
        """The SHA-256 of a file that looks as it did then; None for any other."""
        ...

    def begin(self, file: BufferedReader) -> os.stat_result:
        """How a file looks before it is read."""
        ...

    def finish(self, file: BufferedReader, stat: os.stat_result, sha256: str) -> None:
        """It was stored. Raises OSError if it was written to meanwhile."""
        ...


class S3Goods:
    """Objects are `<prefix>/<sha256>/<name>`: put there once, never deleted, and overwritten only if damaged.

    Each holds its own Content-Disposition, since it is the storage that answers the browser.
    """

    def __init__(
        self,
        place: Place,
        *,
        known: Known,
        opened: Callable[[Path], BufferedReader],
        disposition: Callable[[str], str],
        trusted_for: timedelta = TRUSTED_FOR,
    ) -> None:
        """`opened`: opens a file to be taken in, or raises OSError. Raises S3NotInstalled."""
        self._place = place
        self._asked = place.connect(timeout=timedelta(seconds=4), retries=1)
        self._filled = place.connect(timeout=timedelta(minutes=4), retries=5)
        self._known = known
        self._opened = opened
        self._disposition = disposition
        self._trusted_for = trusted_for.total_seconds()
        self._there: dict[str, float] = {}
        self._sources: dict[str, Path] = {}
        self._sending: dict[str, asyncio.Future[None]] = {}

    # ---------------------------------------------------------------- taking in

    def shelve(self, path: Path) -> tuple[str, int]:
        """Store a file, unless that was done before; its SHA-256 and its size. Raises OSError, GoodsUnavailable."""
        stat = path.stat()
        sha256 = self._known.digest(path, stat)
        if sha256 is None:
            with self._opened(path) as file:
                stat = self._known.begin(file)
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                self._send(path, _key(sha256, path.name), stat.st_size)
                self._known.finish(file, stat, sha256)
        self._sources[_key(sha256, path.name)] = path
        return sha256, stat.st_size

    def _send(self, path: Path, key: str, size: int) -> None:
        """Put an object where there is none of that size. Raises OSError, GoodsUnavailable."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra; see Place

        try:
            if self._size_of(key) == size:
                return
            content = _verified(self._opened, path, sha256=key.partition("/")[0])
            self._filled.put(
                key,
                content if size > _PART else b"".join(content),
                attributes={
                    "Content-Disposition": self._disposition(path.name),
                    "Content-Type": _media_type(path.name),
                    "Cache-Control": "private, no-store",
                },
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except FileNotFoundError as error:
            if error.errno is not None:  # the merchant's file; what the storage does not find has no number
                raise
            raise GoodsUnavailable("there is no such bucket") from error
        except BaseError as error:
            raise GoodsUnavailable(words_of(error)) from error

    def _size_of(self, key: str) -> int | None:
        try:
            return self._filled.head(key)["size"]
        except FileNotFoundError:
            return None

    # ---------------------------------------------------------------- handing out

    async def open(self, file: GoodsFile, *, start: int, stop: int) -> FileAt | None:
        """See Goods. An object that vanished is put back, if the merchant's file still has its content."""
        key = _key(file.sha256, file.name)
        if self._there.get(key, 0.0) < time.monotonic():
            if not await self._is_there(key, file.size):
                self._put_back(key, file.size)
                return None
            self._there[key] = time.monotonic() + self._trusted_for
        return FileAt(url=await self._signed(key))

    @property
    def origin(self) -> str:
        """See Goods."""
        import obstore  # noqa: PLC0415 - as above

        parts = urlsplit(obstore.sign(self._asked, "GET", "any", _SIGNED_FOR))
        return f"{parts.scheme}://{parts.netloc}"

    async def _signed(self, key: str) -> str:
        """An address is computed, not asked for."""
        import obstore  # noqa: PLC0415 - as above

        return await obstore.sign_async(self._asked, "GET", key, _SIGNED_FOR)

    async def _is_there(self, key: str, size: int) -> bool:
        """Checked before a URL is given out: a dead one would show the storage's own XML."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - as above

        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._asked.head_async(key)
        except FileNotFoundError:
            return False
        except (BaseError, TimeoutError) as error:
            raise GoodsUnavailable(words_of(error)) from error
        return found["size"] == size

    def _put_back(self, key: str, size: int) -> None:
        """Begin to store it again, if there is anything to store. Raises GoodsUnavailable while that goes on."""
        source = self._sources.get(key)
        if source is None:
            return
        if key not in self._sending:
            sending = asyncio.ensure_future(asyncio.to_thread(self._send, source, key, size))
            self._sending[key] = sending
            sending.add_done_callback(lambda done: self._was_put_back(key, done))
        raise GoodsUnavailable("the file is being stored again")

    def _was_put_back(self, key: str, done: asyncio.Future[None]) -> None:
        del self._sending[key]
        if not done.cancelled() and isinstance(done.exception(), OSError):
            del self._sources[key]  # the merchant's file is gone, or another by now

    # ---------------------------------------------------------------- looking after

    async def prune(self, named: frozenset[str], *, now: datetime) -> None:
        """Nothing is deleted from a bucket: other shops, and other machines of this one, may use it, too."""

    async def check(self) -> str:
        """A status line for the merchant. Raises GoodsUnavailable."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - as above

        try:
            async with asyncio.timeout(_PATIENCE):
                await self._asked.list_async(chunk_size=1).__anext__()
        except StopAsyncIteration:
            return "the bucket answers, and is empty; it keeps its own checksums"
        except (BaseError, TimeoutError) as error:
            raise GoodsUnavailable(words_of(error)) from error
        return "the bucket answers; it keeps its own checksums"

    @property
    def elsewhere(self) -> str:
        """See Goods."""
        return self._place.address

    def blobs(self) -> Iterator[Blob]:
        """None: they are all in the bucket."""
        return iter(())

    def verify(self, *, done: Callable[[int], object] = lambda _: None) -> Iterator[Blob]:
        """None, as above."""
        return iter(())

    async def close(self) -> None:
        """Nothing to close: the library's connections go with its objects."""


def _key(sha256: str, name: str) -> str:
    return f"{sha256}/{name}"


def _verified(opened: Callable[[Path], BufferedReader], path: Path, *, sha256: str) -> Iterator[bytes]:
    """The bytes of a file. An error at the end withdraws the upload if they are not those of the hash."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != sha256:
        raise OSError(
            errno.EAGAIN, "it is still being written to, and is looked at again once it is complete"
        )


def _media_type(name: str) -> str:
    guessed = shown_type(name) or mimetypes.guess_type(name)[0]
    return "application/octet-stream" if guessed is None or guessed.startswith(_RUNS) else guessed


def words_of(error: Exception) -> str:
    """One line for the merchant, who can do nothing with the library's own trace."""
    words = str(error).partition("\n")[0].rpartition(" - ")[2]
    if type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError"):
        return "the key is wrong, or may not read, write and list the bucket"
    if words.endswith("404") or "NoSuchBucket" in str(error):
        return "there is no such bucket"
    return f"the storage does not answer ({words[:200] or type(error).__name__})"
