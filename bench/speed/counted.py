"""So many requests through the whole application, in one process and without a network: to be counted, not timed.

    python -m bench.speed.counted FOLDER GUESTS OWNERS CLAIMS

Everything but the server and the wire: gate, routing, pages, use cases, SQLite at FULL durability, log lines.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from adapters.sql import checkouts, sessions
from adapters.sql.record import micros
from bench.speed.engines import Lot, Sqlite
from bench.speed.load import delivery
from domain.purchase import Checkout
from domain.values import CheckoutId, Money, ProductId, ProviderRef, SessionId, digest_of
from entrypoints.container import Container
from entrypoints.environment import read_environment
from entrypoints.run.logs import set_up_logs
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.settings import settle
from testkit.servers import BOOK, EXAMPLES, SESSION_SECRET, WEBHOOK_SECRET

MOST_CLAIMS = 550
_HOST = "localhost:8000"
_TOKEN = "0123456789abcdef" * 4
_SESSION = "0" * 32


@dataclass
class Driver:
    """Calls the application as a server would."""

    app: Any

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        """One request; its status."""
        fields = [(b"host", _HOST.encode())]
        fields += [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": fields, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "state": {}, "extensions": {},
        }  # fmt: skip
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        await self.app(scope, receive, send)
        return status


async def main(folder: Path, guests: int, owners: int, claims: int) -> None:
    """Open the shop and ask."""
    settings = settle(
        read_environment({
            "BASE_URL": f"http://{_HOST}", "SESSION_SECRET": SESSION_SECRET, "CATALOGUE": str(EXAMPLES),
            "DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'bench.db'}",
            "STRIPE_SECRET_KEY": "sk_test_counted", "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "RESEND_API_KEY": "re_counted", "EMAIL_FROM": "shop@example.com",
        }, dotenv=None)
    )  # fmt: skip
    lines = set_up_logs(io.StringIO())
    container = Container(settings=settings, serving=True, log_access=lines.access)
    await open_shop(container)
    driver = Driver(container.app())
    now = micros(container.clock().now())
    # As many in a short run as in a long one: what the bench itself does is no part of their difference.
    sales = [_checkout(number, container) for number in range(MOST_CLAIMS)]
    shots = [delivery(_event(number, sale), secret=WEBHOOK_SECRET) for number, sale in enumerate(sales)]
    session = (_SESSION, digest_of(_TOKEN.encode()), None, now, now, "Firefox on Linux", None, None)
    Sqlite(folder).add(
        [
            Lot("sessions", sessions.COLUMNS, [session]),
            Lot("checkouts", checkouts.COLUMNS, [checkouts.to_row(sale) for sale in sales]),
        ]
    )
    for _ in range(guests):
        assert await driver.ask("GET", "/", {}) == 200
    for _ in range(owners):
        assert await driver.ask("GET", "/", {"cookie": f"session={_TOKEN}"}) == 200
    bodies = [shot.body.encode() for shot in shots]
    for shot, body in zip(shots[:claims], bodies, strict=False):
        assert await driver.ask("POST", shot.path, shot.headers, body) == 200
    await close_shop(container)
    assert Sqlite(folder).counts()["purchases"] == claims


def _checkout(number: int, container: Container) -> Checkout:
    return Checkout(
        id=CheckoutId(f"{number:032x}"),
        product=ProductId(BOOK),
        product_name="The Last Cloakroom",
        price=Money(900, "usd"),
        session=SessionId(_SESSION),
        mailbox=None,
        livemode=False,
        started_at=container.clock().now(),
        provider_ref=ProviderRef(f"cs_test_{number:058}"),
    )


def _event(number: int, sale: Checkout) -> str:
    session = {
        "id": sale.provider_ref, "object": "checkout.session", "created": 1_790_000_000, "livemode": False,
        "mode": "payment", "status": "complete", "payment_status": "paid", "currency": "usd", "amount_subtotal": 900,
        "amount_total": 900, "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "customer_details": {"email": f"counted{number:05}@example.com", "name": None}, "customer_email": None,
        "payment_intent": f"pi_{number:024}", "client_reference_id": sale.id, "metadata": {"pid": BOOK},
        "url": None, "expires_at": 1_790_003_600,
    }  # fmt: skip
    return json.dumps(
        {
            "id": f"evt_{number:024}", "object": "event", "type": "checkout.session.completed",
            "created": 1_790_000_000, "data": {"object": session}, "livemode": False,
        }
    )  # fmt: skip


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop that `serve` uses
        runner.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
