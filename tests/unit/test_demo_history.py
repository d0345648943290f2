"""The invented past of the demo is the same in every demo, and has one of each thing a merchant meets."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from entrypoints.demo_history import SPAN, Story, past_sales


def test_everything_that_a_merchant_meets_happened_to_somebody() -> None:
    assert Counter(sale.story for sale in past_sales()) == {
        Story.OPENED: 21, Story.UNOPENED: 1, Story.BOUNCED: 1, Story.REFUNDED: 2, Story.PARTLY_REFUNDED: 1,
        Story.DISPUTED: 1, Story.QUARANTINED: 1, Story.LEFT: 4,
    }  # fmt: skip


def test_the_past_is_the_same_every_time_and_in_order() -> None:
    sales = list(past_sales())
    assert sales == list(past_sales())
    ages = [sale.ago for sale in sales]
    assert ages == sorted(ages, reverse=True)
    assert timedelta() < ages[-1] < ages[0] <= SPAN


def test_nobody_in_it_has_an_address_that_could_be_somebodys() -> None:
    """RFC 2606 §3 keeps these domains for examples."""
    assert {sale.email.rpartition("@")[2] for sale in past_sales()} == {
        "example.com",
        "example.org",
        "example.net",
    }
