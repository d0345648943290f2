"""Output of the command line: the shop's figures, and its records as JSON lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from domain.audit import LONGEST_REASON
from domain.claim import RejectReason
from domain.records import ErasedAddress, Problem, ProblemKind
from domain.rights import NotAllowed
from domain.transaction import ReadTransaction
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.report_status import ReasonMissing, Status
from domain.usecases.review_catalogue import CatalogueReview
from domain.usecases.send_refused import Resent
from domain.values import CheckoutId
from entrypoints.acting import actor_here, new_form
from entrypoints.catalogue_lines import lacking_lines
from entrypoints.cli_words import NOT_ALLOWED, counted, minute
from entrypoints.container import Container
from entrypoints.mail_lines import OF_NO_USE, SENT_AGAIN, mail_lines
from entrypoints.maintenance.erasures import Erasures
from entrypoints.maintenance.export_format import record_fields
from entrypoints.order_lines import fraud_warning_lines, without_owner_lines
from entrypoints.refund_lines import waiting_refund_lines
from entrypoints.run.address_watch import two_ways_on
from entrypoints.todo_lines import is_urgent, todo_lines

_PAGE: Final = 500
_PROBLEMS: Final = {
    ProblemKind.CHECKOUT_REFUSED: "Payment pages for {} are refused",
    ProblemKind.LOOKUP_REFUSED: "Payments cannot be looked up",
    ProblemKind.LIST_REFUSED: "The list of {} cannot be read, so changes that no webhook reports are missed",
}
_REASONS: Final = {
    RejectReason.NO_METADATA: "It carries no checkout of ours: another program on the same Stripe account made it.",
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
    RejectReason.FOREIGN_PAYMENT: "A refund or dispute of a payment that is no sale of this shop.",
    RejectReason.CUSTOMER_ERASED: "Paid after its customer deleted the account: nothing was delivered and nobody "
    "was emailed. Refund it in Stripe's dashboard.",
    RejectReason.UNREADABLE_PAYMENT: "A refund or dispute of a payment that Stripe could not be asked about "
    "for three days.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Lines for the terminal, and whether nothing needs attention."""

    lines: tuple[str, ...]
    all_well: bool


async def status_lines(
    container: Container, *, dismiss: str | None, reason: str = "", send_again: str | None, send_refused: bool
) -> Report:
    """Apply the requested actions, then report the shop's status."""
    report, actor = container.report_status(), actor_here()
    forms = partial(new_form, container.randomness())
    lines: list[str] = []
    if dismiss is not None:
        closed = await report.dismiss(dismiss, actor=actor, form=forms(), reason=reason)
        lines.append(_dismissed_line(closed))
    if send_again is not None:
        sent = await report.send_again(send_again, actor=actor, form=forms())
        lines.append(NOT_ALLOWED if isinstance(sent, NotAllowed) else SENT_AGAIN[sent])
    if send_refused:
        lines += _resent_lines(await container.send_refused()(actor=actor, form=forms()))
    status, review = await report(), await container.review_catalogue()()
    todo = await container.list_todo()()
    elsewhere = container.address_watch().elsewhere
    all_well = status.all_well and review.all_well and elsewhere is None and not is_urgent(todo)
    waiting = [*_waiting(status), *todo_lines(todo), *_mistakes(review)]
    if elsewhere is not None:
        waiting = ["", f"The address is not confirmed: {two_ways_on(elsewhere)}.", *waiting]
    if all_well:
        waiting.insert(0, "Nothing urgent is waiting for you." if waiting else "Nothing is waiting for you.")
    figures = _figures(status, live=container.payments().livemode)
    return Report(lines=(*lines, *figures, *waiting), all_well=all_well)


def _dismissed_line(closed: bool | ReasonMissing | NotAllowed) -> str:
    if isinstance(closed, NotAllowed):
        return NOT_ALLOWED
    if isinstance(closed, ReasonMissing):
        return f"Nothing was dismissed: give a --reason of at most {LONGEST_REASON} characters."
    return "Dismissed." if closed else "Nothing of that id is on the list."


def _resent_lines(resent: Resent | NotAllowed) -> list[str]:
    if isinstance(resent, NotAllowed):
        return [NOT_ALLOWED]
    queued = f"{counted(resent.queued, 'email')} queued again; sent while the shop is served."
    dropped = f"{counted(resent.dropped, 'email')} dropped: {OF_NO_USE}."
    return [queued, dropped] if resent.dropped else [queued]


def _figures(status: Status, *, live: bool) -> list[str]:
    tally = status.tally
    takings = ", ".join(str(sum_) for sum_ in tally.takings)
    taken = f"{takings}, net of refunds and lost disputes" if takings else "nothing yet"
    mails = ", ".join(f"{number} {state.value}" for state, number in tally.mails if number) or "none"
    bounced = f"; {counted(tally.bounced, 'access email')} bounced" if tally.bounced else ""
    rest = "no access, not counted" if live else "not counted, because the shop has gone live"
    return [
        f"Sales   {tally.purchases} to {counted(tally.users, 'buyer')}; taken: {taken}",
        *([f"Test    {counted(tally.test, 'purchase')} made with a test key: {rest}"] if tally.test else []),
        f"Emails  {mails}{bounced}",
        *([_foreign(tally.foreign)] if tally.foreign else []),
    ]


def _foreign(number: int) -> str:
    return f"Ignored {counted(number, 'payment')} from other programs on the same Stripe account, in the last 90 days"


def _mistakes(review: CatalogueReview) -> list[str]:
    lines = [*review.problems, *lacking_lines(review)]
    return ["", "Mistakes in the catalogue:", *(f"  {line}" for line in lines)] if lines else []


def _waiting(status: Status) -> list[str]:
    lines = mail_lines(status)
    lines += without_owner_lines(status) + fraud_warning_lines(status)
    lines += waiting_refund_lines(status.refunds)
    if status.quarantine:
        how = "close one: coatcheck status --dismiss ID --reason TEXT"
        lines += ["", f"{counted(len(status.quarantine), 'payment')} in quarantine ({how}):"]
        lines += [f"  {q.ref}  since {minute(q.first_at)}: {_REASONS[q.reason]}" for q in status.quarantine]
    if status.problems:
        lines += ["", "Stripe refused what the shop asked for (`coatcheck doctor` checks the account):"]
        lines += map(_problem, status.problems)
    return lines


def _problem(problem: Problem) -> str:
    words = _PROBLEMS[problem.kind].format(problem.subject)
    return f"  {words} (since {minute(problem.first_at)}): {problem.detail}"


def reconciled_lines(found: Reconciled) -> list[str]:
    """The findings of a sweep, one per line."""
    return [
        f"Sales, refunds and disputes read at Stripe: {found.seen}; sales that were missing: {len(found.booked)}",
        *([f"  {found.foreign} from other programs on the same Stripe account"] if found.foreign else []),
        *(f"  booked {ref}" for ref in found.booked),
        *(f"  noted {ref}" for ref in found.noted),
        *(f"  in quarantine: {ref}" for ref in found.refused),
        *(f"  the list of {name} cannot be read: {words}" for name, words in found.unlisted.items()),
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
