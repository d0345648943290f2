"""The files stored before, by path, size, time and inode, so that a start reads none of them again."""

from __future__ import annotations

import errno
import os
import re
import time
from io import BufferedReader
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes

from adapters.files.private import make_private

_LINE: Final = re.compile(rb"([0-9a-f]{64}) (\d+ -?\d+ \d+ \S+)")
# Two writes within one tick of the kernel's clock leave the same time behind (what git calls racily clean).
_TICK: Final = 0.02
_TICKS: Final = 50


class SeenFiles:
    """A list that is only added to, a line a file. Any number of threads and processes may read it and add to it.

    A line that was torn or lost costs one more reading of that file, and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_up_to = 0
        self._digests: dict[str, str] = {}

    def digest(self, path: Path, stat: os.stat_result) -> str | None:
        """The SHA-256 of a file that looks as it did when it was taken in; None for any other. Raises OSError."""
        key = _key(path, stat)
        if key not in self._digests:
            self._read()
        return self._digests.get(key)

    def begin(self, file: BufferedReader) -> os.stat_result:
        """How a file looks before it is read; waits until a later write would show. Raises OSError."""
        for _ in range(_TICKS):
            stat = os.fstat(file.fileno())
            if not 0 <= time.time() - stat.st_mtime < _TICK:
                return stat
            time.sleep(_TICK)
        raise _changing()

    def finish(self, file: BufferedReader, stat: os.stat_result, sha256: str) -> None:
        """It was read, and has this hash. Raises OSError, also if it was written to meanwhile.

        Such a file is still on its way, and half of it is of no use to anybody.
        """
        after = os.fstat(file.fileno())
        if (stat.st_size, stat.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise _changing()
        key = _key(Path(file.name), stat)
        make_private(self._path.parent)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, f"{sha256} {key}\n".encode())
        finally:
            os.close(descriptor)
        self._digests[key] = sha256

    def _read(self) -> None:
        """What this process, or another, has added since."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read_up_to:
                    self._read_up_to = 0  # it was deleted, and begun anew
                file.seek(self._read_up_to)
                added, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return
        for line in added.split(b"\n"):
            found = _LINE.fullmatch(line)
            if found is not None:
                self._digests[found[2].decode()] = found[1].decode()
        self._read_up_to += len(added) + len(newline)


def _changing() -> OSError:
    return OSError(errno.EAGAIN, "it is still being written to, and is looked at again once it is complete")


def _key(path: Path, stat: os.stat_result) -> str:
    name = quote_from_bytes(os.fsencode(path.absolute()))
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino} {name}"
