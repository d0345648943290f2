"""A new demo begins with some weeks of invented sales, which the stand-in knows as well as the shop."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from testkit.browsing import Demo
from testkit.servers import clean_environment
from testkit.waiting import wait_until


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"), empty=False)
    running.process.start(f"{running.shop}/readyz")
    yield running
    running.process.stop()


def rows(demo: Demo, statement: str) -> list[Any]:
    file = demo.folder / ".coatcheck-demo" / "coatcheck.db"
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return database.execute(statement).fetchall()


def test_sales_of_every_kind_lie_some_weeks_back(demo: Demo) -> None:
    [(sales, weeks)] = rows(
        demo, "SELECT count(*), (max(booked_at) - min(booked_at)) / (7 * 86400 * 1000000) FROM purchases"
    )
    assert (sales, weeks) == (29, 3)
    assert rows(demo, "SELECT source, count(*) FROM purchases GROUP BY source") == [
        (None, 27),
        ("free", 1),
        ("grant", 1),
    ]
    facts = dict(
        rows(demo, "SELECT kind || ' ' || status, count(*) FROM facts WHERE kind <> 'session' GROUP BY 1")
    )
    assert facts == {"refund succeeded": 3, "dispute needs_response": 1}
    refunded = rows(demo, "SELECT count(DISTINCT as_of / 86400) FROM facts WHERE kind = 'refund'")
    assert refunded == [(3,)], "on three days"
    assert rows(demo, "SELECT objection FROM quarantine WHERE closed_at IS NULL") == [("WRONG_AMOUNT",)]
    assert rows(demo, "SELECT count(*) FROM purchases WHERE opened_at IS NULL") == [(5,)]
    unverified = "SELECT count(DISTINCT user_id) FROM purchases JOIN users ON users.id = user_id WHERE proved_at IS NULL"
    assert rows(demo, unverified) == [(4,)], "whoever opened it used the link of the email"
    assert rows(demo, "SELECT count(DISTINCT pid) FROM purchases") == [(3,)]


def test_the_payment_in_quarantine_is_of_half_the_price_that_was_asked(demo: Demo) -> None:
    [(ref,)] = rows(demo, "SELECT ref FROM quarantine WHERE closed_at IS NULL")
    [(price,)] = rows(demo, f"SELECT amount FROM checkouts WHERE provider_ref = '{ref}'")
    session = httpx.get(
        f"{demo.sandbox}/v1/checkout/sessions/{ref}", headers={"authorization": "Bearer sk_test_any"}
    ).json()
    assert (session["amount_total"], session["amount_subtotal"]) == (price // 2, price // 2)


def test_an_access_email_came_back_and_all_others_were_sent(demo: Demo) -> None:
    wait_until(lambda: rows(demo, "SELECT count(*) FROM outbox WHERE delivery = 'bounced'") == [(1,)])
    assert rows(demo, "SELECT count(*) FROM outbox WHERE kind = 'access' AND state = 'sent'") == [(29,)]


def test_the_closed_days_are_summed_by_the_timer(demo: Demo) -> None:
    wait_until(lambda: rows(demo, "SELECT count(*) FROM day_sums")[0][0] >= 20)


def test_the_reconciler_finds_no_difference(demo: Demo) -> None:
    folder = demo.folder / ".coatcheck-demo"
    environment = clean_environment(
        BASE_URL=demo.shop, SESSION_SECRET=(folder / "session-secret").read_text(), CATALOGUE=str(folder / "catalogue"),
        DATA_DIR=str(folder), STRIPE_SECRET_KEY="sk_test_other", STRIPE_WEBHOOK_SECRET="whsec_other",
        STRIPE_API_BASE=demo.sandbox, RESEND_API_KEY="re_other", EMAIL_FROM="shop@example.com",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "reconcile"], env=environment, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, "sales that were missing: 0" in done.stdout) == (0, True), (
        done.stdout + done.stderr
    )


def test_a_second_start_adds_nothing(demo: Demo) -> None:
    demo.process.stop()
    demo.process.start(f"{demo.shop}/readyz")
    assert rows(demo, "SELECT count(*) FROM purchases") == [(29,)]
