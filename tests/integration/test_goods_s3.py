"""The goods in S3-compatible storage, on the wire: what is stored, what is signed, what is said when it is away."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from contracts.goods import CONTENT, NAMES, GoodsContract

from adapters.files.inside import open_goods
from adapters.files.seen_files import SeenFiles
from adapters.s3.connecting import Place
from adapters.s3.goods import S3Goods
from domain.ports import FileAt, GoodsUnavailable
from domain.product import GoodsFile
from entrypoints.http.file_response import disposition
from testkit.s3 import KEY, SECRET, a_bucket
from testkit.servers import clean_environment, free_port

pytestmark = pytest.mark.long


class TestS3(GoodsContract):
    @pytest.fixture(autouse=True)
    def opened_goods(self, tmp_path: Path, s3: str) -> None:
        self.files = tmp_path / "files"
        self.bucket = a_bucket(s3)
        self.list = tmp_path / "known-here"
        self.place = Place(
            bucket=self.bucket.name,
            prefix="shop/goods",
            region="us-east-1",
            endpoint=s3,
            key_id=KEY,
            secret=SECRET,
        )
        self.goods: S3Goods = self.again()

    def again(self, *, trusted_for: timedelta = timedelta(minutes=5)) -> S3Goods:
        """The same place after a restart."""
        return S3Goods(
            self.place,
            known=SeenFiles(self.list),
            opened=open_goods,
            disposition=disposition,
            trusted_for=trusted_for,
        )

    def lose(self, file: GoodsFile) -> None:
        self.bucket.Object(f"shop/goods/{file.sha256}/{file.name}").delete()
        self.goods = self.again()

    def break_the_line(self) -> None:
        self.place = replace(self.place, endpoint=f"http://127.0.0.1:{free_port()}")
        self.goods = self.again()

    def keys(self) -> list[str]:
        return sorted(found.key for found in self.bucket.objects.all())

    def followed(self, file: GoodsFile, **headers: str) -> httpx.Response:
        opened = asyncio.run(self.goods.open(file, start=0, stop=file.size))
        assert isinstance(opened, FileAt)
        return httpx.get(opened.url, headers=headers)

    def test_an_object_is_named_by_content_and_name(self) -> None:
        one, two = self.taken_in("one.txt"), self.taken_in("two.txt")
        assert self.keys() == [f"shop/goods/{one.sha256}/{name}" for name in (one.name, two.name)]

    @pytest.mark.parametrize("name", NAMES)
    def test_the_storage_answers_with_the_name_as_an_attachment(self, name: str) -> None:
        answer = self.followed(self.taken_in(name))
        told = answer.headers["content-disposition"]
        assert told.startswith('attachment; filename="')
        assert unquote(told.partition("filename*=UTF-8''")[2]) == name
        assert answer.headers["cache-control"] == "private, no-store"

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("a.html", "application/octet-stream"), ("a.svg", "application/octet-stream"), ("a.xhtml", "application/octet-stream"),
            ("a.js", "application/octet-stream"), ("a.unknown", "application/octet-stream"), ("a.xml", "application/octet-stream"),
            ("a.pdf", "application/pdf"), ("a.epub", "application/epub+zip"), ("a.mp3", "audio/mpeg"),
        ],
    )  # fmt: skip
    def test_no_type_that_a_browser_would_run(self, name: str, kind: str) -> None:
        assert self.followed(self.taken_in(name)).headers["content-type"] == kind

    def test_an_address_is_signed_for_one_object_and_a_minute(self) -> None:
        file = self.taken_in()
        opened = asyncio.run(self.goods.open(file, start=0, stop=file.size))
        assert isinstance(opened, FileAt)
        assert "X-Amz-Expires=60&" in opened.url
        assert re.search(r"X-Amz-Signature=[0-9a-f]{64}", opened.url)
        assert SECRET not in opened.url

    def test_large_files_go_in_parts_and_come_back_whole(self) -> None:
        content = os.urandom(20_000_001)
        assert self.read(self.taken_in(content=content)) == content

    def test_the_second_start_asks_nobody(self) -> None:
        file = self.taken_in()
        self.break_the_line()
        assert self.goods.shelve(self.files / file.name) == (file.sha256, file.size)

    def test_what_is_there_is_never_overwritten(self) -> None:
        file = self.taken_in()
        stored = self.bucket.Object(f"shop/goods/{file.sha256}/{file.name}")
        before = stored.last_modified, stored.e_tag
        stored.put(Body=b"x" * file.size, Metadata={"mark": "here"})
        self.list.unlink()
        self.goods = self.again()
        self.goods.shelve(self.files / file.name)
        stored.reload()
        assert stored.metadata == {"mark": "here"}
        assert before[1] != stored.e_tag

    def test_a_storage_that_is_away_is_named_when_something_new_comes(self) -> None:
        self.break_the_line()
        with pytest.raises(GoodsUnavailable, match="the storage does not answer") as refused:
            self.taken_in()
        assert "\n" not in str(refused.value)
        assert SECRET not in str(refused.value)

    def test_a_file_that_is_another_by_now_is_not_stored_under_the_old_hash(self) -> None:
        file = self.taken_in()
        (self.files / file.name).write_bytes(b"x" * file.size)
        self.bucket.Object(f"shop/goods/{file.sha256}/{file.name}").delete()

        async def ask() -> FileAt | None:
            with pytest.raises(GoodsUnavailable):
                await self.fresh(file)
            for _ in range(1200):
                await asyncio.sleep(0.05)
                try:
                    return await self.fresh(file)
                except GoodsUnavailable:
                    continue
            raise AssertionError("it is still being stored")

        self.goods = self.again(trusted_for=timedelta(0))
        self.goods._sources[f"{file.sha256}/{file.name}"] = self.files / file.name
        assert asyncio.run(ask()) is None
        assert self.keys() == []

    async def fresh(self, file: GoodsFile) -> FileAt | None:
        return await self.goods.open(file, start=0, stop=file.size)

    @pytest.mark.parametrize("damaged", [False, True])
    def test_what_vanished_is_put_back_when_somebody_asks(self, *, damaged: bool) -> None:
        file = self.taken_in()
        self.lose(file)
        if damaged:
            self.bucket.Object(f"shop/goods/{file.sha256}/{file.name}").put(Body=CONTENT[:1000])
        self.goods.shelve(self.files / file.name)

        async def ask() -> None:
            with pytest.raises(GoodsUnavailable, match="stored again"):
                await self.fresh(file)
            for _ in range(1200):
                await asyncio.sleep(0.05)
                try:
                    assert await self.fresh(file) is not None
                except GoodsUnavailable:
                    continue
                return

        asyncio.run(ask())
        assert self.read(file) == CONTENT

    def test_what_was_there_is_believed_for_a_while(self) -> None:
        file = self.taken_in()
        stored = self.bucket.Object(f"shop/goods/{file.sha256}/{file.name}")
        (self.files / file.name).unlink()
        for trusted_for, believed in ((timedelta(minutes=5), True), (timedelta(0), False)):
            self.goods = self.again(trusted_for=trusted_for)
            stored.put(Body=CONTENT)
            assert asyncio.run(self.fresh(file)) is not None
            stored.delete()
            assert (asyncio.run(self.fresh(file)) is not None) is believed

    def test_a_session_token_of_the_environment_is_not_mixed_in(self) -> None:
        work = (
            "import asyncio, sys; from pathlib import Path; from datetime import timedelta\n"
            "from adapters.s3.connecting import Place; import obstore\n"
            "place = Place(bucket='b', prefix='', region='eu-central-1', endpoint=None, key_id='OURS', secret='s')\n"
            "store = place.connect(timeout=timedelta(seconds=1), retries=0)\n"
            "print(obstore.sign(store, 'GET', 'x', timedelta(seconds=60)))"
        )
        environment = clean_environment(
            AWS_ACCESS_KEY_ID="THEIRS", AWS_SECRET_ACCESS_KEY="theirs", AWS_SESSION_TOKEN="theirtoken"
        )
        done = subprocess.run(
            [sys.executable, "-c", work], env=environment, capture_output=True, text=True, check=True
        )
        assert "X-Amz-Credential=OURS" in done.stdout
        assert "eu-central-1" in done.stdout
        assert "theirtoken" not in done.stdout.lower()

    def test_the_doctor_hears_how_it_stands(self) -> None:
        assert "answers, and is empty" in asyncio.run(self.goods.check())
        self.taken_in()
        assert asyncio.run(self.goods.check()) == "the bucket answers; it keeps its own checksums"
        self.place = replace(self.place, bucket="nobodys-bucket")
        with pytest.raises(GoodsUnavailable, match="no such bucket"):
            asyncio.run(self.again().check())
        self.break_the_line()
        with pytest.raises(GoodsUnavailable):
            asyncio.run(self.goods.check())


def test_a_shop_without_the_library_is_told_what_to_install(tmp_path: Path) -> None:
    """And one that keeps its goods in a folder starts without it."""
    (tmp_path / "obstore.py").write_text("raise ImportError('not here')\n")
    work = (
        "import sys; from datetime import timedelta\n"
        "import entrypoints.container; from adapters.s3.connecting import Place, S3NotInstalled\n"
        "place = Place(bucket='b', prefix='', region='r', endpoint=None, key_id='k', secret='s')\n"
        "try: place.connect(timeout=timedelta(seconds=1), retries=0)\n"
        "except S3NotInstalled as error: print(error)"
    )
    environment = clean_environment()
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-c", work], env=environment, capture_output=True, text=True, check=True
    )
    assert 'pip install "coatcheck[s3]"' in done.stdout
