"""What the command line prints: the shop in figures, and its books as JSON lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from domain.access import Holding
from domain.mail import Mail
from domain.records import Quarantined, User
from domain.usecases.export_books import Record
from domain.usecases.reconcile import Reconciled
from domain.usecases.report_status import SentAgain, Status
from domain.values import ProviderRef, mask
from entrypoints.container import Container

_SENT_AGAIN: Final = {
    SentAgain.QUEUED: "Queued again: it leaves within a second while the shop is served.",
    SentAgain.NO_SUCH_MAIL: "There is no mail of that key; `coatcheck status` lists those that wait.",
    SentAgain.STILL_QUEUED: "It is still queued and tried again by itself.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Lines for the terminal, and whether nothing waits."""

    lines: tuple[str, ...]
    all_well: bool


async def status_lines(container: Container, *, dismiss: str | None, send_again: str | None) -> Report:
    """Settle what was asked, then say how the shop stands."""
    report = container.report_status()
    lines: list[str] = []
    if dismiss is not None:
        closed = await report.dismiss(ProviderRef(dismiss))
        lines.append("Dismissed." if closed else "There is no open quarantine entry of that id.")
    if send_again is not None:
        lines.append(_SENT_AGAIN[await report.send_again(send_again)])
    status = await report()
    return Report(lines=(*lines, *_figures(status), *_waiting(status)), all_well=status.all_well)


def _figures(status: Status) -> list[str]:
    tally = status.tally
    takings = ", ".join(str(sum_) for sum_ in tally.takings) or "nothing yet"
    mails = ", ".join(f"{number} {state.value}" for state, number in tally.mails if number) or "none"
    bounced = f"; {tally.bounced} tickets came back" if tally.bounced else ""
    return [
        f"Sales   {tally.purchases} to {tally.users} buyers; taken: {takings}",
        f"Mails   {mails}{bounced}",
    ]


def _waiting(status: Status) -> list[str]:
    if status.all_well:
        return ["Nothing waits for you."]
    lines: list[str] = []
    if status.mails:
        lines.append(f"\n{len(status.mails)} mails wait (send one again: coatcheck status --send-again KEY):")
        lines += [
            f"  {m.key}  {m.state.value} to {mask(m.to)} since {m.queued_at:%Y-%m-%d %H:%M} UTC: {m.problem}"
            for m in status.mails
        ]
    if status.quarantine:
        lines.append(
            f"\n{len(status.quarantine)} payments in quarantine (close one: coatcheck status --dismiss CS_ID):"
        )
        lines += [
            f"  {q.ref}  since {q.first_at:%Y-%m-%d %H:%M} UTC: {q.objection.value}"
            for q in status.quarantine
        ]
    return lines


def reconciled_lines(found: Reconciled) -> list[str]:
    """What a sweep found, a line each."""
    return [
        f"{found.seen} sales, refunds and disputes at Stripe; {len(found.booked)} sales were missing",
        *(f"  booked {ref}" for ref in found.booked),
        *(f"  noted {ref}" for ref in found.noted),
        *(f"  in quarantine: {ref}" for ref in found.refused),
        *(f"  Stripe could not be asked about {payment}; it will be again" for payment in found.unread),
    ]


async def export_lines(container: Container) -> AsyncIterator[bytes]:
    """JSON lines, one object a record, each with `"kind"`. Instants are RFC 3339, amounts minor units."""
    encode = msgspec.json.Encoder().encode
    async for record in container.export_books()():
        yield encode(_fields(record)) + b"\n"


def _fields(record: Record) -> dict[str, Any]:
    match record:
        case User():
            return {"kind": "user", "id": record.id, "email": record.mailbox.canonical, "since": record.since}
        case Holding():
            return purchase_fields(record)
        case Mail():
            return _mail_fields(record)
        case Quarantined():
            return {
                "kind": "quarantine",
                "id": record.ref,
                "reason": record.objection.name.lower(),
                "since": record.first_at,
                "tries": record.tries,
                "closed_at": record.closed_at,
            }


def purchase_fields(held: Holding) -> dict[str, Any]:
    """A purchase and its facts, for files that people and programs read."""
    purchase = held.purchase
    return {
        "kind": "purchase",
        "id": purchase.checkout,
        "checkout_session": purchase.provider_ref,
        "payment_intent": purchase.payment,
        "user": purchase.user,
        "email": purchase.mailbox.canonical if purchase.mailbox else None,
        "paid_email": purchase.paid_email.canonical if purchase.paid_email else None,
        "product": purchase.product,
        "product_name": purchase.product_name,
        "amount": purchase.paid.amount,
        "currency": purchase.paid.currency,
        "livemode": purchase.livemode,
        "booked_at": purchase.booked_at,
        "contents": purchase.contents,
        "licence_keys": [{"product": item.product, "key": item.key} for item in purchase.licences],
        "state": held.standing.state.name.lower(),
        "facts": [
            {
                "object": f.object_id,
                "kind": f.kind.value,
                "status": f.status,
                "amount": f.amount,
                "as_of": f.as_of,
            }
            for f in sorted(held.facts, key=lambda f: f.object_id)
        ],
    }


def _mail_fields(mail: Mail) -> dict[str, Any]:
    """Without the letter: it holds nothing that is not in here, and links are not for files."""
    return {
        "kind": "mail",
        "id": mail.key,
        "mail": mail.kind.value,
        "to": mail.to.canonical,
        "subject": mail.letter.subject,
        "state": mail.state.value,
        "attempts": mail.attempts,
        "queued_at": mail.queued_at,
        "sent_at": mail.sent_at,
        "problem": mail.problem,
        "delivery": None if mail.delivery is None else mail.delivery.value,
    }
