"""Lists and searches for the merchant, over any number of records. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.access import Holding
from domain.customer_list import CustomerFilter, CustomerOrder, CustomerRows
from domain.export import Begun
from domain.mail import Mail, MailKind
from domain.purchase import Checkout, Purchase
from domain.records import Download, User
from domain.sale_list import SaleCount, SaleFilter, SaleMark, SaleOrder, SaleRows
from domain.values import CheckoutId, EmailAddress, ProductId


class SaleLists(Protocol):
    """Purchases as the merchant lists them. Reading only; for `Store.survey`."""

    def rows(self, wanted: SaleFilter, *, order: SaleOrder, after: SaleMark | None, limit: int) -> SaleRows:
        """Sales in this order, then of checkout id, behind a place (None: from the beginning).

        At most `limit`. Fewer, although there may be more behind `looked_to`, if those that were looked at in one read
        do not match: ask again from there.
        """

    def count(self, wanted: SaleFilter) -> SaleCount:
        """How many match; it stops counting one row beyond `COUNTED_TO`."""

    def pending(self, *, limit: int) -> Sequence[Checkout]:
        """Checkouts whose payment is under way, the newest first."""


class CustomerLists(Protocol):
    """Customers as the merchant lists them. Reading only; for `Store.survey`."""

    def rows(
        self,
        wanted: CustomerFilter,
        *,
        order: CustomerOrder = CustomerOrder.NEWEST,
        after: str | None,
        limit: int,
    ) -> CustomerRows:
        """Customers in this order, behind a place (`CustomerOrder.mark`; None: from the beginning).

        At most `limit`, and fewer where those that were looked at in one read do not match: see `SaleLists.rows`.
        """

    def count(self, wanted: CustomerFilter) -> SaleCount:
        """How many match, of the newest `LOOKED_AT` where something is narrowed down.

        It stops counting one row beyond `COUNTED_TO`.
        """


class Exports(Protocol):
    """What only exports read. Reading only; for `Store.survey`."""

    def begun(self, checkouts: Sequence[CheckoutId]) -> Mapping[CheckoutId, Begun]:
        """What these checkouts say of how they began; pruned ones are left out."""

    def downloads_after(self, download: Download | None, *, limit: int) -> Sequence[Download]:
        """Downloads in order of checkout, product and name, after this one (None: from the beginning)."""


class Searches(Protocol):
    """What a search field finds. Whatever is typed is text: nothing in it is a pattern. Reading only."""

    def event_object(self, event: str) -> str | None:
        """The id of the object that a delivery of the payment provider was about."""

    def by_licence_key(self, key: str, *, limit: int) -> Sequence[Holding]:
        """The purchases that were given this key, in order of checkout id.

        One that the shop made itself finds a purchase if it is its first key, and of a product that is also sold alone.
        """

    def paid_with(self, address: EmailAddress, *, limit: int) -> Sequence[Holding]:
        """Purchases of another address that were paid with this one; in order of checkout id."""

    def users_from(self, start: str, *, limit: int) -> Sequence[User]:
        """Users whose address begins with this, in order of address."""

    def product_names(self) -> Sequence[tuple[ProductId, str]]:
        """Every product that was ever bought, with the name it had when it was bought last; in order of id."""

    def users(self, mailboxes: Collection[EmailAddress]) -> Sequence[User]:
        """The users with one of these addresses, in no order."""

    def booked(self, checkouts: Collection[CheckoutId]) -> Sequence[Purchase]:
        """What these checkouts became, if they were booked, in no order."""

    def paid(self, payments: Collection[str]) -> Sequence[Holding]:
        """The purchases that these payments paid for, with their facts, in no order."""

    def email_keys(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys under which an email is in the outbox."""

    def newest_delivered(self, mailboxes: Collection[EmailAddress]) -> Mapping[EmailAddress, datetime]:
        """When the newest email that arrived was queued, for each of these mailboxes at which one did."""

    def emails(self, kind: MailKind, *, before: Mail | None = None, limit: int) -> Sequence[Mail]:
        """Emails of a kind, those queued last first, then in the reverse order of key; before one, or from the last.

        Access emails that sales caused are in the reverse order of their keys, which is that of their checkouts; the
        others of that kind are listed with their customers alone.
        """
