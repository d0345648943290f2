"""Purchases: what was sold, to whom, and what is known about it since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql import facts, users
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import (
    Execute,
    Record,
    Row,
    Table,
    Values,
    first,
    insert,
    maybe,
    micros,
    moment,
    spaced,
)
from domain.access import Holding
from domain.decision import merchant_object
from domain.fact import Fact, FactKind
from domain.frozen import maker
from domain.going_live import STARTED_LIVE
from domain.purchase import PRICE_AS_IT_IS, BookedBy, Breakdown, LicenceKey, Purchase, Source
from domain.records import User
from domain.values import CheckoutId, EmailAddress, Money, ProductId, SessionId, UserId
from domain.waiver import Waiver

COLUMNS: Final = """checkout_id, provider_ref, payment, user_id, mailbox, paid_email, pid, product_name, amount,
  currency, livemode, session_id, booked_at, contents, licences, breakdown, source, booked_by, opened_at, waiver,
  opens_at"""
BY_CHECKOUT: Final = f"SELECT {COLUMNS} FROM purchases WHERE checkout_id = ?"
_BOOK: Final = f"{insert('purchases', f'{COLUMNS}, told')} ON CONFLICT (checkout_id) DO NOTHING"
_BY_PAYMENT: Final = f"SELECT {COLUMNS} FROM purchases WHERE payment = ? LIMIT 1"
_OF_SESSION: Final = f"SELECT {COLUMNS} FROM purchases WHERE session_id = ?"
_OF_ADDRESS: Final = f"SELECT {COLUMNS} FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?)"
_OF_EITHER: Final = f"{_OF_SESSION} UNION {_OF_ADDRESS}"
OF_ADDRESS_IN_ORDER: Final = f"{_OF_ADDRESS} ORDER BY booked_at, checkout_id"
PAGE: Final = f"SELECT {COLUMNS} FROM purchases WHERE checkout_id > ? ORDER BY checkout_id LIMIT ?"
PAGE_BOOKED: Final = f"""SELECT {COLUMNS} FROM purchases WHERE checkout_id > ? AND booked_at >= ? AND booked_at < ?
  ORDER BY checkout_id LIMIT ?"""
COUNTED: Final = (
    f"(coalesce(livemode, 1) = 1 OR NOT EXISTS (SELECT 1 FROM cursors WHERE name = '{STARTED_LIVE}'))"
)
"""A test purchase counts until the shop has gone live."""
_SOLD: Final = f"SELECT count(*) FROM purchases WHERE pid = ? AND {COUNTED}"
_OWNERS: Final = f"""SELECT {users.COLUMNS} FROM users WHERE id > :after AND id IN
  (SELECT user_id FROM purchases WHERE pid = :pid
  UNION SELECT user_id FROM purchases WHERE contents <> '' AND ' ' || contents || ' ' LIKE '% ' || :pid || ' %')
  ORDER BY id LIMIT :limit"""
# Steps from product to product in the index, however many sales each has.
_OWNED: Final = """WITH RECURSIVE each_of (pid) AS (SELECT min(pid) FROM purchases
  UNION ALL SELECT (SELECT min(p.pid) FROM purchases p WHERE p.pid > each_of.pid) FROM each_of WHERE pid IS NOT NULL)
  SELECT pid FROM each_of WHERE EXISTS (SELECT 1 FROM purchases p WHERE p.pid = each_of.pid
  AND (p.user_id IS NOT NULL OR p.session_id IS NOT NULL))"""
_OWNED_IN_BUNDLES: Final = """SELECT DISTINCT contents FROM purchases WHERE contents <> ''
  AND (user_id IS NOT NULL OR session_id IS NOT NULL)"""
_RELEASE: Final = """UPDATE purchases SET session_id = NULL WHERE session_id = coalesce(?, session_id)
  AND user_id = (SELECT id FROM users WHERE email = ?)"""
_HAND_OVER: Final = f"""UPDATE purchases SET mailbox = ?, user_id = ?
  WHERE checkout_id {ANY_OF} AND mailbox = ?"""
UNOWNED: Final = """user_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.checkout_id = purchases.checkout_id)"""
_GIVE: Final = f"UPDATE purchases SET mailbox = ?, user_id = ? WHERE checkout_id {ANY_OF} AND {UNOWNED}"
# What nearly all are is stored as NULL, which takes no room.
_SOURCES: Final = {None if source is Source.SALE else source.value: source for source in Source}
_BOOKED_BY: Final[dict[str | None, BookedBy | None]] = {None: None, **{by.value: by for by in BookedBy}}
_HAND_CHECKOUTS_OVER: Final = f"UPDATE checkouts SET mailbox = ? WHERE id {ANY_OF} AND mailbox = ?"
_NONE: Final = "-"
_WITH_PAPERS: Final = "SELECT breakdown FROM purchases WHERE checkout_id = ? AND breakdown LIKE '% % % % % %'"
_AS_IT_IS: Final = (PRICE_AS_IT_IS, "", "", "")
_make = maker(Purchase)


class Purchases(Record):
    tables: ClassVar = [Table("purchases", f"{COLUMNS}, told", key="checkout_id")]

    def get(self, checkout: CheckoutId) -> Purchase | None:
        return self._one(from_row, BY_CHECKOUT, (checkout,))

    def with_facts(self, checkout: CheckoutId) -> Holding | None:
        return next(iter(with_facts(self._sql, BY_CHECKOUT, (checkout,))), None)

    def by_payment(self, payment: str) -> Holding | None:
        return next(iter(with_facts(self._sql, _BY_PAYMENT, (payment,))), None)

    def held_by(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        if mailbox is None:
            return with_facts(self._sql, _OF_SESSION, (session,))
        return with_facts(self._sql, _OF_EITHER, (session, mailbox.canonical))

    def of_address(self, mailbox: EmailAddress) -> Sequence[Holding]:
        return with_facts(self._sql, OF_ADDRESS_IN_ORDER, (mailbox.canonical,))

    def page_after(
        self, checkout: str, *, limit: int, booked: tuple[datetime, datetime] | None = None
    ) -> Sequence[Holding]:
        if booked is None:
            return with_facts(self._sql, PAGE, (checkout, limit))
        return with_facts(self._sql, PAGE_BOOKED, (checkout, *map(micros, booked), limit))

    def count_sold(self, product: ProductId) -> int:
        return int(self._value(_SOLD, (product,)))

    def products_owned(self) -> Sequence[ProductId]:
        bundled = self._all(lambda row: spaced(row[0]), _OWNED_IN_BUNDLES)
        return sorted({*self._all(first, _OWNED), *(item for items in bundled for item in items)})

    def owners_after(
        self, product: ProductId, *, after: str, limit: int
    ) -> Sequence[tuple[User, Sequence[Holding]]]:
        found = self._all(users.from_row, _OWNERS, {"pid": product, "after": after, "limit": limit})
        return [
            (user, [held for held in self.of_address(user.mailbox) if product in held.purchase.products])
            for user in found
        ]

    def book(self, purchase: Purchase, known: Sequence[Fact] = ()) -> bool:
        return self._changed(_BOOK, (*to_row(purchase), facts.told_by(known) if known else None))

    def detach_sessions(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        return self._sql(_RELEASE, (session, mailbox.canonical)).rowcount

    def transfer(
        self,
        checkouts: Sequence[CheckoutId],
        *,
        old: EmailAddress | None,
        mailbox: EmailAddress,
        user: UserId,
    ) -> None:
        them = texts(checkouts)
        if old is None:
            self._sql(_GIVE, (mailbox.canonical, user, them))
            return
        self._sql(_HAND_OVER, (mailbox.canonical, user, them, old.canonical))
        self._sql(_HAND_CHECKOUTS_OVER, (mailbox.canonical, them, old.canonical))


def with_facts(execute: Execute, statement: str, values: Values) -> list[Holding]:
    """The purchases that a statement finds, with the facts of all of them, asked for at once."""
    purchases = [from_row(row) for row in execute(statement, values)]
    if len(purchases) == 1:
        [one] = purchases
        found = execute(facts.ABOUT_ONE, (one.provider_ref, one.payment, merchant_object(one.checkout)))
        return [Holding(purchase=one, facts=tuple(map(facts.from_row, found)))]
    if not purchases:
        return []
    objects = texts(item for p in purchases for item in (p.provider_ref, merchant_object(p.checkout)) if item)
    payments = texts(p.payment for p in purchases if p.payment is not None)
    about: dict[str | None, list[Fact]] = {}
    for row in execute(facts.ABOUT, (objects, payments)):
        fact = facts.from_row(row)
        of_itself = fact.kind in (FactKind.SESSION, FactKind.MERCHANT)
        about.setdefault(fact.object_id if of_itself else fact.payment, []).append(fact)
    return [Holding(purchase=one, facts=_told_of(one, about)) for one in purchases]


def _told_of(purchase: Purchase, about: Mapping[str | None, Sequence[Fact]]) -> tuple[Fact, ...]:
    keys = (purchase.provider_ref, merchant_object(purchase.checkout), purchase.payment)
    return tuple(fact for key in keys if key is not None for fact in about.get(key, ()))


def from_row(row: Row) -> Purchase:
    breakdown, country, invoice, number = _AS_IT_IS if row[15] is None else _breakdown(row[15])
    return _make(
        checkout=row[0], provider_ref=row[1], payment=row[2], user=row[3], mailbox=maybe(EmailAddress, row[4]),
        paid_email=maybe(EmailAddress, row[5]), product=row[6], product_name=row[7], paid=Money(row[8], row[9]),
        livemode=maybe(bool, row[10]), session=row[11], booked_at=moment(row[12]), contents=spaced(row[13]),
        licences=_licences(row[14]), source=_SOURCES[row[16]], booked_by=_BOOKED_BY[row[17]],
        opened_at=maybe(moment, row[18]), breakdown=breakdown, tax_country=country, invoice=invoice, tax_number=number,
        waiver=row[19] and Waiver.read(row[19]), opens_at=row[20] and moment(row[20]),
    )  # fmt: skip


def to_row(purchase: Purchase) -> Row:
    return (
        purchase.checkout, purchase.provider_ref, purchase.payment, purchase.user,
        purchase.mailbox and purchase.mailbox.canonical, purchase.paid_email and purchase.paid_email.canonical,
        purchase.product, purchase.product_name, purchase.paid.amount, purchase.paid.currency,
        maybe(int, purchase.livemode), purchase.session, micros(purchase.booked_at), " ".join(purchase.contents),
        licences_text(purchase.licences), _breakdown_text(purchase),
        None if purchase.source is Source.SALE else purchase.source._value_,
        purchase.booked_by and purchase.booked_by._value_, purchase.opened_at and micros(purchase.opened_at),
        purchase.waiver and purchase.waiver.written, purchase.opens_at and micros(purchase.opens_at),
    )  # fmt: skip


def _breakdown(text: str) -> tuple[Breakdown, str, str, str]:
    discount, tax, on_top, *papers = text.split(" ", 5)
    breakdown = Breakdown(discount=int(discount), tax=int(tax), tax_on_top=on_top == "+")
    country, invoice, number = ("" if one == _NONE else one for one in papers or (_NONE, _NONE, _NONE))
    return breakdown, country, invoice, number


def _breakdown_text(purchase: Purchase) -> str | None:
    """`<discount> <tax> <+ for a tax on top, else =>`, and where there are any, `<country> <invoice> <tax number>`.

    None for the usual sale, which has nothing of it. The number comes last, since it may have spaces.
    """
    breakdown = purchase.breakdown
    if not (breakdown or purchase.tax_country or purchase.invoice or purchase.tax_number):
        return None
    papers = purchase.tax_country, purchase.invoice, purchase.tax_number
    text = f"{breakdown.discount} {breakdown.tax} {'+' if breakdown.tax_on_top else '='}"
    return " ".join((text, *(one or _NONE for one in papers))) if any(papers) else text


def erase_tax_number(execute: Execute, checkout: CheckoutId) -> None:
    """Take the buyer's tax number out of a purchase that has one."""
    for (text,) in execute(_WITH_PAPERS, (checkout,)).fetchall():
        kept = " ".join((*text.split(" ", 5)[:5], _NONE))
        execute("UPDATE purchases SET breakdown = ? WHERE checkout_id = ?", (kept, checkout))


def _licences(text: str) -> tuple[LicenceKey, ...]:
    """`<product> <key>`, a line each: a key may have spaces in it, a product's id has none."""
    pairs = (line.split(" ", 1) for line in text.split("\n")) if text else ()
    return tuple(LicenceKey(product=ProductId(product), key=key) for product, key in pairs)


def licences_text(licences: Iterable[LicenceKey]) -> str:
    return "\n".join(f"{item.product} {item.key}" for item in licences)
