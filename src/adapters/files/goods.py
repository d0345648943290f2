"""The goods port on a folder of contents, each under its own SHA-256: `<2 digits>/<64 digits>`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Final, TypeVar

from adapters.files.inside import open_goods
from adapters.files.private import copy_durably, make_private, sync_folder
from adapters.files.seen_files import SeenFiles
from domain.ports import Blob, GoodsUnavailable, OpenFile
from domain.product import GoodsFile

T = TypeVar("T")

KEPT_FOR: Final = timedelta(days=30)
"""How long a content is kept after the catalogue named it last."""
_CHUNK: Final = 64 * 1024
_LEAST: Final = 4 * 1024
# Bytes that the chunks of all downloads share. The server holds up to seven chunks of each.
_SHARED: Final = 128 * 1024
_DAY: Final = 86_400
_SPARE: Final = 100_000_000
_PATIENCE: Final = timedelta(seconds=10)
_THREADS: Final = 8
_CAN_TELL: Final = hasattr(os, "preadv") and hasattr(os, "RWF_NOWAIT")


class FolderGoods:
    """Keeps copies of its own, so that neither an edit nor a deleted file can break a download.

    Everything slow happens in threads of its own: a slow disk, or a slow buyer, holds nobody else up. A content's
    modification time says when the catalogue named it last, to the day.
    """

    elsewhere = ""
    origin = ""

    def __init__(self, root: Path, *, spare: int = _SPARE, patience: timedelta = _PATIENCE) -> None:
        """`spare`: bytes that stay free on the disk. `patience`: the longest wait for a file to open."""
        self._root = root
        self._incoming = root / "incoming"
        self._spare = spare
        self._patience = patience.total_seconds()
        self._known = SeenFiles(root / "known")
        self._sources: dict[str, Path] = {}
        self._restoring: dict[str, asyncio.Future[None]] = {}
        self._under_way = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="goods")

    # ---------------------------------------------------------------- taking in

    def shelve(self, path: Path) -> tuple[str, int]:
        """Take a file in, unless that was done before; its SHA-256 and its size.

        The hash is that of the copy, which never changes. Several threads and processes may do it at once.
        A file that a symbolic link brings in from outside its product is refused (adapters.files.inside).
        Raises OSError: then nothing was taken in.
        """
        stat = path.stat()
        sha256, size = self._known.digest(path, stat), stat.st_size
        if sha256 is None or not self._holds(sha256, size):
            sha256, size = self._take_in(path)
        self._sources[sha256] = path
        return sha256, size

    def _take_in(self, path: Path) -> tuple[str, int]:
        make_private(self._incoming)
        copy = self._incoming / secrets.token_hex(16)
        try:
            with open_goods(path) as file:
                stat = self._known.begin(file)
                copy_durably(file, copy, spare=self._spare)
                sha256 = _digest(copy)
                self._known.finish(file, stat, sha256)
            blob = self._path(sha256)
            make_private(blob.parent)
            copy.replace(blob)
            sync_folder(blob.parent)
            sync_folder(self._root)
        finally:
            copy.unlink(missing_ok=True)
        return sha256, stat.st_size

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    def _holds(self, sha256: str, size: int) -> bool:
        """Whether a content is there; if so, the catalogue names it today."""
        blob = self._path(sha256)
        try:
            stat = blob.stat()
            if stat.st_size == size and time.time() - stat.st_mtime > _DAY:
                os.utime(blob)
        except FileNotFoundError:
            return False
        return stat.st_size == size

    # ---------------------------------------------------------------- handing out

    async def open(self, file: GoodsFile, *, start: int, stop: int) -> OpenFile | None:
        """See Goods. A content that vanished is taken in again, if the merchant's file still has it."""
        try:
            async with asyncio.timeout(self._patience):
                held = await self._in_thread(self._open, file)
                if held is None and await self._restored(file):
                    held = await self._in_thread(self._open, file)
        except TimeoutError as error:
            raise GoodsUnavailable(
                "the goods do not open in time, or are still being taken in again"
            ) from error
        except OSError as error:
            raise GoodsUnavailable(f"the goods cannot be read: {error.strerror}") from error
        if held is None:
            return None
        return OpenFile(size=stop - start, chunks=self._chunks(held, start, stop))

    def _open(self, file: GoodsFile) -> BufferedReader | None:
        """None if it is not there, or not all of it. Raises OSError."""
        try:
            held = self._path(file.sha256).open("rb")
        except FileNotFoundError:
            return None
        if os.fstat(held.fileno()).st_size == file.size:
            return held
        held.close()
        return None

    async def _restored(self, file: GoodsFile) -> bool:
        """Whether it could be taken in again; many who ask at once wait for one copy. Raises OSError."""
        source = self._sources.get(file.sha256)
        if source is None:
            return False
        taking = self._restoring.get(file.sha256)
        if taking is None:
            taking = asyncio.ensure_future(self._in_thread(self._restore, source))
            self._restoring[file.sha256] = taking
            taking.add_done_callback(lambda _: self._restoring.pop(file.sha256))
        await asyncio.wait({taking})  # a caller that is cancelled does not stop it
        taking.result()
        return True

    def _restore(self, source: Path) -> None:
        try:
            self.shelve(source)
        except FileNotFoundError:
            return  # the merchant's own file is gone as well

    async def _chunks(self, held: BufferedReader, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Exactly what was promised: an error where a content was cut short under us.

        Smaller chunks the more downloads are under way, and towards the end: a reader that has been handed the last
        one has taken all but a few of them.
        """
        self._under_way += 1
        try:
            at = start
            while at < stop:
                most = min(_CHUNK, _SHARED // self._under_way, (stop - at) // 8)
                size = min(stop - at, max(_LEAST, most))
                try:
                    chunk = _read_cached(held, at, size) or await self._in_thread(_read, held, at, size)
                except OSError as error:
                    raise GoodsUnavailable(f"the goods cannot be read: {error.strerror}") from error
                if not chunk:
                    raise GoodsUnavailable(f"a content ends at byte {at}, not {stop}")
                at += len(chunk)
                yield chunk
        finally:
            self._under_way -= 1
            held.close()

    async def _in_thread(self, work: Callable[..., T], *told: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *told)

    # ---------------------------------------------------------------- looking after

    async def prune(self, named: frozenset[str], *, now: datetime) -> None:
        """Throw out what the catalogue has not named for `KEPT_FOR`, and what a crash left half copied.

        Raises OSError.
        """
        await self._in_thread(self._prune, named, now.timestamp())

    def _prune(self, named: frozenset[str], now: float) -> None:
        for blob in self.blobs():
            if blob.sha256 in named:
                self._holds(blob.sha256, blob.size)
            else:
                _unlink_older(blob.path, now - KEPT_FOR.total_seconds())
        for left in self._incoming.glob("*"):
            _unlink_older(left, now - _DAY)

    async def check(self) -> str:
        """A status line for the merchant. Raises GoodsUnavailable."""
        try:
            kept = await self._in_thread(self._all)
        except OSError as error:
            raise GoodsUnavailable(f"{self._root} cannot be read: {error.strerror}") from error
        are = "file is" if len(kept) == 1 else "files are"
        return f"{len(kept)} {are} kept in {self._root}"

    def _all(self) -> list[Blob]:
        """Raises OSError, also where the folder is none: a search in that would just find nothing."""
        if self._root.exists():
            next(self._root.iterdir(), None)
        return list(self.blobs())

    def blobs(self) -> Iterator[Blob]:
        """Every content that is kept, in the order of their hashes: for a backup. They never change."""
        for path in sorted(self._root.glob("[0-9a-f][0-9a-f]/*")):
            try:
                size = path.stat().st_size
            except FileNotFoundError:  # another process looks after them, too
                continue
            yield Blob(sha256=path.name, path=path, size=size)

    def verify(self, *, done: Callable[[int], object] = lambda _: None) -> Iterator[Blob]:
        """Those whose bytes no longer have the hash that they are kept under. Reads everything.

        Calls `done` with the bytes read. Raises OSError.
        """
        for blob in self.blobs():
            try:
                sound = _digest(blob.path) == blob.sha256
            except FileNotFoundError:  # thrown out meanwhile
                continue
            done(blob.size)
            if not sound:
                yield blob

    async def close(self) -> None:
        """See Goods. What a thread has begun is finished there."""
        self._threads.shutdown(wait=False)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unlink_older(path: Path, moment: float) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_mtime < moment:
            path.unlink()


def _read_cached(held: BufferedReader, at: int, size: int) -> bytes:
    """What the system has in memory already: to fetch that from a thread takes longer than to read it.

    Empty where that would wait for the disk, and on file systems and systems (all but Linux) that cannot tell.
    """
    if not _CAN_TELL:
        return b""
    chunk = bytearray(size)
    try:
        got = os.preadv(held.fileno(), [chunk], at, os.RWF_NOWAIT)
    except OSError:
        return b""
    return bytes(memoryview(chunk)[:got])


def _read(held: BufferedReader, at: int, size: int) -> bytes:
    return os.pread(held.fileno(), size, at)
