"""Records as plain fields, for exported files."""

from __future__ import annotations

from typing import Any

from domain.access import Holding
from domain.audit import AuditLine
from domain.mail import Mail
from domain.note import Note
from domain.purchase import Checkout
from domain.records import Download, Quarantined, User
from domain.refund import RefundRequest
from domain.session import Session
from domain.usecases.export_records import Record, WithoutOwner
from domain.usecases.own_data import OwnData
from domain.waiver import Waiver
from domain.withdrawal import Withdrawal


def record_fields(record: Record) -> dict[str, Any]:
    """One record, with its `"kind"`. Instants are RFC 3339, amounts minor units."""
    match record:
        case User():
            return {
                "kind": "user",
                "id": record.id,
                "email": record.mailbox.canonical,
                "since": record.since,
                "verified_at": record.proved_at,
                "wants_release_emails": record.wants_release_emails,
                "language": record.language or None,
            }
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
        case AuditLine():
            return {
                "kind": "audit",
                "id": record.id,
                "at": record.at,
                "actor": record.actor,
                "action": record.action.value,
                "object": record.object_id,
                "result": record.result.value,
                "times": record.times,
                "reason": record.reason,
            }
        case RefundRequest():
            return _refund_request_fields(record)
        case Note():
            return {
                "kind": "note",
                "order": record.checkout,
                "text": record.text,
                "written_at": record.written_at,
                "written_by": record.written_by,
            }
        case Withdrawal():
            return {"kind": "withdrawal", **withdrawal_fields(record)}


def withdrawal_fields(one: Withdrawal) -> dict[str, Any]:
    """A statement of withdrawal, and what came of it."""
    return {
        "id": one.id, "order": one.checkout, "name": one.name, "contract": one.contract,
        "email": None if one.email is None else one.email.canonical, "received_at": one.received_at,
        "confirmed_at": one.proved_at, "state": one.state.value, "decided_at": one.decided_at,
        "decided_by": one.decided_by, "reason": one.reason, "refund_request": one.request,
    }  # fmt: skip


def _refund_request_fields(request: RefundRequest) -> dict[str, Any]:
    return {
        "kind": "refund_request",
        "id": request.id,
        "order": request.checkout,
        "payment_intent": request.payment,
        "amount": request.amount.amount,
        "currency": request.amount.currency,
        "cause": request.cause.value,
        "reason": request.reason,
        "by": request.by,
        "at": request.at,
        "state": request.state.value,
        "customer_emailed": request.tells,
        "tries": request.tries,
        "problem": request.problem,
        "settled_at": request.settled_at,
    }


def purchase_fields(held: Holding) -> dict[str, Any]:
    """A purchase and its facts, for exported files."""
    purchase = held.purchase
    return {
        "kind": "purchase",
        "id": purchase.checkout,
        "source": purchase.source.value,
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
        "discount": purchase.breakdown.discount,
        "tax": purchase.breakdown.tax,
        "tax_on_top": purchase.breakdown.tax_on_top,
        "tax_country": purchase.tax_country,
        "tax_number": purchase.tax_number,
        "invoice": purchase.invoice,
        "livemode": purchase.livemode,
        "booked_at": purchase.booked_at,
        "booked_by": None if purchase.booked_by is None else purchase.booked_by.value,
        "opened_at": purchase.opened_at,
        "waiver": _waiver_fields(purchase.waiver),
        "opens_at": purchase.opens_at,
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
                "refund_request": f.request,
                "answer_by": f.answered_by,
            }
            for f in sorted(held.facts, key=lambda f: f.object_id)
        ],
    }


def _waiver_fields(waiver: Waiver | None) -> dict[str, Any] | None:
    """`text`: the first 128 bits of the SHA-256 of what was agreed to; the email that repeats it has the words."""
    if waiver is None:
        return None
    return {"given_at": waiver.given_at, "language": waiver.language, "text": waiver.text}


def _mail_fields(mail: Mail) -> dict[str, Any]:
    """Without the body, which has no further facts; that of an email that confirms a waiver is the proof of it.

    Its links are not in it: there are slots in their places.
    """
    proof = mail.letter if mail.repeats_waiver else None
    return {
        "kind": "mail",
        "id": mail.key,
        "mail": mail.kind.value,
        "to": mail.to.canonical,
        "email": mail.email.template,
        "language": mail.language,
        "subject": None if mail.letter is None else mail.letter.subject,
        "body_sha256": mail.body_sha256,
        "text": None if proof is None else proof.text,
        "html": None if proof is None else proof.html,
        "state": mail.state.value,
        "attempts": mail.attempts,
        "queued_at": mail.queued_at,
        "sent_at": mail.sent_at,
        "problem": mail.problem,
        "delivery": None if mail.delivery is None else mail.delivery.value,
    }


def own_data_fields(own: OwnData) -> dict[str, Any]:
    """What is stored about a person, for that person, under self-explanatory names."""
    return {
        "email": own.mailbox.canonical,
        "customer_since": None if own.user is None else own.user.since,
        "address_verified_at": None if own.user is None else own.user.proved_at,
        "wants_release_emails": None if own.user is None else own.user.wants_release_emails,
        "language": None if own.user is None else own.user.language or None,
        "purchases": [purchase_fields(held) for held in own.holdings],
        "pending_payments": [_pending_fields(checkout) for checkout in own.pending],
        "downloads": [_download_fields(download) for download in own.downloads],
        "browsers": [_session_fields(session) for session in own.sessions],
        "mails": [_own_mail_fields(mail) for mail in own.mails],
        "withdrawals": [_own_withdrawal_fields(one) for one in own.withdrawals],
    }


def _own_withdrawal_fields(one: Withdrawal) -> dict[str, Any]:
    """Without who decided about it."""
    return {name: value for name, value in withdrawal_fields(one).items() if name != "decided_by"}


def _pending_fields(checkout: Checkout) -> dict[str, Any]:
    return {
        "order": checkout.id,
        "product": checkout.product,
        "product_name": checkout.product_name,
        "amount": checkout.price.amount,
        "currency": checkout.price.currency,
        "started_at": checkout.started_at,
        "waiver": _waiver_fields(checkout.waiver),
        "opens_at": checkout.opens_at,
    }


def _download_fields(download: Download) -> dict[str, Any]:
    return {
        "order": download.checkout,
        "product": download.product,
        "file": download.name,
        "times": download.times,
        "first_at": download.first_at,
        "last_at": download.last_at,
    }


def _session_fields(session: Session) -> dict[str, Any]:
    return {"name": session.label, "since": session.started_at, "last_seen": session.seen_at}


def _own_mail_fields(mail: Mail) -> dict[str, Any]:
    return {
        "email": mail.email.template,
        "subject": None if mail.letter is None else mail.letter.subject,
        "queued_at": mail.queued_at,
        "sent_at": mail.sent_at,
        "state": mail.state.value,
        "delivery": None if mail.delivery is None else mail.delivery.value,
    }
