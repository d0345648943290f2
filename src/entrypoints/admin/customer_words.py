"""A customer in words: why each product opens or does not, their emails, browsers and changes of address."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final

from domain.access import Closed, Holding, Opens, Waits
from domain.address_change import AddressChange
from domain.local_time import day_of
from domain.mail import CODE_SLOT, LINK_SLOT, Delivery, Mail, MailState
from domain.product import CatalogueEdition
from domain.purchase import Purchase, Source
from domain.sale_list import SaleState
from domain.session import Session
from domain.usecases.show_customer import Customer
from domain.usecases.show_person import ProductAccess
from domain.usecases.show_sale import reason_of
from entrypoints.admin.sale_words import long_day, short_moment, without_keys
from entrypoints.admin.timeline_words import mail_name, mail_went
from entrypoints.http.sentences import _

_ANY_SLOT: Final = re.compile(r"\{\{coatcheck:[a-z-]+(?::[0-9a-f]+)?\}\}")


# ------------------------------------------------------------------ access


def access_sentence(
    one: ProductAccess, customer: Customer, edition: CatalogueEdition, zone: tzinfo
) -> tuple[bool, str]:
    """Whether a product opens for a customer, and why (not), in one sentence."""
    match one.access:
        case Opens(purchase=purchase):
            return _opens(one, purchase, customer, edition, zone)
        case Waits(purchase=purchase):
            at = short_moment(purchase.opens_at or customer.now, zone, now=customer.now)
            return False, _("Bought without waiving the right of withdrawal: it opens %(at)s.", at=at)
        case Closed(purchase=purchase):
            held = next(held for held in customer.holdings if held.purchase == purchase)
            return False, _closed(held, customer, zone)
        case _:
            return False, _not_theirs(one, customer)


def _opens(
    one: ProductAccess, purchase: Purchase, customer: Customer, edition: CatalogueEdition, zone: tzinfo
) -> tuple[bool, str]:
    how = _how(one, purchase, customer, zone)
    known = edition.products.get(one.product)
    if known is None:
        return False, _(
            "%(how)s, but the catalogue does not have it, and no good form of it is kept.", how=how
        )
    if customer.user is None or customer.user.proved_at is None:
        return True, _(
            "%(how)s. Nobody has verified the address yet: the link in the access email does that.", how=how
        )
    if not known.present:
        return True, _(
            "%(how)s. It is not in the catalogue any more, so they get its last good form.", how=how
        )
    return True, f"{how}."


def _how(one: ProductAccess, purchase: Purchase, customer: Customer, zone: tzinfo) -> str:
    day = long_day(day_of(purchase.booked_at, zone), today=day_of(customer.now, zone))
    if purchase.product != one.product:
        return _("Part of “%(bundle)s” of %(day)s", bundle=purchase.product_name, day=day)
    match purchase.source:
        case Source.SALE:
            return _("Bought on %(day)s", day=day)
        case Source.FREE:
            return _("Ordered for free on %(day)s", day=day)
        case Source.GRANT:
            return _("A free copy, given on %(day)s", day=day)
        case Source.IMPORT:
            return _("Imported, bought on %(day)s", day=day)


def _closed(held: Holding, customer: Customer, zone: tzinfo) -> str:
    reason = reason_of(held, ())
    day = (
        "" if reason.since is None else long_day(day_of(reason.since, zone), today=day_of(customer.now, zone))
    )
    match reason.state:
        case SaleState.REFUNDED:
            return _("Refunded in full on %(day)s.", day=day)
        case SaleState.CHARGED_BACK:
            return _("The customer's bank took the payment back on %(day)s.", day=day)
        case SaleState.DISPUTED:
            return _("The payment has been in dispute since %(day)s.", day=day)
        case SaleState.REVOKED:
            return _("Access was closed by hand on %(day)s.", day=day)
        case _:
            status = "" if reason.decided_by is None else reason.decided_by.status
            return _(
                "On hold since %(day)s: Stripe reports the status “%(status)s”, which this version does not know.",
                day=day, status=status,
            )  # fmt: skip


def _not_theirs(one: ProductAccess, customer: Customer) -> str:
    if any(one.product in held.purchase.products for held in customer.holdings):
        return _("A test purchase, from before the shop went live: it opens nothing.")
    if any(one.product in begun.products for begun in customer.pending):
        return _("The payment is on its way.")
    return _("Nothing that was bought with this address opens it.")


# ------------------------------------------------------------------ emails


def mail_row(mail: Mail, zone: tzinfo, *, now: datetime, masked: bool) -> dict[str, object]:
    """An email: subject, when and how it went, and its text without link and code while that is kept.

    `masked`: for viewers, without licence keys.
    """
    letter = mail.letter
    subject, text = ("", "") if letter is None else (letter.subject, letter.text)
    if masked:
        subject, text = without_keys(subject, mail), without_keys(text, mail)
    went_wrong = mail.state is MailState.STUCK or mail.delivery in (Delivery.BOUNCED, Delivery.COMPLAINED)
    return {
        "subject": subject or mail_name(mail),
        "when": short_moment(mail.sent_at or mail.queued_at, zone, now=now),
        "went": mail_went(mail),
        "bad": went_wrong,
        "text": without_slots(text),
    }


def without_slots(text: str) -> str:
    """The text of an email as it was rendered, where links and the code are left out."""
    said = text.replace(LINK_SLOT, f"[{_('link')}]").replace(CODE_SLOT, f"[{_('code')}]")
    return _ANY_SLOT.sub(f"[{_('link')}]", said)


# ------------------------------------------------------------------ browsers and addresses


def browser_row(session: Session, zone: tzinfo, *, now: datetime) -> dict[str, object]:
    """A browser that verified the address."""
    return {
        "name": session.label,
        "since": short_moment(session.started_at, zone, now=now),
        "seen": short_moment(session.seen_at, zone, now=now),
        "live": session.is_live(now=now),
    }


def change_row(change: AddressChange, zone: tzinfo, *, now: datetime) -> dict[str, str]:
    """A change of address, and how it stands."""
    return {
        "old": change.old.canonical,
        "new": change.new.canonical,
        "when": short_moment(change.asked_at, zone, now=now),
        "by": _("requested by staff") if change.by_staff else _("requested by the customer"),
        "state": _change_state(change, zone, now=now),
    }


def _change_state(change: AddressChange, zone: tzinfo, *, now: datetime) -> str:
    if change.undone_at is not None:
        return _("undone %(moment)s", moment=short_moment(change.undone_at, zone, now=now))
    if change.done_at is not None:
        return _("confirmed %(moment)s", moment=short_moment(change.done_at, zone, now=now))
    return _("waits for the new address to confirm it") if change.is_open(now=now) else _("never confirmed")
