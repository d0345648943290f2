"""A server of ours in this process, for an application of a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from entrypoints.run.connections import Limits
from entrypoints.run.listener import Address, Listener
from testkit.servers import free_port

T = TypeVar("T")


def served(app: Any, ask: Callable[[int], T], *, host: str = "127.0.0.1", limits: Limits) -> T:
    """What a client finds that asks in a thread; it gets the port."""

    async def serve() -> T:
        port, over, up = free_port(), asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(
            Listener(app, Address(host, port), limits=limits).run(until=over, when_up=up.set)
        )
        await up.wait()
        try:
            return await asyncio.to_thread(ask, port)
        finally:
            over.set()
            await serving

    return asyncio.run(serve())


async def no_lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Answer what the server asks an application at its start and end; nothing for a request."""
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
