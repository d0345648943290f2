"""Show a product to people with a link, before its sale or instead of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Catalogue, Clock
from domain.product import Product, Status
from domain.values import ProductId

LASTS: Final = timedelta(days=7)


@frozen
class PreviewLink:
    """A link that shows a product's page, and its cover, to everybody who has it."""

    url: str
    until: datetime


@frozen
class Preview:
    """What a link shows, and until when. `opens`: when the sale begins, unless it has begun or ended."""

    product: Product
    until: datetime
    opens: datetime | None


@frozen
class PreviewProduct:
    """Nothing is stored: the link names product and time, and is signed."""

    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    base_url: str

    def link(self, product: ProductId) -> PreviewLink | None:
        """A link for a week, to the minute; None if the catalogue has no such product."""
        if self._found(product) is None:
            return None
        until = self.clock.now().replace(second=0, microsecond=0) + LASTS
        token = self.keyring.signing.preview_of(product, until)
        return PreviewLink(url=f"{self.base_url}/preview/{token}", until=until)

    def __call__(self, token: str) -> Preview | None:
        """None for what is no link of this shop, has expired, or shows what the catalogue no longer has."""
        now, named = self.clock.now(), self.keyring.previews(token)
        found = None if named is None else self._found(named.product)
        if named is None or found is None or now >= named.until:
            return None
        opens = None if found.status is Status.RETIRED else found.available_from
        return Preview(
            product=found, until=named.until, opens=opens if opens is not None and now < opens else None
        )

    def _found(self, product: ProductId) -> Product | None:
        found = self.catalogue.current().products.get(product)
        return found if found is not None and found.present else None
