"""Copies of a database file as of one moment, each durable before it is relied on."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_BEFORE: Final = ".before-"
_PART: Final = ".part"
_KEPT_FOR: Final = 30 * 86_400
_MARGIN: Final = 20_000_000
_MB: Final = 1_000_000


class CannotCopyAside(Exception):
    """The database was not copied, and not migrated; the message says what to do."""


def write_snapshot(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database into a new file, durable afterwards. Raises OSError, sqlite3.Error; no file is left then.

    https://sqlite.org/backup.html: in one step, which holds up no writer in WAL mode. The copy is a file by itself,
    without a write-ahead log beside it.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def free_bytes(folder: Path) -> int:
    """How much can be written there."""
    return shutil.disk_usage(folder).free


def copy_aside(
    source: sqlite3.Connection, path: Path, *, before: str, free: Callable[[Path], int] = free_bytes
) -> Path:
    """Copy the database at `path` beside it, before the migration of that name; return the copy.

    It is there as a whole or not at all. A copy of an earlier try is replaced: nothing was migrated then. Raises
    CannotCopyAside.
    """
    target = path.with_name(f"{path.name}{_BEFORE}{before}")
    part = target.with_name(target.name + _PART)
    pages, size = (source.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    needed = 2 * pages * size + _MARGIN  # the copy, and what the migration itself may write
    if (room := free(path.parent)) < needed:
        raise CannotCopyAside(
            f"the database is copied aside before {before} migrates it, which needs {-(-needed // _MB)} MB, and "
            f"{room // _MB} MB are free in {path.parent}: make room, and start again (nothing was changed)"
        )
    try:
        part.unlink(missing_ok=True)
        write_snapshot(source, part)
        part.rename(target)
        sync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise CannotCopyAside(
            f"the database could not be copied aside before {before} migrates it ({words}): check the disk, and start "
            "again (nothing was changed)"
        ) from error
    return target


def copies_aside(path: Path) -> list[Path]:
    """The copies made before migrations, and what is left of interrupted ones."""
    return sorted(path.parent.glob(f"{path.name}{_BEFORE}*"))


def delete_copies_aside(path: Path, *, all_of_them: bool) -> None:
    """Delete those that are older than thirty days, or all: they hold what was erased since. Raises OSError."""
    for copy in copies_aside(path):
        if all_of_them or time.time() - copy.stat().st_mtime > _KEPT_FOR:
            copy.unlink(missing_ok=True)
            sync_folder(path.parent)
