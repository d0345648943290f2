"""Look at the catalogue folder: what lies in it, and a fingerprint that changes with it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from adapters.files.media import is_medium
from adapters.files.names import is_litter, is_set_aside
from domain.values import is_product_id

PAGES: Final = "pages"
EMAILS: Final = "emails"
MOST_PRODUCTS: Final = 10_000
MOST_ENTRIES: Final = 20_000


@dataclass(frozen=True, slots=True)
class FolderState:
    """Fingerprints of every file's name and metadata: of all files, and of those that buyers download."""

    all: str
    goods: str


def product_folders(root: Path) -> list[Path]:
    """The folders that may be products, in order, one more than `MOST_PRODUCTS` at most.

    A link of a product's name is one, whatever it leads to. Raises OSError.
    """
    with os.scandir(root) as entries:
        named = (
            entry for entry in entries if not is_set_aside(entry.name) and entry.name not in (PAGES, EMAILS)
        )
        found = (
            entry.name
            for entry in named
            if _is_folder(entry) or (entry.is_symlink() and is_product_id(entry.name))
        )
        return [root / name for name in sorted(islice(found, MOST_PRODUCTS + 1))]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """What cannot be looked at is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_empty(folder: Path) -> bool:
    """Whether nothing lies in a folder but what systems leave behind. Raises OSError."""
    with os.scandir(folder) as entries:
        return all(is_set_aside(entry.name) or is_litter(entry.name) for entry in entries)


def look_at(root: Path) -> FolderState:
    """Cheap enough to take every second."""
    everything, goods = hashlib.sha256(), hashlib.sha256()
    try:
        for entry in _entries(root):
            line = _looks(entry)
            everything.update(line)
            if Path(entry.path).parent.name == "files" or is_medium(entry.name):
                goods.update(line)
    except OSError as error:
        everything.update(str(error.errno).encode())
    return FolderState(all=everything.hexdigest()[:16], goods=goods.hexdigest()[:16])


def last_change(*files: Path) -> datetime | None:
    """The newest modification time of these files, in UTC and whole seconds; None if there is none to be had."""
    times: list[float] = []
    for file in files:
        with contextlib.suppress(OSError):
            times.append(file.stat().st_mtime)
    try:
        return datetime.fromtimestamp(int(max(times)), tz=UTC)
    except (ValueError, OverflowError, OSError):  # no file, or a year that no calendar has
        return None


def _entries(root: Path) -> Iterator[os.DirEntry[str]]:
    """Whatever lies where an edition is read from, symbolic links as the folders they lead to."""
    folders = product_folders(root)
    for folder in (root, root / PAGES, root / EMAILS, *folders, *(folder / "files" for folder in folders)):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            seen = (entry for entry in entries if not is_litter(entry.name))
            yield from sorted(islice(seen, MOST_ENTRIES), key=lambda entry: entry.name)


def _looks(entry: os.DirEntry[str]) -> bytes:
    """Changes with the file behind a link, too: to another inode, or to another moment at which it was changed.

    Copies that keep times (rsync, a volume that is swapped) and a permission that is put right change neither size nor
    modification time.
    """
    try:
        stat = entry.stat()
    except OSError:  # a link to nothing
        return os.fsencode(f"{entry.path}\0\n")
    if entry.is_dir():
        return os.fsencode(f"{entry.path}\0folder\n")
    identity = f"{stat.st_dev}\0{stat.st_ino}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}"
    return os.fsencode(f"{entry.path}\0{entry.is_symlink()}\0{identity}\n")
