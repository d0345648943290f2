"""The official Stripe CLI drives the stand-in, and the shop tells its payments from sales."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from testkit.servers import BOOK, Shopper, ShopServer
from testkit.tools import stripe_cli


def trigger(shop: ShopServer, home: Path, event: str) -> None:
    binary = stripe_cli()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        "STRIPE_API_KEY": "sk_test_" + "a" * 24,
    }  # fmt: skip
    done = subprocess.run(
        [binary, "trigger", event, "--api-base", shop.sandbox.url],
        env=environment, cwd=home, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr + str(shop.sandbox.get("/_sandbox/calls")[-12:])


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        ("checkout.session.completed", True),
        ("checkout.session.async_payment_succeeded", True),
        ("checkout.session.async_payment_failed", True),
        ("checkout.session.expired", True),
    ],
)
def test_the_stripe_cli_drives_the_stand_in_and_the_shop_quarantines_its_sessions(
    shop: ShopServer, tmp_path: Path, event: str, outcome: bool
) -> None:
    before = {s["id"] for s in shop.sandbox.get("/_sandbox/sessions")}
    sold = len(shop.export()["purchase"])
    trigger(shop, tmp_path, event)
    [made] = {s["id"] for s in shop.sandbox.get("/_sandbox/sessions")} - before
    told = [a for a in shop.sandbox.get("/_sandbox/attempts") if a["type"] == event]
    assert told[-1]["status"] == "200"
    exported = shop.export()
    assert (made in {q["id"] for q in exported["quarantine"]}) is outcome
    assert len(exported["purchase"]) == sold


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("charge.refunded", ["refund.created", "charge.refunded"]),
        ("charge.refund.updated", ["refund.created", "charge.refunded", "refund.updated"]),
        ("charge.dispute.created", ["charge.dispute.created"]),
        ("charge.dispute.updated", ["charge.dispute.created", "charge.dispute.updated"]),
        ("charge.dispute.closed", ["charge.dispute.created", "charge.dispute.closed"]),
    ],
)
def test_the_stripe_cli_refunds_and_disputes_what_the_shop_never_sold(
    shop: ShopServer, tmp_path: Path, event: str, kinds: list[str]
) -> None:
    """Payments without a session or metadata: the shop hears of them, and books nothing."""
    before = {a["event"] for a in shop.sandbox.get("/_sandbox/attempts")}
    sold = len(shop.export()["purchase"])
    trigger(shop, tmp_path, event)
    heard = [a for a in shop.sandbox.get("/_sandbox/attempts") if a["event"] not in before]
    about = [a for a in heard if a["type"].startswith(("refund.", "charge.refund", "charge.dispute."))]
    assert [a["type"] for a in about] == kinds
    assert all(a["status"].startswith("2") for a in about), about
    assert len(shop.export()["purchase"]) == sold


def test_buying_needs_nothing_set_up_at_stripe(shop: ShopServer) -> None:
    """price_data, never a stored price: the shop's only calls are to checkout sessions."""
    Shopper(shop).buy(BOOK)
    assert shop.sandbox.get("/_sandbox/calls")[-1] == "POST /v1/checkout/sessions"
