"""The demo goes on where it was: its mailbox and payments outlast a restart as its database does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from testkit.browsing import Demo
from testkit.demos import PAID, a_browser, buy, kept, mailbox, open_the_link_in, page_at, running
from testkit.servers import BOOK, clean_environment
from testkit.waiting import wait_until


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_after_a_restart_the_mail_opens_the_purchase_and_the_payment_can_be_refunded(
    tmp_path: Path, end: signal.Signals
) -> None:
    demo = Demo(tmp_path)
    with running(demo), a_browser(demo) as browser:
        cs = buy(demo, browser)
        wait_until(lambda: len(mailbox(demo)) == 1)
        [mail] = mailbox(demo)
        if end is signal.SIGKILL:
            # It is written soon after. Ctrl-C loses nothing, whenever it is pressed.
            wait_until(lambda: mail.rpartition("/")[2] in kept(demo))
            demo.process.kill()
        else:
            assert demo.process.stop(end) == 0
        demo.process.start(f"{demo.shop}/readyz")
        assert mailbox(demo) == [mail]
        assert "Ottilie" in open_the_link_in(demo, mail)
        assert "Ottilie" in browser.get(f"/view/{BOOK}").text
        assert f'id="{cs}"' in page_at(demo.sandbox)
        assert httpx.post(f"{demo.sandbox}/sessions/{cs}", data={"wish": "refund"}).status_code == 303
        assert "is closed" in browser.get(f"/view/{BOOK}").text
        assert "Ottilie" not in browser.get(f"/view/{BOOK}").text


def test_on_another_port_the_links_in_earlier_mails_lead_to_the_shop_as_it_is_now(tmp_path: Path) -> None:
    first = Demo(tmp_path)
    with running(first), a_browser(first) as browser:
        buy(first, browser)
        unpaid = browser.post("/buy/small-shop-paperwork").headers["location"].rpartition("/")[2]
        wait_until(lambda: len(mailbox(first)) == 1)
    second = Demo(tmp_path)
    assert second.port != first.port
    with running(second):
        assert "Ottilie" in open_the_link_in(second, mailbox(second)[0])
        page = page_at(f"{second.sandbox}/c/pay/{unpaid}")
        assert f'action="{second.sandbox}/c/pay/{unpaid}"' in page
        assert str(first.port) not in page


def test_a_webhook_that_the_shop_did_not_hear_of_is_delivered_after_the_restart(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with running(demo), a_browser(demo) as browser:
        payment = browser.post(f"/buy/{BOOK}").headers["location"]
        httpx.post(f"{demo.sandbox}/_sandbox/behave", json={"webhook_url": "http://127.0.0.1:9/"})
        httpx.post(payment, data={**PAID, "webhook": "after"})
        cs = payment.rpartition("/")[2]
        assert demo.process.stop(signal.SIGINT) == 0
        [waits] = json.loads(kept(demo))["world"]["undelivered"].values()
        assert (waits["type"], json.loads(waits["body"])["data"]["object"]["id"]) == (
            "checkout.session.completed", cs
        )  # fmt: skip
        demo.process.start(f"{demo.shop}/readyz")
        # Nobody came back from the payment page, so only the webhook can have told the shop.
        wait_until(lambda: len(mailbox(demo)) == 1)
        wait_until(lambda: json.loads(kept(demo))["world"]["undelivered"] == {})


def test_a_damaged_file_is_set_aside_with_a_sentence_and_the_demo_starts(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    folder = tmp_path / ".coatcheck-demo"
    with running(demo), a_browser(demo) as browser:
        buy(demo, browser)
        # What the shop has not sent yet, it sends after the restart.
        wait_until(lambda: len(mailbox(demo)) == 1)
    damaged = kept(demo)[:-100]
    (folder / "sandbox.json").write_text(damaged)
    with running(demo), a_browser(demo) as browser:
        said = demo.process.log.read_text()
        assert "Mailbox and payments begin empty, because .coatcheck-demo/sandbox.json cannot be read" in said
        assert "It is now .coatcheck-demo/sandbox.damaged-1.json." in said
        assert (folder / "sandbox.damaged-1.json").read_text() == damaged
        assert mailbox(demo) == []
        buy(demo, browser)
        wait_until(lambda: len(mailbox(demo)) == 1)


def test_a_second_demo_in_the_same_folder_is_refused_before_it_touches_anything(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with running(demo):
        done = subprocess.run(
            [sys.executable, "-m", "entrypoints.cli", "demo"], cwd=tmp_path, env=clean_environment(PORT=str(Demo(tmp_path).port)),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (2, "", (
            "coatcheck: a demo runs already: another process keeps its mailbox and payments in "
            ".coatcheck-demo/sandbox.json: stop it first\n"
        ))  # fmt: skip
        assert httpx.get(f"{demo.shop}/readyz").status_code == 200


def test_only_its_owner_can_read_what_opens_accounts(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with running(demo), a_browser(demo) as browser:
        buy(demo, browser)
    folder = tmp_path / ".coatcheck-demo"
    assert [(folder / name).stat().st_mode & 0o777 for name in ("sandbox.json", "session-secret")] == [
        0o600
    ] * 2
