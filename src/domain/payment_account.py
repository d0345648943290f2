"""The port to what is set up in the merchant's account at the payment provider: for `doctor` and `stripe-setup`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Registered:
    """How the provider's webhook endpoint stands now."""

    secret: str
    """Returned only when the endpoint is created; else ""."""
    changed: bool
    problem: str
    """What stays to be done by hand, in a sentence; "" for nothing."""


class PaymentAccount(Protocol):
    """Every method that asks the provider raises PaymentsUnreachable or PaymentsRefused, as `Payments.start` does."""

    @property
    def followed(self) -> Sequence[str]:
        """The events that the shop subscribes to, in order."""

    async def webhook_problem(self, url: str) -> str | None:
        """What is wrong with the webhook endpoint of that address, in a sentence; None if nothing."""

    async def register_webhook(self, url: str) -> Registered:
        """Have the provider report there what a shop follows, and nothing else; never at a second endpoint."""

    async def codes_that_take_all(self) -> Sequence[str]:
        """The promotion codes that take everything off."""
