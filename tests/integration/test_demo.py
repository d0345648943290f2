"""`coatcheck demo`, as a newcomer meets it: a quiet terminal, a port that is free, and one name for the shop."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from entrypoints.demo import free_pair
from entrypoints.run.listener import CannotListen
from testkit.browsing import Demo
from testkit.servers import clean_environment, free_port
from testkit.waiting import wait_until


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    running.process.start(f"{running.shop}/readyz")
    yield running
    running.process.stop()


def test_its_terminal_shows_addresses_and_no_log(demo: Demo) -> None:
    assert httpx.get(demo.shop).status_code == 200
    log = demo.folder / ".coatcheck-demo" / "demo.log"
    wait_until(lambda: '"route":"/"' in log.read_text())
    terminal = demo.process.log.read_text()
    assert "{" not in terminal
    for shown in (demo.shop, f"{demo.sandbox}/mailbox", "4242 4242 4242 4242", ".coatcheck-demo/demo.log"):
        assert shown in terminal


@pytest.mark.parametrize("path", ["/", "/products/the-last-cloakroom?currency=usd", "//elsewhere.example/x"])
def test_another_name_of_the_machine_leads_to_the_shop(demo: Demo, path: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{demo.port}{path}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{demo.shop}/{path.lstrip('/')}")
    assert httpx.post(f"http://127.0.0.1:{demo.port}/buy/the-last-cloakroom").status_code == 400


def test_nobody_who_tries_it_alone_is_stopped_by_a_limit_of_the_network(demo: Demo) -> None:
    form = {"origin": demo.shop, "content-type": "application/x-www-form-urlencoded"}
    for number in range(40):
        body = f"email=newcomer{number}@example.com"
        assert httpx.post(f"{demo.shop}/request-login", content=body, headers=form).status_code == 200


def test_the_next_pair_of_ports_is_taken_if_one_of_the_first_is_in_use() -> None:
    first = free_port(in_a_row=4)
    with contextlib.ExitStack() as taken:
        taken.enter_context(socket.create_server(("127.0.0.1", first + 1)))
        assert free_pair(first) == first + 2


def test_where_every_port_is_in_use_the_way_out_is_said() -> None:
    first = free_port(in_a_row=40)
    with contextlib.ExitStack() as taken:
        for port in range(first, first + 40, 2):
            taken.enter_context(socket.create_server(("127.0.0.1", port)))
        with pytest.raises(CannotListen, match=f"PORT={first + 1000} coatcheck demo"):
            free_pair(first)


@pytest.mark.parametrize("port", ["0", "65535", "70000", "x"])
def test_a_port_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path, port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "demo"], cwd=tmp_path, env=clean_environment(PORT=port),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr.startswith("coatcheck: PORT is a number")) == (2, True), done.stderr


def test_a_port_on_which_ipv6_answers_is_not_free() -> None:
    """A browser asks `::1` first for `localhost`, and would be shown what listens there."""
    first = free_port(in_a_row=4)
    with socket.create_server(("::1", first), family=socket.AF_INET6):
        assert free_pair(first) == first + 2


def test_this_machine_reads_the_metrics_of_the_demo(demo: Demo) -> None:
    assert httpx.get(f"{demo.shop}/metrics").status_code == 200
