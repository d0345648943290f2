"""A disk whose power can be cut: the files of one folder, as only what was fsynced would have left them.

A small library (disk.c) is preloaded into every process that writes there, and writes down each change and each fsync.
At the cut, the log says which changes were promised: those made before an fsync of their file that answered 0; a new,
renamed or removed name once its folder was fsynced. All else is lost, or in the torn manner lost by chance: each change
kept, dropped, or kept in some of its 512-byte sectors. What a failed fsync covered stays lost however many succeed
afterwards: Linux marks those pages clean (https://lwn.net/Articles/752063/).

Not known here: links, and files written through a shared mapping (SQLite's -shm, which survives no cut).
"""

from __future__ import annotations

import mmap
import os
import random
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import Final

from testkit.bring import TOOLS

_SOURCE: Final = Path(__file__).with_name("disk.c")
_HEADER: Final = struct.Struct("=IIQQQ")
_CONTROL: Final = struct.Struct("=IIII")
_SECTOR: Final = 512
_SHARED: Final = "-shm"
_FOREVER: Final = 2**32 - 1
_UNDER_WAY: Final = 4
"""So many of the last changes may be in the log and not yet in the files: one for each thread that was killed."""
_Pieces = list[tuple[int, bytes]]
"""What is written where."""


class _Kind(IntEnum):
    OPENED = 1
    WROTE = 2
    RESIZED = 3
    REMOVED = 4
    RENAMED = 5
    MADE = 6
    SYNC_BEGAN = 7
    SYNC_ENDED = 8


class IncompleteLog(Exception):
    """The files hold something that the log does not tell of: its verdicts are worth nothing."""


@dataclass(slots=True)
class _Change:
    """Something done to one file's bytes, or to the names in one folder."""

    kind: _Kind
    offset: int = 0
    data: bytes = b""
    names: tuple[str, ...] = ()
    file: int = 0
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut did."""

    dropped: int
    """Changes that were not yet promised, and are gone or torn."""
    within_a_sync: bool
    """Whether somebody waited for an fsync at that moment."""


@dataclass
class Disk:
    """The disk under one folder. `environment` goes to every process that writes there."""

    folder: Path
    aside: Path
    """Where log and switches are kept, outside of the folder."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.aside.mkdir(parents=True, exist_ok=True)
        self.folder = self.folder.resolve()
        self._log = self.aside / "disk.log"
        control = self.aside / "disk.control"
        control.write_bytes(bytes(_CONTROL.size))
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _CONTROL.size)
        self.environment = {
            "LD_PRELOAD": str(library()),
            "DISK_FOLDER": str(self.folder),
            "DISK_LOG": str(self._log),
            "DISK_CONTROL": str(control),
        }
        self._begin()

    def _begin(self) -> None:
        """What is in the folder now is durable."""
        self._story = _Story(self.folder)
        self._log.write_bytes(b"")

    # ------------------------------------------------------------------ what breaks

    def behave(self, *, sync_ms: int = 0, lies: bool = False, failing: int = 0, full: bool = False) -> None:
        """From now on: an fsync takes so long, is not done at all, fails so many times; or no file grows."""
        self._control[:] = _CONTROL.pack(sync_ms * 1000, lies, failing, full)

    def fail_every_sync(self) -> None:
        """Until told otherwise."""
        self.behave(failing=_FOREVER)

    def process_died(self) -> None:
        """Every process was killed while the power stayed on. Raises IncompleteLog."""
        self._story.goes_on(self._log.read_bytes(), self.folder)
        self._log.write_bytes(b"")

    def cut(self, *, entropy: random.Random | None) -> Cut:
        """Power off, once every process is dead. `entropy`: the torn manner. Raises IncompleteLog."""
        waited = self._story.goes_on(self._log.read_bytes(), self.folder)
        left, dropped = self._story.left_behind(entropy)
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, content in left.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if content is None:
                path.mkdir(exist_ok=True, mode=0o700)
            else:
                path.write_bytes(content)
                path.chmod(0o600)
        self._begin()
        return Cut(dropped=dropped, within_a_sync=waited)


class _Story:
    """What stood in the folder at first, and every change since."""

    def __init__(self, folder: Path) -> None:
        self._names: dict[str, int] = {}
        self._folders: dict[int, str] = {folder.stat().st_ino: ""}
        self._bytes: dict[int, bytes] = {}
        self._changes: list[_Change] = []
        self._open: list[tuple[int, _Change]] = []
        """Changes that no fsync has covered yet, with their place in the story."""
        self._syncs: dict[int, int] = {}
        for path in folder.rglob("*"):
            name, file = str(path.relative_to(folder)), path.stat().st_ino
            self._names[name] = file
            if path.is_dir():
                self._folders[file] = name
            else:
                self._bytes[file] = path.read_bytes()
        # An inode number is used again once its file is gone: a file is known by what it was called in its time.
        self._alive = {file: file for file in self._names.values()}
        self._live_names = dict(self._names)
        self._next = -1

    def goes_on(self, log: bytes, folder: Path) -> bool:
        """Take in what happened until every process was killed; whether one of them waited for an fsync.

        Raises IncompleteLog. Changes that were written down, and not done any more, are struck out.
        """
        self._read(log)
        late = self._late(folder)
        self._changes = self._changes[: len(self._changes) - late]
        self._open = [(at, change) for at, change in self._open if at < len(self._changes)]
        waited = bool(self._syncs)
        self._syncs.clear()
        return waited

    def _read(self, log: bytes) -> None:
        """The rest of the story. The last record may be torn: its writer was killed."""
        at = 0
        while at + _HEADER.size <= len(log):
            kind, length, file, offset, more = _HEADER.unpack_from(log, at)
            at += _HEADER.size
            if at + length > len(log):
                return
            self._note(_Kind(kind), log[at : at + length], file, offset, more)
            at += length

    def _note(self, kind: _Kind, data: bytes, inode: int, offset: int, more: int) -> None:
        match kind:
            case _Kind.OPENED | _Kind.MADE:
                self._opened(kind, os.fsdecode(data), inode, new=bool(more) or kind is _Kind.MADE)
            case _Kind.WROTE | _Kind.RESIZED:
                self._add(_Change(kind, offset=offset, data=data, file=self._alive[inode]))
            case _Kind.REMOVED | _Kind.RENAMED:
                names = tuple(os.fsdecode(part) for part in data.split(b"\0"))
                self._add(_Change(kind, names=names))
            case _Kind.SYNC_BEGAN:
                self._syncs[more] = len(self._changes)
            case _Kind.SYNC_ENDED:
                began = self._syncs.pop(more)
                self._promised(self._alive.get(inode), self._folders.get(inode), began, failed=bool(offset))

    def _opened(self, kind: _Kind, name: str, inode: int, *, new: bool) -> None:
        if not new or name in self._live_names:
            return
        self._folders.pop(inode, None)
        file, self._next = self._next, self._next - 1
        self._alive[inode] = file
        if kind is _Kind.MADE:
            self._folders[inode] = name
        else:
            self._bytes[file] = b""
        self._add(_Change(_Kind.OPENED, names=(name,), file=file))

    def _add(self, change: _Change) -> None:
        self._open.append((len(self._changes), change))
        self._changes.append(change)
        if change.names:
            _rename(self._live_names, change)

    def _promised(self, file: int | None, folder: str | None, began: int, *, failed: bool) -> None:
        """An fsync of a file is for its bytes; one of a folder, for the names in it."""
        still_open: list[tuple[int, _Change]] = []
        for at, change in self._open:
            if change.names:
                covered = folder is not None and _folder_of(change.names[-1]) == folder
            else:
                covered = change.file == file
            if at >= began or not covered:
                still_open.append((at, change))
            else:
                change.durable = not failed
        self._open = still_open

    def _late(self, folder: Path) -> int:
        """How many of the last changes are not in the files, which hold nothing that the log does not tell of."""
        found = {
            str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
            for path in folder.rglob("*")
            if not path.name.endswith(_SHARED)
        }
        told: list[str] = []
        for late in range(_UNDER_WAY + 1):
            tale = self._after(self._changes[: len(self._changes) - late], _whole)
            if tale == found:
                return late
            told = [name for name in {*tale, *found} if tale.get(name, 0) != found.get(name, 0)]
        raise IncompleteLog(f"the log does not tell how {', '.join(sorted(told))} came to be as they are")

    def left_behind(self, entropy: random.Random | None) -> tuple[dict[str, bytes | None], int]:
        """Files with their content, folders with None; how many changes were not promised."""

        def kept(change: _Change) -> _Pieces | None:
            if change.durable:
                return _whole(change)
            return None if entropy is None else _by_chance(change, entropy)

        return self._after(self._changes, kept), sum(not change.durable for change in self._changes)

    def _after(
        self, changes: list[_Change], keep: Callable[[_Change], _Pieces | None]
    ) -> dict[str, bytes | None]:
        names = dict(self._names)
        content = {file: bytearray(data) for file, data in self._bytes.items()}
        for change in changes:
            kept = keep(change)
            if kept is None:
                continue
            if change.names:
                _rename(names, change)
            elif change.kind is _Kind.RESIZED:
                _resize(content[change.file], change.offset)
            for offset, data in kept:
                _write(content[change.file], offset, data)
        return {
            name: bytes(content[file]) if file in content else None
            for name, file in names.items()
            if not name.endswith(_SHARED)
        }


def _whole(change: _Change) -> _Pieces:
    return [(change.offset, change.data)] if change.kind is _Kind.WROTE else []


def _by_chance(change: _Change, entropy: random.Random) -> _Pieces | None:
    """Kept, dropped, or torn: some of its sectors."""
    fate = entropy.randrange(3)
    if fate == 0:
        return None
    pieces = _whole(change)
    if fate == 1 or not pieces:
        return pieces
    starts = range(0, len(change.data), _SECTOR)
    return [(change.offset + at, change.data[at : at + _SECTOR]) for at in starts if entropy.random() < 0.5]


def _rename(names: dict[str, int], change: _Change) -> None:
    match change.kind:
        case _Kind.OPENED:
            names[change.names[0]] = change.file
        case _Kind.REMOVED:
            names.pop(change.names[0], None)
        case _Kind.RENAMED:
            old, new = change.names
            if old in names:
                names[new] = names.pop(old)


def _folder_of(name: str) -> str:
    parent = str(PurePosixPath(name).parent)
    return "" if parent == "." else parent


def _resize(content: bytearray, length: int) -> None:
    if length < len(content):
        del content[length:]
    else:
        content.extend(bytes(length - len(content)))


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if offset > len(content):
        _resize(content, offset)
    content[offset : offset + len(data)] = data


def library() -> Path:
    """Compile what is preloaded, if it is older than its source."""
    target = TOOLS / "disk.so"
    if not target.exists() or target.stat().st_mtime < _SOURCE.stat().st_mtime:
        TOOLS.mkdir(exist_ok=True)
        command = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared"]
        subprocess.run([*command, "-o", str(target), str(_SOURCE), "-ldl", "-lpthread"], check=True)
    return target
