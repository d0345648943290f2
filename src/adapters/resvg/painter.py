"""Share pictures, each drawn by a process with limits; see drawing.py."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import msgspec

from adapters.resvg import MEMORY, SECONDS
from domain.ports.sharing import ShareCard, SharePicture

_PATIENCE: Final = 60.0
"""Seconds; a machine may be busy with other things."""
_LONGEST_REASON: Final = 200


class ResvgPainter:
    """See SharePainter. It draws one picture at a time."""

    def __init__(self, *, warn: Callable[[str], None]) -> None:
        """`warn` takes what the merchant should know, once for each cover."""
        self._warn = warn
        self._told: set[bytes] = set()
        self._turn = asyncio.Lock()

    async def paint(self, card: ShareCard) -> SharePicture | None:
        """See SharePainter."""
        async with self._turn:
            return await asyncio.to_thread(self._paint, card)

    def _paint(self, card: ShareCard) -> SharePicture | None:
        found, reason = _drawn_apart(card), ""
        if not isinstance(found, SharePicture) and card.cover is not None:
            reason = f" ({found})"
            found = _drawn_apart(replace(card, cover=None))
        if not isinstance(found, SharePicture):
            self._tell(b"", f"no pictures can be drawn for social networks: {found}")
            return None
        if card.cover is None or (found.whole and not reason):
            return found
        what = "logo" if card.of_shop else "cover"
        self._tell(
            card.cover[0],
            f"the {what} of {card.name!r} cannot be drawn for social networks{reason}, which show the name without "
            "it: use a simpler SVG, or a PNG, JPEG or WebP",
        )
        return replace(found, whole=False)

    def _tell(self, about: bytes, sentence: str) -> None:
        """Log it, if it was not logged before."""
        mark = hashlib.sha256(about).digest()
        if mark not in self._told:
            self._told.add(mark)
            self._warn(sentence)


def _drawn_apart(card: ShareCard) -> SharePicture | str:
    """The picture, or why there is none. The process gets nothing of our environment: that holds the shop's keys."""
    command = [sys.executable, "-P", "-X", "utf8", "-m", "adapters.resvg.drawing"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the card is its standard input
            command,
            input=msgspec.json.encode(card),
            capture_output=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=_PATIENCE,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=SharePicture)
    except subprocess.CalledProcessError as error:
        return _reason(error.returncode, error.stderr.decode(errors="replace"))
    except subprocess.TimeoutExpired:
        return f"it takes more than {_PATIENCE:.0f} s"
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        return f"{type(error).__name__}"


def _reason(code: int, said: str) -> str:
    """Why a process ended: resvg aborts where it gets no memory."""
    if code == -signal.SIGXCPU:
        return f"it takes more than {SECONDS} s of CPU time"
    if code == -signal.SIGKILL:
        return "the system ended the process"
    if code == -signal.SIGABRT or "MemoryError" in said:
        return f"it takes more than {MEMORY >> 20} MB of memory"
    return said.strip().rpartition("\n")[2][:_LONGEST_REASON] or f"exit {code}"
