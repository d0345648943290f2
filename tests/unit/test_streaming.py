"""Answers that are made while they are sent: for as long as somebody takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from entrypoints.http.responses import CutShort, StreamedResponse


class Sending:
    """A client that goes away after so many parts, as the server tells it: what is sent to it is discarded."""

    def __init__(self, *, takes: int, makes: int = 1000) -> None:
        self.takes, self.makes = takes, makes
        self.made = 0
        self.sent: list[bytes] = []
        self.whole = self.closed = False
        self.left = asyncio.Event()

    async def parts(self) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(self.makes):
                self.made += 1
                yield b"%d\n" % number
                await asyncio.sleep(0)
            if self.makes < 1000:
                raise CutShort
        finally:
            self.closed = True

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.sent.append(message["body"])
            self.whole = not message["more_body"]
            if len(self.sent) == self.takes:
                self.left.set()

    async def answer(self) -> None:
        response = StreamedResponse(self.parts(), media_type="text/csv")
        scope: Any = {"type": "http"}
        await response(scope, self.receive, self.send)


@pytest.mark.parametrize(("takes", "whole"), [(3, False), (2000, True)])
def test_nothing_more_is_made_for_a_client_that_went_away(*, takes: int, whole: bool) -> None:
    async def sent() -> tuple[Sending, int]:
        client = Sending(takes=takes)
        await client.answer()
        return client, len(asyncio.all_tasks())

    client, tasks = asyncio.run(sent())
    assert (client.whole, client.closed) == (whole, True)
    assert client.made == 1000 if whole else client.made < 10
    assert b"".join(client.sent).startswith(b"0\n1\n2\n")
    assert tasks <= 2, "nobody waits for it any more"


def test_what_is_cut_short_has_no_end() -> None:
    client = Sending(takes=2000, makes=3)
    asyncio.run(client.answer())
    assert (b"".join(client.sent), client.whole, client.closed) == (b"0\n1\n2\n", False, True)
