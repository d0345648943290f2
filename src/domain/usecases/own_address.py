"""Whether this shop may act under its BASE_URL: the database keeps the one it served, and a copy has another.

A database served under another address is either a copy beside the real shop, which must not book or email anything, or
the shop itself, which moved. Only the merchant knows which.
"""

from __future__ import annotations

from enum import Enum, auto

from domain.audit import AuditAction, ByHand
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import write_down


@frozen
class ServedElsewhere:
    """The database was served under another BASE_URL than ours."""

    there: str
    here: str


@frozen
class OwnAddress:
    """Compare our BASE_URL with the database's. Several nodes each compare with the database, not with each other."""

    store: Store
    catalogue: Catalogue
    base_url: str

    async def serve(self) -> ServedElsewhere | None:
        """Before serving: a database that was never served belongs to our address from now on.

        Raises StoreUnavailable.
        """
        return self._compare(await self.store.transact(lambda tx: tx.shop.serve(self.base_url)))

    async def look(self) -> ServedElsewhere | None:
        """Change nothing. None if the database was never served. Raises StoreUnavailable.

        A database that became another shop (`BecomeCopy`) while we have it open is not ours, whatever its address.
        """
        ours = self.catalogue.current().shop.id

        def work(tx: ReadTransaction) -> str | None:
            return (
                tx.shop.base_url() if tx.shop.id() == ours else f"{tx.shop.base_url()} (shop {tx.shop.id()})"
            )

        return self._compare(await self.store.read(work))

    async def confirm(self, *, asked: ByHand | None = None) -> str | None:
        """The shop moved here: act under our address. Returns the former one. Raises StoreUnavailable.

        `asked`: by whom; None where nobody is, as in a demo. There is an audit line if it changed anything.
        """

        def work(tx: Transaction) -> str | None:
            former = tx.shop.confirm_address(self.base_url)
            if asked is not None and former != self.base_url:
                write_down(tx, asked.line(AuditAction.CONFIRM_ADDRESS, tx.shop.id() or ""))
            return former

        return await self.store.transact(work)

    def _compare(self, there: str | None) -> ServedElsewhere | None:
        if there is None or there == self.base_url:
            return None
        return ServedElsewhere(there=there, here=self.base_url)


class NoCopy(Enum):
    """Why a database cannot become another shop's."""

    SAME_SECRET = auto()
    """SESSION_SECRET still has a secret of the shop that it was copied from."""
    SAME_ID = auto()
    """shop.toml declares the id of that shop."""


@frozen
class BecomeCopy:
    """Make a copied database another shop's: a new id, our address, and nothing in progress."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    base_url: str

    async def __call__(self, *, asked: ByHand | None = None) -> str | NoCopy:
        """The new shop's id. `asked`: as in `OwnAddress.confirm`. Raises StoreUnavailable."""
        at, declared = self.clock.now(), self.catalogue.declared_id
        shop_id = declared or self.randomness.token(8).hex()

        def work(tx: Transaction) -> str | NoCopy:
            if declared is not None and declared == tx.shop.id():
                return NoCopy.SAME_ID
            if any(self.keyring.named(name) is not None for name in tx.shop.key_names()):
                return NoCopy.SAME_SECRET
            tx.shop.become(shop_id, self.base_url, at=at)
            if asked is not None:
                write_down(tx, asked.line(AuditAction.CONFIRM_ADDRESS, shop_id))
            return shop_id

        return await self.store.transact(work)
