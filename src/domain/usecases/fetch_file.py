"""Hand out a file: entitlement is asked at every request."""

from __future__ import annotations

from dataclasses import dataclass

from domain.access import Closed, NotYours, Opens, access
from domain.ports import Catalogue, Goods, OpenFile
from domain.session import Visitor
from domain.usecases.greet import Greet
from domain.values import ProductId


@dataclass(frozen=True, slots=True)
class NoSuchFile:
    """The catalogue names no such file, or it is gone from the disk."""


@dataclass(frozen=True, slots=True)
class FetchFile:
    """From a file's name to its bytes, for those who own the product."""

    greet: Greet
    catalogue: Catalogue
    goods: Goods

    async def __call__(
        self, visitor: Visitor, product: ProductId, name: str
    ) -> OpenFile | NoSuchFile | Closed | NotYours:
        """Raises StoreUnavailable."""
        greeting = await self.greet(visitor)
        found = access(greeting.session, product=product, holdings=greeting.holdings)
        match found:
            case Opens():
                wanted = self.catalogue.current().products.get(product)
                if wanted is None or wanted.file(name) is None:
                    return NoSuchFile()
                return await self.goods.open(product, name) or NoSuchFile()
            case Closed() | NotYours():
                return found
