"""What waits, on the command line: the queue that the back office shows as "To do", by kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.access import Holding
from domain.claim import RejectReason
from domain.purchase import order_number
from domain.records import Problem, ProblemKind, Quarantined
from domain.usecases.list_todo import Lacking, Mistakes, Silence, Task, Todo, TodoList
from domain.usecases.report_status import Status
from domain.values import CheckoutId, mask
from domain.withdrawal import Withdrawal
from entrypoints.catalogue_lines import lacking_lines
from entrypoints.cli_words import counted, minute
from entrypoints.mail_lines import mail_lines
from entrypoints.order_lines import fraud_warning_lines, without_owner_lines
from entrypoints.refund_lines import waiting_refund_lines
from entrypoints.run.peer_address import shared_words

_MORE: Final = "  and more"
_UNCONFIRMED: Final = (
    "whose waiver of the right of withdrawal is not confirmed, because the email that repeats it did not arrive. The "
    "right stays. Correct the address (coatcheck correct ORDER ADDRESS), then: coatcheck resend ORDER"
)
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


def waiting_lines(status: Status) -> list[str]:
    """Everything that waits; nothing if nothing does."""
    return [
        *mail_lines(status),
        *without_owner_lines(status),
        *fraud_warning_lines(status),
        *waiting_refund_lines(status.refunds),
        *_quarantined(status.todo),
        *_refused(status.problems),
        *_shared(status.shared_limits),
        *_orders(status.todo),
        *_withdrawals(status.todo),
        *_licences(status.todo),
        *_silent(status.todo),
        *_mistakes(status.todo),
    ]


def _quarantined(found: TodoList) -> list[str]:
    entries = found.about(Quarantined, Task.QUARANTINED)
    if not entries:
        return []
    number = counted(len(entries), "payment")
    lines = ["", f"{number} in quarantine (close one: coatcheck status --dismiss ID --reason TEXT):"]
    lines += [f"  {one.ref}  since {minute(one.first_at)}: {_REASONS[one.reason]}" for one in entries]
    return [*lines, *([_MORE] if Task.QUARANTINED in found.more else [])]


def _refused(problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    lines = ["", "Stripe refused what the shop asked for (`coatcheck doctor` checks the account):"]
    return lines + [
        f"  {_PROBLEMS[one.kind].format(one.subject)} (since {minute(one.first_at)}): {one.detail}"
        for one in problems
    ]


def _shared(problems: Sequence[Problem]) -> list[str]:
    lines: list[str] = []
    for one in problems:
        words = shared_words(one.subject, one.detail)
        lines += ["", f"{words[0].upper()}{words[1:]} (since {minute(one.first_at)})."]
    return lines


def _orders(found: TodoList) -> list[str]:
    lines: list[str] = []
    for task, what in (
        (Task.DISPUTE, "{} to answer in Stripe's dashboard:"),
        (Task.NEVER_OPENED, "{} bought two days ago or earlier, and never opened (coatcheck resend ORDER):"),
        (Task.WAIVER_UNCONFIRMED, f"{{}} {_UNCONFIRMED}"),
    ):
        rows = found.of(task)
        if rows:
            noun = "dispute" if task is Task.DISPUTE else "purchase"
            lines += ["", what.format(counted(len(rows), noun)), *map(_order, rows)]
            lines += [_MORE] if task in found.more else []
    return lines


def _order(row: Todo) -> str:
    assert isinstance(row.about, Holding)
    purchase = row.about.purchase
    to = "no address" if purchase.mailbox is None else mask(purchase.mailbox)
    named = (
        f"order {order_number(purchase.checkout)} ({purchase.product_name}), {to}, since {minute(row.since)}"
    )
    if row.decides is None:
        return f"  {named}"
    last = row.decides.answered_by
    return f"  {row.decides.object_id}  {named}" + (f", evidence due by {minute(last)}" if last else "")


def _withdrawals(found: TodoList) -> list[str]:
    waiting = found.about(Withdrawal, Task.WITHDRAWAL)
    if not waiting:
        return []
    lines = ["", f"{counted(len(waiting), 'withdrawal')} to accept or refuse (coatcheck withdrawals):"]
    lines += [
        f"  order {order_number(one.checkout or CheckoutId(''))}, received {minute(one.received_at)}"
        + (", confirmed by the customer" if one.proved_at is not None else "")
        for one in waiting
    ]
    return [*lines, *([_MORE] if Task.WITHDRAWAL in found.more else [])]


def _licences(found: TodoList) -> list[str]:
    lines: list[str] = []
    for row in found.of(Task.LICENCES_USED_UP):
        if isinstance(row.about, Lacking):
            waiting = f"{counted(row.about.waiting, 'purchase')} without one since {minute(row.since)}"
            what = f"The licence keys of {row.about.product} are used up: {waiting}."
            lines += ["", f"{what} Add keys to the list in the catalogue."]
    return lines


def _silent(found: TodoList) -> list[str]:
    lines: list[str] = []
    for silence in found.about(Silence, Task.WEBHOOKS_SILENT):
        heard = "never" if silence.heard_at is None else f"at {minute(silence.heard_at)}"
        what = f"Stripe's webhooks do not arrive: a sale is an hour old, and the last one was heard {heard}."
        lines += ["", f"{what} `coatcheck doctor` checks the endpoint."]
    return lines


def _mistakes(found: TodoList) -> list[str]:
    mistakes = [line for one in found.about(Mistakes, Task.CATALOGUE) for line in one.lines]
    gone, lost = (
        [one.product for one in found.about(Lacking, task)] for task in (Task.PRODUCT_GONE, Task.PRODUCT_LOST)
    )
    lines = [*mistakes, *lacking_lines(gone=gone, lost=lost)]
    return ["", "Mistakes in the catalogue:", *(f"  {line}" for line in lines)] if lines else []
