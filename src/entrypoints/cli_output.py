"""Output of the command line: the shop's figures, and its records as JSON lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from domain.audit import LONGEST_REASON
from domain.mail import MailState
from domain.records import ErasedAddress
from domain.rights import NotAllowed
from domain.transaction import ReadTransaction
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.report_status import ReasonMissing, Status
from domain.usecases.send_refused import Resent
from domain.values import CheckoutId
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_words import NOT_ALLOWED, counted
from entrypoints.container import Container
from entrypoints.mail_lines import OF_NO_USE, SENT_AGAIN
from entrypoints.maintenance.erasures import Erasures
from entrypoints.maintenance.export_format import record_fields
from entrypoints.run.address_watch import two_ways_on
from entrypoints.todo_lines import waiting_lines

_PAGE: Final = 500


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
    status, elsewhere = await report(), container.address_watch().elsewhere
    all_well = status.all_well and elsewhere is None
    waiting = waiting_lines(status)
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
    return "Dismissed." if closed else "Nothing with that id is on the list below."


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
    # Dropped ones are no loss: they were of no use any more, or another one was queued for them.
    sent = [(state, number) for state, number in tally.mails if number and state is not MailState.DROPPED]
    mails = ", ".join(f"{number} {state.value}" for state, number in sent) or "none"
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
