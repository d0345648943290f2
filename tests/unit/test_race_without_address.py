"""The race of a sale without a usable address, as a property, and a shop that must be caught by it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.transaction import Transaction
from domain.values import EmailAddress, UserId
from testkit.races_without_address import Scene, race

EXAMPLES = 2000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 120


def biased(entropy: Random, favourites: list[str]) -> Callable[[list[str]], int]:
    favourite = entropy.choice(favourites)

    def choose(names: list[str]) -> int:
        favoured = [at for at, name in enumerate(names) if name.startswith((favourite, "worker"))]
        return (
            entropy.choice(favoured) if favoured and entropy.random() < 0.6 else entropy.randrange(len(names))
        )

    return choose


def test_only_a_used_link_gives_it_an_owner_and_one_access_email_in_any_order_with_crashes() -> None:
    owners: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], report_multiple_bugs=False)
    @given(seed=st.integers(0, 2**64), refunds=st.integers(0, 1))
    def play(seed: int, refunds: int) -> None:
        entropy = Random(seed)
        scene = race(
            choose=biased(
                entropy, ["payer names anna", "payer names ben", "merchant", "anna reads", "redirect"]
            ),  # type: ignore[arg-type]
            crash=lambda: entropy.random() < 0.05,
            refunds=refunds,
        )
        owners[scene.used[0] if scene.used else "nobody"] += 1

    play()
    assert len(owners) == 4, owners
    assert min(owners.values()) >= 3, owners


async def assign_at_once(scene: Scene, address: str) -> None:
    """The way that must be caught: the address that is named is believed."""

    def work(tx: Transaction) -> None:
        user = tx.users.get_or_add(EmailAddress(address), new_id=UserId("u"), now=scene.shop.clock.now())
        tx.purchases.transfer([scene.order], old=None, mailbox=EmailAddress(address), user=user)

    await scene.shop.store.transact(work)


def test_the_bench_catches_a_shop_that_believes_the_address_that_is_named() -> None:
    entropy = Random(1)

    def play() -> None:
        for _ in range(50):
            race(choose=lambda names: entropy.randrange(len(names)), crash=lambda: False, name=assign_at_once)

    with pytest.raises(AssertionError):
        play()
