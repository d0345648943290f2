"""Serve the shop: one process with server and worker in it, ready, running, stopping in that order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from typing import TYPE_CHECKING, Any, Final

from domain.limits import network_of
from entrypoints.container import Container
from entrypoints.run.listener import Address, Listener
from entrypoints.run.logs import BatchedLines, log
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.run.peer_address import is_trusted

if TYPE_CHECKING:
    from collections.abc import Callable

_COLLECT_AFTER: Final = 20_000
_NOT_READY_FOR: Final = 5.0
"""Seconds between SIGTERM and the last new connection, for load balancers to stop sending requests."""


async def serve(
    container: Container,
    address: Address,
    *,
    lines: BatchedLines,
    when_up: Callable[[], None] = lambda: None,
    hurry: bool = False,
    around: Callable[[Any], Any] = lambda app: app,
) -> None:
    """Serve the shop until SIGTERM or SIGINT. Raises CANNOT_OPEN, WrongShop, StoreUnavailable, CannotListen.

    SIGTERM: /readyz returns 503 for five seconds while the shop still serves, then open requests are drained.
    SIGINT (Ctrl-C), or `hurry`: the same without the five seconds. `around`: what the demo puts around the application.
    """
    loop = asyncio.get_running_loop()
    told, patient = asyncio.Event(), asyncio.Event()

    def on_term() -> None:
        if not hurry:
            patient.set()
        told.set()

    for number, handler in ((signal.SIGTERM, on_term), (signal.SIGINT, told.set)):
        loop.add_signal_handler(number, handler)
    shop_id = await open_shop(container)
    log.info("shop opens", extra={"fields": {"shop": shop_id, "base_url": container.settings().base_url}})
    app, traces = around(container.app()), container.traces()
    proxies = container.settings().trusted_proxies

    def network_unless_ours(host: str) -> str | None:
        return None if is_trusted(host, proxies) else network_of(host)

    _settle_memory()
    worker = asyncio.create_task(container.worker().run())
    done = asyncio.Event()

    async def leave() -> None:
        await told.wait()
        container.leaving().told = True
        if patient.is_set():
            log.info("shop is closing")
            await asyncio.sleep(_NOT_READY_FOR)
        done.set()

    leaving = asyncio.create_task(leave())
    try:
        await Listener(app, address, network_of=network_unless_ours).run(until=done, when_up=when_up)
    finally:
        leaving.cancel()
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
        try:
            await close_shop(container)
        finally:
            if traces is not None:
                await asyncio.to_thread(traces.close)
            log.info("shop is closed")
            lines.flush()


def _settle_memory() -> None:
    """Exclude the objects that exist now from garbage collection: they live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
