"""The file in which the stand-in keeps its world: who has it, when it is written, and what if it cannot be."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from entrypoints.sandbox.kept import Keeper, Taken, decoded
from entrypoints.sandbox.world import World
from testkit.servers import Process, Sandbox, clean_environment, free_port
from testkit.waiting import wait_until


def a_world() -> World:
    return World(own_url="http://x", webhook_url="", webhook_secret="", shop_url="http://y")


def with_a_keeper(file: Path, work: Callable[[World, Keeper, list[str]], Awaitable[None]]) -> list[str]:
    """Run with a keeper that is closed afterwards; what it told."""
    told: list[str] = []

    async def main() -> None:
        world = a_world()
        keeper = Keeper(world, file, tell=told.append)
        await keeper.start()
        try:
            await work(world, keeper, told)
        finally:
            await keeper.close()

    asyncio.run(main())
    return told


async def until(true: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, true)


def test_what_changed_just_before_the_end_is_written(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"

    async def work(world: World, keeper: Keeper, told: list[str]) -> None:
        world.sessions["cs_1"] = {"id": "cs_1"}
        keeper.changed()
        await until(file.exists)
        world.sessions["cs_2"] = {"id": "cs_2"}

    assert with_a_keeper(file, work) == []
    assert list(decoded(file.read_bytes(), a_world())["sessions"]) == ["cs_1", "cs_2"]


def test_what_changes_while_the_end_comes_during_a_write_is_written(tmp_path: Path) -> None:
    file, pipe = tmp_path / "kept.json", tmp_path / "kept.json.new"
    os.mkfifo(pipe)

    async def work(world: World, keeper: Keeper, told: list[str]) -> None:
        world.sessions["cs_1"] = {"id": "x" * 1_000_000}
        keeper.changed()
        reading = await asyncio.to_thread(
            os.open, pipe, os.O_RDONLY
        )  # waits for the write, which waits for a reader
        pipe.unlink()
        world.sessions["cs_2"] = {"id": "cs_2"}
        keeper.changed()
        closing = asyncio.create_task(keeper.close())
        await asyncio.sleep(0)
        os.close(reading)
        await closing

    with_a_keeper(file, work)
    assert list(decoded(file.read_bytes(), a_world())["sessions"]) == ["cs_1", "cs_2"]


def test_a_file_has_one_keeper_and_is_free_after_it(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"

    async def work(world: World, keeper: Keeper, told: list[str]) -> None:
        with pytest.raises(Taken, match=r"kept\.json: stop it first"):
            Keeper(a_world(), file, tell=told.append)

    assert with_a_keeper(file, work) == []
    assert with_a_keeper(file, lambda world, keeper, told: asyncio.sleep(0)) == []


def test_a_write_that_fails_is_told_once_and_tried_again_at_the_next_change(tmp_path: Path) -> None:
    file, in_the_way = tmp_path / "kept.json", tmp_path / "kept.json.new"
    in_the_way.mkdir()

    async def work(world: World, keeper: Keeper, told: list[str]) -> None:
        keeper.changed()
        await until(lambda: bool(told))
        world.sessions["cs_1"] = {"id": "cs_1"}
        in_the_way.rmdir()
        keeper.changed()
        await until(file.exists)

    [said] = with_a_keeper(file, work)
    assert said.startswith(f"Mailbox and payments cannot be written to {file}, and end with the demo: ")
    assert list(decoded(file.read_bytes(), a_world())["sessions"]) == ["cs_1"]


def test_an_earlier_damaged_file_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    for damaged in ("one", "two"):
        file.write_text(damaged)
        [said] = with_a_keeper(file, lambda world, keeper, told: asyncio.sleep(0))
        assert "begin empty" in said
    assert [(tmp_path / f"kept.damaged-{n}.json").read_text() for n in (1, 2)] == ["one", "two"]


def test_a_sandbox_that_is_not_asked_to_writes_no_file(tmp_path: Path) -> None:
    box = Sandbox(tmp_path, "http://localhost:1")
    box.start()
    box.behave(copies=0)
    box.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.log"]


def test_a_report_on_a_mail_is_delivered_after_a_restart(tmp_path: Path) -> None:
    """With another secret by then, as in the demo: it is signed anew at every attempt."""
    port, kept = free_port(), tmp_path / "kept.json"
    command = [sys.executable, "-m", "entrypoints.sandbox", "--port", str(port), "--keep", str(kept)]
    box = Sandbox(tmp_path, "http://localhost:1", port=port)
    box.process = Process(command, tmp_path, clean_environment(), tmp_path / "sandbox.log")
    box.start()
    box.behave(mail_webhook_url="http://127.0.0.1:9/")
    mail = {"from": "Shop <s@shop.example>", "to": ["bounce@example.com"], "subject": "x", "text": "y"}
    made = box.http.post("/emails", json=mail, headers={"authorization": "Bearer re_x"}).json()["id"]
    wait_until(lambda: len(box.get("/_sandbox/attempts")) > 2)
    box.process.stop()
    before = len(decoded(kept.read_bytes(), a_world())["attempts"])
    box.start()
    assert [mail["id"] for mail in box.mails] == [made]
    wait_until(lambda: len(box.get("/_sandbox/attempts")) > before)
    assert {a["type"] for a in box.get("/_sandbox/attempts")[before:]} <= {"email.sent", "email.bounced"}
    box.stop()
