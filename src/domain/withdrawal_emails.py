"""What the emails about withdrawals say: see `domain.emails`, which lists them among all others."""

from __future__ import annotations

from typing import ClassVar

from domain.frozen import frozen
from domain.values import Money


@frozen
class WithdrawalReceived:
    """To who withdrew: what they stated, and when it was received. It says nothing about whether it is accepted."""

    template: ClassVar = "withdrawal_received"
    name: str
    contract: str
    at: str
    """To the second, in the shop's time zone: `2026-12-01 13:05:11+01:00`."""


@frozen
class WithdrawalToProve:
    """To the owner of a purchase: somebody withdrew from it. Is it theirs? Never a code."""

    template: ClassVar = "withdrawal_to_prove"
    product_name: str
    order: str
    name: str
    at: str
    """As in WithdrawalReceived."""


@frozen
class WithdrawalAccepted:
    """To who withdrew: the merchant accepted it. `refund`: what is on its way; None if nothing was left to pay back."""

    template: ClassVar = "withdrawal_accepted"
    product_name: str
    order: str
    refund: Money | None = None


@frozen
class WithdrawalRefused:
    """To who withdrew: the merchant refused it, and why. `product_name` and `order` are "" where it matched none."""

    template: ClassVar = "withdrawal_refused"
    reason: str
    contract: str
    order: str = ""


@frozen
class WithdrawalsNoted:
    """To the merchant: how many withdrawals came, as text: about an order, and about none that could be found."""

    template: ClassVar = "withdrawals_noted"
    matched: str
    unmatched: str
