"""`coatcheck demo`, as a newcomer meets it: a quiet terminal, a port that is free, and one name for the shop."""

from __future__ import annotations

import contextlib
import html
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from entrypoints.demo import free_pair
from entrypoints.run.listener import CannotListen
from testkit.browsing import CARD, Demo
from testkit.servers import BOOK, clean_environment, free_port
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


# ------------------------------------------------------------------ for containers


@pytest.fixture(scope="module")
def in_container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("container"), arguments=("--host", "0.0.0.0"))
    running.process.start(f"{running.shop}/readyz")
    yield running
    running.process.stop()


def other_address() -> str:
    """Another address of this machine than 127.0.0.1, which no other machine can reach either."""
    return "127.0.0.2"


def base_of_mailbox(demo: Demo) -> str:
    found = re.search(rf"{re.escape(demo.sandbox)}/[\w-]{{22}}(?=/mailbox\n)", demo.process.log.read_text())
    assert found is not None, demo.process.log.read_text()
    return found[0]


def test_by_itself_the_demo_is_there_for_this_machine_only(demo: Demo) -> None:
    for port in (demo.port, demo.port + 1):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://{other_address()}:{port}/healthz")
    assert "Warning" not in demo.process.log.read_text()


def test_in_a_container_it_listens_where_it_is_told_and_warns(in_container: Demo) -> None:
    for port in (in_container.port, in_container.port + 1):
        assert httpx.get(f"http://{other_address()}:{port}/").status_code in (400, 404, 421)
    assert "Warning: the demo listens on 0.0.0.0." in in_container.process.log.read_text()
    assert "The Last Cloakroom" in httpx.get(in_container.shop).text


def test_in_a_container_a_purchase_does_not_show_the_way_to_the_mailbox(in_container: Demo) -> None:
    demo, owner = in_container, base_of_mailbox(in_container)
    with httpx.Client(base_url=demo.shop, headers={"origin": demo.shop}) as browser:
        front = browser.get("/").text
        assert "Test mode" in front
        assert demo.sandbox not in front
        payment = browser.post(f"/buy/{BOOK}").headers["location"]
        door, _, rest = payment.removeprefix(f"{demo.sandbox}/").partition("/")
        assert len(door) == 22
        assert door not in owner
        page = httpx.get(payment)
        assert page.status_code == 200
        assert urlsplit(owner).path not in html.unescape(page.text)
        for path in ("", "mailbox", "_sandbox/mails", "v1/events", "emails"):
            assert httpx.get(f"{demo.sandbox}/{path}").status_code == 404, path
            assert httpx.get(f"{demo.sandbox}/{door}/{path}").status_code == 404, path
        assert httpx.get(f"{demo.sandbox}/{rest}").status_code == 404
        card = {"email": "anna@example.com", "number": CARD, "expiry": "12 / 34", "cvc": "123"}
        back = httpx.post(payment, data=card).headers["location"]
        assert "Ottilie" in browser.get(back, follow_redirects=True).text
    wait_until(lambda: "Your purchase" in httpx.get(f"{owner}/mailbox").text)
    mail = re.search(r'href="(/[^"]+/mailbox/[^"]+)"', html.unescape(httpx.get(f"{owner}/mailbox").text))
    assert mail is not None
    assert httpx.get(f"{demo.sandbox}{mail[1]}").status_code == 200


def test_an_address_at_which_the_demo_could_not_reach_itself_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "demo", "--host", "192.0.2.1"], cwd=tmp_path, env=clean_environment(),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        2, "coatcheck: --host 192.0.2.1: the demo calls itself at 127.0.0.1, so choose 0.0.0.0, :: or 127.0.0.1\n"
    )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_the_address_of_the_back_office_works_as_long_as_the_demo_runs(demo: Demo) -> None:
    found = re.search(rf"Back office\s+({re.escape(demo.shop)}/admin/demo/\S+)", demo.process.log.read_text())
    assert found is not None
    for _ in range(2):
        with httpx.Client() as browser:
            link = browser.get(found[1]).headers["location"]
            assert browser.post(link, data={"form": "0" * 32}).headers["location"] == "/admin"
            home = browser.get(f"{demo.shop}/admin").text
            assert "<h1>Home</h1>" in home
            for asset in re.findall(r'/admin/static/[^"]+', home):
                assert browser.get(f"{demo.shop}{asset}").status_code == 200
            assert browser.get(link).headers["location"] == "/admin", "the back button leads on, not astray"
        assert httpx.get(link if link.startswith("http") else f"{demo.shop}{link}").status_code == 404, (
            "each of its links is good once, and nobody has a passkey"
        )
    assert httpx.get(found[1] + "x").status_code == 404


def test_commands_that_are_run_in_its_folder_find_the_shop(demo: Demo) -> None:
    folder = demo.folder / ".coatcheck-demo"
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600, "it holds the secret that signs links"
    for command, shown in (("status", "Nothing is waiting for you."), ("doctor", demo.shop)):
        done = subprocess.run(
            [sys.executable, "-m", "entrypoints.cli", command], cwd=folder, env=clean_environment(),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert shown in done.stdout, (done.returncode, done.stdout, done.stderr)
    assert ".coatcheck-demo" in demo.process.log.read_text()


def test_its_settings_are_shown_as_what_is_in_force(demo: Demo) -> None:
    found = re.search(rf"Back office\s+({re.escape(demo.shop)}/admin/demo/\S+)", demo.process.log.read_text())
    assert found is not None
    with httpx.Client() as browser:
        browser.post(browser.get(found[1]).headers["location"], data={"form": "0" * 32})
        page = html.unescape(browser.get(f"{demo.shop}/admin/settings").text)
    base_url = re.search(r"<code>BASE_URL</code>.*?</tr>", page, re.DOTALL)
    assert base_url is not None
    assert demo.shop in base_url[0]
    assert "not set" not in base_url[0]
