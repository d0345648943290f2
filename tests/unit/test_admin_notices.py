"""What a page says after an action is what came of it, and no more than is certain."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from contracts import samples

from domain.purchase import PurchaseState
from domain.refund import RefundRequest
from domain.usecases.book_payment import PaymentBooked
from domain.usecases.decision_outcomes import Decided
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.refund_outcomes import RefundAsked
from domain.usecases.replace_key import KeyReplaced
from domain.usecases.send_refused import Resent
from domain.values import CheckoutId, Money
from entrypoints.admin import notices
from entrypoints.admin.notices import NOTICES
from entrypoints.admin.provider import LastSweep

SALE = samples.a_purchase("c1")
NOBODYS = replace(SALE, user=None, mailbox=None)


def asked(*, tells: bool) -> RefundAsked:
    request = RefundRequest(
        id="r1", payment="pi_1", checkout=CheckoutId("c1"), amount=Money(900, "usd"), reason="x", by="cli:ada",
        at=samples.NOW, due_at=samples.NOW, keyed_at=samples.NOW, tells=tells,
    )  # fmt: skip
    return RefundAsked(request, SALE, closes=False)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (notices.after_refund(asked(tells=True)), "the customer is emailed then."),
        (notices.after_refund(asked(tells=False)), "The customer is not emailed."),
        (notices.after_restoring(Decided(SALE, PurchaseState.LIVE, told=True)), "Access is restored."),
        (
            notices.after_restoring(Decided(SALE, PurchaseState.REFUNDED, told=False)),
            "still keeps it closed.",
        ),
        (
            notices.after_restoring(Decided(SALE, PurchaseState.SUSPENDED, told=False)),
            "still keeps it closed.",
        ),
        (notices.after_replacing(KeyReplaced(SALE, told=True)), "the new one is emailed."),
        (notices.after_replacing(KeyReplaced(NOBODYS, told=False)), "so nobody is emailed."),
        (notices.after_booking(PaymentBooked(SALE)), "the customer is emailed the access link."),
        (notices.after_booking(PaymentBooked(NOBODYS)), "so nobody is emailed."),
        (notices.after_resending(Resent(queued=2, dropped=1)), "leaves within a second."),
        (notices.after_resending(Resent(dropped=1)), "No email was sent again"),
    ],
)
def test_a_notice_says_what_came_of_it(word: str, said: str) -> None:
    assert said in NOTICES[word]


def test_a_comparison_that_failed_is_not_called_done() -> None:
    async def words() -> list[str]:
        never: Any = asyncio.create_task(asyncio.sleep(3600))
        running = LastSweep(task=never).word
        never.cancel()
        return [running, LastSweep(found=Reconciled()).word, LastSweep(problem="Stripe said no").word]

    assert asyncio.run(words()) == ["reconciling", "reconciled", ""]
