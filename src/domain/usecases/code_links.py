"""The promotion codes that links may carry, as the payment provider has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.ports import Catalogue, Clock, Payments
from domain.product import Product
from domain.promotion import PromotionCode, reduced_price
from domain.values import Money

READ_EVERY: Final = timedelta(minutes=5)
RETRY_AFTER: Final = timedelta(minutes=1)
"""When those are read again that could not be read: after a start, no code is known until then."""


@dataclass(slots=True)
class CodeLinks:
    """Read by a timer and held in memory, in every process: no request waits for the provider.

    A code that was used up or changed since it was read is refused when its checkout begins.
    """

    payments: Payments
    catalogue: Catalogue
    clock: Clock
    _known: dict[str, PromotionCode] = field(default_factory=dict)
    _listed: tuple[str, ...] = ()
    _due: datetime | None = None

    async def refresh(self) -> None:
        """Read the listed codes, if their list changed or it is time. Raises PaymentsUnreachable, PaymentsRefused.

        Those that cannot be read are as they were, and are read again in a minute.
        """
        listed, now = self.catalogue.current().shop.payment.code_links, self.clock.now()
        if listed == self._listed and (self._due is None or now < self._due):
            return
        self._listed, self._due = listed, now + RETRY_AFTER if listed else None
        self._known = {code: self._known[code] for code in listed if code in self._known}
        for code in listed:
            found = await self.payments.find_promotion(code)
            if found is None:
                self._known.pop(code, None)
            else:
                self._known[code] = found
        self._due = now + READ_EVERY if listed else None

    def read_soon(self) -> None:
        """Have the next `refresh` read them: one was refused, so others should not see its price for long."""
        self._due = self.clock.now()

    def find(self, typed: str) -> PromotionCode | None:
        """The code of a link, in upper or lower case; None if links may not carry it, or it is not active."""
        wanted = typed.strip().upper()
        return next((found for code, found in self._known.items() if code.upper() == wanted), None)

    def reduced(self, typed: str, product: Product, price: Money) -> tuple[PromotionCode, Money] | None:
        """The code of a link and what a product costs with it; None if it is not good for that."""
        code = self.find(typed)
        left = None if code is None else reduced_price(code, product, price, now=self.clock.now())
        return None if code is None or left is None else (code, left)
