"""`serve --workers N` on PostgreSQL: one address, several processes, and somebody who looks after them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvloop

from entrypoints.run.processes import Workers
from testkit.postgres import PostgresServer
from testkit.servers import ROOT, Shopper, ShopServer, clean_environment, free_port
from testkit.waiting import wait_until

pytestmark = pytest.mark.long


def workers_of(shop: ShopServer) -> set[int]:
    """The processes that the shop's own process started."""
    assert shop.process.child is not None
    children = Path(f"/proc/{shop.process.child.pid}/task/{shop.process.child.pid}/children")
    return {int(number) for number in children.read_text().split()} if children.exists() else set()


def alive(number: int) -> bool:
    """And no zombie either."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def three(tmp_path: Path, postgres: PostgresServer) -> Iterator[ShopServer]:
    """A shop of three processes, each of which has taken a request."""
    shop = ShopServer(tmp_path, more={"DATABASE_URL": postgres.url(postgres.new_database())})
    shop.process.command += ["--workers", "3"]
    shop.sandbox.start()
    try:
        shop.start()
        wait_until(lambda: shop.log.read_text().count("is open") == 3)
        yield shop
    finally:
        for client in shop.clients:
            client.close()
        shop.process.stop()
        shop.sandbox.stop()


def test_three_workers_sell_together_and_one_that_dies_is_replaced(three: ShopServer) -> None:
    before = workers_of(three)
    assert len(before) == 3
    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(lambda n: Shopper(three).buy_and_pay(f"buyer{n}@example.com"), range(12)))
    exported = three.export()
    assert (len(exported["user"]), len(exported["purchase"])) == (12, 12)
    assert [(m["state"], m["attempts"]) for m in exported["mail"]] == [("sent", 1)] * 12
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    statuses = {Shopper(three).get("/").status_code for _ in range(30)}
    assert statuses == {200}, "the others go on, and nothing was in the dead one's queue"
    wait_until(lambda: len(workers_of(three)) == 3 and victim not in workers_of(three))
    wait_until(lambda: "a worker died and is started again" in three.log.read_text())


def test_workers_stop_when_they_are_told_and_die_with_their_parent(three: ShopServer) -> None:
    assert three.process.child is not None
    first = workers_of(three)
    three.process.child.send_signal(signal.SIGTERM)
    wait_until(lambda: Shopper(three).get("/readyz").status_code == 503)
    assert Shopper(three).get("/").status_code == 200, "and go on serving for five seconds"
    assert three.process.child.wait(60) == 0
    assert not any(alive(number) for number in first)
    three.start()
    wait_until(lambda: len(workers_of(three)) == 3)
    second = workers_of(three)
    os.kill(three.process.child.pid, signal.SIGKILL)
    three.process.child.wait(60)
    wait_until(lambda: not any(alive(number) for number in second))
    # A thread of a dead worker may hold the socket for a moment longer.
    wait_until(lambda: refuses(three.port))


_ASKS_TO_DIE = (
    "import os; from entrypoints.run.processes import die_with_parent; {}; print('lives', flush=True)"
)


@pytest.mark.parametrize(
    ("asks", "lives"),
    [
        ("die_with_parent(os.getppid())", True),
        ("die_with_parent(os.getppid() + 1)", False),
        # Whoever outlives its parent is process 1's (or another's who takes children in); in a container, 1 is the shop.
        ("import time; os.fork() and os._exit(0); time.sleep(0.2); die_with_parent(os.getppid())", True),
    ],
    ids=["its parent watches it", "its parent is gone", "process 1 watches it"],
)
def test_a_worker_dies_only_if_its_parent_is_not_who_watches_it(asks: str, lives: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASKS_TO_DIE.format(asks)], env={**clean_environment(), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ("lives\n" if lives else "")


def test_a_worker_that_is_being_started_hears_that_all_shall_stop() -> None:
    """Told in the very turns of the loop in which the processes begin."""

    async def main(turns: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            command = [sys.executable, "-c", "import time; time.sleep(30)"]
            running = asyncio.create_task(Workers(listening, command, number=2).run())
            for _ in range(turns):
                await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(running, 10)

    for turns in range(2, 8):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(turns))


_HEARS_THE_SECOND = """
import signal, time
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
print("up", flush=True)
for _ in range(6000):
    if len(heard) >= 2:
        break
    time.sleep(0.01)
"""


def test_a_worker_that_missed_the_signal_is_told_again(capfd: pytest.CaptureFixture[str]) -> None:
    """As one does that is just importing what it needs, if that code swallows exceptions."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            command = [sys.executable, "-c", _HEARS_THE_SECOND]
            running = asyncio.create_task(Workers(listening, command, number=2).run())
            up = 0
            while up < 2:
                await asyncio.sleep(0.01)
                up += capfd.readouterr().out.count("up")
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(running, 30)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


_SWALLOWED = """
import os, signal
from entrypoints import cli

build = cli.Container

def swallowing(**settings):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        return build(**settings)
    except KeyboardInterrupt:
        return build(**settings)

cli.Container = swallowing
cli.main()
"""


def test_ctrl_c_is_not_lost_while_the_shop_is_put_together(own_shop: ShopServer) -> None:
    """A library that swallows KeyboardInterrupt is at work then; the shop must not open all the same."""
    own_shop.process.stop()
    done = subprocess.run(
        [sys.executable, "-c", _SWALLOWED, "serve", "--port", str(free_port())],
        env={**own_shop.environment, "PYTHONPATH": str(ROOT / "src")}, cwd=own_shop.folder,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, "is open" in done.stdout + done.stderr) == (1, False), done.stderr


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_while_the_last_worker_finishes_a_request_new_connections_are_refused(three: ShopServer) -> None:
    """Were the shared socket still open somewhere, they would queue for nobody, and be reset when it is closed."""
    assert three.process.child is not None
    body = b"email=anna%40example.com"
    head = (
        f"POST /request-login HTTP/1.1\r\nHost: localhost:{three.port}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", three.port), timeout=60) as slow:
        slow.sendall(head.encode())
        assert slow.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n", "it has begun"
        three.process.child.send_signal(signal.SIGINT)
        wait_until(lambda: refuses(three.port))
        assert three.process.child.poll() is None, "it waits for the rest of that request"
        slow.sendall(body)
        assert slow.recv(12) == b"HTTP/1.1 200"


def test_what_is_wrong_is_said_once_before_any_worker_starts(three: ShopServer) -> None:
    taken = three.cli("serve", "--workers", "2", "--port", str(three.sandbox.port), check=False)
    assert (taken.returncode, taken.stderr.count("choose another port")) == (2, 1)
    three.environment["DATABASE_URL"] = three.environment["DATABASE_URL"].replace("postgres:", "nobody:")
    away = three.cli("serve", "--workers", "2", "--port", "1", check=False)
    assert (away.returncode, away.stderr.count("cannot open the database")) == (2, 1)
    assert "password%20" not in away.stderr


def test_more_workers_are_refused_on_sqlite(shop: ShopServer) -> None:
    done = shop.cli("serve", "--workers", "4", check=False)
    assert done.returncode == 2
    assert "one process" in done.stderr
