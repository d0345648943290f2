"""Hand out a file: entitlement is asked at every request, then its bytes are opened."""

from __future__ import annotations

from dataclasses import dataclass

from domain.access import Closed, NotYours, Opens, access
from domain.ports import Catalogue, FileAt, Goods, OpenFile
from domain.product import GoodsFile
from domain.purchase import Purchase
from domain.session import Visitor
from domain.usecases.greet import Greet
from domain.values import ProductId


@dataclass(frozen=True, slots=True)
class Offered:
    """They may have this file, by this purchase."""

    file: GoodsFile
    purchase: Purchase


@dataclass(frozen=True, slots=True)
class NoSuchFile:
    """The catalogue names no such file, or its bytes are gone."""


@dataclass(frozen=True, slots=True)
class FetchFile:
    """From a file's name to its bytes, for those who own the product.

    In two steps, since between them the entrance decides what is wanted: all, a part, or nothing that is new.
    """

    greet: Greet
    catalogue: Catalogue
    goods: Goods

    async def __call__(
        self, visitor: Visitor, product: ProductId, name: str
    ) -> Offered | NoSuchFile | Closed | NotYours:
        """Whether they may. Raises StoreUnavailable."""
        greeting = await self.greet(visitor)
        found = access(greeting.session, product=product, holdings=greeting.holdings)
        match found:
            case Opens(purchase):
                sold = self.catalogue.current().products.get(product)
                file = None if sold is None else sold.file(name)
                return NoSuchFile() if file is None else Offered(file=file, purchase=purchase)
            case Closed() | NotYours():
                return found

    async def open(self, offered: Offered, *, start: int, stop: int) -> OpenFile | FileAt | NoSuchFile:
        """The bytes of what was offered, from `start` up to `stop`; see Goods. Raises GoodsUnavailable."""
        return await self.goods.open(offered.file, start=start, stop=stop) or NoSuchFile()
