"""How a payment was made and taxed, on its receipt: kept by the payment provider, and asked for there."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from domain.ports import PaymentDetails, PaymentsRefused, PaymentsUnreachable, TaxLine
from domain.usecases.show_receipt import Receipt, ShowReceipt
from entrypoints.http.sentences import _
from entrypoints.run.logs import log

_PATIENCE: Final = 2.0
"""Seconds that a receipt waits: without the details it shows everything else."""
_REST: Final = 60.0
"""Seconds for which nothing is asked after the provider did not tell: other receipts are not to wait for it, too."""
_MOST: Final = 1000


class KnownDetails:
    """Asks once for each receipt, and keeps the answers of the latest thousand in memory: they do not change."""

    def __init__(
        self, show_receipt: ShowReceipt, *, patience: float = _PATIENCE, rest: float = _REST
    ) -> None:
        self._show_receipt = show_receipt
        self._patience, self._rest = patience, rest
        self._asked_again_at = 0.0
        self._known: OrderedDict[str, PaymentDetails | None] = OrderedDict()

    async def of(self, receipt: Receipt) -> PaymentDetails | None:
        """None if the reader is not known to be the payer, or the provider does not tell now."""
        if not receipt.by_payer:
            return None
        order, clock = receipt.holding.purchase.checkout, asyncio.get_running_loop().time
        if order in self._known:
            self._known.move_to_end(order)
            return self._known[order]
        if clock() < self._asked_again_at:
            return None
        try:
            async with asyncio.timeout(self._patience):
                found = self._known[order] = await self._show_receipt.details(receipt)
        except (TimeoutError, PaymentsRefused, PaymentsUnreachable) as error:
            self._asked_again_at = clock() + self._rest
            log.warning("a receipt does without the payment method and tax rate: %r", error)
            return None
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found


def method_words(details: PaymentDetails) -> str:
    """The payment method, as "Visa ending in 4242"; "" if it is not known."""
    if not details.method or not details.last_digits:
        return details.method
    return _("%(method)s ending in %(digits)s", method=details.method, digits=details.last_digits)


def tax_words(line: TaxLine) -> str:
    """A tax, as "VAT 19% (DE)"."""
    return f"{line.name} {line.rate}%".strip() + (f" ({line.country})" if line.country else "")
