"""Disputes that wait for the merchant's evidence. https://docs.stripe.com/disputes/responding"""

from __future__ import annotations

from typing import Final

from domain.fact import Fact, FactKind

TO_ANSWER: Final = ("needs_response", "warning_needs_response")
"""The statuses in which evidence is awaited: of a dispute, and of a bank's inquiry before one."""
UNANSWERABLE: Final = -1
"""`Fact.answer_by` of a dispute about which the customer's bank takes no evidence."""


def needs_answer(fact: Fact) -> bool:
    """Whether the merchant can do something about it: the bank awaits evidence, and would take it."""
    return fact.kind is FactKind.DISPUTE and fact.status in TO_ANSWER and fact.answer_by != UNANSWERABLE


def is_inquiry(fact: Fact) -> bool:
    """Whether the customer's bank only asks about the payment so far: no money has gone back."""
    return fact.kind is FactKind.DISPUTE and fact.status.startswith("warning_")
