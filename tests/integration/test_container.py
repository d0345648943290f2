"""Every part of the container can be built: no checker sees a wrong keyword."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from adapters.memory.mailer import MemoryMailer
from adapters.memory.payments import MemoryPayments
from adapters.system import SystemClock
from entrypoints.container import Container
from entrypoints.run.opening import close_shop, open_shop
from testkit.postgres import PostgresServer
from testkit.servers import ROOT
from testkit.settings import some_settings


def test_every_provider_builds(tmp_path: Path) -> None:
    async def main() -> int:
        container = Container(settings=some_settings(tmp_path))
        await open_shop(container)
        built = 0
        for name, provider in container.providers.items():
            assert provider() is not None or name in ("banner", "traces"), name
            built += 1
        await close_shop(container)
        return built

    assert asyncio.run(main()) > 30


def test_every_email_provider_builds(tmp_path: Path) -> None:
    for more, kind in (
        ({"RESEND_API_KEY": "re_1", "EMAIL_FROM": "a@x.com"}, "ResendMailer"),
        ({"SMTP_URL": "smtp://localhost", "EMAIL_FROM": "a@x.com"}, "SmtpMailer"),
        ({}, "ConsoleMailer"),
    ):
        container = Container(settings=some_settings(tmp_path, **more))
        assert type(container.mailer()).__name__ == kind


def test_every_engine_builds(tmp_path: Path, postgres: PostgresServer) -> None:
    address = postgres.url(postgres.new_database())
    for more, kind in (({"DATABASE_URL": address}, "PostgresStore"), ({}, "SqliteStore")):
        container = Container(settings=some_settings(tmp_path, **more))
        store = container.store()
        assert type(store).__name__ == kind
        assert container.identify_viewer().store is store
        store.close()


def test_every_place_for_goods_builds(tmp_path: Path) -> None:
    """A bucket is not called before there is something to store."""
    bucket = {
        "GOODS_URL": "s3://bucket/prefix", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }  # fmt: skip
    for more, kind in ((bucket, "S3Goods"), ({}, "FolderGoods")):
        container = Container(settings=some_settings(tmp_path, **more))
        assert type(container.goods()).__name__ == kind
        if not more:
            assert container.fetch_file().goods is container.goods()


def test_the_worker_throws_out_what_the_catalogue_has_not_named_for_a_month(tmp_path: Path) -> None:
    async def main() -> tuple[set[str], set[str]]:
        container = Container(settings=some_settings(tmp_path))
        await open_shop(container)
        left = tmp_path / "goods" / "ab" / ("ab" * 32)
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"of an older edition")
        for blob in container.goods().blobs():
            month_ago = time.time() - 31 * 86_400
            os.utime(blob.path, (month_ago, month_ago))
        await container.worker().tidy_goods()
        kept = {blob.sha256 for blob in container.goods().blobs()}
        await close_shop(container)
        return kept, set(container.catalogue().current().contents)

    kept, named = asyncio.run(main())
    assert kept == named != set()


def test_a_part_can_be_swapped(tmp_path: Path) -> None:
    mailer = MemoryMailer()
    container = Container(settings=some_settings(tmp_path), mailer=mailer)
    assert container.deliver_mail().mailer is mailer
    container.store().close()


class Unclosable(MemoryMailer):
    async def close(self) -> None:
        raise RuntimeError("the mailer does not close")


def test_closing_closes_every_part_even_if_one_fails(tmp_path: Path) -> None:
    class AlsoUnclosable(MemoryPayments):
        async def close(self) -> None:
            raise RuntimeError("nor do the payments")

    async def main() -> Container:
        container = Container(
            settings=some_settings(tmp_path),
            serving=True,
            mailer=Unclosable(),
            payments=AlsoUnclosable(clock=SystemClock()),
        )
        await open_shop(container)
        with pytest.raises(ExceptionGroup) as failed:
            await close_shop(container)
        assert [str(error) for error in failed.value.exceptions] == [
            "nor do the payments",
            "the mailer does not close",
        ]
        return container

    first = asyncio.run(main())
    with pytest.raises(RuntimeError):  # closed for good
        asyncio.run(first.goods().check())
    second = Container(settings=some_settings(tmp_path), serving=True)
    asyncio.run(_open_and_close(second))  # nobody else may serve while the first one's store is open


async def _open_and_close(container: Container) -> None:
    await open_shop(container)
    await close_shop(container)


def test_a_part_that_hangs_does_not_keep_the_others_open(tmp_path: Path) -> None:
    class Hanging(MemoryMailer):
        async def close(self) -> None:
            await asyncio.Event().wait()

    async def main() -> None:
        first = Container(settings=some_settings(tmp_path), serving=True, mailer=Hanging())
        await open_shop(first)
        with pytest.raises(TimeoutError):
            await close_shop(first, within=0.05)

    asyncio.run(main())
    asyncio.run(_open_and_close(Container(settings=some_settings(tmp_path), serving=True)))


def test_each_room_is_ours() -> None:
    """A package named `entrypoints` exists elsewhere and would shadow ours."""
    import adapters
    import domain
    import entrypoints

    for room in (domain, adapters, entrypoints):
        assert Path(str(room.__file__)).is_relative_to(ROOT / "src")
