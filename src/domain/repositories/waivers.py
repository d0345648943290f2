"""Records about waivers of the right of withdrawal. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.mail import Mail
from domain.values import CheckoutId


class Waivers(Protocol):
    """The emails that confirm them. Reading only."""

    def confirmations(self, checkout: CheckoutId) -> Sequence[Mail]:
        """The access emails of a purchase, whatever came of them and whomever they went to; the oldest first."""

    def undelivered(self, *, since: datetime) -> Sequence[CheckoutId]:
        """The purchases of which an email that repeats a waiver is stuck or bounced, of those queued since then.

        And those with a waiver whose address was corrected, of corrections that were asked for since then and stand:
        their email went to the wrong person. In the order of these moments, then of checkout id, each once; a purchase
        may be among them although another copy arrived.
        """
