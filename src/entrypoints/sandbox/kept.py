"""The world in a file, so that payments and mails outlast a restart of the demo."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TextIO, get_type_hints

import msgspec

from entrypoints.sandbox.world import World

KEPT: Final = (
    "sessions", "lines", "taxes", "intent_metadata", "paid_by", "intents", "charges", "refunds", "disputes", "warnings",
    "invoices", "coupons", "codes", "customers", "products", "prices", "methods", "bounces", "events", "endpoints",
    "endpoint_secrets", "answers", "mails", "reports", "attempts", "undelivered",
)  # fmt: skip
"""The fields of the world that are kept. Addresses, secrets and injected faults are those of the new start."""
_VERSION: Final = 1
_DEBOUNCE: Final = 0.1
"""Seconds from a change to the write, which then holds all changes since."""
_AT_MOST: Final = 0.05
"""The share of the time that goes into writing, however large the world."""
_ADDRESSES: Final = ("shop_url", "own_url", "pay_url")


class Taken(Exception):
    """Another process keeps its world in this file."""


class _File(msgspec.Struct):
    """The file: what was kept, and the addresses that stand in it."""

    version: int
    addresses: dict[str, str]
    world: dict[str, msgspec.Raw]


class Keeper:
    """Reads the world at the start, and writes it soon after each change and at the end.

    A file that cannot be read is set aside. `tell` is given a sentence about it, and about a write that fails.
    """

    def __init__(self, world: World, file: Path, *, tell: Callable[[str], None]) -> None:
        """Raises Taken."""
        self._world = world
        self._file = file
        self._tell = tell
        self._dirty, self._closing = asyncio.Event(), asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._pause = _DEBOUNCE
        self._works = True
        self._lock = _locked(file)
        self._read()

    def changed(self) -> None:
        """Note a change of the world."""
        self._dirty.set()

    async def start(self) -> None:
        """Begin to write changes."""
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Write what is not written yet, and let another process have the file."""
        self._closing.set()
        self.changed()
        if self._running is not None:
            await self._running
        self._lock.close()

    def _read(self) -> None:
        try:
            found = self._file.read_bytes()
        except FileNotFoundError:
            return
        try:
            kept = decoded(found, self._world)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            aside = _free_name(self._file)
            self._file.replace(aside)
            self._tell(
                f"Mailbox and payments begin empty, because {self._file} cannot be read ({error}). It is now {aside}."
            )
            return
        for name, value in kept.items():
            setattr(self._world, name, value)
        self._world.mails_by_id = {mail.id: mail for mail in self._world.mails.values()}

    async def _run(self) -> None:
        # A change may come while the one before is written, and the end, too.
        while self._dirty.is_set() or not self._closing.is_set():
            await self._dirty.wait()
            await _either(self._closing, self._pause)
            self._dirty.clear()
            began = time.monotonic()
            await self._write()
            self._pause = max(_DEBOUNCE, (time.monotonic() - began) / _AT_MOST)

    async def _write(self) -> None:
        try:
            # Encoded here, between two requests; written beside the event loop.
            await asyncio.to_thread(_replace, self._file, encoded(self._world))
        except (OSError, ValueError, OverflowError) as error:
            if self._works:
                self._tell(
                    f"Mailbox and payments cannot be written to {self._file}, and end with the demo: {error}"
                )
            self._works = False
        else:
            self._works = True


def encoded(world: World) -> bytes:
    """The kept part of a world, as JSON."""
    addresses = {name: getattr(world, name) for name in _ADDRESSES}
    kept = {name: getattr(world, name) for name in KEPT}
    return msgspec.json.encode({"version": _VERSION, "addresses": addresses, "world": kept})


def decoded(found: bytes, world: World) -> dict[str, Any]:
    """The kept fields, with the addresses of this world in the place of the old ones. Raises MsgspecError."""
    old = msgspec.json.decode(found, type=_File)
    if old.version != _VERSION:
        raise msgspec.ValidationError(f"it is of version {old.version} and not {_VERSION}")
    new = {old.addresses.get(name): getattr(world, name) for name in _ADDRESSES}
    moved = msgspec.json.decode(_moved(found, new), type=_File)
    types = get_type_hints(World)
    return {
        name: msgspec.json.decode(raw, type=types[name]) for name, raw in moved.world.items() if name in KEPT
    }


def _moved(found: bytes, addresses: Mapping[str | None, str]) -> bytes:
    """Links in mails and payment pages follow to another port, or to another secret path."""
    changes = {old.encode(): new.encode() for old, new in addresses.items() if old and old != new}
    if not changes:
        return found
    longest_first = sorted(changes, key=len, reverse=True)
    pattern = b"(" + b"|".join(re.escape(old) for old in longest_first) + rb")(?![\w-])"
    return re.sub(pattern, lambda match: changes[match[1]], found)


def _locked(file: Path) -> TextIO:
    """Held until closed; the system lets go of it when the process dies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.with_name(file.name + ".lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Taken(f"another process keeps its mailbox and payments in {file}: stop it first") from error
    return lock


def _replace(file: Path, content: bytes) -> None:
    """Write the whole file or nothing. Only its owner can read it: the mails in it hold links that sign in."""
    new = file.with_name(file.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as writing:
        writing.write(content)
        writing.flush()
        os.fsync(writing.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _free_name(file: Path) -> Path:
    """A name beside the file for a damaged one, which replaces no earlier one."""
    number = 1
    while (aside := file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")).exists():
        number += 1
    return aside


async def _either(closing: asyncio.Event, seconds: float) -> None:
    """Wait some seconds, or until closing."""
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return
