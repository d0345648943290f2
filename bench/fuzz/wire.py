"""Malformed requests over real connections, against a real `coatcheck serve` in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import re
import socket
import struct
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.fuzz.malformed import HIDDEN_SHOWS, Attempt, Malformed
from bench.fuzz.report import Outcome, resident
from bench.fuzz.slow import fuzz_slowly
from testkit.servers import WEBHOOK_SECRET, ShopServer, a_shop

_AT_ONCE: Final = 32
_MARKS: Final = 20
_QUIET: Final = 0.06
"""Seconds without a byte after which an open connection has said what it had to say."""
_PATIENCE: Final = 3.0
"""Seconds for what must come: an answer, or the end of the connection."""
_GOOD_WITHIN: Final = 1.0
_LARGEST_STATUS: Final = 499
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_BAD_LOG: Final = ("Traceback", "panicked", '"level":"error"', "RUST_BACKTRACE")


@dataclass(slots=True)
class Heard:
    """What came back on one connection."""

    got: bytearray = field(default_factory=bytearray)
    closed: bool = False
    """By the server."""
    reset: bool = False

    def statuses(self) -> tuple[list[int], bool]:
        """The statuses of the answers in it (100 aside), and whether the last one is complete."""
        found: list[int] = []
        at, complete = 0, True
        while (match := _STATUS.match(self.got, at)) is not None:
            end = self.got.find(b"\r\n\r\n", at)
            if end < 0:
                return [*found, int(match[1])], False
            length = _LENGTH.search(self.got, at, end + 2)
            at = end + 4
            if match[1] != b"100":
                found.append(int(match[1]))
                at += int(length[1]) if length is not None else 0
                complete = at <= len(self.got)
        return found, complete


def fuzz_wire(*, requests: int, seed: int, seconds: float = math.inf) -> Outcome:
    """Malformed requests over real connections; then slow clients, a quarter as many."""
    outcome = Outcome("raw HTTP")
    with tempfile.TemporaryDirectory() as folder, a_shop(Path(folder)) as shop:
        asyncio.run(_run(shop, requests, seed, outcome, seconds))
        fuzz_slowly(shop.port, WEBHOOK_SECRET, requests // 4, outcome)
        log = shop.log.read_text(errors="replace")
        for word in _BAD_LOG:
            if word in log:
                at = log.index(word)
                outcome.breaks(f"the log has {word!r}", log[max(0, at - 300) : at + 1500])
    return outcome


async def _run(shop: ShopServer, requests: int, seed: int, outcome: Outcome, seconds: float) -> None:
    assert shop.process.child is not None
    pid = shop.process.child.pid
    drawn = Malformed(f"localhost:{shop.port}".encode(), random.Random(seed))
    began, slowest, marks_every = time.perf_counter(), 0.0, max(_AT_ONCE, requests // _MARKS)
    for at in range(0, requests, _AT_ONCE):
        if time.perf_counter() - began > seconds:
            break
        attempts = [drawn.draw() for _ in range(min(_AT_ONCE, requests - at))]
        found = await asyncio.gather(*(_attempt(shop.port, attempt) for attempt in attempts))
        for attempt, heard in zip(attempts, found, strict=True):
            judge(attempt, heard, outcome)
        outcome.requests += len(attempts)
        slowest = max(slowest, await _good_request(shop, outcome))
        if at % marks_every < _AT_ONCE:
            outcome.memory.append((at, resident(pid)))
    outcome.seconds = time.perf_counter() - began
    outcome.memory.append((outcome.requests, resident(pid)))
    outcome.notes.append(f"a good request in between was answered within {slowest * 1000:.0f} ms")


async def _attempt(port: int, attempt: Attempt) -> Heard:
    """Send the pieces while listening, as a client does; then wait for what must come."""
    heard = Heard()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    listening = asyncio.create_task(_listen(reader, heard, attempt))
    try:
        for piece in attempt.pieces:
            writer.write(piece)
            await writer.drain()
            if attempt.pause:
                await asyncio.sleep(attempt.pause)
        if attempt.leaves == "reset":
            wire = writer.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif attempt.leaves == "end":
            writer.write_eof()
        if attempt.leaves != "reset":
            await listening
    except OSError:
        heard.reset = True
        with contextlib.suppress(OSError):
            await listening
    finally:
        listening.cancel()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return heard


async def _listen(reader: asyncio.StreamReader, heard: Heard, attempt: Attempt) -> None:
    """Until the server closes; or, if it need not, until all is said."""
    deadline = time.monotonic() + _PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        statuses, complete = heard.statuses()
        enough = attempt.answers is None or (len(statuses) >= attempt.answers and complete)
        wait = (
            left
            if attempt.closes or not enough
            else _QUIET * (3 if not statuses and not attempt.leaves else 1)
        )
        try:
            more = await asyncio.wait_for(reader.read(65536), wait)
        except TimeoutError:
            return
        except OSError:
            heard.closed = heard.reset = True
            return
        if not more:
            heard.closed = True
            return
        heard.got += more


def judge(attempt: Attempt, heard: Heard, outcome: Outcome) -> None:
    """Hold what came back against what must."""
    statuses, complete = heard.statuses()
    shown = f"{attempt.pieces[0][:300]!r} … {len(attempt.pieces)} pieces; got {bytes(heard.got[:300])!r}"
    for status in statuses or [0]:
        outcome.statuses[status] += 1
        if status > _LARGEST_STATUS:
            outcome.breaks(f"{attempt.kind}: status {status}", shown)
    if attempt.hides and HIDDEN_SHOWS in heard.got:
        outcome.breaks(f"{attempt.kind}: a request in a body was answered", shown)
    if attempt.closes and not heard.closed:
        outcome.breaks(f"{attempt.kind}: the connection stays open", shown)
    if attempt.answers is not None and (len(statuses) != attempt.answers or not complete):
        outcome.breaks(
            f"{attempt.kind}: {len(statuses)} answers of {attempt.answers}, complete: {complete}", shown
        )
    if b"Traceback" in heard.got:
        outcome.breaks(f"{attempt.kind}: a traceback", shown)


async def _good_request(shop: ShopServer, outcome: Outcome) -> float:
    """Whether somebody else is served meanwhile; seconds."""
    began = time.perf_counter()
    good = Attempt(
        "good",
        [f"GET / HTTP/1.1\r\nHost: localhost:{shop.port}\r\nConnection: close\r\n\r\n".encode()],
        closes=True,
    )
    heard = await _attempt(shop.port, good)
    seconds = time.perf_counter() - began
    if heard.statuses() != ([200], True):
        outcome.breaks("a good request was not answered", repr(bytes(heard.got[:300])))
    elif seconds > _GOOD_WITHIN:
        outcome.breaks("a good request had to wait", f"{seconds:.2f} s")
    return seconds
