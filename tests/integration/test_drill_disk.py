"""The disk of the power cuts keeps what was promised and nothing else, or the drills would prove nothing."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bench.drills.disk import Disk, IncompleteLog
from testkit.tools import program

pytestmark = pytest.mark.drill


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    program("gcc")
    return Disk(tmp_path / "data", tmp_path / "aside")


def run(disk: Disk, *lines: str) -> str:
    """A short program that writes on the disk, in its folder, and dies without closing anything."""
    program = "\n".join(("import os, time", f"os.chdir({str(disk.folder)!r})", *lines, "os._exit(0)"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **disk.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


MAKE = (
    "fd = os.open('a', os.O_RDWR | os.O_CREAT, 0o600)",
    "here = os.open('.', os.O_RDONLY)",
    "os.write(fd, b'one')",
)


def test_what_was_fsynced_is_there_and_what_was_written_since_is_not(disk: Disk) -> None:
    run(disk, *MAKE, "os.fsync(fd)", "os.fsync(here)", "os.write(fd, b'two')")
    assert (disk.folder / "a").read_bytes() == b"onetwo"
    assert disk.cut(entropy=None).dropped == 1
    assert (disk.folder / "a").read_bytes() == b"one"


def test_a_new_name_stays_once_its_folder_was_fsynced(disk: Disk) -> None:
    run(disk, *MAKE, "os.fsync(fd)")
    disk.cut(entropy=None)
    assert list(disk.folder.iterdir()) == []


def test_a_renamed_and_a_removed_name_come_back_unless_their_folder_was_fsynced(disk: Disk) -> None:
    run(disk, *MAKE, "os.fsync(fd)", "open('b', 'w')", "os.fsync(here)")
    disk.cut(entropy=None)
    run(disk, "os.rename('a', 'c')", "os.unlink('b')")
    disk.cut(entropy=None)
    assert sorted(path.name for path in disk.folder.iterdir()) == ["a", "b"]
    run(disk, "os.rename('a', 'c')", "os.unlink('b')", "os.fsync(os.open('.', os.O_RDONLY))")
    disk.cut(entropy=None)
    assert [path.name for path in disk.folder.iterdir()] == ["c"]
    assert (disk.folder / "c").read_bytes() == b"one"


def test_a_file_cut_short_is_long_again(disk: Disk) -> None:
    run(disk, *MAKE, "os.fsync(fd)", "os.fsync(here)", "os.ftruncate(fd, 0)")
    disk.cut(entropy=None)
    assert (disk.folder / "a").read_bytes() == b"one"


def test_a_failed_fsync_promises_nothing_and_neither_does_the_next_that_succeeds(disk: Disk) -> None:
    disk.behave(failing=1)
    told = run(
        disk, *MAKE,
        "try: os.fsync(fd)",
        "except OSError as error: print(error.errno, flush=True)",
        "os.fsync(fd)", "os.fsync(here)", "os.write(fd, b'two')", "os.fsync(fd)",
    )  # fmt: skip
    assert told.strip() == "5"
    disk.cut(entropy=None)
    assert (disk.folder / "a").read_bytes() == b"\0\0\0two"


def test_a_lying_disk_keeps_nothing(disk: Disk) -> None:
    disk.behave(lies=True)
    run(disk, *MAKE, "os.fsync(fd)", "os.fsync(here)")
    disk.cut(entropy=None)
    assert list(disk.folder.iterdir()) == []


def test_a_full_disk_takes_what_lies_within_a_file_and_no_more(disk: Disk) -> None:
    run(disk, *MAKE)
    disk.behave(full=True)
    told = run(
        disk, "fd = os.open('a', os.O_RDWR)",
        "print(os.pwrite(fd, b'ONE', 0), os.pwrite(fd, b'12345', 1), flush=True)",
        "try: os.pwrite(fd, b'more', 3)",
        "except OSError as error: print(error.errno, flush=True)",
    )  # fmt: skip
    assert told.split() == ["3", "2", "28"]
    assert (disk.folder / "a").read_bytes() == b"O12"


def test_a_torn_disk_keeps_some_sectors_of_what_was_not_promised_and_all_of_what_was(disk: Disk) -> None:
    seen = set()
    for seed in range(12):
        run(disk, *MAKE, "os.fsync(fd)", "os.fsync(here)", "os.pwrite(fd, b'x' * 4096, 4096)")
        disk.cut(entropy=random.Random(seed))
        content = (disk.folder / "a").read_bytes()
        assert content.startswith(b"one")
        seen.add(content[4096:].count(b"x"))
        run(disk, "os.unlink('a')", "os.fsync(os.open('.', os.O_RDONLY))")
        disk.cut(entropy=None)
    assert {0, 4096} < seen, "kept, dropped, and torn"
    assert all(count % 512 == 0 for count in seen)


def test_two_processes_one_after_the_other_are_one_story(disk: Disk) -> None:
    run(disk, *MAKE, "os.fsync(here)")
    disk.process_died()
    run(disk, "fd = os.open('a', os.O_RDWR | os.O_APPEND)", "os.write(fd, b'two')", "os.fsync(fd)")
    disk.cut(entropy=None)
    assert (disk.folder / "a").read_bytes() == b"onetwo"


def test_a_change_behind_the_back_of_the_log_is_found_out(disk: Disk) -> None:
    run(disk, *MAKE)
    (disk.folder / "a").write_bytes(b"eno")
    with pytest.raises(IncompleteLog, match="how a came to be"):
        disk.cut(entropy=None)


WRITE = """
import asyncio, sys
from pathlib import Path
from adapters.sqlite.store import SqliteStore
from contracts import samples
from domain.ports import StoreUnavailable

def fail(fails):
    with open(os.environ["DISK_CONTROL"], "r+b") as control:
        control.seek(8)
        control.write((9 if fails else 0).to_bytes(4, sys.byteorder))

async def write(store, name):
    try:
        await store.transact(lambda tx: tx.sessions.add(samples.a_session(name, token=name)))
        return "durable"
    except StoreUnavailable:
        return "unknown"

async def main(*names):
    store = SqliteStore.open(Path("coatcheck.db"), serving=True)
    for name in names:
        fail(name == "failing")
        print(name, await write(store, name), flush=True)
    os._exit(0)
"""


def test_what_follows_a_failed_fsync_and_a_kill_is_as_durable_as_ever(disk: Disk) -> None:
    """The next process reads from the page cache what never reached the disk: it must not build upon it."""
    program = (WRITE, "asyncio.run(main('before', 'failing'))")
    assert run(disk, *program).split() == ["before", "durable", "failing", "unknown"]
    disk.process_died()
    assert run(disk, WRITE, "fail(False)", "asyncio.run(main('after'))").split() == ["after", "durable"]
    disk.cut(entropy=None)
    with sqlite3.connect(disk.folder / "coatcheck.db") as left:
        assert {row[0] for row in left.execute("SELECT id FROM sessions")} >= {"before", "after"}
    left.close()
