"""Find a sale, a customer or a product by whatever somebody has of it: one search field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.ports import Store
from domain.records import User
from domain.transaction import ReadTransaction
from domain.usecases.find_order import SeveralOrders, find_order
from domain.values import EmailAddress, InvalidEmail, ProductId, ProviderRef, is_provider_ref

MOST: Final = 20
"""Of each kind that one search lists."""
_SHORTEST_ORDER: Final = 12
"""Fewer characters of an order number are shared by many that began in the same minutes."""
_LONGEST: Final = 1000
"""A longer text is nothing that anybody has of a sale. Addresses of pages are as long as this, at most."""
_ORDER: Final = re.compile(r"#?[0-9a-fA-F][0-9a-fA-F\s-]{11,60}")
_ORDER_IN_URL: Final = re.compile(r"(?<![0-9a-zA-Z_])[0-9a-f]{16,32}(?![0-9a-zA-Z_])")
_STRIPES: Final = re.compile(
    r"(?<![A-Za-z0-9_])(?:cs_(?:test|live)|pi|ch|py|re|pyr|du|dp|evt)_[A-Za-z0-9]{1,200}(?![A-Za-z0-9])"
)
_URL: Final = re.compile(r"https?://\S+", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"@[a-z0-9-]+(?:\.[a-z0-9-]+)*")


@frozen
class OneSale:
    """What was typed names this sale alone."""

    held: Holding


@frozen
class OneCustomer:
    """It is the address of this customer."""

    user: User


@frozen
class AtDomain:
    """Addresses at this domain: the list of sales shows them (`SaleFilter.domain`)."""

    domain: str


@frozen
class SeveralFound:
    """What begins with the text, at most 20 of each kind. `more`: there are others."""

    sales: Sequence[Holding] = ()
    users: Sequence[User] = ()
    products: Sequence[tuple[ProductId, str]] = ()
    """Ids, with the names under which they were sold last."""
    more: bool = False


@frozen
class NothingFound:
    """Nothing here begins with it."""

    elsewhere: Sequence[User] = ()
    """Customers whose address has the same part before the @, at other domains."""
    at_provider: bool = False
    """It is an id of the payment provider, which may know it."""


Found = OneSale | OneCustomer | AtDomain | SeveralFound | NothingFound


@frozen
class FindSales:
    """The search field of every page. Reads only, beside the customers (`Store.survey`)."""

    store: Store

    async def __call__(self, typed: str) -> Found:
        """Raises StoreUnavailable. Nothing that is typed is an error."""
        text = typed[: _LONGEST + 1].encode("utf-8", "replace").decode().replace("\0", " ").strip()
        if not text or len(text) > _LONGEST:
            return NothingFound()
        return await self.store.survey(lambda tx: search(tx, text))


def search(tx: ReadTransaction, text: str) -> Found:
    """What a text finds that is not too long and has no spaces around it."""
    if _URL.fullmatch(text):
        return _by_url(tx, text)
    if _STRIPES.fullmatch(text):
        held = _by_provider_id(tx, text)
        return OneSale(held) if held is not None else NothingFound(at_provider=True)
    if _DOMAIN.fullmatch(text.lower()):
        return AtDomain(text[1:].lower())
    if _ORDER.fullmatch(text):
        orders = find_order(tx, text, shortest=_SHORTEST_ORDER)
        if isinstance(orders, SeveralOrders):
            return SeveralFound(sales=orders.orders, more=orders.more)
        if orders is not None:
            return OneSale(orders)
    return _by_address(tx, text) or _by_key(tx, text) or _by_beginning(tx, text.lower())


def _by_url(tx: ReadTransaction, url: str) -> Found:
    """A page of the shop or of the provider's dashboard that names a sale."""
    known = False
    for found in _STRIPES.finditer(url):
        known = True
        held = _by_provider_id(tx, found[0])
        if held is not None:
            return OneSale(held)
    for found in _ORDER_IN_URL.finditer(url):
        order = find_order(tx, found[0], shortest=_SHORTEST_ORDER)
        if isinstance(order, Holding):
            return OneSale(order)
    return NothingFound(at_provider=known)


def _by_provider_id(tx: ReadTransaction, ref: str) -> Holding | None:
    """The sale of a session, a payment, a refund, a dispute, or of an event about one of them.

    Charges are not stored: the payment that they belong to is asked for at the provider.
    """
    if ref.startswith("evt_"):
        about = tx.searches.event_object(ref)
        return None if about is None or about.startswith("evt_") else _by_provider_id(tx, about)
    if is_provider_ref(ref):
        checkout = tx.checkouts.by_provider_ref(ProviderRef(ref))
        return None if checkout is None else tx.purchases.with_facts(checkout.id)
    if ref.startswith("pi_"):
        return tx.purchases.by_payment(ref)
    fact = tx.facts.get(ref)
    return None if fact is None or fact.payment is None else tx.purchases.by_payment(fact.payment)


def _by_address(tx: ReadTransaction, text: str) -> Found | None:
    if "@" not in text:
        return None
    try:
        mailbox = EmailAddress.parse(text)
    except InvalidEmail:
        return None
    user = tx.users.by_address(mailbox)
    if user is not None:
        return OneCustomer(user)
    paid = tx.searches.paid_with(mailbox, limit=MOST + 1)
    if len(paid) == 1:
        return OneSale(paid[0])
    return SeveralFound(sales=paid[:MOST], more=len(paid) > MOST) if paid else None


def _by_key(tx: ReadTransaction, text: str) -> Found | None:
    given = tx.searches.by_licence_key(text, limit=MOST + 1)
    if len(given) == 1:
        return OneSale(given[0])
    return SeveralFound(sales=given[:MOST], more=len(given) > MOST) if given else None


def _by_beginning(tx: ReadTransaction, text: str) -> Found:
    users = tx.searches.users_from(text, limit=MOST + 1)
    products = [one for one in tx.searches.product_names() if _begins(one, text)]
    if users or products:
        more = len(users) > MOST or len(products) > MOST
        return SeveralFound(users=users[:MOST], products=products[:MOST], more=more)
    local, at, _ = text.partition("@")
    elsewhere = tx.searches.users_from(f"{local}@", limit=MOST) if at and local else ()
    return NothingFound(elsewhere=tuple(elsewhere))


def _begins(product: tuple[ProductId, str], text: str) -> bool:
    """Whether its id, its name, or a word of that begins with the text."""
    return any(beginning.startswith(text) for beginning in (product[0], *_beginnings(product[1].lower())))


def _beginnings(name: str) -> Iterator[str]:
    yield name
    for found in re.finditer(r"\s+(?=\S)", name):
        yield name[found.end() :]
