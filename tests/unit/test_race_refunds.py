"""The race of refunds, as a property: every await is a place to be overtaken, or to die."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from testkit.refund_races import FAULTS, RefundCast, RefundRace

EXAMPLES = 2500 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 500
CASTS = st.builds(
    RefundCast,
    amounts=st.lists(st.sampled_from(["", "9", "4.50", "3", "6"]), min_size=1, max_size=3).map(tuple),
    closes=st.booleans(),
    submits=st.integers(1, 2),
    workers=st.integers(1, 3),
    webhooks=st.integers(0, 2),
    reconcilers=st.integers(0, 1),
    revocations=st.integers(0, 1),
    faults=st.lists(st.sampled_from(FAULTS), max_size=4).map(tuple),
    mailers=st.integers(0, 2),
)


@settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], report_multiple_bugs=False)
@given(cast=CASTS, seed=st.integers(0, 2**64))
def test_never_more_is_refunded_than_was_paid_nothing_twice_and_nothing_is_lost(
    cast: RefundCast, seed: int
) -> None:
    entropy = Random(seed)
    RefundRace(cast).play(
        choose=lambda names: entropy.randrange(len(names)), crash=lambda: entropy.random() < 0.08
    )


@pytest.mark.parametrize("at", range(40))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_crash_at_any_single_step_is_made_good(fault: str, at: int) -> None:
    """Between request and lease, lease and call, call and answer, answer and note: one death at step `at`."""
    steps = iter(range(10_000))
    RefundRace(RefundCast(closes=bool(at % 2), reconcilers=1, faults=(fault,))).play(
        choose=lambda names: at % len(names), crash=lambda: next(steps) == at
    )


def test_the_bench_catches_a_key_that_is_new_each_time() -> None:
    """Negative control."""
    race = RefundRace(RefundCast(amounts=("3",), workers=1, webhooks=0, faults=("lost",)), honest=False)
    with pytest.raises(AssertionError, match="refunded twice"):
        race.play(choose=lambda names: 0, crash=lambda: False)
