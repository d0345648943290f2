"""List what waits for the merchant in one queue, the oldest first. A row leaves when its cause is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice
from typing import Final, TypeGuard, TypeVar

from domain.access import Holding
from domain.fact import Fact
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.mail import Mail, MailState
from domain.outbox_keys import sale_of
from domain.ports import Catalogue, Clock, Store
from domain.product import CatalogueEdition
from domain.purchase import OPEN_AT_MOST, PurchaseState, Source, began_at, order_number
from domain.records import Problem, Quarantined
from domain.refund import RefundRequest
from domain.sale_list import SaleFilter, SaleMark, SaleOrder, SaleState
from domain.transaction import ReadTransaction
from domain.usecases.act_on_fraud_warnings import open_warnings
from domain.usecases.review_catalogue import broken_since, missing_products
from domain.usecases.unreached_customers import each_unreached
from domain.usecases.waiver_proofs import unconfirmed
from domain.values import CheckoutId, ProductId
from domain.withdrawal import Withdrawal

LATE: Final = timedelta(minutes=10)
ASKED_FOR: Final = timedelta(days=30)
"""How long a purchase without an address counts as waiting. Nobody but its buyer knows an address, so it must not do so
for ever."""
NOT_OPENED_FOR: Final = timedelta(hours=48)
_NOT_OPENED_SINCE: Final = timedelta(days=30)
"""A purchase that nobody opened within a month is nobody's task any more."""
BOUNCED_SINCE: Final = timedelta(days=90)
"""The same of an access email that bounced, and of a waiver that it was to confirm."""
MOST: Final = 50
"""Rows of each task, unless more are asked for."""
_READS: Final = 10
"""Pages of sales that one task is looked for in: each looks at a bounded number of them."""
_CLOSED: Final = (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK, PurchaseState.REVOKED)
_ANSWERED_WITHIN: Final = timedelta(days=120)
"""Banks take evidence for weeks; what was last heard of a dispute before is not waited for any more."""
_SILENT_AFTER: Final = timedelta(hours=1)
"""How long after a sale its webhook must have come. Stripe sends them within seconds, and again for three days."""
_SILENT_WITHIN: Final = timedelta(days=30)
"""An older sale says nothing of webhooks: their log is pruned after 90 days."""


class Task(Enum):
    """What waits. The values stand in addresses of the back office."""

    QUARANTINED = "quarantined"
    """A payment that the shop does not act on; `about` says why."""
    STUCK_EMAIL = "stuck-emails"
    LATE_EMAIL = "late-emails"
    """Queued for ten minutes, and refused at least once."""
    BOUNCED_EMAIL = "bounced-emails"
    NEVER_OPENED = "never-opened"
    """Paid 48 hours to 30 days ago, and open."""
    DISPUTE = "disputes"
    """It, or a bank's inquiry before one, needs an answer; `decides` is the dispute."""
    FRAUD_WARNING = "fraud-warnings"
    """A refund now prevents a dispute; `decides` is the warning."""
    WITHOUT_ADDRESS = "without-address"
    """Paid with an address that cannot be emailed."""
    REFUSED_BY_PROVIDER = "refused-by-stripe"
    """In the payment provider's words."""
    REFUND = "refunds"
    """Asked for by hand, and without an answer for ten minutes, refused, or returned by the bank."""
    WAIVER_UNCONFIRMED = "unconfirmed-waivers"
    """The email that repeats the waiver of a purchase did not arrive: the right of withdrawal stays."""
    WITHDRAWAL = "withdrawals"
    """Received, and not decided; `Todo.since` is when it was received."""
    LICENCES_USED_UP = "licence-keys"
    """Purchases wait for a key of a product whose list is used up."""
    PRODUCT_GONE = "missing-products"
    """The folder of a product that customers own is gone: it opens in its last good form, and nobody can buy it."""
    PRODUCT_LOST = "lost-products"
    """Customers own a product that the shop has in no form, so they cannot open it."""
    CATALOGUE = "catalogue"
    """It has mistakes."""
    WEBHOOKS_SILENT = "webhooks"
    """A sale is an hour old, and no webhook has come since it was booked."""

    LIMITS_SHARED = "shared-limits"
    """All visitors seem to come from the proxy, and share the rate limits of one."""

    @property
    def is_urgent(self) -> bool:
        """Whether it needs the merchant. Some buyers just do not come for what they bought."""
        return self is not Task.NEVER_OPENED


@frozen
class Lacking:
    """A product that owners wait for. `waiting`: how many purchases wait for a licence key of it."""

    product: ProductId
    waiting: int = 0


@frozen
class Mistakes:
    """What `Catalogue.problems` says."""

    lines: Sequence[str]


@frozen
class Silence:
    """When the payment provider's webhook was last heard; None if it never was."""

    heard_at: datetime | None


@frozen
class Todo:
    """One row of the queue."""

    task: Task
    since: datetime
    about: Quarantined | Mail | Holding | Problem | RefundRequest | Withdrawal | Lacking | Mistakes | Silence
    decides: Fact | None = None


T = TypeVar("T")


@frozen
class TodoList:
    """Everything that waits, the oldest first, disputes by when they must be answered. `more`: tasks with others."""

    rows: Sequence[Todo]
    more: frozenset[Task] = frozenset()

    @property
    def all_well(self) -> bool:
        """Whether nothing of it is urgent."""
        return not any(row.task.is_urgent for row in self.rows)

    def of(self, task: Task) -> list[Todo]:
        """The rows of one task."""
        return [row for row in self.rows if row.task is task]

    def about(self, kind: type[T], *tasks: Task) -> list[T]:
        """What the rows of these tasks are about."""
        return [row.about for row in self.rows if row.task in tasks and isinstance(row.about, kind)]


@frozen
class ListTodo:
    """The page "To do". Reads only, one committed state, beside the customers. `ReportStatus` prints the same list."""

    store: Store
    catalogue: Catalogue
    clock: Clock

    async def __call__(self) -> TodoList:
        """Raises StoreUnavailable."""
        now, edition = self.clock.now(), self.catalogue.current()
        mistakes = Mistakes(tuple(self.catalogue.problems))
        return await self.store.survey(lambda tx: todo_list(tx, edition, mistakes, now))


def todo_list(
    tx: ReadTransaction, edition: CatalogueEdition, mistakes: Mistakes, now: datetime, *, most: int = MOST
) -> TodoList:
    """What waits, of one state of the records; at most so many rows of each task."""
    mails = tx.outbox.waiting(now, late=LATE, bounced_since=now - BOUNCED_SINCE)
    gone, lost = missing_products(tx, edition.products)
    broke = broken_since(tx) or now
    sources: tuple[Iterable[Todo], ...] = (
        (Todo(Task.QUARANTINED, entry.first_at, entry) for entry in tx.quarantine.open_entries()),
        (Todo(Task.STUCK_EMAIL, mail.queued_at, mail) for mail in mails if mail.state is MailState.STUCK),
        (Todo(Task.LATE_EMAIL, mail.queued_at, mail) for mail in mails if mail.state is MailState.QUEUED),
        (Todo(Task.BOUNCED_EMAIL, mail.queued_at, mail) for mail in each_unreached(tx, mails)),
        _never_opened(tx, now, beside={sale_of(mail.key) for mail in mails}),
        _of_real_money(tx, _disputes(tx, now)),
        _of_real_money(
            tx,
            (Todo(Task.FRAUD_WARNING, fact.moment, held, decides=fact) for held, fact in open_warnings(tx)),
        ),
        _without_address(tx, now),
        (Todo(Task.REFUND, one.at, one) for one in tx.refund_requests.waiting(before=now - LATE)),
        _of_real_money(tx, _unconfirmed_waivers(tx, now)),
        (Todo(Task.WITHDRAWAL, one.received_at, one) for one in tx.withdrawals.open(limit=most + 1)),
        _lacking(tx, edition),
        (Todo(Task.PRODUCT_GONE, broke, Lacking(product)) for product in gone),
        (Todo(Task.PRODUCT_LOST, broke, Lacking(product)) for product in lost),
        _problems(tx, Task.REFUSED_BY_PROVIDER),
        _problems(tx, Task.LIMITS_SHARED),
        [Todo(Task.CATALOGUE, broke, mistakes)] if mistakes.lines else [],
        _silence(tx, now),
    )
    rows: list[Todo] = []
    more: set[Task] = set()
    for source in sources:
        found = list(islice(source, most + 1))
        rows += found[:most]
        more |= {row.task for row in found[most:]}
    return TodoList(rows=_in_order(rows), more=frozenset(more))


def _problems(tx: ReadTransaction, task: Task) -> Iterator[Todo]:
    for problem in tx.problems.open():
        if problem.kind.is_refusal is (task is Task.REFUSED_BY_PROVIDER):
            yield Todo(task, problem.first_at, problem)


def _in_order(rows: Iterable[Todo]) -> list[Todo]:
    """The oldest first; among themselves, disputes stand in the order in which they must be answered."""
    ordered = sorted(rows, key=lambda row: row.since)
    pressing = iter(sorted((row for row in ordered if row.task is Task.DISPUTE), key=_answer_by))
    return [next(pressing) if row.task is Task.DISPUTE else row for row in ordered]


def _answer_by(row: Todo) -> tuple[bool, datetime]:
    """Those whose last day is not known come last."""
    last = None if row.decides is None else row.decides.answered_by
    return last is None, last or row.since


def _never_opened(tx: ReadTransaction, now: datetime, *, beside: Set[CheckoutId | None]) -> Iterator[Todo]:
    """`beside`: sales with an email that waits itself, which says why they were not opened."""
    wanted = SaleFilter(
        state=SaleState.OPEN, source=Source.SALE, opened=False, booked_from=now - _NOT_OPENED_SINCE,
        booked_before=now - NOT_OPENED_FOR,
    )  # fmt: skip
    for held in _sales(tx, wanted, SaleOrder.OLDEST):
        purchase = held.purchase
        may_open = purchase.opens_at is None or now - purchase.opens_at >= NOT_OPENED_FOR
        ours = purchase.user is not None and purchase.livemode is not False
        if ours and may_open and purchase.checkout not in beside:
            yield Todo(Task.NEVER_OPENED, held.purchase.booked_at, held)


def _of_real_money(tx: ReadTransaction, rows: Iterable[Todo]) -> Iterator[Todo]:
    """Without those about test purchases once the shop has gone live: nobody can do anything about them any more."""
    live = tx.shop.cursor(STARTED_LIVE) is not None
    for row in rows:
        if not (live and isinstance(row.about, Holding) and row.about.purchase.livemode is False):
            yield row


def _disputes(tx: ReadTransaction, now: datetime) -> Iterator[Todo]:
    """The nearest deadline first: with more than are shown, it is among them."""
    disputes = iter(tx.facts.to_answer(since=int((now - _ANSWERED_WITHIN).timestamp()), limit=_READS * MOST))
    while lot := list(islice(disputes, MOST + 1)):
        sales = {
            held.purchase.payment: held for held in tx.searches.paid({fact.payment or "" for fact in lot})
        }
        for fact in lot:
            if fact.payment in sales:
                yield Todo(Task.DISPUTE, fact.moment, sales[fact.payment], decides=fact)


def _sales(tx: ReadTransaction, wanted: SaleFilter, order: SaleOrder) -> Iterator[Holding]:
    """Sales in this order, read as far as they are asked for; the caller passes over some of them.

    Up to a read that looks at all that it may and finds none: this is counted for every page of the back office.
    """
    after: SaleMark | None = None
    for _ in range(_READS):
        found = tx.sale_lists.rows(wanted, order=order, after=after, limit=MOST)
        yield from (row.held for row in found.rows)
        after = found.looked_to
        if after is None or not found.rows:
            return


def _without_address(tx: ReadTransaction, now: datetime) -> Iterator[Todo]:
    orders = (order for order in tx.problems.orders_without_owner() if not _is_old(order, now))
    for held in map(tx.purchases.with_facts, orders):
        if is_without_address(held) and now - held.purchase.booked_at < ASKED_FOR:
            yield Todo(Task.WITHOUT_ADDRESS, held.purchase.booked_at, held)


def _unconfirmed_waivers(tx: ReadTransaction, now: datetime) -> Iterator[Todo]:
    for held in unconfirmed(tx, since=now - BOUNCED_SINCE):
        yield Todo(Task.WAIVER_UNCONFIRMED, held.purchase.booked_at, held)


def is_without_address(held: Holding | None) -> TypeGuard[Holding]:
    """Whether an order of `Problems.orders_without_owner` was booked, and is not closed."""
    return held is not None and held.standing.state not in _CLOSED


def _is_old(order: CheckoutId, now: datetime) -> bool:
    """Whether a checkout began so long ago that it was certainly not paid lately: nothing has to be looked up."""
    began = began_at(order_number(order))
    return began is not None and now - began > ASKED_FOR + OPEN_AT_MOST


def _lacking(tx: ReadTransaction, edition: CatalogueEdition) -> Iterator[Todo]:
    """Purchases in line keep their place while they are closed; then nobody waits."""
    for product, first, waiting in tx.problems.licence_lines():
        sold, purchase = edition.products.get(product), tx.purchases.get(first)
        listed = sold is not None and sold.licences is not None and sold.licences.listed is not None
        if listed and purchase is not None:
            yield Todo(Task.LICENCES_USED_UP, purchase.booked_at, Lacking(product, waiting))


def _silence(tx: ReadTransaction, now: datetime) -> Iterator[Todo]:
    """A sale that the browser or the reconciler brought, and of which the webhook should have come by now."""
    wanted = SaleFilter(
        source=Source.SALE, booked_from=now - _SILENT_WITHIN, booked_before=now - _SILENT_AFTER
    )
    newest = tx.sale_lists.rows(wanted, order=SaleOrder.NEWEST, after=None, limit=1).rows
    heard = next((one.at for one in tx.events.newest(limit=1)), None)
    for purchase in (row.held.purchase for row in newest):
        if purchase.booked_by is not None and (heard is None or heard < purchase.booked_at):
            yield Todo(Task.WEBHOOKS_SILENT, heard or purchase.booked_at, Silence(heard))
