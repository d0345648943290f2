"""Several processes on one address: started, watched, started again when they die, stopped together."""

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
"""Seconds after which a death is no sign that starting again is of no use."""
_PR_SET_PDEATHSIG: Final = 1


def die_with_parent(parent: int) -> None:
    """Have the system kill this process when the one that started it dies, however it dies.

    Otherwise `kill -9` of the parent would leave workers serving that nobody watches. `parent` is its process
    id: 1 in a container, where the shop is all there is.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class Workers:
    """Processes that share one listening socket, so that none of them can take a connection into its grave."""

    socket: socket.socket
    command: Sequence[str]
    """What starts one; the number of the socket is appended."""
    number: int
    _living: set[asyncio.subprocess.Process] = field(default_factory=set)
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _signal: int = signal.SIGTERM
    """What we were told by."""

    async def run(self) -> None:
        """Until SIGTERM or SIGINT, which every worker hears; returns when the last one is gone."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tell, number)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.number):
                group.create_task(self._keep_one())

    def _tell(self, number: int) -> None:
        self._told.set()
        self._signal = number
        # Each worker has the socket, too. Were it open here until the last one is gone, connections would queue that
        # nobody takes, and be reset in the end; closed, they are refused, and a proxy goes elsewhere.
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
        # A session of its own, so that Ctrl-C reaches it once, through us. (uvloop knows no `process_group`.)
        worker = await asyncio.create_subprocess_exec(
            *self.command, str(number), pass_fds=(number,), start_new_session=True
        )
        self._living.add(worker)
        if self._told.is_set():  # while it was being started
            self._pass_on(worker)
        try:
            return await worker.wait()
        finally:
            self._living.discard(worker)


def command_of(*options: str) -> tuple[str, ...]:
    """How a worker of this very program is started; the number of the socket is still to come."""
    watched = ("--watched-by", str(os.getpid()), "--inherited")
    return (sys.executable, "-m", "entrypoints.cli", "serve", *options, *watched)
