"""What happened to a sale or a customer, newest first, with runs of the same thing folded into one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import assert_never

from domain import outbox_keys
from domain.access import Holding
from domain.address_change import AddressChange
from domain.audit import AuditLine
from domain.fact import Fact, FactKind
from domain.frozen import frozen
from domain.magic_link import MagicLink
from domain.mail import Mail
from domain.purchase import Checkout, Purchase
from domain.records import Download


class Step(Enum):
    """What an entry is about, beside what it holds."""

    BEGAN = auto()
    """A checkout began; `about` is it."""
    BOOKED = auto()
    """A sale was booked; `about` is the purchase, which says by whom."""
    OPENED = auto()
    """It was opened for the first time; `about` is the purchase."""
    TOLD = auto()
    """The payment provider said something of a refund or a dispute; `about` is the fact."""
    MAILED = auto()
    """An email was queued; `about` is it, as it stands today."""
    LINK_USED = auto()
    DOWNLOADED = auto()
    """A file was fetched; `about` is its count."""
    CHANGE_ASKED = auto()
    """A change of address was asked for; `about` is it."""
    CHANGE_DONE = auto()
    CHANGE_UNDONE = auto()
    BY_HAND = auto()
    """The merchant did something; `about` is the line of the audit log."""


About = Checkout | Purchase | Fact | Mail | MagicLink | Download | AddressChange | AuditLine


@frozen
class Entry:
    """One line of a timeline, which may stand for several alike."""

    at: datetime
    """When it happened (last)."""
    step: Step
    about: About
    """Of several, the newest."""
    since: datetime | None = None
    """When the first of several happened, if that is known and another moment."""
    times: int = 1


@frozen
class Happened:
    """Everything that a timeline is made from; each part may be empty."""

    checkouts: Sequence[Checkout] = ()
    holdings: Sequence[Holding] = ()
    mails: Sequence[Mail] = ()
    links: Sequence[MagicLink] = ()
    downloads: Sequence[Download] = ()
    changes: Sequence[AddressChange] = ()
    lines: Sequence[AuditLine] = ()


def timeline(happened: Happened) -> Sequence[Entry]:
    """The entries, newest first; what follows upon its like is folded.

    Of one moment, what leads to the other is the older one: a checkout, its sale, the email about it.
    """
    entries = sorted(_entries(happened), key=lambda entry: entry.at)[::-1]
    folded: list[Entry] = []
    for entry in entries:
        newest = folded[-1] if folded else None
        if newest is not None and _likeness(entry) is not None and _likeness(newest) == _likeness(entry):
            folded[-1] = Entry(
                at=newest.at,
                step=newest.step,
                about=newest.about,
                since=entry.since or entry.at,
                times=newest.times + entry.times,
            )
        else:
            folded.append(entry)
    return folded


def _entries(happened: Happened) -> Iterable[Entry]:
    for checkout in happened.checkouts:
        yield Entry(checkout.started_at, Step.BEGAN, checkout)
    for held in happened.holdings:
        yield from _of_sale(held)
    for mail in happened.mails:
        yield Entry(mail.queued_at, Step.MAILED, mail)
    for link in happened.links:
        if link.used_at is not None:
            yield Entry(link.used_at, Step.LINK_USED, link)
    for download in happened.downloads:
        first = download.first_at if download.first_at != download.last_at else None
        yield Entry(download.last_at, Step.DOWNLOADED, download, since=first, times=download.times)
    for change in happened.changes:
        steps = (
            (change.asked_at, Step.CHANGE_ASKED), (change.done_at, Step.CHANGE_DONE),
            (change.undone_at, Step.CHANGE_UNDONE),
        )  # fmt: skip
        yield from (Entry(at, step, change) for at, step in steps if at is not None)
    for line in happened.lines:
        yield Entry(line.at, Step.BY_HAND, line)


def _of_sale(held: Holding) -> Iterable[Entry]:
    purchase = held.purchase
    yield Entry(purchase.booked_at, Step.BOOKED, purchase)
    if purchase.opened_at is not None:
        yield Entry(purchase.opened_at, Step.OPENED, purchase)
    for fact in held.facts:
        if fact.kind is not FactKind.SESSION:
            yield Entry(fact.moment, Step.TOLD, fact)


def _likeness(entry: Entry) -> object:
    """What two entries have in common that are folded; None for what always stands by itself."""
    match entry.about:
        case Download(_, product, name):
            return "download", product, name
        case MagicLink():
            return "link", entry.about.purpose
        case Mail():
            mail = entry.about
            return "mail", mail.email.template, mail.state, mail.delivery
        case Checkout() | Purchase() | Fact() | AddressChange() | AuditLine():
            return None
        case _:
            assert_never(entry.about)


def is_about_sale(mail: Mail, purchase: Purchase) -> bool:
    """Whether an email belongs to the timeline of this sale, and not to its customer's alone."""
    return outbox_keys.sale_of(mail.key) == purchase.checkout
