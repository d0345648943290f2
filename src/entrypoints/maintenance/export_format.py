"""Records as plain fields, for exported files."""

from __future__ import annotations

from typing import Any

from domain.access import Holding
from domain.mail import Mail
from domain.records import Quarantined, User
from domain.usecases.export_records import Record, WithoutOwner


def record_fields(record: Record) -> dict[str, Any]:
    """One record, with its `"kind"`. Instants are RFC 3339, amounts minor units."""
    match record:
        case User():
            return {"kind": "user", "id": record.id, "email": record.mailbox.canonical, "since": record.since}
        case Holding():
            return purchase_fields(record)
        case WithoutOwner(holding):
            return purchase_fields(holding) | {"without_address": True}
        case Mail():
            return _mail_fields(record)
        case Quarantined():
            return {
                "kind": "quarantine",
                "id": record.ref,
                "reason": record.reason.name.lower(),
                "since": record.first_at,
                "tries": record.tries,
                "closed_at": record.closed_at,
            }


def purchase_fields(held: Holding) -> dict[str, Any]:
    """A purchase and its facts, for exported files."""
    purchase = held.purchase
    return {
        "kind": "purchase",
        "id": purchase.checkout,
        "checkout_session": purchase.provider_ref,
        "payment_intent": purchase.payment,
        "user": purchase.user,
        "email": purchase.mailbox.canonical if purchase.mailbox else None,
        "without_address": False,
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
    """Without the body: it has no further facts, and its links must not be in files."""
    return {
        "kind": "mail",
        "id": mail.key,
        "mail": mail.kind.value,
        "to": mail.to.canonical,
        "email": mail.email.template,
        "language": mail.language,
        "subject": None if mail.letter is None else mail.letter.subject,
        "body_sha256": mail.body_sha256,
        "state": mail.state.value,
        "attempts": mail.attempts,
        "queued_at": mail.queued_at,
        "sent_at": mail.sent_at,
        "problem": mail.problem,
        "delivery": None if mail.delivery is None else mail.delivery.value,
    }
