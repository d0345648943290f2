"""Hand out a file: entitlement is asked at every request, then its bytes are opened."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from domain.access import Closed, NotYours, Opens, Waits, access
from domain.frozen import frozen
from domain.ports import Catalogue, Clock, FileAt, Goods, OpenFile, Store, StoreUnavailable
from domain.product import GoodsFile
from domain.purchase import Purchase
from domain.session import Visitor
from domain.transaction import ReadTransaction
from domain.usecases.identify_viewer import IdentifyViewer
from domain.usecases.note_opened import note_opened
from domain.values import CheckoutId, ProductId

COUNTED_ONCE_IN: Final = timedelta(days=1)


@frozen
class Offered:
    """They may have this file, by this purchase."""

    file: GoodsFile
    product: ProductId
    purchase: Purchase | None
    """None for a sample, which anybody may have."""
    counted: bool = True
    """Whether it is a download, and not shown in the product's content."""


@frozen
class NoSuchFile:
    """The catalogue names no such file, or its bytes are gone."""


@frozen
class FetchFile:
    """From a file's name to its bytes: for owners of the product, and a sample for everybody.

    In two steps, since between them the entrance decides what is wanted: all, a part, or nothing that is new.
    """

    identify_viewer: IdentifyViewer
    store: Store
    catalogue: Catalogue
    goods: Goods
    clock: Clock

    async def __call__(
        self, visitor: Visitor, product: ProductId, name: str, *, shown: bool = False
    ) -> Offered | NoSuchFile | Waits | Closed | NotYours:
        """Whether they may. `shown`: of what the product's content shows. Raises StoreUnavailable."""
        sold = self.catalogue.current().products.get(product)
        file = None if sold is None else sold.medium(name) if shown else sold.file(name)
        if sold is not None and sold.public and file is not None and file.name == sold.sample and not shown:
            return Offered(file=file, product=product, purchase=None)
        viewer = await self.identify_viewer(visitor)
        now = self.clock.now()
        found = access(viewer.session, product=product, holdings=viewer.holdings, now=now)
        match found:
            case Opens(purchase):
                if file is None:
                    return NoSuchFile()
                return Offered(file=file, product=product, purchase=purchase, counted=not shown)
            case Waits() | Closed() | NotYours():
                return found

    async def open(
        self, offered: Offered, *, start: int, stop: int, noted: bool = True
    ) -> OpenFile | FileAt | NoSuchFile:
        """The bytes of what was offered, from `start` up to `stop`; see Goods. Raises GoodsUnavailable.

        It counts as a download, once a purchase, file and day: a file is fetched in many parts. Samples and what the
        content shows do not count. `noted`: whether it counts as opening the purchase; a prefetch does not.
        """
        opened = await self.goods.open(offered.file, start=start, stop=stop)
        if opened is None:
            return NoSuchFile()
        if offered.purchase is not None and noted:
            await note_opened(self.store, offered.purchase, now=self.clock.now())
        if offered.purchase is not None and offered.counted:
            await self._count(offered.purchase.checkout, offered.product, offered.file.name)
        return opened

    async def _count(self, checkout: CheckoutId, product: ProductId, name: str) -> None:
        now = self.clock.now()

        def is_counted(tx: ReadTransaction) -> bool:
            return any(
                (download.product, download.name) == (product, name)
                and download.last_at > now - COUNTED_ONCE_IN
                for download in tx.downloads.of_purchase(checkout)
            )

        # A shop that cannot write, because its disk is full, still hands out what was bought.
        with suppress(StoreUnavailable):
            if not await self.store.read(is_counted):
                await self.store.transact(
                    lambda tx: tx.downloads.count(checkout, product, name, now=now, window=COUNTED_ONCE_IN)
                )
