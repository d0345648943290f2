"""Which events are counted under their own name, and which as "other"."""

from __future__ import annotations

import pytest

from domain.usecases.handle_payment_webhook import OtherOutcome, Outcome, PaymentWebhookHandled
from domain.usecases.record_fact import FactOutcome


@pytest.mark.parametrize(
    ("outcome", "followed"),
    [
        (OtherOutcome.IGNORED, False),
        (OtherOutcome.RECHECK, True),
        (FactOutcome.NO_PAYMENT, False),
        (FactOutcome.WAITS, True),
    ],
)
def test_an_event_of_no_payment_or_of_no_known_type_is_not_followed(outcome: Outcome, followed: bool) -> None:
    handled = PaymentWebhookHandled(type="charge.refunded", outcome=outcome, name="its name")
    assert handled.was_followed is followed
