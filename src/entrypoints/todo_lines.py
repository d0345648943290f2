"""What `coatcheck status` says of the rest of the queue that the back office shows as "To do"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.access import Holding
from domain.purchase import order_number
from domain.usecases.list_todo import Lacking, Silence, Task, Todo, TodoList
from domain.values import mask
from entrypoints.cli_words import counted, minute

_URGENT: Final = frozenset({Task.DISPUTE, Task.LICENCES_USED_UP, Task.WEBHOOKS_SILENT})
"""Of those listed here; the others are judged by `Status` and `CatalogueReview`."""


def is_urgent(found: TodoList) -> bool:
    """Whether one of them cannot wait."""
    return any(row.task in _URGENT for row in found.rows)


def todo_lines(found: TodoList) -> list[str]:
    """Those that the other parts of `status` do not list: nothing if there are none."""
    lines: list[str] = []
    for task, what in (
        (Task.DISPUTE, "{} to answer in Stripe's dashboard:"),
        (Task.NEVER_OPENED, "{} bought two days ago or earlier, and never opened (coatcheck resend ORDER):"),
    ):
        rows = [row for row in found.rows if row.task is task]
        if rows:
            noun = "dispute" if task is Task.DISPUTE else "purchase"
            lines += ["", what.format(counted(len(rows), noun)), *map(_order, rows)]
            lines += ["  and more"] if task in found.more else []
    return [*lines, *_lacking(found.rows), *_silent(found.rows)]


def _order(row: Todo) -> str:
    assert isinstance(row.about, Holding)
    purchase = row.about.purchase
    to = "no address" if purchase.mailbox is None else mask(purchase.mailbox)
    named = (
        f"order {order_number(purchase.checkout)} ({purchase.product_name}), {to}, since {minute(row.since)}"
    )
    return f"  {named}" if row.decides is None else f"  {row.decides.object_id}  {named}"


def _lacking(rows: Sequence[Todo]) -> list[str]:
    lines: list[str] = []
    for row in rows:
        if row.task is Task.LICENCES_USED_UP and isinstance(row.about, Lacking):
            waiting = f"{counted(row.about.waiting, 'purchase')} without one since {minute(row.since)}"
            what = f"The licence keys of {row.about.product} are used up: {waiting}."
            lines += ["", f"{what} Add keys to the list in the catalogue."]
    return lines


def _silent(rows: Sequence[Todo]) -> list[str]:
    lines: list[str] = []
    for row in rows:
        if isinstance(row.about, Silence):
            heard = "never" if row.about.heard_at is None else f"at {minute(row.about.heard_at)}"
            what = (
                f"Stripe's webhooks do not arrive: a sale is an hour old, and the last one was heard {heard}."
            )
            lines += ["", f"{what} `coatcheck doctor` checks the endpoint."]
    return lines
