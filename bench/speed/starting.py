"""What a shop costs before and beside its requests: its start, its memory, and the developer's wait for the tests."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.speed.figures import Figure, Goal
from bench.speed.load import rate_of
from bench.speed.stage import Stage, Subject
from testkit.servers import ROOT, ShopServer, clean_environment

_GIVES_UP_AFTER = 30.0


def cold_start(stage: Stage) -> Iterator[Figure]:
    """From the start of the process to the first page; each time on books that were opened before."""
    folder = stage.folder / "cold"
    folder.mkdir()
    _first_answer(stage, folder)
    taken = [_first_answer(stage, folder) for _ in range(stage.wish.runs)]
    cpu = statistics.median(busy for _, busy in taken)
    yield Figure(
        "cold-start", "first answer after a cold start", "s", [wall for wall, _ in taken], goal=1, judged=Goal.AT_MOST,
        note=f"of that {cpu:.2f} s of work", extra={"cpu_seconds": round(cpu, 3)},
    )  # fmt: skip


def _first_answer(stage: Stage, folder: Path) -> tuple[float, float]:
    """Seconds on the clock, and seconds of work: on a busy machine the two are far apart."""
    shop = ShopServer(folder)
    shop.environment.pop("PYTHONWARNINGS")
    began = time.perf_counter()
    with (folder / "cold.log").open("ab") as log:
        command = [stage.python, *shop.process.command[1:]]
        child = subprocess.Popen(command, cwd=folder, env=shop.environment, stdout=log, stderr=log)
    try:
        while not _answers(shop.port):
            assert child.poll() is None, (folder / "cold.log").read_text()[-2000:]
            assert time.perf_counter() - began < _GIVES_UP_AFTER, "it does not come up"
            time.sleep(0.005)
        return time.perf_counter() - began, work_of(child.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        child.wait(30)
        shop.sandbox.http.close()


def work_of(pid: int) -> float:
    """Seconds that a process has had a core to itself. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("localhost", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def memory(stage: Stage) -> Iterator[Figure]:
    """After guests, sales and mails; and the same with a long past in the store."""
    for past in (0, stage.wish.past):
        what = "resident memory of all processes" + (f", {past:,} purchases" if past else "")
        subject = stage.subject("sqlite", past=past)
        assert isinstance(subject, Subject)
        for _ in range(2):
            rate_of(f"{subject.shop.url}/", seconds=stage.wish.seconds)
            subject.till.tell(subject.till.draw(stage.wish.sales), subject.shop.url)
            subject.settle()
        yield Figure(
            "memory-full" if past else "memory",
            what,
            "MB",
            [_resident(subject)],
            goal=130,
            judged=Goal.AT_MOST,
            engine="sqlite",
        )


def _resident(subject: Subject) -> float:
    child = subject.shop.process.child
    assert child is not None
    told = subprocess.run(
        ["ps", "-o", "rss=", "-g", str(child.pid)], capture_output=True, text=True, check=True
    )
    return sum(map(int, told.stdout.split())) * 1024 / 1e6


def unit_suite(stage: Stage) -> Iterator[Figure]:
    """What a developer waits for."""
    times = []
    for _ in range(min(stage.wish.runs, 3)):
        began = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-q", "tests/unit"]
        environment = {**clean_environment(), "PATH": os.environ["PATH"]}
        environment.pop("PYTHONWARNINGS")
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        times.append(time.perf_counter() - began)
    yield Figure("unit-suite", "unit suite", "s", times, goal=10, judged=Goal.AT_MOST)
