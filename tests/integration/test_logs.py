"""What `serve` writes: one JSON object a line, whatever happens, so that a log collector needs no second rule."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from testkit.servers import Shopper, ShopServer, clean_environment

pytestmark = pytest.mark.long


def lines_of(text: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in text.splitlines()]
    assert all(line["timestamp"] and line["level"] and line["message"] for line in found)
    return found


@pytest.mark.engines
def test_every_line_that_serve_writes_is_json_from_start_to_end(own_shop: ShopServer) -> None:
    own_shop.log.write_text("")
    own_shop.process.stop(signal.SIGINT)
    own_shop.start()
    own_shop.sandbox.behave(stripe="down", mail="down")
    shopper = Shopper(own_shop)
    for path in ("/", "/nothing", "/library", "/metrics"):
        shopper.get(path)
    shopper.post("/buy/the-last-cloakroom")
    shopper.post("/webhook", {"x": "y"})
    httpx.get(f"{own_shop.url}/", headers={"host": "evil.example"})
    assert own_shop.process.stop(signal.SIGTERM) == 0
    said = [line["message"] for line in lines_of(own_shop.log.read_text())]
    for words in (
        "shop opens",
        "shop is open",
        "request",
        "webhook refused",
        "shop is closing",
        "shop is closed",
    ):
        assert words in said


def test_a_start_that_is_refused_says_so_in_sentences(own_shop: ShopServer) -> None:
    """They are for the person who set it up, and the process is over."""
    done = own_shop.cli("serve", check=False, SESSION_SECRET="short", EMAIL_FROM="nobody")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) >= 2
    assert all(line.startswith("coatcheck: ") for line in done.stderr.splitlines())


PRINTS = """
import threading, warnings
from entrypoints.run.logs import log_what_python_prints, set_up_logs
set_up_logs()
log_what_python_prints()
warnings.warn("mind this")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise SystemError("of anna@example.com")
"""


def test_warnings_and_uncaught_exceptions_are_lines_of_the_log(tmp_path: Path) -> None:
    environment = {**clean_environment(), "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [sys.executable, "-c", PRINTS], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    warned, in_thread, ended = lines_of(done.stderr)
    assert "mind this" in str(warned["message"])
    assert "ZeroDivisionError" in str(in_thread["exception"])
    assert "SystemError: of [address]" in str(ended["exception"])
