"""Compare rows of another shop's file with what is here, and book those that are new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from domain import outbox_keys
from domain.frozen import frozen
from domain.imports import Reason, Refused, Row
from domain.keys import Keyring
from domain.local_time import begin_of, day_of
from domain.magic_link import access_link
from domain.mail import Urgency
from domain.ports import Catalogue, Clock, Store
from domain.product import CatalogueEdition
from domain.purchase import Checkout, LicenceKey, Purchase, PurchaseState, Source, standing_of
from domain.transaction import ReadTransaction, Transaction
from domain.uploads import Fate, Outcome, SeenIds
from domain.usecases.assign_licences import assign_licences
from domain.usecases.send_email import access_email, send_link
from domain.values import UserId, sortable_id


@frozen
class ImportRows:
    """What a dry run says of a row is what an import does with it, unless the shop changed in between."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock

    async def check(self, rows: Sequence[Row | Refused], *, seen: SeenIds) -> list[Outcome]:
        """What would become of rows. `seen`: the ids of the rows before them. Raises StoreUnavailable."""
        outcomes = await self.store.survey(lambda tx: [self._judge(tx, row) for row in rows])
        return [
            Fate.KNOWN
            if outcome is Fate.NEW and isinstance(row, Row) and not seen.add(row.checkout)
            else outcome
            for row, outcome in zip(rows, outcomes, strict=True)
        ]

    def work(self, rows: Sequence[Row | Refused], *, email: bool) -> Callable[[Transaction], list[Outcome]]:
        """Book those that are new. Only those get an access email, and only if `email`."""
        now, edition = self.clock.now(), self.catalogue.current()
        zone = edition.shop.zone

        def booked(tx: Transaction) -> list[Outcome]:
            outcomes = [self._import(tx, row, edition=edition, email=email, now=now) for row in rows]
            sold = zip(rows, outcomes, strict=True)
            days = {
                day_of(row.at or now, zone) for row, of in sold if isinstance(row, Row) and of is Fate.NEW
            }
            tx.day_sums.touch([begin_of(day, zone) for day in sorted(days)])
            return outcomes

        return booked

    def _judge(self, tx: ReadTransaction, row: Row | Refused) -> Outcome:
        """An erased order or person stays erased; a sale of our own, by its payment, is here already."""
        if isinstance(row, Refused):
            return row
        if tx.erasures.is_erased(row.checkout):
            return Refused(row.line, Reason.ERASED)
        if tx.purchases.get(row.checkout) is not None:
            return Fate.KNOWN
        if row.payment is not None and tx.purchases.by_payment(row.payment) is not None:
            return Fate.KNOWN
        return Fate.NEW if self._erased_at(tx, row) is None else Refused(row.line, Reason.ERASED)

    def _erased_at(self, tx: ReadTransaction, row: Row) -> datetime | None:
        """When the person of a row was erased, unless they bought it after that."""
        for key in self.keyring.keys:
            at = tx.erasures.address_erased_at(key.erasure_of(row.owner))
            if at is not None and (row.at is None or row.at <= at):
                return at
        return None

    def _import(
        self, tx: Transaction, row: Row | Refused, *, edition: CatalogueEdition, email: bool, now: datetime
    ) -> Outcome:
        outcome = self._judge(tx, row)
        if isinstance(row, Refused):
            return outcome
        if outcome is Fate.NEW:
            self._book(tx, row, edition=edition, email=email, now=now)
        elif isinstance(outcome, Refused) and not tx.erasures.is_erased(row.checkout):
            # Known by the order from now on, too: addresses are known by a hash that goes with SESSION_SECRET.
            tx.erasures.erase_order(row.checkout, at=self._erased_at(tx, row) or now)
        return outcome

    def _book(
        self, tx: Transaction, row: Row, *, edition: CatalogueEdition, email: bool, now: datetime
    ) -> None:
        checkout = _checkout(row, now=now)
        tx.checkouts.add(checkout)
        facts = () if row.payment is None else tx.facts.of_payment(row.payment)
        live = standing_of(row.paid, facts).state is PurchaseState.LIVE
        purchase = Purchase(
            checkout=checkout.id,
            provider_ref=None,
            payment=row.payment,
            user=tx.users.get_or_add(row.owner, new_id=_user_id(row, now=now), now=row.at or now),
            mailbox=row.owner,
            paid_email=row.owner if row.bought_by_owner else None,
            product=checkout.product,
            product_name=checkout.product_name,
            paid=row.paid,
            livemode=None,
            session=None,
            booked_at=row.at or now,
            source=Source.IMPORT,
            contents=checkout.contents,
            licences=self._keys(tx, row, checkout, live=live, edition=edition, now=now),
        )
        tx.purchases.book(purchase, facts)
        if facts:
            tx.day_sums.touch([fact.moment for fact in facts])
        if row.payment is not None and row.wants_recheck:
            tx.rechecks.schedule(row.payment, at=now, due_at=now)
        if email and live:
            self._send_link(tx, purchase, edition=edition, now=now)

    def _keys(
        self, tx: Transaction, row: Row, checkout: Checkout, *, live: bool, edition: CatalogueEdition, now: datetime
    ) -> tuple[LicenceKey, ...]:  # fmt: skip
        """The key that the buyer has already; for other products with keys, one as for any purchase."""
        brought = (LicenceKey(row.product.id, row.licence_key),) if row.licence_key else ()
        for item in brought:
            tx.licences.take(item.product, item.key, checkout=checkout.id)
        more = assign_licences(
            tx, checkout, live=live, edition=edition, keyring=self.keyring, now=now,
            brought=[item.product for item in brought],
        )  # fmt: skip
        return (*brought, *more)

    def _send_link(
        self, tx: Transaction, purchase: Purchase, *, edition: CatalogueEdition, now: datetime
    ) -> None:
        """The access email. It comes unasked, so it waits behind what anybody else is waiting for."""
        if purchase.mailbox is None:
            return
        key = self.keyring.signing
        link_id = key.access_link_of(purchase.checkout, purchase.mailbox)
        link = access_link(purchase.product, purchase.mailbox, link=link_id, key=key.name, now=now)
        email = access_email(purchase, purchase.licences, edition=edition)
        send_link(tx, link, email, key=outbox_keys.access(purchase.checkout), urgency=Urgency.RELEASE)


def _user_id(row: Row, *, now: datetime) -> UserId:
    """Of a customer who is new: as that of any other, it sorts by the time of their first purchase."""
    return UserId(sortable_id(now=row.at or now, entropy=bytes.fromhex(row.checkout[-20:])))


def _checkout(row: Row, *, now: datetime) -> Checkout:
    """It begins now: the reconciler looks at the payment provider's lists from the first checkout on."""
    return Checkout(
        id=row.checkout,
        product=row.product.id,
        product_name=row.product.name,
        price=row.paid,
        session=None,
        mailbox=row.owner,
        livemode=None,
        started_at=now,
        contents=row.product.contains,
    )
