"""Downloads whose readers take nothing are ended; those whose readers take a little are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from domain.ports import OpenFile
from domain.product import GoodsFile
from domain.values import digest_of
from entrypoints.http.downloads import PER_SESSION, Download, Downloads
from entrypoints.http.file_response import FileResponse
from entrypoints.run.connections import Limits
from testkit.listening import no_lifespan, served
from testkit.readers import Multiplexed, Reader, all_closed, ask
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

PATIENCE: Final = 2.0
LIMITS: Final = Limits(patience=PATIENCE, every=0.1)
FILM: Final = GoodsFile("film.mkv", "The film", 1_000_000_000, "0" * 64)
ROUNDS: Final = 60
PAUSE: Final = PATIENCE / 20


@dataclass
class Cinema:
    """It shows a film to all; each path is a session of its own, with its eight downloads."""

    chunk: int = 65_536
    downloads: Downloads = field(default_factory=Downloads)
    under_way: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await no_lifespan(scope, receive, send)
        if scope["type"] != "http":
            return
        now = asyncio.get_running_loop().time()
        session = digest_of(scope["path"].encode())
        download = self.downloads.begin(session=session, network="127.0.0.1", now=now)
        if isinstance(download, Download):
            opened = OpenFile(FILM.size, self.chunks())
            self.under_way += 1
            await FileResponse(FILM, opened, part=None, download=download)(scope, receive, send)
            self.under_way -= 1
        else:
            await send({"type": "http.response.start", "status": 429, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for _ in range(0, FILM.size, self.chunk):
            yield bytes(self.chunk)


def status(reader: Reader) -> int:
    return int(reader.head().split()[1])


def has_places(port: int, path: str) -> bool:
    with closing(ask(port, path).connection) as connection:
        return status(Reader(connection)) == 200


def test_readers_that_take_nothing_over_http_1_are_ended_and_give_their_places_back() -> None:
    def look(port: int) -> None:
        readers = [ask(port, "/anna") for _ in range(PER_SESSION)]
        with all_closed(*readers):
            assert [status(reader) for reader in readers] == [200] * PER_SESSION
            assert not has_places(port, "/anna")
            wait_until(lambda: cinema.under_way == 0)
            assert has_places(port, "/anna")
            assert all(reader.read(FILM.size) < FILM.size for reader in readers), (
                "their connections have ended"
            )

    cinema = Cinema()
    served(cinema, look, limits=LIMITS)


def test_readers_that_take_nothing_over_http_2_are_ended_and_give_their_places_back() -> None:
    """Pings show that the client is there, not that it reads."""

    def look(port: int) -> None:
        with all_closed(connection := Multiplexed(port)):
            for _ in range(PER_SESSION):
                connection.ask("/anna")
            connection.listen(answers=PER_SESSION)
            assert not has_places(port, "/anna")
            connection.ping()
            while connection.hear():
                time.sleep(PAUSE)
                connection.ping()
            wait_until(lambda: has_places(port, "/anna"))

    served(Cinema(), look, limits=LIMITS)


def test_a_reader_that_takes_a_little_at_a_time_over_http_1_is_not_ended() -> None:
    """Less than one of the parts in which the application hands the file over."""

    def look(port: int) -> None:
        with all_closed(reader := ask(port, "/anna")):
            assert status(reader) == 200
            for _ in range(ROUNDS):
                time.sleep(PAUSE)
                assert reader.read(8_000) == 8_000
            # What the systems of both ends had kept for it would have ended by now.
            assert reader.read(20_000_000) == 20_000_000

    served(Cinema(chunk=10_000_000), look, limits=LIMITS)


def test_a_connection_of_http_2_is_not_ended_while_any_of_its_readers_takes_something() -> None:
    def look(port: int) -> None:
        with all_closed(connection := Multiplexed(port)):
            connection.ask("/stalled")
            slow = connection.ask("/slow")
            connection.listen(answers=2)
            for _ in range(ROUNDS):
                time.sleep(PAUSE)
                assert connection.take(slow, 8_000)
            while connection.hear():
                pass  # until it is ended, because now nobody takes anything

    served(Cinema(chunk=8_000), look, limits=LIMITS)
