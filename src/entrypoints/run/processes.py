"""Several processes on one address: start, supervise, restart and stop them together."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from entrypoints.run.logs import log

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_SHORTEST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_LIVED_WELL: Final = 30.0
"""Uptime in seconds after which a worker that dies is restarted with the shortest pause."""
_TOLD_EVERY: Final = 1.0
"""Seconds between two stop signals to the same worker, which may miss one while it starts."""
_PR_SET_PDEATHSIG: Final = 1


def die_with_parent(parent: int) -> None:
    """Have the system kill this process when its parent dies, for whatever reason.

    Otherwise `kill -9` of the parent would leave unsupervised workers serving. `parent` is its process
    id: 1 in a container, where the shop is the only program.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class Workers:
    """Processes that share one listening socket, so that no queued connection is lost when one dies."""

    socket: socket.socket
    command: Sequence[str]
    """The command of a worker; the number of the socket is appended."""
    number: int
    _living: set[asyncio.subprocess.Process] = field(default_factory=set)
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _signal: int = signal.SIGTERM
    """The signal that requested the stop."""

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT, which is passed to every worker until it ends; return after the last one."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tell, number)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.number):
                group.create_task(self._keep_one())

    def _tell(self, number: int) -> None:
        self._told.set()
        self._signal = number
        # Each worker has the socket, too. If it stayed open here until the last one ends, connections would queue
        # unaccepted and finally be reset; once closed, they are refused, and a proxy tries another server.
        self.socket.close()
        for worker in self._living:
            self._pass_on(worker)

    def _pass_on(self, worker: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            worker.send_signal(self._signal)

    async def _keep_one(self) -> None:
        pause = _SHORTEST_PAUSE
        while not self._told.is_set():
            began = time.monotonic()
            code = await self._live_once()
            if self._told.is_set():
                return
            pause = (
                _SHORTEST_PAUSE if time.monotonic() - began > _LIVED_WELL else min(pause * 2, _LONGEST_PAUSE)
            )
            log.error("a worker died and is started again", extra={"fields": {"code": code, "in_s": pause}})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), pause)

    async def _live_once(self) -> int:
        number = self.socket.fileno()
        # A session of its own, so that Ctrl-C reaches it once, through this process. (uvloop knows no `process_group`.)
        worker = await asyncio.create_subprocess_exec(
            *self.command, str(number), pass_fds=(number,), start_new_session=True
        )
        self._living.add(worker)
        ending, told = asyncio.create_task(worker.wait()), asyncio.create_task(self._told.wait())
        try:
            await asyncio.wait({ending, told}, return_when=asyncio.FIRST_COMPLETED)
            while not ending.done():
                self._pass_on(worker)
                await asyncio.wait({ending}, timeout=_TOLD_EVERY)
            return ending.result()
        finally:
            told.cancel()
            ending.cancel()
            self._living.discard(worker)


def command_of(*options: str) -> tuple[str, ...]:
    """The command that starts a worker of this program, without the socket's number."""
    watched = ("--watched-by", str(os.getpid()), "--inherited")
    return (sys.executable, "-m", "entrypoints.cli", "serve", *options, *watched)
