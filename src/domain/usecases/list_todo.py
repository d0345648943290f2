"""List what waits for the merchant in one queue, the oldest first. A row leaves when its cause is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.mail import Mail, MailState
from domain.ports import Clock, Store
from domain.purchase import Fact, FactKind
from domain.records import Problem, Quarantined
from domain.sale_list import SaleFilter, SaleOrder, SaleState
from domain.transaction import ReadTransaction
from domain.usecases.act_on_fraud_warnings import open_warnings
from domain.usecases.report_status import ASKED_FOR, LATE
from domain.usecases.unreached_customers import unreached_customers

NOT_OPENED_FOR: Final = timedelta(hours=48)
_NOT_OPENED_SINCE: Final = timedelta(days=30)
"""A purchase that nobody opened within a month is nobody's task any more."""
_MOST: Final = 50
_ANSWERED_BY_US: Final = "needs_response"


class Task(Enum):
    """What waits."""

    QUARANTINED = auto()
    """A payment that the shop does not act on; `about` says why."""
    STUCK_EMAIL = auto()
    LATE_EMAIL = auto()
    """Queued for ten minutes, and refused at least once."""
    BOUNCED_EMAIL = auto()
    NEVER_OPENED = auto()
    """Paid 48 hours to 30 days ago, and open."""
    DISPUTE = auto()
    """It needs an answer; `decides` is the dispute."""
    FRAUD_WARNING = auto()
    """A refund now prevents a dispute; `decides` is the warning."""
    WITHOUT_ADDRESS = auto()
    """Paid with an address that cannot be emailed."""
    REFUSED_BY_PROVIDER = auto()
    """In the payment provider's words."""


@frozen
class Todo:
    """One row of the queue."""

    task: Task
    since: datetime
    about: Quarantined | Mail | Holding | Problem
    decides: Fact | None = None


@frozen
class TodoList:
    """At most 50 rows of a kind that can be many. `more`: kinds of which there are others."""

    rows: Sequence[Todo]
    more: frozenset[Task] = frozenset()


@frozen
class ListTodo:
    """The page "To do". Reads only, one committed state, beside the customers (`Store.survey`)."""

    store: Store
    clock: Clock

    async def __call__(self) -> TodoList:
        """Raises StoreUnavailable."""
        now = self.clock.now()
        return await self.store.survey(lambda tx: _list(tx, now))


def _list(tx: ReadTransaction, now: datetime) -> TodoList:
    found = [*_of_records(tx, now), *_disputes(tx)]
    found += [Todo(Task.FRAUD_WARNING, fact.moment, held, decides=fact) for held, fact in open_warnings(tx)]
    unopened = tx.sale_lists.rows(
        SaleFilter(
            state=SaleState.OPEN,
            opened=False,
            booked_from=now - _NOT_OPENED_SINCE,
            booked_before=now - NOT_OPENED_FOR,
        ),
        order=SaleOrder.OLDEST,
        after=None,
        limit=_MOST,
    )
    found += [
        Todo(Task.NEVER_OPENED, row.held.purchase.booked_at, row.held)
        for row in unopened.rows
        if row.held.purchase.user is not None and row.held.purchase.livemode is not False
    ]
    more = frozenset() if unopened.looked_to is None else frozenset({Task.NEVER_OPENED})
    return TodoList(rows=sorted(found, key=lambda row: row.since), more=more)


def _of_records(tx: ReadTransaction, now: datetime) -> Iterator[Todo]:
    for entry in tx.quarantine.open_entries():
        yield Todo(Task.QUARANTINED, entry.first_at, entry)
    waiting = tx.outbox.waiting(now, late=LATE)
    for mail in waiting:
        if mail.state is MailState.STUCK:
            yield Todo(Task.STUCK_EMAIL, mail.queued_at, mail)
        elif mail.state is MailState.QUEUED:
            yield Todo(Task.LATE_EMAIL, mail.queued_at, mail)
    for mail in unreached_customers(tx, waiting):
        yield Todo(Task.BOUNCED_EMAIL, mail.queued_at, mail)
    for problem in tx.problems.open():
        yield Todo(Task.REFUSED_BY_PROVIDER, problem.first_at, problem)
    for held in map(tx.purchases.with_facts, tx.problems.orders_without_owner()):
        if held is not None and now - held.purchase.booked_at < ASKED_FOR:
            yield Todo(Task.WITHOUT_ADDRESS, held.purchase.booked_at, held)


def _disputes(tx: ReadTransaction) -> Iterator[Todo]:
    wanted = SaleFilter(state=SaleState.DISPUTED)
    found = tx.sale_lists.rows(wanted, order=SaleOrder.NEWEST, after=None, limit=_MOST)
    for held in (row.held for row in found.rows):
        for fact in held.facts:
            if fact.kind is FactKind.DISPUTE and fact.status == _ANSWERED_BY_US:
                yield Todo(Task.DISPUTE, fact.moment, held, decides=fact)
