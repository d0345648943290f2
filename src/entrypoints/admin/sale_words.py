"""Sales in words: their states and the reasons for them, and moments as lists and timelines write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Final
from urllib.parse import quote, urlencode

from domain.access import Holding, waits
from domain.dispute import TO_ANSWER, is_inquiry, needs_answer
from domain.emails import licence_keys_of
from domain.fact import Fact, FactKind
from domain.local_time import day_of
from domain.mail import Mail
from domain.purchase import BookedBy, PurchaseState, Source
from domain.sale_list import AddressState, SaleState
from domain.usecases.show_sale import SaleShown
from domain.values import Money
from entrypoints.http.sentences import N_, _

STATES: Final[Mapping[SaleState, str]] = {
    SaleState.OPEN: N_("Open"),
    SaleState.PARTLY_REFUNDED: N_("Partly refunded"),
    SaleState.REFUNDED: N_("Refunded"),
    SaleState.DISPUTED: N_("Disputed"),
    SaleState.SUSPENDED: N_("On hold"),
    SaleState.CHARGED_BACK: N_("Charged back"),
    SaleState.REVOKED: N_("Revoked"),
}
AWAITING: Final = "awaiting-payment"
"""The state of what is no sale yet, in an address."""
SOURCES: Final[Mapping[Source, str]] = {
    Source.SALE: N_("Sale"),
    Source.FREE: N_("Free order"),
    Source.GRANT: N_("Free copy"),
    Source.IMPORT: N_("Import"),
}
ADDRESSES: Final[Mapping[AddressState, str]] = {
    AddressState.UNVERIFIED: N_("Not verified"),
    AddressState.BOUNCED: N_("Bounced"),
    AddressState.NONE: N_("None"),
}
_BOOKED_BY: Final[Mapping[BookedBy, str]] = {
    BookedBy.RETURN: N_("Booked when the customer came back from the payment page"),
    BookedBy.WEBHOOK: N_("Booked by Stripe's webhook"),
    BookedBy.RECONCILER: N_("Booked by the regular check with Stripe, without a webhook"),
}


def slug(member: SaleState | AddressState) -> str:
    """How an address names it: `partly-refunded`."""
    return member.name.lower().replace("_", "-")


def state_name(state: SaleState) -> str:
    """One or two words."""
    return _(STATES[state])


def booked_by(purchase_booked_by: BookedBy | None) -> str:
    """Which caller of the claim was first; "" where that is not known."""
    return "" if purchase_booked_by is None else _(_BOOKED_BY[purchase_booked_by])


# ------------------------------------------------------------------ moments


def short_day(day: date, *, today: date) -> str:
    """`3 May`, with the year unless it is this one."""
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b} {day.year}"


def short_moment(at: datetime, zone: tzinfo, *, now: datetime) -> str:
    """`3 May, 14:05` in the time zone, with the year unless it is this one."""
    there = at.astimezone(zone)
    return f"{short_day(there.date(), today=day_of(now, zone))}, {there:%H:%M}"


def day_range(first: date | None, last: date | None, *, today: date) -> str:
    """`1\N{EN DASH}30 June`, `28 May \N{EN DASH} 3 June`, `from 1 June`, `until 30 June`, or `1 June`."""
    if first is None or last is None:
        if last is not None:
            return _("until %(day)s", day=long_day(last, today=today))
        return "" if first is None else _("from %(day)s", day=long_day(first, today=today))
    if first == last:
        return long_day(last, today=today)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\N{EN DASH}{long_day(last, today=today)}"
    begin = f"{first.day} {first:%B}" if first.year == last.year else long_day(first, today=today)
    return f"{begin} \N{EN DASH} {long_day(last, today=today)}"


def long_day(day: date, *, today: date) -> str:
    """`3 May`, with the month in full, and the year unless it is this one."""
    return f"{day.day} {day:%B}" if day.year == today.year else f"{day.day} {day:%B} {day.year}"


def evidence_due(dispute: Fact, zone: tzinfo, *, now: datetime) -> str:
    """Until when a dispute can be answered, as a sentence; or where to find it."""
    last = dispute.answered_by
    if last is None:
        return _("Stripe's dashboard shows the deadline.")
    day = long_day(day_of(last, zone), today=day_of(now, zone))
    return _("Evidence is due by %(day)s, %(time)s.", day=day, time=f"{last.astimezone(zone):%H:%M %Z}")


def erased_words(at: datetime, zone: tzinfo, *, now: datetime) -> str:
    """`erased on 3 May`."""
    return _("erased on %(day)s", day=long_day(day_of(at, zone), today=day_of(now, zone)))


# ------------------------------------------------------------------ one sale


def state_sentence(sale: SaleShown, zone: tzinfo) -> str:
    """The state of a sale, with the reason: "Closed since 3 May: refunded in full."."""
    reason, held = sale.reason, sale.held
    at = reason.since or held.purchase.booked_at
    since = long_day(day_of(at, zone), today=day_of(sale.now, zone))
    if not sale.counts:
        return _("Closed: a test purchase, from before the shop went live.")
    opens_at = held.purchase.opens_at
    if reason.state is SaleState.OPEN and opens_at is not None and waits(held.purchase, now=sale.now):
        day = long_day(day_of(opens_at, zone), today=day_of(sale.now, zone))
        return _("Opens on %(day)s: paid, without waiving the right of withdrawal.", day=day)
    if reason.state is SaleState.OPEN:
        return _opened_how(held, since)
    if reason.state is SaleState.PARTLY_REFUNDED:
        return _partly(sale)
    match reason.state:
        case SaleState.REFUNDED:
            return _("Closed since %(day)s: refunded in full.", day=since)
        case SaleState.CHARGED_BACK:
            return _("Closed since %(day)s: the customer's bank took the payment back.", day=since)
        case SaleState.DISPUTED:
            return _("Closed since %(day)s: the payment is in dispute.", day=since)
        case SaleState.REVOKED:
            return _("Closed by hand since %(day)s.", day=since)
        case _:
            status = "" if reason.decided_by is None else reason.decided_by.status
            return _(
                "Closed since %(day)s: Stripe reports the status “%(status)s”, which this version does not know.",
                day=since, status=status,
            )  # fmt: skip


def _opened_how(held: Holding, since: str) -> str:
    purchase = held.purchase
    match purchase.source:
        case Source.GRANT:
            return _("Open since %(day)s: a free copy, given by hand.", day=since)
        case Source.FREE:
            return _("Open since %(day)s: a free order.", day=since)
        case Source.IMPORT:
            return _("Open since %(day)s: imported from another shop.", day=since)
        case Source.SALE:
            if not purchase.paid.amount:
                return _("Open since %(day)s: free because of a discount.", day=since)
            return _("Open since %(day)s: paid.", day=since)


def _partly(sale: SaleShown) -> str:
    currency, money = sale.held.purchase.paid.currency, sale.money
    gone = Money(money.refunded + money.charged_back, currency)
    paid = Money(money.paid, currency)
    if money.charged_back:
        return _("Open: %(gone)s of %(paid)s was refunded or charged back.", gone=gone, paid=paid)
    return _("Open: %(gone)s of %(paid)s refunded.", gone=gone, paid=paid)


def is_closed(sale: SaleShown) -> bool:
    """Whether the sale by itself opens nothing."""
    return sale.held.standing.state is not PurchaseState.LIVE or not sale.counts


_REFUNDS: Final[Mapping[str, str]] = {
    "pending": N_("on its way"),
    "requires_action": N_("waits for the customer"),
    "succeeded": N_("refunded"),
    "failed": N_("failed: the money came back"),
    "canceled": N_("cancelled"),
}
_DISPUTES: Final[Mapping[str, str]] = {
    "warning_needs_response": N_("waits for your answer"),
    "warning_under_review": N_("the bank reviews your answer"),
    "warning_closed": N_("closed"),
    "needs_response": N_("waits for your answer"),
    "under_review": N_("the bank reviews your answer"),
    "prevented": N_("prevented"),
    "won": N_("won"),
    "lost": N_("lost: the bank took the money back"),
}


_WARNINGS: Final[Mapping[str, str]] = {
    "actionable": N_("a refund in full prevents a dispute"),
    "over": N_("nothing to do any more"),
}
_STATUSES: Final = {
    FactKind.REFUND: _REFUNDS, FactKind.DISPUTE: _DISPUTES, FactKind.WARNING: _WARNINGS,
}  # fmt: skip


def status_words(fact: Fact) -> str:
    """What Stripe's status means; the status itself where this version does not know it."""
    known = _STATUSES.get(fact.kind, {})
    if fact.kind is FactKind.DISPUTE and fact.status in TO_ANSWER and not needs_answer(fact):
        return _("the bank decides, and takes no evidence")
    return _(known[fact.status]) if fact.status in known else fact.status


def movement_name(fact: Fact, amount: Money | str) -> str:
    """What a refund, a dispute or a fraud warning is called."""
    if fact.kind is FactKind.REFUND:
        return _("Refund of %(amount)s", amount=amount)
    if fact.kind is FactKind.WARNING:
        return _("Fraud warning")
    if is_inquiry(fact):
        return _("Inquiry about %(amount)s", amount=amount)
    return _("Dispute over %(amount)s", amount=amount)


def masked_key(key: str) -> str:
    """A licence key as viewers see it: its last four characters, and of a short key none."""
    return f"\N{BULLET}\N{BULLET}\N{BULLET}\N{BULLET}{key[-4:] if len(key) >= 12 else ''}"


def without_keys(text: str, mail: Mail) -> str:
    """What viewers read of an email: its licence keys are masked."""
    for key in licence_keys_of(mail.email):
        text = text.replace(key, masked_key(key))
    return text


def dashboard(ref: str, *, livemode: bool | None) -> str:
    """Where Stripe's dashboard shows one of its objects; what has no page of its own is searched for there."""
    base = "https://dashboard.stripe.com/" if livemode else "https://dashboard.stripe.com/test/"
    if ref.startswith("pi_"):
        return f"{base}payments/{ref}"
    if ref.startswith(("du_", "dp_")):
        return f"{base}disputes/{ref}"
    if ref.startswith("evt_"):
        return f"{base}events/{ref}"
    return f"{base}search?{urlencode({'query': ref})}"


def mail_address(key: str) -> str:
    """Of the page of an email. Its key has characters that mean something in addresses."""
    return f"/admin/emails/{quote(key, safe='')}"
