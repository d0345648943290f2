"""Whether the key of the shop may refund: if not, the page of a refund leads to Stripe instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from domain.payment_account import PaymentAccount
from domain.ports import PaymentsRefused, PaymentsUnreachable
from entrypoints.custom_adapters import NoAccountHere

_WAITS: Final = 3.0
"""Seconds: without an answer by then, the refund is asked for, and what comes of it shows on its sale."""


class RefundRight:
    """Asks Stripe until it has said yes once; the answer holds as long as the process."""

    def __init__(self, account: Callable[[], PaymentAccount]) -> None:
        self._account = account
        self._may = False

    async def __call__(self) -> bool:
        """False only if Stripe says no."""
        if self._may:
            return True
        try:
            async with asyncio.timeout(_WAITS):
                problem = await self._account().refund_problem()
        except (NoAccountHere, PaymentsUnreachable, PaymentsRefused, TimeoutError):
            return True
        self._may = problem is None
        return self._may
