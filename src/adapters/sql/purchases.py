"""Purchases: what was sold, to whom, and what is known about it since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from adapters.sql import facts, users
from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import (
    Record,
    Row,
    Table,
    Values,
    insert,
    maybe_address,
    maybe_text,
    micros,
    moment,
    spaced,
)
from domain.access import Holding
from domain.purchase import Fact, FactKind, LicenceKey, Purchase
from domain.records import User
from domain.values import CheckoutId, EmailAddress, Money, ProductId, SessionId, UserId

COLUMNS: Final = (
    "checkout_id, provider_ref, payment, user_id, mailbox, paid_email, pid, product_name, amount, currency, "
    "livemode, session_id, booked_at, contents, licences"
)
BY_CHECKOUT: Final = f"SELECT {COLUMNS} FROM purchases WHERE checkout_id = ?"
_BOOK: Final = f"{insert('purchases', COLUMNS)} ON CONFLICT (checkout_id) DO NOTHING"
_BY_PAYMENT: Final = f"SELECT {COLUMNS} FROM purchases WHERE payment = ? LIMIT 1"
_OF_SESSION: Final = f"SELECT {COLUMNS} FROM purchases WHERE session_id = ?"
_OF_ADDRESS: Final = f"SELECT {COLUMNS} FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?)"
_OF_EITHER: Final = f"{_OF_SESSION} UNION {_OF_ADDRESS}"
_OF_ADDRESS_IN_ORDER: Final = f"{_OF_ADDRESS} ORDER BY booked_at, checkout_id"
_PAGE: Final = f"SELECT {COLUMNS} FROM purchases WHERE checkout_id > ? ORDER BY checkout_id LIMIT ?"
_OWNERS: Final = f"""SELECT {users.COLUMNS} FROM users WHERE id > :after AND id IN
  (SELECT user_id FROM purchases WHERE pid = :pid
  UNION SELECT user_id FROM purchases WHERE contents <> '' AND ' ' || contents || ' ' LIKE '% ' || :pid || ' %')
  ORDER BY id LIMIT :limit"""
_RELEASE: Final = """UPDATE purchases SET session_id = NULL WHERE session_id IS NOT NULL
  AND user_id = (SELECT id FROM users WHERE email = ?)"""
_RELEASE_FROM_ONE: Final = f"{_RELEASE} AND session_id = ?"
_HAND_OVER: Final = (
    f"UPDATE purchases SET mailbox = ?, user_id = ? WHERE checkout_id {ANY_OF} AND mailbox = ?"
)
_HAND_CHECKOUTS_OVER: Final = f"UPDATE checkouts SET mailbox = ? WHERE id {ANY_OF} AND mailbox = ?"


class Purchases(Record):
    tables: ClassVar = [Table("purchases", COLUMNS, key="checkout_id")]

    def get(self, checkout: CheckoutId) -> Purchase | None:
        return self._one(from_row, BY_CHECKOUT, (checkout,))

    def with_facts(self, checkout: CheckoutId) -> Holding | None:
        found = self._with_facts(BY_CHECKOUT, (checkout,))
        return found[0] if found else None

    def by_payment(self, payment: str) -> Holding | None:
        found = self._with_facts(_BY_PAYMENT, (payment,))
        return found[0] if found else None

    def held_by(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        if mailbox is None:
            return self._with_facts(_OF_SESSION, (session,))
        return self._with_facts(_OF_EITHER, (session, mailbox.canonical))

    def of_address(self, mailbox: EmailAddress) -> Sequence[Holding]:
        return self._with_facts(_OF_ADDRESS_IN_ORDER, (mailbox.canonical,))

    def page_after(self, checkout: str, *, limit: int) -> Sequence[Holding]:
        return self._with_facts(_PAGE, (checkout, limit))

    def _with_facts(self, statement: str, values: Values) -> list[Holding]:
        """Purchases with the facts of all of them, asked for at once."""
        purchases = self._all(from_row, statement, values)
        if len(purchases) == 1:
            [one] = purchases
            found = self._all(facts.from_row, facts.ABOUT_ONE, (one.provider_ref, one.payment))
            return [Holding(purchase=one, facts=tuple(found))]
        if not purchases:
            return []
        refs = texts(p.provider_ref for p in purchases if p.provider_ref is not None)
        payments = texts(p.payment for p in purchases if p.payment is not None)
        found = self._all(facts.from_row, facts.ABOUT, (refs, payments))
        return [Holding(purchase=p, facts=tuple(f for f in found if _is_about(f, p))) for p in purchases]

    def count_sold(self, product: ProductId) -> int:
        return int(self._value("SELECT count(*) FROM purchases WHERE pid = ?", (product,)))

    def owners_after(
        self, product: ProductId, *, after: str, limit: int
    ) -> Sequence[tuple[User, Sequence[Holding]]]:
        found = self._all(users.from_row, _OWNERS, {"pid": product, "after": after, "limit": limit})
        return [
            (user, [held for held in self.of_address(user.mailbox) if product in held.purchase.products])
            for user in found
        ]

    def book(self, purchase: Purchase) -> bool:
        return self._changed(_BOOK, to_row(purchase))

    def detach_sessions(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        if session is None:
            return self._sql(_RELEASE, (mailbox.canonical,)).rowcount
        return self._sql(_RELEASE_FROM_ONE, (mailbox.canonical, session)).rowcount

    def transfer(
        self, checkouts: Sequence[CheckoutId], *, old: EmailAddress, mailbox: EmailAddress, user: UserId
    ) -> None:
        them = texts(checkouts)
        self._sql(_HAND_OVER, (mailbox.canonical, user, them, old.canonical))
        self._sql(_HAND_CHECKOUTS_OVER, (mailbox.canonical, them, old.canonical))


def _is_about(fact: Fact, purchase: Purchase) -> bool:
    if fact.kind is FactKind.SESSION:
        return fact.object_id == purchase.provider_ref
    return fact.payment is not None and fact.payment == purchase.payment


def from_row(row: Row) -> Purchase:
    """From the columns."""
    return Purchase(
        checkout=row[0], provider_ref=row[1], payment=row[2], user=row[3], mailbox=maybe_address(row[4]),
        paid_email=maybe_address(row[5]), product=row[6], product_name=row[7], paid=Money(row[8], row[9]),
        livemode=bool(row[10]), session=row[11], booked_at=moment(row[12]), contents=spaced(row[13]),
        licences=_licences(row[14]),
    )  # fmt: skip


def to_row(purchase: Purchase) -> Row:
    """To the columns."""
    return (
        purchase.checkout, purchase.provider_ref, purchase.payment, purchase.user, maybe_text(purchase.mailbox),
        maybe_text(purchase.paid_email), purchase.product, purchase.product_name, purchase.paid.amount,
        purchase.paid.currency, int(purchase.livemode), purchase.session, micros(purchase.booked_at),
        " ".join(purchase.contents), licences_text(purchase.licences),
    )  # fmt: skip


def _licences(text: str) -> tuple[LicenceKey, ...]:
    """`<product> <key>`, a line each: a key may have spaces in it, a product's id has none."""
    pairs = (line.split(" ", 1) for line in text.split("\n")) if text else ()
    return tuple(LicenceKey(product=ProductId(product), key=key) for product, key in pairs)


def licences_text(licences: Iterable[LicenceKey]) -> str:
    """Back to text."""
    return "\n".join(f"{item.product} {item.key}" for item in licences)
