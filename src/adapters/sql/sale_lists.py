"""Lists of sales: a search begins with the index that leaves the fewest rows, and looks at a bounded number of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.sql import checkouts, facts, purchases
from adapters.sql.dialect import ANY_OF, LISTED, texts
from adapters.sql.record import Record, Row, first, micros
from domain.access import Holding
from domain.decision import decided_on, merchant_object
from domain.fact import Fact
from domain.frozen import frozen
from domain.purchase import Checkout, Source
from domain.sale_list import (
    COUNTED_TO,
    LOOKED_AT,
    AddressState,
    SaleCount,
    SaleFilter,
    SaleMark,
    SaleOrder,
    SaleRow,
    SaleRows,
    SaleState,
    sale_state_of,
)
from domain.values import CheckoutId, Money

_STATES_AT_ONCE: Final = 250
_MOST_LOOKED_AT: Final = {
    "purchases_told": 5_000,
    "purchases_sources": 5_000,
}
"""Where the rows of an index lie far apart in the table, so that each is a page of it."""
_KEY: Final = "checkout_id, amount, currency, payment, told"
_BY_KEYS: Final = f"SELECT {purchases.COLUMNS} FROM purchases WHERE checkout_id {ANY_OF}"
_FEW: Final = 5_000
_BOUNCED: Final = """SELECT users.id FROM outbox JOIN users ON users.email = outbox.mailbox
  WHERE outbox.kind = 'access' AND outbox.delivery = 'bounced'"""
_OF_PROMOTION: Final = "SELECT id FROM checkouts WHERE promotion = ?"
# The one search that reads an index from end to end, unless the domain is a common one: an index of domains would cost
# every claim 1 % more.
_OF_DOMAIN: Final = f"""SELECT id FROM users INDEXED BY users_email
  WHERE substr(email, instr(email, '@') + 1) = ? LIMIT {_FEW + 1}"""
_USES: Final = f"SELECT count(*) FROM ({_OF_PROMOTION} LIMIT {_FEW + 1}) AS used"
_VERIFIED: Final = f"SELECT id FROM users WHERE id {ANY_OF} AND proved_at IS NOT NULL"
# Address by address: PostgreSQL keeps no statistics of them, and would read every email that ever bounced.
RETURNED: Final = f"""SELECT value FROM {LISTED} WHERE (SELECT max(CASE WHEN kind = 'access' AND delivery = 'bounced'
  THEN 1 ELSE 0 END) FROM outbox INDEXED BY outbox_mailbox WHERE mailbox = value) = 1"""
PENDING: Final = f"""SELECT {checkouts.COLUMNS} FROM checkouts WHERE provider_ref IN
  (SELECT object_id FROM facts INDEXED BY facts_looked_for WHERE {facts.LOOKED_FOR}
    AND status = 'unpaid' AND kind = 'session')
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)
  ORDER BY started_at DESC, id DESC LIMIT ?"""
_UNVERIFIED: Final = (
    "EXISTS (SELECT 1 FROM users WHERE users.id = purchases.user_id AND users.proved_at IS NULL)"
)
_REFUNDS: Final = (SaleState.REFUNDED, SaleState.PARTLY_REFUNDED)


@frozen
class _Condition:
    text: str
    values: tuple[object, ...] = ()


@frozen
class _Key:
    """What of a sale says whether it belongs on the page, and where."""

    mark: SaleMark
    paid: Money
    payment: str | None
    told: bool


def _key(row: Row) -> _Key:
    return _Key(
        mark=SaleMark(row[0], CheckoutId(row[1])),
        paid=Money(row[2], row[3]),
        payment=row[4],
        told=row[5] is not None,
    )


@frozen
class Plan:
    """How a search is made: the index it begins with, the conditions that this index serves, and all others."""

    index: str
    """"" where conditions name the rows by their key."""
    inside: tuple[_Condition, ...]
    outside: tuple[_Condition, ...]
    ordered: bool
    """Whether the index has the rows in order of booking. If not, they are few, and are sorted."""

    @property
    def table(self) -> str:
        return f"purchases INDEXED BY {self.index}" if self.index else "purchases"

    def select(self, what: str, extra: Sequence[_Condition], end: str) -> tuple[str, list[object]]:
        conditions = [*self.inside, *self.outside, *extra]
        where = " AND ".join(one.text for one in conditions) or "1 = 1"
        values = [value for one in conditions for value in one.values]
        return f"SELECT {what} FROM {self.table} WHERE {where} {end}", values


class SaleLists(Record):
    def rows(self, wanted: SaleFilter, *, order: SaleOrder, after: SaleMark | None, limit: int) -> SaleRows:
        plan = self._plan(wanted)
        found, stopped = self._keys(plan, wanted.state, order, after, limit + 1)
        if len(found) > limit:
            found = found[:limit]
            stopped = found[-1].mark if found else after
        held = purchases.with_facts(self._sql, _BY_KEYS, (texts(key.mark.checkout for key in found),))
        places = {key.mark.checkout: place for place, key in enumerate(found)}
        held.sort(key=lambda one: places[one.purchase.checkout])
        return SaleRows(rows=self._with_addresses(held), looked_to=stopped)

    def _keys(
        self,
        plan: Plan,
        state: SaleState | None,
        order: SaleOrder,
        after: SaleMark | None,
        limit: int,
    ) -> tuple[list[_Key], SaleMark | None]:
        """At most so many that match, in order, and where it stopped looking; None at the end of the list."""
        column = "amount" if order.by_amount else "booked_at"
        way, behind, up_to = ("DESC", "<", ">=") if order.falls else ("ASC", ">", "<=")
        key, end = f"({column}, checkout_id)", f"ORDER BY {column} {way}, checkout_id {way}"
        beyond = (
            [] if after is None else [_Condition(f"{key} {behind} (?, ?)", (after.value, after.checkout))]
        )
        frontier: SaleMark | None = None
        if plan.ordered and (plan.outside or state is not None) and not order.by_amount:
            frontier = self._frontier(plan, beyond, end, _MOST_LOOKED_AT.get(plan.index, LOOKED_AT))
        ends = (
            []
            if frontier is None
            else [_Condition(f"{key} {up_to} (?, ?)", (frontier.value, frontier.checkout))]
        )
        found: list[_Key] = []
        at_once = limit if state is None else _STATES_AT_ONCE
        while True:
            statement, values = plan.select(f"{column}, {_KEY}", [*beyond, *ends], f"{end} LIMIT ?")
            lot = self._all(_key, statement, [*values, at_once])
            found += lot if state is None else self._in_state(lot, state)
            if len(lot) < at_once or len(found) >= limit:
                return found[:limit], frontier
            last = lot[-1].mark
            beyond = [_Condition(f"{key} {behind} (?, ?)", (last.value, last.checkout))]

    def _in_state(self, keys: Sequence[_Key], state: SaleState) -> list[_Key]:
        """The keys of sales in this state. Only sales marked as `told` have facts to read."""
        told = [key for key in keys if key.told]
        payments = texts(key.payment for key in told if key.payment is not None)
        objects = texts(merchant_object(key.mark.checkout) for key in told)
        known: dict[str, list[Fact]] = {}
        for fact in self._all(facts.from_row, facts.ABOUT, (objects, payments)) if told else ():
            about = fact.payment or decided_on(fact.object_id)
            known.setdefault(about, []).append(fact)
        return [
            key
            for key in keys
            if sale_state_of(key.paid, (*known.get(key.payment or "", ()), *known.get(key.mark.checkout, ())))
            is state
        ]

    def _frontier(self, plan: Plan, extra: Sequence[_Condition], end: str, most: int) -> SaleMark | None:
        """The row up to which so many others lie in the index; None if there are fewer. Reads the index alone."""
        bare = Plan(index=plan.index, inside=plan.inside, outside=(), ordered=True)
        statement, values = bare.select("booked_at, checkout_id", extra, f"{end} LIMIT 1 OFFSET ?")
        return self._one(lambda row: SaleMark(row[0], CheckoutId(row[1])), statement, [*values, most])

    def _with_addresses(self, found: Sequence[Holding]) -> list[SaleRow]:
        users = texts({held.purchase.user for held in found if held.purchase.user is not None})
        boxes = texts(
            {held.purchase.mailbox.canonical for held in found if held.purchase.mailbox is not None}
        )
        verified = set(self._all(first, _VERIFIED, (users,)))
        returned = set(self._all(first, RETURNED, (boxes,)))
        return [
            SaleRow(
                held=held,
                verified=held.purchase.user in verified,
                bounced=held.purchase.mailbox is not None and held.purchase.mailbox.canonical in returned,
            )
            for held in found
        ]

    def count(self, wanted: SaleFilter) -> SaleCount:
        if wanted.state is None:
            return self._count(self._plan(wanted))
        if wanted.state is not SaleState.OPEN:
            return self._count_in_state(self._plan(wanted), wanted.state)
        plan = self._plan(wanted)
        untouched = self._count(_narrowed(plan, "told IS NULL"))
        if untouched.number > COUNTED_TO:
            return untouched
        touched = _narrowed(self._plan(wanted, touched=True), "told IS NOT NULL")
        others = self._count_in_state(touched, SaleState.OPEN)
        complete = untouched.complete and others.complete
        return SaleCount(min(untouched.number + others.number, COUNTED_TO + 1), complete)

    def _count(self, plan: Plan) -> SaleCount:
        extra: list[_Condition] = []
        if plan.ordered and plan.outside:
            end = "ORDER BY booked_at DESC, checkout_id DESC"
            frontier = self._frontier(plan, [], end, _MOST_LOOKED_AT.get(plan.index, LOOKED_AT))
            if frontier is not None:
                values = (frontier.value, frontier.checkout)
                extra.append(_Condition("(booked_at, checkout_id) >= (?, ?)", values))
        statement, held = plan.select("1", extra, "LIMIT ?")
        number = int(self._value(f"SELECT count(*) FROM ({statement}) AS found", [*held, COUNTED_TO + 1]))
        return SaleCount(number, complete=not extra or number > COUNTED_TO)

    def _count_in_state(self, plan: Plan, state: SaleState) -> SaleCount:
        found, stopped = self._keys(plan, state, SaleOrder.NEWEST, None, COUNTED_TO + 1)
        return SaleCount(min(len(found), COUNTED_TO + 1), complete=stopped is None)

    def pending(self, *, limit: int) -> Sequence[Checkout]:
        return self._all(checkouts.from_row, PENDING, (limit,))

    def _plan(self, wanted: SaleFilter, *, touched: bool = False) -> Plan:
        """The index that leaves the fewest rows comes first; what it does not serve is looked up row by row."""
        dates = [
            _Condition(f"booked_at {sign} ?", (micros(at),))
            for sign, at in ((">=", wanted.booked_from), ("<", wanted.booked_before))
            if at is not None
        ]
        rest = {name: one for name, one in _conditions(wanted).items() if one is not None}
        if wanted.promotion is not None and self._value(_USES, (wanted.promotion,)) <= _FEW:
            rest["promotion"] = _Condition(f"checkout_id IN ({_OF_PROMOTION})", (wanted.promotion,))
            return _sorted("", rest.pop("promotion"), dates, rest)
        if wanted.domain is not None:
            there = self._all(first, _OF_DOMAIN, (wanted.domain,))
            if len(there) <= _FEW:
                del rest["domain"]
                return _sorted(
                    "purchases_user", _Condition(f"user_id {ANY_OF}", (texts(there),)), dates, rest
                )
        for name, index in _FOR_FEW.items():
            if name in rest:
                return _sorted(index, rest.pop(name), dates, rest)
        for name, index in _IN_ORDER.items():
            if name in rest:
                inside = rest.pop(name)
                return Plan(index, (inside, *dates), tuple(rest.values()), ordered=True)
        if touched:
            return Plan(
                "purchases_told", (_Condition("told IS NOT NULL"), *dates), tuple(rest.values()), ordered=True
            )
        return Plan("purchases_booked", tuple(dates), tuple(rest.values()), ordered=True)


_FOR_FEW: Final = dict.fromkeys(("users", "bounced", "none"), "purchases_user")
_IN_ORDER: Final = {
    "contested": "purchases_told", "told": "purchases_told", "source": "purchases_sources", "product": "purchases_pid",
}  # fmt: skip
"""Indexes that have their rows in order of booking, those of rare things first."""


def _conditions(wanted: SaleFilter) -> dict[str, _Condition | None]:
    sold = wanted.source is Source.SALE
    state, address = wanted.state, wanted.address
    contested = state not in (None, SaleState.OPEN, *_REFUNDS)
    return {
        "users": _when(wanted.users is not None, f"user_id {ANY_OF}", texts(wanted.users or ())),
        "bounced": _when(address is AddressState.BOUNCED, f"user_id IN ({_BOUNCED})"),
        "none": _when(address is AddressState.NONE, "user_id IS NULL"),
        "contested": _when(contested, "told = 2"),
        "told": _when(state in _REFUNDS, "told IS NOT NULL"),
        "source": _when(wanted.source is not None and not sold, "source = ?", wanted.source and wanted.source.value),
        "unopened": _when(wanted.opened is False, "opened_at IS NULL"),
        "product": _when(wanted.product is not None, "pid = ?", wanted.product),
        "sold": _when(sold, "source IS NULL"),
        "opened": _when(wanted.opened is True, "opened_at IS NOT NULL"),
        "unverified": _when(address is AddressState.UNVERIFIED, _UNVERIFIED),
        "currency": _when(wanted.currency is not None, "currency = ?", wanted.currency),
        "least": _when(wanted.least is not None, "amount >= ?", wanted.least),
        "most": _when(wanted.most is not None, "amount <= ?", wanted.most),
        "counted": _when(wanted.counted, purchases.COUNTED),
        # Sale by sale: asked whether such a user EXISTS, PostgreSQL reads all users first.
        "domain": _when(
            wanted.domain is not None,
            "(SELECT substr(email, instr(email, '@') + 1) FROM users WHERE id = purchases.user_id) = ?",
            wanted.domain,
        ),
        "promotion": _when(
            wanted.promotion is not None,
            "EXISTS (SELECT 1 FROM checkouts WHERE id = purchases.checkout_id AND promotion = ?)",
            wanted.promotion,
        ),
    }  # fmt: skip


def _when(wanted: object, text: str, *values: object) -> _Condition | None:
    return _Condition(text, values) if wanted else None


def _sorted(index: str, inside: _Condition, dates: Sequence[_Condition], rest: dict[str, _Condition]) -> Plan:
    return Plan(index, (inside,), (*dates, *rest.values()), ordered=False)


def _narrowed(plan: Plan, text: str) -> Plan:
    return Plan(plan.index, plan.inside, (*plan.outside, _Condition(text)), plan.ordered)
