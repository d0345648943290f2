"""The floor under the webhook: a handler that verifies a delivery and writes six rows, on what the shop is made of.

    python -m bench.speed.floor PORT DATABASE SECRET

The same server, framework, signature check, schema and group writer at FULL durability. What the shop does beyond this
(reading, judging, its other promises, headers, log lines) is what it takes longer.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import stripe
from litestar import Litestar, Request, get, post
from litestar.response.base import ASGIResponse

from adapters.sqlite.connections import open_writer
from adapters.sqlite.writer import GroupWriter
from entrypoints.run.listener import Address, Listener

if TYPE_CHECKING:
    from domain.transaction import Transaction

_AT = 1_790_000_000_000_000
_PARAMETERS = (
    '{"product_name":"The Last Cloakroom","paid":{"amount":900,"currency":"usd"},"order":"0123456789ab"}'
)
INSERTS = (
    "INSERT INTO users (id, email, since) VALUES (?,?,?)",
    (
        "INSERT INTO purchases (checkout_id, provider_ref, payment, user_id, mailbox, paid_email, pid, product_name, "
        "amount, currency, livemode, session_id, booked_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
    ),
    "INSERT INTO facts (object_id, kind, payment, as_of, status, amount) VALUES (?,?,?,?,?,?)",
    "INSERT INTO magic_links (id, key, purpose, mailbox, pid, made_at) VALUES (?,?,?,?,?,?)",
    (
        "INSERT INTO outbox (key, kind, mailbox, template, language, parameters, link_id, key_name, queued_at, "
        "due_at, state, attempts, problem, urgency) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    ),
    "INSERT INTO events (id, type, object_id, outcome, at) VALUES (?,?,?,?,?)",
)
"""One for each record of a sale."""


def rows(number: int) -> tuple[tuple[Any, ...], ...]:
    """The values of the six, of the lengths that a sale's are."""
    text = f"{number:032x}"
    user, ref, payment, mailbox = (
        text[6:],
        f"cs_test_{number:058}",
        f"pi_{number:024}",
        f"floor{number:08}@example.com",
    )
    return (
        (user, mailbox, _AT),
        (text, ref, payment, user, mailbox, mailbox, "p1", "The Last Cloakroom", 900, "usd", 0, text, _AT),
        (ref, "session", None, 1_790_000_000, "paid", 900),
        (text, "abcdef12", "access", mailbox, "p1", _AT),
        (
            f"access:{text}", "access", mailbox, "access_link", "en", _PARAMETERS, text, "abcdef12", _AT, _AT,
            "queued", 0, "", 0,
        ),
        (f"evt_{number:024}", "checkout.session.completed", ref, "booked", _AT),
    )  # fmt: skip


async def main(port: int, database: Path, secret: str) -> None:
    """Serve until killed."""
    connection = open_writer(database, checkpoints=True)
    writer = GroupWriter(connection)
    numbers = count(1)

    @get("/", status_code=200)
    async def up() -> ASGIResponse:
        return ASGIResponse(body=b"up", media_type="text/plain")

    @post("/webhook", status_code=200)
    async def deliver(request: Request[Any, Any, Any]) -> ASGIResponse:
        body = await request.body()
        stripe.WebhookSignature.verify_header(body, request.headers["stripe-signature"], secret, 300)
        values = rows(next(numbers))

        def work(_: Transaction) -> None:
            for statement, row in zip(INSERTS, values, strict=True):
                connection.execute(statement, row)

        await writer.submit(work)
        return ASGIResponse(body=b"booked", media_type="text/plain")

    app = Litestar([up, deliver], openapi_config=None, logging_config=None)
    await Listener(app, Address(host="127.0.0.1", port=port)).run(until=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
