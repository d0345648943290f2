"""The yardstick: a bare handler of the same framework and server that returns the bytes of a file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from litestar import Litestar, get
from litestar.response.base import ASGIResponse

from entrypoints.run.listener import Address, Listener


async def main(port: int, body: bytes) -> None:
    @get("/", status_code=200)
    async def home() -> ASGIResponse:
        return ASGIResponse(body=body, media_type="text/html")

    app = Litestar([home], openapi_config=None, logging_config=None)
    await Listener(app, Address(host="127.0.0.1", port=port)).run(until=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
