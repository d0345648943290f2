"""Where goods are kept: memory, a folder by content, S3-compatible storage on the wire."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contracts.goods import CONTENT, GoodsContract

from adapters.files.goods import FolderGoods
from adapters.files.seen_files import SeenFiles
from adapters.memory.goods import MemoryGoods
from domain.ports import GoodsUnavailable, OpenFile
from domain.product import GoodsFile
from testkit.servers import clean_environment


class TestMemory(GoodsContract):
    @pytest.fixture(autouse=True)
    def opened_goods(self, tmp_path: Path) -> None:
        self.files = tmp_path / "files"
        self.goods: MemoryGoods = MemoryGoods()

    def lose(self, file: GoodsFile) -> None:
        del self.goods.contents[file.sha256]

    def break_the_line(self) -> None:
        self.goods.failing = True


# ------------------------------------------------------------------ a folder


READ_ELSEWHERE = """
import asyncio, os, sys
del os.preadv, os.RWF_NOWAIT
from pathlib import Path
from adapters.files.goods import FolderGoods
from domain.product import GoodsFile

async def read():
    file = GoodsFile(name="a", title="a", sha256=sys.argv[2], size=int(sys.argv[3]))
    opened = await FolderGoods(Path(sys.argv[1])).open(file, start=0, stop=file.size)
    async for chunk in opened.chunks:
        sys.stdout.buffer.write(chunk)

asyncio.run(read())
"""


class TestFolder(GoodsContract):
    @pytest.fixture(autouse=True)
    def opened_goods(self, tmp_path: Path) -> None:
        self.files = tmp_path / "files"
        self.root = tmp_path / "data" / "goods"
        self.goods: FolderGoods = FolderGoods(self.root)

    def kept(self, file: GoodsFile) -> Path:
        return self.root / file.sha256[:2] / file.sha256

    def lose(self, file: GoodsFile) -> None:
        self.kept(file).unlink()

    def break_the_line(self) -> None:
        self.root.rename(self.root.parent / "elsewhere")
        self.root.write_text("a file where a folder was")

    def test_each_content_is_kept_under_its_hash_for_this_user_alone(self) -> None:
        file = self.taken_in()
        assert self.kept(file).read_bytes() == CONTENT
        for path in (self.root.parent, self.root, self.kept(file).parent, self.kept(file)):
            assert path.stat().st_mode & 0o077 == 0, path
        assert [blob.sha256 for blob in self.goods.blobs()] == [file.sha256]
        assert not list((self.root / "incoming").iterdir())

    def test_what_vanished_is_taken_in_again_when_somebody_asks(self) -> None:
        file = self.taken_in()
        shutil.rmtree(self.root)
        assert self.read(file) == CONTENT
        assert self.kept(file).is_file()

    def test_what_was_cut_short_is_taken_in_again(self) -> None:
        file = self.taken_in()
        self.kept(file).chmod(0o600)
        os.truncate(self.kept(file), 1000)
        assert self.read(file) == CONTENT

    def test_what_vanished_is_never_replaced_by_another_content(self) -> None:
        file = self.taken_in()
        shutil.rmtree(self.root)
        (self.files / file.name).write_bytes(b"x" * file.size)
        assert self.read(file) is None

    def test_forty_who_ask_for_what_vanished_wait_for_one_copy(self) -> None:
        file = self.taken_in()
        shutil.rmtree(self.root)
        assert self.read_at_once(file, [(0, file.size)] * 40) == [CONTENT] * 40
        assert len((self.root / "known").read_text().splitlines()) == 1

    def test_a_system_without_reads_that_do_not_wait_hands_out_the_same(self) -> None:
        """Only Linux has them."""
        file = self.taken_in()
        command = [sys.executable, "-c", READ_ELSEWHERE, str(self.root), file.sha256, str(file.size)]
        done = subprocess.run(command, env=clean_environment(), capture_output=True, check=False)
        assert (done.stdout, done.stderr) == (CONTENT, b"")

    def test_a_disk_that_hangs_is_said_to_be_unavailable(self) -> None:
        """A pipe that nobody writes to hangs whoever opens it, as a dead network mount does."""
        file = self.taken_in()
        self.kept(file).unlink()
        os.mkfifo(self.kept(file))
        goods = FolderGoods(self.root, patience=timedelta(seconds=0.2))
        try:
            with pytest.raises(GoodsUnavailable, match="in time"):
                asyncio.run(goods.open(file, start=0, stop=file.size))
        finally:
            os.close(os.open(self.kept(file), os.O_WRONLY))

    def test_bytes_that_break_off_are_an_error_and_not_the_end(self) -> None:
        file = self.taken_in()

        async def cut_under_the_reader() -> int:
            opened = await self.goods.open(file, start=0, stop=file.size)
            assert isinstance(opened, OpenFile)
            got = 0
            async for chunk in opened.chunks:
                got += len(chunk)
                self.kept(file).chmod(0o600)
                os.truncate(self.kept(file), 300_000)
            return got

        with pytest.raises(GoodsUnavailable, match="ends at byte 300000"):
            asyncio.run(cut_under_the_reader())

    def test_the_second_start_reads_and_writes_nothing(self) -> None:
        """The tripwire sees every file that is opened: only the list of what is known may be."""
        file = self.taken_in()
        opened = opened_while(lambda: FolderGoods(self.root).shelve(self.files / file.name))
        assert opened == [str(self.root / "known")]

    @pytest.mark.parametrize("change", ["size", "time", "inode", "list", "blob"])
    def test_whatever_may_be_another_file_is_read_again(self, change: str) -> None:
        file = self.taken_in()
        path = self.files / file.name
        stat = path.stat()
        if change == "size":
            path.write_bytes(CONTENT + b"x")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        elif change == "time":
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
        elif change == "inode":
            shutil.copy2(path, self.files / "copy")
            (self.files / "copy").rename(path)
        elif change == "list":
            (self.root / "known").write_text("torn " + (self.root / "known").read_text())
        else:
            self.kept(file).unlink()
        again = FolderGoods(self.root)
        assert str(path) in opened_while(lambda: again.shelve(path))
        assert again.shelve(path)[0] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert str(path) not in opened_while(lambda: again.shelve(path))

    def test_a_file_written_twice_within_a_tick_is_told_apart(self) -> None:
        """The same size, the same inode, and on a coarse clock the same time: what git calls racily clean."""
        self.files.mkdir()
        path = self.files / "twice"
        for round_ in range(20):
            for content in (b"one %d" % round_, b"two %d" % round_):
                path.write_bytes(content)
                assert self.goods.shelve(path)[0] == hashlib.sha256(content).hexdigest()

    def test_what_is_written_to_while_it_is_read_is_not_taken_in(self) -> None:
        """The hash would be right, but half a file is of no use to anybody."""
        self.files.mkdir()
        path = self.files / "growing"
        path.write_bytes(CONTENT * 40)
        stop = threading.Event()

        def write() -> None:
            with path.open("ab") as file:
                while not stop.is_set():
                    file.write(b"x" * 4096)
                    file.flush()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            with pytest.raises(OSError, match="still being written"):
                self.goods.shelve(path)
        finally:
            stop.set()
            writer.join()
        assert not list(self.goods.blobs())
        assert not list((self.root / "incoming").iterdir())
        self.goods.shelve(path)

    def test_a_write_between_begin_and_finish_shows(self, tmp_path: Path) -> None:
        path, known = tmp_path / "file", SeenFiles(tmp_path / "known")
        path.write_bytes(b"one")
        with path.open("rb") as file:
            stat = known.begin(file)
            assert time.time() - stat.st_mtime >= 0.02, (
                "younger, and a coarse clock would hide a second write"
            )
            known.finish(file, stat, "ab" * 32)
            path.write_bytes(b"two")
            with pytest.raises(OSError, match="still being written"):
                known.finish(file, stat, "cd" * 32)
        assert known.digest(path, stat) == "ab" * 32

    def test_a_list_that_was_deleted_and_begun_anew_is_read_anew(self, tmp_path: Path) -> None:
        one, two = SeenFiles(tmp_path / "known"), SeenFiles(tmp_path / "known")
        (tmp_path / "x").write_bytes(b"x")
        (tmp_path / "a longer name").write_bytes(b"y")
        for name in ("a longer name", "x"):
            path = tmp_path / name
            with path.open("rb") as file:
                two.finish(file, os.fstat(file.fileno()), "ab" * 32)
            assert one.digest(path, path.stat()) == "ab" * 32
            (tmp_path / "known").unlink()

    def test_a_file_that_is_replaced_while_it_is_read_is_one_or_the_other(self) -> None:
        self.files.mkdir()
        path, stop = self.files / "it", threading.Event()
        contents = [bytes([n]) * 10_000_000 for n in range(2)]
        for number, content in enumerate(contents):
            (self.files / f"{number}").write_bytes(content)
        shutil.copy(self.files / "0", path)

        def replace_it() -> None:
            while not stop.is_set():
                for number in range(2):
                    (self.files / "next").unlink(missing_ok=True)
                    os.link(self.files / f"{number}", self.files / "next")
                    (self.files / "next").rename(path)

        replacer = threading.Thread(target=replace_it)
        replacer.start()
        try:
            shelves = [FolderGoods(self.root / f"{n}") for n in range(10)]
            for goods in shelves:
                goods.shelve(path)
        finally:
            stop.set()
            replacer.join()
        for goods in shelves:
            [blob] = goods.blobs()
            assert blob.sha256 in {hashlib.sha256(content).hexdigest() for content in contents}
            assert not list(goods.verify())

    def test_a_copy_that_fails_half_way_leaves_nothing_behind(self) -> None:
        """A limit on the size of files fails in the middle, as a full disk does."""
        self.files.mkdir()
        (self.files / "big").write_bytes(CONTENT)
        work = (
            "import resource, sys; from pathlib import Path; from adapters.files.goods import FolderGoods\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            "try: FolderGoods(Path(sys.argv[1])).shelve(Path(sys.argv[2]))\n"
            "except OSError as error: print(error.strerror)"
        )
        command = [sys.executable, "-c", work, str(self.root), str(self.files / "big")]
        done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
        assert done.stdout == "File too large\n"
        assert [path for path in self.root.rglob("*") if path.is_file()] == []

    def test_a_full_disk_is_not_filled_to_its_brim(self) -> None:
        self.files.mkdir()
        (self.files / "big").write_bytes(CONTENT)
        with pytest.raises(OSError, match="not enough room") as refused:
            FolderGoods(self.root, spare=10**18).shelve(self.files / "big")
        assert refused.value.errno == errno.ENOSPC
        assert not list((self.root / "incoming").iterdir())

    def test_holes_stay_holes(self) -> None:
        self.files.mkdir()
        path = self.files / "sparse"
        with path.open("wb") as file:
            for at in (0, 3_000_000, 50_000_000):
                file.seek(at)
                file.write(b"data")
            file.truncate(60_000_000)
        sha256, size = self.goods.shelve(path)
        kept = self.root / sha256[:2] / sha256
        assert (size, sha256) == (60_000_000, hashlib.sha256(path.read_bytes()).hexdigest())
        assert kept.stat().st_blocks <= path.stat().st_blocks + 64

    def test_five_processes_take_in_the_same_files_at_once(self) -> None:
        self.files.mkdir()
        for number in range(20):
            (self.files / f"{number}").write_bytes(CONTENT + bytes([number]))
        work = (
            "import sys; from pathlib import Path; from adapters.files.goods import FolderGoods\n"
            "goods = FolderGoods(Path(sys.argv[1]))\n"
            "print([goods.shelve(p)[0] for p in sorted(Path(sys.argv[2]).iterdir())])"
        )
        command = [sys.executable, "-c", work, str(self.root), str(self.files)]
        children = [
            subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True)
            for _ in range(5)
        ]
        told = {child.communicate(timeout=60)[0] for child in children}
        assert [child.returncode for child in children] == [0] * 5
        assert len(told) == 1
        assert len(list(self.goods.blobs())) == 20
        assert not list(self.goods.verify())
        assert not list((self.root / "incoming").iterdir())

    def test_contents_go_thirty_days_after_they_were_named_last(self) -> None:
        old, sold = self.taken_in("old", b"old"), self.taken_in("sold", b"sold")
        left = self.root / "incoming" / "half"
        left.write_bytes(b"hal")
        now = datetime.now(UTC)
        for days, here in ((0, [old, sold]), (29, [old, sold]), (31, [sold])):
            asyncio.run(self.goods.prune(frozenset({sold.sha256}), now=now + timedelta(days=days)))
            assert {b.sha256 for b in self.goods.blobs()} == {f.sha256 for f in here}, days
        assert not left.exists()

    def test_a_content_that_is_named_is_as_good_as_new(self) -> None:
        """A start names it, and so does a shop that just goes on."""
        file = self.taken_in()
        for name_it in (
            lambda: FolderGoods(self.root).shelve(self.files / file.name),
            lambda: asyncio.run(self.goods.prune(frozenset({file.sha256}), now=datetime.now(UTC))),
        ):
            os.utime(self.kept(file), (1, 1))
            name_it()
            asyncio.run(self.goods.prune(frozenset(), now=datetime.now(UTC) + timedelta(days=29)))
            assert self.kept(file).exists()

    def test_bytes_that_rotted_are_found(self) -> None:
        good, bad = self.taken_in("good", b"good"), self.taken_in("bad", b"bad")
        assert not list(self.goods.verify())
        self.kept(bad).chmod(0o600)
        self.kept(bad).write_bytes(b"baD")
        assert [(blob.sha256, blob.size) for blob in self.goods.verify()] == [(bad.sha256, 3)]
        assert {blob.path for blob in self.goods.blobs()} == {self.kept(good), self.kept(bad)}

    def test_a_file_system_that_cannot_share_blocks_is_copied_plainly(self, tmp_path: Path) -> None:
        """/dev/shm is another file system, for which the kernel's own copying says EXDEV or copies plainly."""
        shm = Path("/dev/shm") / f"goods-{uuid.uuid4().hex}"
        shm.mkdir()
        try:
            (shm / "there").write_bytes(CONTENT)
            sha256, _ = self.goods.shelve(shm / "there")
            assert (self.root / sha256[:2] / sha256).read_bytes() == CONTENT
        finally:
            shutil.rmtree(shm)


_watch: list[str] | None = None


def _note(event: str, args: tuple[Any, ...]) -> None:
    if _watch is not None and event == "open" and isinstance(args[0], str | bytes | os.PathLike):
        _watch.append(os.fsdecode(args[0]))


sys.addaudithook(_note)


def opened_while(work: Any) -> list[str]:
    """The files that are opened while something is done, each once."""
    global _watch  # noqa: PLW0603 - an audit hook cannot be taken out again
    _watch = []
    try:
        work()
        return list(dict.fromkeys(_watch))
    finally:
        _watch = None
