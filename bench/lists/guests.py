"""Guests at the storefront, made by wrk: so many requests a second, for as long as something else is measured."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 32
_LONGEST: Final = 1800
"""Seconds after which wrk ends by itself, whatever became of the bench."""
_PACED = "function delay() return {pause} end\n"


@dataclass
class Served:
    """What the guests got, once they are gone."""

    rate: float = 0
    """Pages a second."""
    middle: str = "-"
    slowest: str = "-"
    """The 99th percentile, in wrk's words."""

    def __str__(self) -> str:
        return f"{self.rate:,.0f} pages/s, p50 {self.middle}, p99 {self.slowest}"


@contextlib.contextmanager
def guests(url: str, folder: Path, *, rate: int) -> Iterator[Served]:
    """At most `rate` requests a second, from 32 connections; 0: no pauses. Raises if an answer is no page."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{_LONGEST}s", "--latency"]
    if rate:
        script = folder / "paced.lua"
        script.write_text(_PACED.format(pause=round(1000 * CONNECTIONS / rate)))
        command += ["-s", str(script)]
    served = Served()
    running = subprocess.Popen(  # noqa: S603 - wrk, against our own server
        [*command, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield served
    finally:
        running.send_signal(signal.SIGINT)  # it says what it counted, and ends
        told = running.communicate(timeout=30)[0]
    assert "Non-2xx" not in told, told
    served.rate = float(_found(r"Requests/sec:\s+([\d.]+)", told))
    served.middle, served.slowest = (_found(rf"{percent}%\s+([\d.]+\w+)", told) for percent in (50, 99))


def _found(pattern: str, told: str) -> str:
    found = re.search(pattern, told)
    assert found is not None, told
    return found[1]
