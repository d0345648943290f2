"""A restricted key that may not read one of Stripe's lists: the adapter on the wire, `reconcile`, `status` and `doctor`."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.stripe.payments import StripePayments
from domain.ports import PaymentsRefused
from testkit.servers import Shopper, ShopServer, a_shop

WORDS = "The provided key does not have the required permissions for this endpoint."
REFUND = {"id": "re_1", "object": "refund", "amount": 300, "status": "succeeded", "payment_intent": "pi_1"}


@contextmanager
def stripe_that_forbids(*paths: str) -> Iterator[str]:
    """Stripe's lists with nothing in them but a refund; those of these paths are refused."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/v1/")
            refused = path in paths
            data = [REFUND] if path == "refunds" else []
            told: dict[str, Any] = {"object": "list", "data": data, "has_more": False, "url": f"/v1/{path}"}
            if refused:
                told = {"error": {"type": "invalid_request_error", "message": WORDS}}
            body = json.dumps(told).encode()
            self.send_response(403 if refused else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("forbidden", "found"),
    [((), 1), (("disputes",), 1), (("refunds",), None), (("refunds", "disputes"), "refused"),
     (("checkout/sessions",), "refused")],
)  # fmt: skip
def test_a_payment_is_read_with_what_the_key_may_read(forbidden: tuple[str, ...], found: object) -> None:
    async def read(base: str) -> object:
        payments = StripePayments(key="rk_test_x", webhook_secrets=("whsec_x",), api_base=base)
        try:
            reading = await payments.retrieve_payment("pi_1")
            return None if reading is None else len(reading.facts)
        except PaymentsRefused as error:
            return "refused" if WORDS in str(error) else str(error)
        finally:
            await payments.close()

    with stripe_that_forbids(*forbidden) as base:
        assert asyncio.run(read(base)) == found


@pytest.fixture
def restricted(tmp_path: Path) -> Iterator[ShopServer]:
    """A shop with a sale, whose key may not read disputes any more."""
    with a_shop(tmp_path) as shop:
        Shopper(shop).buy_and_pay("anna@example.com")
        with stripe_that_forbids("disputes") as base:
            shop.environment["STRIPE_API_BASE"] = base
            yield shop


def test_the_list_that_cannot_be_read_is_named_by_reconcile_status_and_doctor(restricted: ShopServer) -> None:
    swept = restricted.cli("reconcile", check=False)
    assert swept.returncode == 1
    assert "the list of disputes cannot be read: Stripe said no (403): " + WORDS in swept.stdout
    assert "refunds cannot be read" not in swept.stdout
    said = restricted.cli("status", check=False)
    assert said.returncode == 1
    assert (
        "The list of disputes cannot be read, so changes that no webhook reports are missed (since "
        in said.stdout
    )
    found = restricted.cli("doctor", check=False)
    assert "disputes: the list of disputes cannot be read" in found.stdout
    assert "give the key Disputes *read*" in found.stdout


NEEDED = {
    "checkout_session_write", "payment_intent_read", "charge_read", "dispute_read", "invoice_read", "coupon_read",
    "promotion_code_read", "webhook_read", "radar_early_fraud_warning_read",
}  # fmt: skip
"""What docs/reference.md asks of a restricted key."""
LACKING = {
    "checkout_session_write": ("Stripe", "Check STRIPE_SECRET_KEY, and the permissions of a restricted key"),
    "payment_intent_read": ("completed checkouts", "give the key PaymentIntents *read*"),
    "charge_read": ("refunds", "give the key Charges and Refunds *read*"),
    "dispute_read": ("disputes", "give the key Disputes *read*"),
    "radar_early_fraud_warning_read": ("fraud warnings", "give the key Radar *read*"),
    "invoice_read": ("invoices", "customers cannot open them: give the key Invoices *read*"),
}


def test_doctor_names_each_permission_without_which_a_shop_cannot_do_its_work(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        shop.settle("\n[payment]\ninvoices = true\n")
        Shopper(shop).buy_and_pay("anna@example.com")
        shop.sandbox.behave(permissions=sorted(NEEDED))
        assert shop.cli("doctor", check=False).returncode == 0
        for permission, (finding, words) in LACKING.items():
            shop.sandbox.behave(permissions=sorted(NEEDED - {permission}))
            found = shop.cli("doctor", check=False)
            line = next(line for line in found.stdout.splitlines() if line.startswith(f" !!  {finding}: "))
            assert (found.returncode, words in line, ".." in line) == (1, True, False), found.stdout
