"""What every place for goods promises. A subclass says how to take a file in, how to lose it, and how to break the line."""

from __future__ import annotations

import asyncio
import hashlib
import random
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from domain.ports import FileAt, Goods, GoodsUnavailable, OpenFile
from domain.product import GoodsFile

# Longer than a chunk, and no multiple of one.
CONTENT = random.Random(7).randbytes(700_001)
NAMES = [
    "plain.pdf", "two words.pdf", "Grüße aus Köln.epub", "日本語のファイル.txt", "🎟 ticket 🎫.zip", "100% & #1? [x] ~+.csv",
    'quotes " and \' too.txt', ".hidden", "semi;colon, comma.txt", "%2e%2e%2f.txt", "n" * 196 + ".txt", "é" * 120 + ".md",
    "Screenshot 9.41\u202fAM.png", "\U0001f468\u200d\U0001f469\u200d\U0001f467.png",
]  # fmt: skip


class GoodsContract:
    """Each method is a promise of `domain.ports.Goods`."""

    goods: Goods
    files: Path

    def lose(self, file: GoodsFile) -> None:
        """The bytes are gone from where they were kept, and nobody asked for them lately."""
        raise NotImplementedError

    def break_the_line(self) -> None:
        """From now on the storage cannot be reached."""
        raise NotImplementedError

    # ---------------------------------------------------------------- tools

    def taken_in(self, name: str = "book.epub", content: bytes = CONTENT) -> GoodsFile:
        self.files.mkdir(exist_ok=True)
        path = self.files / name
        path.write_bytes(content)
        sha256, size = self.goods.shelve(path)
        return GoodsFile(name=name, title=name, size=size, sha256=sha256)

    def read(self, file: GoodsFile, start: int = 0, stop: int | None = None) -> bytes | None:
        """The bytes of a span, as a browser gets them; None where the port says None."""
        end = file.size if stop is None else stop
        [opened] = self.read_at_once(file, [(start, end)])
        assert opened is None or len(opened) == end - start
        return opened

    def read_at_once(self, file: GoodsFile, spans: list[tuple[int, int]]) -> list[bytes | None]:
        """All the spans, by one client: a TLS context for each blocks the loop longer than a connection may take."""

        async def read() -> list[bytes | None]:
            async with httpx.AsyncClient(timeout=60) as browser:
                return await asyncio.gather(*(self._opened(browser, file, *span) for span in spans))

        return asyncio.run(read())

    async def _opened(
        self, browser: httpx.AsyncClient, file: GoodsFile, start: int, stop: int
    ) -> bytes | None:
        opened = await self.goods.open(file, start=start, stop=stop)
        match opened:
            case None:
                return None
            case OpenFile():
                assert opened.size == stop - start
                return b"".join([chunk async for chunk in opened.chunks])
            case FileAt(url):
                if stop == start:
                    return b""
                span = {} if stop - start == file.size else {"range": f"bytes={start}-{stop - 1}"}
                answer = await browser.get(url, headers=span)
                assert answer.status_code == (206 if span else 200), answer.text
                return answer.content

    # ---------------------------------------------------------------- promises

    def test_what_was_taken_in_is_handed_out_whole(self) -> None:
        file = self.taken_in()
        assert (file.sha256, file.size) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
        assert self.read(file) == CONTENT
        assert self.read(file) == CONTENT, "as often as somebody asks"

    @pytest.mark.parametrize(
        ("start", "stop"),
        [(0, 1), (700_000, 700_001), (1, 700_000), (262_144, 524_288), (262_143, 262_145), (5, 5)],
    )
    def test_a_span_is_exactly_that(self, start: int, stop: int) -> None:
        assert self.read(self.taken_in(), start, stop) == CONTENT[start:stop]

    def test_an_empty_file_is_a_file(self) -> None:
        assert self.read(self.taken_in(content=b"")) == b""

    @pytest.mark.parametrize("name", NAMES)
    def test_any_name_a_file_may_have(self, name: str) -> None:
        assert self.read(self.taken_in(name)) == CONTENT

    def test_one_content_under_two_names_is_both(self) -> None:
        one, two = self.taken_in("one.txt"), self.taken_in("two.txt")
        assert one.sha256 == two.sha256
        assert self.read(one) == self.read(two) == CONTENT

    def test_two_contents_under_one_name_are_both(self) -> None:
        """Whoever is in the middle of the old one gets the rest of the old one."""
        old = self.taken_in(content=b"old" * 100)
        new = self.taken_in(content=b"new" * 100)
        assert self.read(old) == b"old" * 100
        assert self.read(new) == b"new" * 100

    def test_an_edit_or_a_deletion_changes_nothing_of_what_was_taken_in(self) -> None:
        file = self.taken_in()
        (self.files / file.name).write_bytes(b"scribbled over")
        assert self.read(file) == CONTENT
        (self.files / file.name).unlink()
        assert self.read(file) == CONTENT

    def test_taking_in_twice_is_taking_in_once(self) -> None:
        assert self.taken_in() == self.taken_in()

    def test_what_was_never_taken_in_is_not_there(self) -> None:
        nothing = GoodsFile(name="x", title="x", size=1, sha256=hashlib.sha256(b"x").hexdigest())
        assert self.read(nothing) is None

    def test_what_was_lost_for_good_is_not_there(self) -> None:
        file = self.taken_in()
        (self.files / file.name).unlink()
        self.lose(file)
        assert self.read(file) is None

    def test_a_storage_that_cannot_be_reached_says_so(self) -> None:
        file = self.taken_in()
        self.break_the_line()
        with pytest.raises(GoodsUnavailable):
            self.read(file)

    def test_many_read_at_once(self) -> None:
        spans = [(n, n + 300_000) for n in range(40)]
        assert self.read_at_once(self.taken_in(), spans) == [CONTENT[start:stop] for start, stop in spans]

    def test_whoever_stops_early_lets_go(self) -> None:
        file = self.taken_in()

        async def take_one() -> None:
            opened = await self.goods.open(file, start=0, stop=file.size)
            if isinstance(opened, OpenFile):
                async for chunk in opened.chunks:
                    assert chunk == CONTENT[: len(chunk)]
                    break
                await opened.chunks.aclose()

        asyncio.run(take_one())
        assert self.read(file) == CONTENT

    def test_the_origin_is_that_of_the_addresses_it_gives_out(self) -> None:
        file, origins = self.taken_in(), set()

        async def open_it() -> None:
            opened = await self.goods.open(file, start=0, stop=1)
            if isinstance(opened, OpenFile):
                assert [len(chunk) async for chunk in opened.chunks] == [1]
            origins.add("/".join(opened.url.split("/")[:3]) if isinstance(opened, FileAt) else "")

        asyncio.run(open_it())
        assert origins == {self.goods.origin}

    def test_a_check_says_how_it_stands_in_a_sentence(self) -> None:
        self.taken_in()
        assert " " in asyncio.run(self.goods.check())

    def test_a_check_says_that_the_storage_cannot_be_reached(self) -> None:
        self.taken_in()
        self.break_the_line()
        with pytest.raises(GoodsUnavailable):
            asyncio.run(self.goods.check())

    def test_a_backup_holds_every_content_or_names_where_they_are(self) -> None:
        file = self.taken_in()
        held = [(blob.sha256, blob.size, blob.path.read_bytes()) for blob in self.goods.blobs()]
        assert held == ([] if self.goods.elsewhere else [(file.sha256, file.size, CONTENT)])
        assert list(self.goods.verify()) == []

    def test_what_is_named_is_not_thrown_out(self) -> None:
        file = self.taken_in()
        asyncio.run(self.goods.prune(frozenset({file.sha256}), now=datetime(2999, 1, 1, tzinfo=UTC)))
        assert self.read(file) == CONTENT

    def test_it_can_be_closed_before_it_was_used_and_twice(self) -> None:
        async def twice() -> None:
            await self.goods.close()
            await self.goods.close()

        asyncio.run(twice())
