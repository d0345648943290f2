"""Two gigabytes: resumed at three points, equal to the last byte, in memory that does not grow."""

from __future__ import annotations

import hashlib
import http.client
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.goods import a_catalogue, an_owner, bytes_read, put_on_sale, resident
from testkit.servers import Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

SIZE = 2_000_000_000
STOPS = (400_000_001, 1_200_000_000, 1_999_999_999)
PATH = "/files/film/film.mkv"


def a_film(path: Path) -> str:
    """Mostly holes, since nobody's disk shall be filled, with chance at 300 places. Its SHA-256."""
    entropy = random.Random(21)
    with path.open("wb") as file:
        file.truncate(SIZE)
        for at in [0, SIZE - 65_536, *(entropy.randrange(SIZE - 65_536) for _ in range(298))]:
            file.seek(at)
            file.write(entropy.randbytes(65_536))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Watched:
    """The most memory that a shop's process held while this was open."""

    def __init__(self, shop: ShopServer) -> None:
        self._shop = shop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watched:
        self.before = self.most = resident(self._shop)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, resident(self._shop))

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def grown(self) -> int:
        return self.most - self.before


class Downloader:
    """Writes down what comes, hangs up where it is told to, and goes on from there as browsers do."""

    def __init__(self, shopper: Shopper) -> None:
        self._shopper = shopper
        self._buffer = memoryview(bytearray(1_000_000))
        self.digest = hashlib.sha256()
        self.at = 0
        self.etag = ""

    def read_up_to(self, stop: int) -> int:
        """The status. Whatever else was on its way is lost with the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self._shopper.shop.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self._shopper.http.cookies.items())
        headers = {"Cookie": cookies, "Host": f"localhost:{self._shopper.shop.port}"}
        if self.at:
            headers |= {"Range": f"bytes={self.at}-", "If-Range": self.etag}
        connection.request("GET", PATH, headers=headers)
        answer = connection.getresponse()
        assert int(answer.headers["content-length"]) == SIZE - self.at
        self.etag = answer.headers["etag"]
        while self.at < stop:
            got = answer.readinto(self._buffer[: stop - self.at])
            assert got, "the connection ended early"
            self.digest.update(self._buffer[:got])
            self.at += got
        connection.close()
        return answer.status


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Gone afterwards: pytest would keep it for three more runs."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def pages_until_it_is_taken_in(shop: ShopServer, shopper: Shopper, film: Path) -> int:
    """Put the film in its place while the shop is open; how many pages another shopper gets while it is read."""
    film.with_name(".film").rename(film)
    before, pages = bytes_read(shop), 0

    def is_taken_in() -> bool:
        nonlocal pages
        assert Shopper(shop).get("/").status_code == 200
        pages += bytes_read(shop) - before > SIZE / 10
        return int(shopper.http.head(PATH).headers["content-length"]) == SIZE

    wait_until(is_taken_in, within=300, pause=0.02)
    return pages


def test_two_gigabytes_resumed_at_three_points(folder: Path) -> None:
    film = put_on_sale(a_catalogue(folder), "film", {"film.mkv": b"a trailer"}) / "film.mkv"
    sha256 = a_film(film.with_name(".film"))
    with a_shop(folder) as shop:
        anna = an_owner(shop, "film")
        assert pages_until_it_is_taken_in(shop, anna, film) > 3, (
            "the shop reads, and answers nobody meanwhile"
        )
        anna.get(PATH, headers={"range": "bytes=0-9999999"})  # what a first download needs is there to stay
        downloader = Downloader(anna)
        with Watched(shop) as watched:
            statuses = [downloader.read_up_to(stop) for stop in (*STOPS, SIZE)]
        assert statuses == [200, 206, 206, 206]
        assert downloader.etag == f'"{sha256}"'
        assert downloader.digest.hexdigest() == sha256
        assert watched.grown < 20_000_000, f"{watched.grown / 1e6:.1f} MB"

        shop.process.stop()
        known = folder / "data" / "goods" / "known"
        before = known.stat().st_mtime_ns
        shop.start()
        assert bytes_read(shop) < SIZE / 10, "a start reads nothing of what it knows"
        assert known.stat().st_mtime_ns == before
        assert anna.get(PATH, headers={"range": "bytes=-1"}).status_code == 206
