"""Each field of what is stored stands in the exported files, or is listed here with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from contracts.every_field import (
    AUDIT,
    CHECKOUT,
    DOWNLOAD,
    FACT,
    MAIL,
    PURCHASE,
    QUARANTINED,
    REFUND_REQUEST,
    SESSION,
    USER,
    names_of,
)
from contracts.samples import ANNA

from domain.access import Holding
from domain.usecases.own_data import OwnData
from entrypoints.maintenance.export_format import own_data_fields, record_fields

OWN: Final = OwnData(
    mailbox=ANNA, user=None, holdings=(), downloads=(), sessions=(), mails=(), pending=(), withdrawals=()
)

_INSIDE: Final = "an id that says nothing outside the shop"
_OWNER: Final = "the address whose file it is"
_OFFER: Final = "of the shop's offer, not of the person"
_SENDING: Final = "how the shop goes about it"
_PURCHASE: Final = {"Purchase.session": _INSIDE, "Fact.payment": "its purchase's"}
NOT_TO_THE_MERCHANT: Final = _PURCHASE | {
    "Mail.link": _INSIDE, "Mail.key_name": _INSIDE, "Mail.due_at": _SENDING, "Mail.unknown_since": _SENDING,
    "Mail.urgency": _SENDING, "AuditLine.form": _INSIDE, "AuditLine.salt": _INSIDE, "AuditLine.reason_hash": _INSIDE, "Quarantined.last_at": _SENDING, "Quarantined.retry_at": _SENDING,
    "RefundRequest.due_at": _SENDING, "RefundRequest.keyed_at": _SENDING, "RefundRequest.attempt": _SENDING,
    "RefundRequest.failed": _SENDING,
}  # fmt: skip
NOT_TO_THE_CUSTOMER: Final = _PURCHASE | {
    "User.id": _INSIDE, "User.mailbox": _OWNER, "Session.id": _INSIDE, "Session.token_hash": "of the cookie's secret",
    "Session.mailbox": _OWNER, "Session.change": _INSIDE, "Session.former": _INSIDE, "Checkout.session": _INSIDE,
    "Checkout.mailbox": _OWNER, "Checkout.verified": _OWNER, "Checkout.change": _INSIDE, "Checkout.promotion": _OFFER, "Checkout.language": _SENDING,
    "Checkout.provider_ref": "it opens the payment page", "Checkout.expires_at": _OFFER, "Checkout.contents": _OFFER,
    "Checkout.discounts": _OFFER, "Checkout.livemode": _OFFER, "Checkout.on_purpose": _SENDING, "Mail.to": _OWNER,
    "Mail.key": _INSIDE, "Mail.kind": "its `email` says more", "Mail.link": _INSIDE, "Mail.key_name": _INSIDE,
    "Mail.due_at": _SENDING, "Mail.unknown_since": _SENDING, "Mail.urgency": _SENDING, "Mail.attempts": _SENDING,
    "Mail.problem": _SENDING, "Mail.language": _SENDING, "Mail.body_sha256": "the letter is in the mailbox",
}  # fmt: skip


def is_exported(record: Any, field: str, export: Callable[[Any], Any]) -> bool:
    try:
        return export(replace(record, **{field: None})) != export(record)
    except (AttributeError, KeyError, TypeError):
        return True  # a part of it is read


def left_out(record: Any, export: Callable[[Any], Any]) -> set[str]:
    return {name for name in names_of(record) if not is_exported(record, name.partition(".")[2], export)}


def test_the_merchants_export_has_every_field() -> None:
    found = {
        *left_out(USER, record_fields),
        *left_out(PURCHASE, lambda purchase: record_fields(Holding(purchase=purchase, facts=()))),
        *left_out(FACT, lambda fact: record_fields(Holding(purchase=PURCHASE, facts=(fact,)))),
        *left_out(MAIL, record_fields),
        *left_out(QUARANTINED, record_fields),
        *left_out(AUDIT, record_fields),
        *left_out(REFUND_REQUEST, record_fields),
    }
    assert found == NOT_TO_THE_MERCHANT.keys()


def test_a_customers_file_has_every_field() -> None:
    def of(**parts: Any) -> Any:
        return own_data_fields(replace(OWN, **parts))

    found = {
        *left_out(USER, lambda user: of(user=user)),
        *left_out(PURCHASE, lambda purchase: of(holdings=[Holding(purchase=purchase, facts=())])),
        *left_out(FACT, lambda fact: of(holdings=[Holding(purchase=PURCHASE, facts=(fact,))])),
        *left_out(DOWNLOAD, lambda download: of(downloads=[download])),
        *left_out(SESSION, lambda session: of(sessions=[session])),
        *left_out(MAIL, lambda mail: of(mails=[mail])),
        *left_out(CHECKOUT, lambda checkout: of(pending=[checkout])),
    }
    assert found == NOT_TO_THE_CUSTOMER.keys()
