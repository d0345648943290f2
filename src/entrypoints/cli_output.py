"""Output of the command line: the shop's figures, and its records as JSON lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from domain.claim import RejectReason
from domain.mail import MailProblem
from domain.records import ErasedAddress
from domain.transaction import ReadTransaction
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.report_status import SentAgain, Status
from domain.values import CheckoutId, ProviderRef, mask
from entrypoints.container import Container
from entrypoints.maintenance.erasures import Erasures
from entrypoints.maintenance.export_format import record_fields

_PAGE: Final = 500
_SENT_AGAIN: Final = {
    SentAgain.QUEUED: "Queued again: it leaves within a second while the shop is served.",
    SentAgain.NO_SUCH_MAIL: "There is no email with that key. `coatcheck status` lists those that are waiting.",
    SentAgain.STILL_QUEUED: "It is still queued and tried again by itself.",
}
_MAIL_PROBLEMS: Final[dict[str, str]] = {
    MailProblem.OUTCOME_UNKNOWN: "it may have been sent; its outcome is unknown, and its idempotency key has expired",
}
_REASONS: Final = {
    RejectReason.NO_METADATA: "It carries no checkout of ours: another app of the same Stripe account made it.",
    RejectReason.ANOTHER_SHOP: "It was made for another shop.",
    RejectReason.UNKNOWN_PRODUCT: "It names a product that this shop does not have.",
    RejectReason.UNKNOWN_CHECKOUT: "It names a checkout that this shop never started, and its seal does not hold.",
    RejectReason.ANOTHER_SESSION: "It names a checkout of ours, but that checkout has another session.",
    RejectReason.NOT_A_PAYMENT: "It is not a one-time payment (mode is not 'payment').",
    RejectReason.OTHER_MODE: "It is from Stripe's other mode (test or live) than this shop's key.",
    RejectReason.WRONG_PRODUCT: "It names another product than the checkout it belongs to.",
    RejectReason.WRONG_CURRENCY: "Its currency is not the one that was asked.",
    RejectReason.WRONG_AMOUNT: "Its amount is not the price that was asked.",
    RejectReason.UNASKED_DISCOUNT: "It has a discount, which this checkout did not allow.",
    RejectReason.NO_EMAIL: "It has no email address, so no access link can be sent.",
    RejectReason.BAD_EMAIL: "Its email address cannot receive email.",
    RejectReason.FOREIGN_PAYMENT: "A refund or dispute of a payment that is no sale of this shop.",
    RejectReason.UNREADABLE_PAYMENT: "A refund or dispute of a payment that Stripe could not be asked about "
    "for three days.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Lines for the terminal, and whether nothing needs attention."""

    lines: tuple[str, ...]
    all_well: bool


async def status_lines(container: Container, *, dismiss: str | None, send_again: str | None) -> Report:
    """Apply the requested actions, then report the shop's status."""
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
    bounced = f"; {tally.bounced} access emails bounced" if tally.bounced else ""
    return [
        f"Sales   {tally.purchases} to {tally.users} buyers; taken: {takings}",
        f"Emails  {mails}{bounced}",
    ]


def _waiting(status: Status) -> list[str]:
    if status.all_well:
        return ["Nothing is waiting for you."]
    lines: list[str] = []
    if status.mails:
        lines.append(
            f"\n{len(status.mails)} emails are waiting (send one again: coatcheck status --send-again KEY):"
        )
        for m in status.mails:
            problem = _MAIL_PROBLEMS.get(m.problem, m.problem)
            since = f"{m.queued_at:%Y-%m-%d %H:%M} UTC"
            lines.append(f"  {m.key}  {m.state.value} to {mask(m.to)} since {since}: {problem}")
    if status.quarantine:
        lines.append(
            f"\n{len(status.quarantine)} payments in quarantine (close one: coatcheck status --dismiss STRIPE_SESSION):"
        )
        lines += [
            f"  {q.ref}  since {q.first_at:%Y-%m-%d %H:%M} UTC: {_REASONS[q.reason]}"
            for q in status.quarantine
        ]
    return lines


def reconciled_lines(found: Reconciled) -> list[str]:
    """The findings of a sweep, one per line."""
    return [
        f"{found.seen} sales, refunds and disputes at Stripe; {len(found.booked)} sales were missing",
        *(f"  booked {ref}" for ref in found.booked),
        *(f"  noted {ref}" for ref in found.noted),
        *(f"  in quarantine: {ref}" for ref in found.refused),
        *(f"  Stripe could not be asked about {payment}; it will be again" for payment in found.unread),
    ]


async def registered_lines(container: Container) -> list[str]:
    """Register the shop's webhook at Stripe; return the next steps. Raises PaymentsUnreachable, PaymentsRefused."""
    settings = container.settings()
    url = settings.webhook_url
    if settings.on_loopback:
        return [
            f"Stripe cannot reach {url}. On this machine its command line brings the events:",
            f"  stripe listen --forward-to {url} --events {','.join(container.account().followed)}",
            "It prints a signing secret: put it into STRIPE_WEBHOOK_SECRET.",
        ]
    try:
        found = await container.account().register_webhook(url)
    finally:
        await container.payments().close()
    if found.secret:
        return [
            f"Stripe reports to {url} now. Put this into .env, and start `coatcheck serve` anew:",
            f"STRIPE_WEBHOOK_SECRET={found.secret}",
            "Stripe tells it here only once; its dashboard shows it, too (Developers, Webhooks).",
        ]
    lines = [
        f"Stripe reports to {url} already"
        + ("; its events are brought up to date." if found.changed else ".")
    ]
    return [*lines, *([f"But {found.problem}."] if found.problem else [])]


async def export_lines(container: Container) -> AsyncIterator[bytes]:
    """JSON lines, one object per record, each with `"kind"`. Instants are RFC 3339, amounts minor units."""
    encode = msgspec.json.Encoder().encode
    async for record in container.export_records()():
        yield encode(record_fields(record)) + b"\n"


async def erasure_lines(container: Container) -> AsyncIterator[str]:
    """The erasures, in the format of `entrypoints.maintenance.erasures`."""
    store, after = container.store(), ""
    while found := await store.read(_orders_after(after)):
        for line in Erasures(orders=tuple(found)).lines():
            yield line
        after = found[-1]
    tag = ""
    while erased := await store.read(_addresses_after(tag)):
        for line in Erasures(addresses=tuple(erased)).lines():
            yield line
        tag = erased[-1].tag


def _orders_after(after: str) -> Callable[[ReadTransaction], Sequence[CheckoutId]]:
    return lambda tx: tx.erasures.checkouts_after(after, limit=_PAGE)


def _addresses_after(tag: str) -> Callable[[ReadTransaction], Sequence[ErasedAddress]]:
    return lambda tx: tx.erasures.addresses_after(tag, limit=_PAGE)
