"""What was paid a moment ago in a browser that may have another payment page of the same product open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from domain.usecases.claim_outcome import Booked, ClaimOutcome
from domain.values import CheckoutId

_MOST = 1000
"""What does not fit is left to the reconciler, as is what a process that dies had in here."""


class PaidLately:
    """Counts each claim, and keeps such checkouts until the worker has expired their other payment pages."""

    def __init__(self, count: Callable[[ClaimOutcome], None]) -> None:
        self._count = count
        self.waiting: deque[CheckoutId] = deque(maxlen=_MOST)

    def note(self, outcome: ClaimOutcome) -> None:
        """Called after the transaction of a claim; does no work in a request."""
        self._count(outcome)
        if isinstance(outcome, Booked) and outcome.first and outcome.twins:
            self.waiting.append(outcome.purchase.checkout)
