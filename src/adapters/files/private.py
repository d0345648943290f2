"""Write files that only this user can read, atomically even in a power cut."""

from __future__ import annotations

import errno
import os
from io import BufferedReader
from pathlib import Path
from typing import Final

_STEP: Final = 64 * 1024 * 1024
_PLAIN_STEP: Final = 1024 * 1024


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone. Raises OSError."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_durably(source: BufferedReader, target: Path, *, spare: int) -> None:
    """Copy an open file to a new name, for reading by this user alone; file systems that can share blocks do.

    Raises OSError, also if less than `spare` bytes would be left free.
    """
    stat = os.fstat(source.fileno())
    _check_room(stat, target.parent, spare=spare)
    copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        _copy(source.fileno(), copy, size=stat.st_size)
        os.fsync(copy)
    finally:
        os.close(copy)


def _check_room(stat: os.stat_result, folder: Path, *, spare: int) -> None:
    """A disk must not be filled to its brim by goods: the database may be on it, too."""
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize - stat.st_blocks * 512 < spare:
        raise OSError(errno.ENOSPC, f"there is not enough room for it in {folder.parent}")


def _copy(source: int, target: int, *, size: int) -> None:
    """All the data; holes stay holes."""
    os.ftruncate(target, size)
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # the rest is a hole
                return
            raise
        end = os.lseek(source, at, os.SEEK_HOLE)
        while at < end:
            copied = _share(source, target, at, end - at) or _write(source, target, at, end - at)
            if copied == 0:  # it was cut short meanwhile
                return
            at += copied


def _share(source: int, target: int, at: int, size: int) -> int:
    """Let the file system copy; 0 where it cannot (another file system, an old kernel)."""
    try:
        return os.copy_file_range(source, target, min(size, _STEP), at, at)
    except OSError:
        return 0  # if something is really wrong, plain reading and writing tells it better


def _write(source: int, target: int, at: int, size: int) -> int:
    return os.pwrite(target, os.pread(source, min(size, _PLAIN_STEP), at), at)
