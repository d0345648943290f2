"""The audit after every drill: what the simulated Stripe took and gave back, against what the shop exports."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from testkit.servers import Sandbox, ShopServer

_LOOK_AGAIN_AFTER: Final = 2.0
# In SQL and not by an export, because it is asked in the middle of the storm, again and again.
_WITH_ACCESS_EMAIL: Final = (
    "SELECT provider_ref FROM purchases JOIN outbox ON outbox.key = 'access:' || checkout_id"
)
Records = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe says of one paid session. Amounts in minor units."""

    product: str
    amount: int
    currency: str
    refunded: int
    mailbox: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The ledger and the store, side by side."""

    sales: int
    acknowledged: int
    lost: int
    """Paid, and not in the store."""
    lost_acknowledged: int
    doubled: int
    """Booked more than once, or its access email at the mailbox more than once."""
    users: int
    access_emails: int
    """Sales whose access email is at its mailbox."""
    broken: tuple[str, ...]
    """Every law that does not hold, as a sentence."""


def audit(shop: ShopServer, *, acknowledged: Collection[str]) -> Audit:
    """Nothing lost, doubled or invented; the same money; one user a mailbox; one access email a sale, delivered."""
    paid, tx = ledger(shop.sandbox), shop.export()
    booked = Counter(purchase["checkout_session"] for purchase in tx["purchase"])
    access_emails = _access_emails(shop.sandbox, tx)
    lost = paid.keys() - booked.keys()
    doubled = {cs for cs, times in booked.items() if times > 1} | {
        cs for cs, n in access_emails.items() if n > 1
    }
    mailboxes = {payment.mailbox for payment in paid.values()}
    users = Counter(user["email"] for user in tx["user"])
    findings = {
        "paid and not booked": lost,
        "acknowledged and not booked": set(acknowledged) - booked.keys(),
        "booked or mailed twice": doubled,
        "booked and not paid": booked.keys() - paid.keys(),
        "other money, product or mailbox in the store than at Stripe": _differing(paid, tx),
        "no access email at the mailbox": booked.keys() - access_emails.keys(),
        "no user, or two, for a mailbox": {box for box in mailboxes | users.keys() if users[box] != 1},
        "mail that was not sent": {mail["id"] for mail in tx["mail"] if mail["state"] != "sent"},
        "in quarantine": {entry["id"] for entry in tx["quarantine"] if entry["closed_at"] is None},
    }
    return Audit(
        sales=len(paid),
        acknowledged=len(acknowledged),
        lost=len(lost),
        lost_acknowledged=len(lost & set(acknowledged)),
        doubled=len(doubled),
        users=len(users),
        access_emails=len(access_emails),
        broken=tuple(f"{len(found)} × {law}: {_some(found)}" for law, found in findings.items() if found),
    )


def missing_in_postgres(url: str, acknowledged: Collection[str]) -> set[str]:
    """Which of these sales, or their access emails, the primary does not hold."""
    with psycopg.connect(url) as connection:
        return set(acknowledged) - {ref for (ref,) in connection.execute(_WITH_ACCESS_EMAIL)}


def missing_in_sqlite(database: Path, acknowledged: Collection[str]) -> set[str]:
    """Which of these sales, or their access emails, a file does not hold. Raises DatabaseError if it is not sound."""
    with contextlib.closing(sqlite3.connect(database)) as found:
        [sound] = found.execute("PRAGMA integrity_check").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(sound)
        if not found.execute("SELECT 1 FROM sqlite_schema WHERE name = 'purchases'").fetchone():
            return set(acknowledged)
        return set(acknowledged) - {ref for (ref,) in found.execute(_WITH_ACCESS_EMAIL)}


def ledger(sandbox: Sandbox) -> dict[str, Payment]:
    """Every paid session, by its id."""
    refunds = _refunds(sandbox)
    return {
        session["id"]: Payment(
            product=session["metadata"]["pid"],
            amount=session["amount_total"],
            currency=session["currency"],
            refunded=refunds[session["payment_intent"]],
            mailbox=session["customer_details"]["email"].strip().lower(),
        )
        for session in sandbox.get("/_sandbox/sessions")
        if session["payment_status"] == "paid"
    }


def _refunds(sandbox: Sandbox) -> Counter[str]:
    """What was given back of every payment, as the API lists it."""
    total: Counter[str] = Counter()
    after: dict[str, str] = {}
    while True:
        answer = sandbox.http.get(
            "/v1/refunds", params={"limit": "100", **after}, headers={"authorization": "Bearer sk_test_audit"}
        )
        answer.raise_for_status()
        page = answer.json()
        for refund in page["data"]:
            if refund["status"] in ("pending", "succeeded"):
                total[refund["payment_intent"]] += refund["amount"]
        if not page["has_more"]:
            return total
        after = {"starting_after": page["data"][-1]["id"]}


def _access_emails(sandbox: Sandbox, tx: Records) -> Counter[str]:
    """How many different access emails of every sale arrived. A mail sent twice under one key is one at the mailbox."""
    session_of = {purchase["id"]: purchase["checkout_session"] for purchase in tx["purchase"]}
    keys = (mail["key"].partition("access:")[2] for mail in sandbox.mails if "access:" in mail["key"])
    return Counter(session_of.get(key.partition("#")[0], key) for key in keys)


def _differing(paid: dict[str, Payment], tx: Records) -> set[str]:
    found = set()
    for purchase in tx["purchase"]:
        refunded = sum(
            fact["amount"]
            for fact in purchase["facts"]
            if fact["kind"] == "refund" and fact["status"] in ("pending", "succeeded")
        )
        booked = Payment(
            product=purchase["product"],
            amount=purchase["amount"],
            currency=purchase["currency"],
            refunded=refunded,
            mailbox=purchase["email"],
        )
        if paid.get(purchase["checkout_session"], booked) != booked:
            found.add(purchase["checkout_session"])
    return found


def _some(found: set[str]) -> str:
    return ", ".join(sorted(found)[:3]) + (", …" if len(found) > 3 else "")


async def until_no_mail_waits(shop: ShopServer, *, within: float) -> None:
    """Wait for the mail worker; whether every mail arrived is for the audit to say.

    One that was handed over when the server was killed is marked a minute later, when its lease has run out.
    """
    loop = asyncio.get_running_loop()
    deadline, waits = loop.time() + within, True
    while waits and loop.time() < deadline:
        await asyncio.sleep(_LOOK_AGAIN_AFTER)
        waits = await asyncio.to_thread(_mail_waits, shop)


def _mail_waits(shop: ShopServer) -> bool:
    """Whether an access email is still on its way: not at its mailbox, or not written down as sent."""
    try:
        arrived = sum("access:" in mail["key"] for mail in shop.sandbox.mails)
        if arrived < len(ledger(shop.sandbox)):
            return True
    except httpx.HTTPError:
        return True
    return any(mail["state"] != "sent" for mail in shop.export()["mail"])
