"""Readers that do not read: how many there may be, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from entrypoints.http.downloads import PER_NETWORK, PER_SESSION
from testkit.goods import a_catalogue, an_owner, put_on_sale, resident, whole
from testkit.readers import MAX_CONCURRENT_STREAMS, Multiplexed, Reader, all_closed, ask, fields_of
from testkit.servers import Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

SIZE = 100_000_000
FILM, NOTE = "/files/film/film.mkv", "/files/film/note.txt"


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    """It sells a film that no system keeps for a client that does not read it, and a note."""
    folder = tmp_path_factory.mktemp("cinema")
    film = put_on_sale(a_catalogue(folder), "film", {"film.mkv": b"", "note.txt": b"a note"}) / "film.mkv"
    with film.open("r+b") as file:
        file.truncate(SIZE)
    with a_shop(folder) as shop:
        yield shop


def ask_for_the_film(shopper: Shopper, *, times: int, address: str | None = None) -> list[Reader]:
    fields = fields_of(shopper) | ({"x-forwarded-for": address} if address else {})
    return [ask(shopper.shop.port, FILM, fields) for _ in range(times)]


def statuses(readers: list[Reader]) -> list[int]:
    return sorted(int(reader.head().split()[1]) for reader in readers)


def test_a_browser_has_eight_downloads_at_once_and_other_browsers_have_theirs(cinema: ShopServer) -> None:
    anna, berta = an_owner(cinema, "film"), an_owner(cinema, "film")
    readers = ask_for_the_film(anna, times=PER_SESSION)
    with all_closed(*readers):
        assert statuses(readers) == [200] * PER_SESSION
        refusal = anna.get(NOTE)
        assert refusal.status_code == 429
        assert int(refusal.headers["retry-after"]) > 0
        assert "This browser has 8 downloads under way" in refusal.text
        assert anna.http.head(NOTE).status_code == 200, "HEAD is no download"
        assert anna.get("/view/film").status_code == 200
        assert whole(berta.get(NOTE)) == b"a note"
        readers[0].leave()
        wait_until(lambda: anna.get(NOTE).status_code == 200)


def test_the_browsers_of_one_address_share_its_downloads_and_other_addresses_have_theirs(
    cinema: ShopServer,
) -> None:
    owners = [an_owner(cinema, "film") for _ in range(PER_NETWORK // PER_SESSION)]
    late = an_owner(cinema, "film")
    readers = [
        reader
        for owner in owners
        for reader in ask_for_the_film(owner, times=PER_SESSION, address="192.0.2.7")
    ]
    with all_closed(*readers):
        assert statuses(readers) == [200] * PER_NETWORK
        refusal = late.get(NOTE, headers={"x-forwarded-for": "192.0.2.7"})
        assert refusal.status_code == 429
        assert "as many downloads under way as it can have" in refusal.text
        assert whole(late.get(NOTE, headers={"x-forwarded-for": "192.0.2.8"})) == b"a note"


def test_the_caps_hold_in_http_2_and_a_connection_has_at_most_thirty_streams(cinema: ShopServer) -> None:
    anna = an_owner(cinema, "film")
    connection = Multiplexed(cinema.port)
    with all_closed(connection):
        for _ in range(PER_SESSION + 1):
            connection.ask(FILM, fields_of(anna))
        connection.listen(answers=PER_SESSION + 1)
        assert 20 <= connection.settings[MAX_CONCURRENT_STREAMS] <= 30
        assert anna.get(NOTE).status_code == 429


@pytest.mark.long
def test_hundreds_of_readers_that_do_not_read_cost_little_memory(cinema: ShopServer) -> None:
    """Twenty browsers, each with all of its downloads and an address of its own; half of them over HTTP/2."""
    owners = [an_owner(cinema, "film") for _ in range(20)]
    owners[0].get(FILM, headers={"range": "bytes=0-9999999"})
    before = resident(cinema)
    readers = [reader for owner in owners[:10] for reader in ask_for_the_film(owner, times=PER_SESSION)]
    connections = [Multiplexed(cinema.port) for _ in owners[10:]]
    with all_closed(*readers, *connections):
        assert statuses(readers) == [200] * len(readers)
        for owner, connection in zip(owners[10:], connections, strict=True):
            for _ in range(PER_SESSION):
                connection.ask(FILM, fields_of(owner))
            connection.listen(answers=PER_SESSION)
            assert len(connection.answered) == PER_SESSION
        late = an_owner(cinema, "film")
        assert whole(late.get(NOTE)) == b"a note"
        grown = resident(cinema) - before
    assert grown < 50_000_000, f"{grown / 1e6:.1f} MB"
