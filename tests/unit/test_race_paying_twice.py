"""The race of several payment pages in one browser, as a property, and a shop that must be caught by it."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.fact import CheckoutStatus
from entrypoints.testing import Shop
from testkit.races_paying_twice import Tabs, race
from testkit.stepping import pause

EXAMPLES = 3000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 100


def play(seed: int, debits: int) -> Tabs:
    """One race: this seed says whose turn is next, and who dies."""
    entropy = Random(seed)
    favourite = entropy.choice(["pays 0", "pays", "worker", "reconciler", "buys"])

    def choose(names: list[str]) -> int:
        favoured = [at for at, name in enumerate(names) if name.startswith(favourite)]
        return (
            entropy.choice(favoured) if favoured and entropy.random() < 0.5 else entropy.randrange(len(names))
        )

    return race(choose=choose, crash=lambda: entropy.random() < 0.05, debits=debits)


@settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], report_multiple_bugs=False)
@given(seed=st.integers(0, 2**64), debits=st.integers(0, 2))
def test_what_was_paid_is_booked_and_every_other_page_of_that_browser_ends(seed: int, debits: int) -> None:
    play(seed, debits)


def test_the_races_come_to_every_end_that_there_is() -> None:
    """Of seeds that are always the same, so that it is no luck."""
    ended = [play(seed, debits) for seed in range(12) for debits in range(3)]
    seen = Counter((len(tabs.paid), len(tabs.presents)) for tabs in ended)
    assert {paid for paid, _ in seen} == {1, 2}, seen
    assert {presents for _, presents in seen} == {0, 1}, seen


async def expires_what_it_read_a_moment_ago(shop: Shop, paid: Any) -> None:
    """The way that must be caught: the page is ended although it was paid meanwhile."""
    refs = await shop.store.read(lambda tx: tx.open_payments.duplicates(now=shop.clock.now(), limit=9))
    await pause("hesitates")
    for ref in refs:
        shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], status=CheckoutStatus.EXPIRED)


def test_the_bench_catches_a_shop_that_ends_a_page_that_is_being_paid() -> None:
    entropy = Random(1)

    def play() -> None:
        for _ in range(100):
            race(
                choose=lambda names: entropy.randrange(len(names)),
                crash=lambda: False,
                debits=0,
                expire=expires_what_it_read_a_moment_ago,
            )

    with pytest.raises(AssertionError):
        play()
