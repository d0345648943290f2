"""The race of redirect and webhook, as properties: every await is a place to be overtaken, or to die."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from testkit.account_races import AccountCast, AccountRace
from testkit.races import Cast, Sides, Tally, biased, ours, race
from testkit.tutorial import check_then_insert, mail_hangs_on_the_webhook

EXAMPLES = 5000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 1200
CASTS = st.builds(
    Cast,
    sales=st.integers(1, 2),
    redirects=st.integers(1, 3),
    webhooks=st.integers(1, 4),
    reconcilers=st.integers(0, 1),
    workers=st.integers(0, 2),
    refunds=st.integers(0, 2),
)


def bench(
    casts: st.SearchStrategy[Cast], *, examples: int, crashes: bool, tally: Tally, sides: Sides = ours
) -> None:
    """Let hypothesis draw casts and schedules, and hold the truths in each."""

    @settings(max_examples=examples, database=None, phases=[Phase.generate], report_multiple_bugs=False)
    @given(cast=casts, seed=st.integers(0, 2**64))
    def play(cast: Cast, seed: int) -> None:
        entropy = Random(seed)
        race(
            cast,
            choose=biased(entropy),
            crash=lambda: crashes and entropy.random() < 0.12,
            tally=tally,
            sides=sides,
        )

    play()


def test_nobody_loses_or_doubles_a_sale_in_any_order_with_crashes(capsys: pytest.CaptureFixture[str]) -> None:
    """One user, one purchase, one access email, whoever comes first and whoever dies."""
    tally = Tally()
    bench(CASTS, examples=EXAMPLES, crashes=True, tally=tally)
    with capsys.disabled():
        print(f"\n  race bench: {tally}")
    assert sum(tally.first.values()) >= 1000
    assert len(tally.schedules) >= 500
    assert tally.share("redirect") >= 0.2
    assert tally.share("webhook") >= 0.2


def test_every_schedule_of_one_redirect_and_one_webhook_keeps_the_truths() -> None:
    """Small enough to be tried exhaustively: every order of every step of two actors and a mail worker."""
    tried = 0
    pending: list[list[int]] = [[]]
    while pending and tried < 3000:
        script = pending.pop()
        played: list[tuple[int, int]] = []

        def choose(
            names: list[str], script: list[int] = script, played: list[tuple[int, int]] = played
        ) -> int:
            choice = script[len(played)] if len(played) < len(script) else 0
            played.append((choice, len(names)))
            return choice

        race(Cast(), choose=choose, crash=lambda: False, tally=Tally())
        tried += 1
        for at in range(len(script), len(played)):
            for other in range(1, played[at][1]):
                pending.append([choice for choice, _ in played[:at]] + [other])
    assert tried > 500


@pytest.mark.parametrize("at", range(60))
def test_a_crash_at_any_single_step_is_made_good(at: int) -> None:
    """Between commit and answer, between send and mark, and everywhere else: one death at step `at`."""
    steps = iter(range(1000))
    race(
        Cast(redirects=1, webhooks=2, workers=2, reconcilers=1, refunds=2),
        choose=lambda names: at % len(names),
        crash=lambda: next(steps) == at,
        tally=Tally(),
    )


@pytest.mark.parametrize("sides", [check_then_insert, mail_hangs_on_the_webhook])
def test_the_bench_catches_the_tutorials_way(sides: Sides) -> None:
    """Negative controls: without crashes and without a reconciler, the tutorial's code must be caught."""
    casts = st.just(Cast(redirects=1, webhooks=2, reconcilers=0, workers=0))
    with pytest.raises(AssertionError):
        bench(casts, examples=200, crashes=False, tally=Tally(), sides=sides)


ACCOUNTS = st.builds(
    AccountCast,
    as_guest=st.booleans(),
    debit=st.booleans(),
    changes=st.integers(0, 2),
    deletions=st.integers(0, 2),
    tabs=st.integers(0, 3),
    presses=st.integers(0, 2),
    webhooks=st.integers(1, 3),
    workers=st.integers(0, 2),
)


@settings(
    max_examples=EXAMPLES // 4,
    database=None,
    phases=[Phase.generate, Phase.explicit],
    report_multiple_bugs=False,
)
@given(cast=ACCOUNTS, seed=st.integers(0, 2**64))
def test_an_account_that_moves_or_goes_while_it_pays_loses_and_doubles_nothing(
    cast: AccountCast, seed: int
) -> None:
    """0 lost, 0 to a wrong address, 0 double: change of address, deletion, pending debit, two tabs, double submits."""
    entropy = Random(seed)
    AccountRace(cast).play(
        choose=lambda names: entropy.randrange(len(names)), crash=lambda: entropy.random() < 0.05
    )


def test_the_bench_catches_a_browser_that_loses_a_tab() -> None:
    """Negative control."""
    race = AccountRace(AccountCast(tabs=2), keeps_proofs=False)
    with pytest.raises(AssertionError, match="a tab that was paid"):
        race.play(choose=lambda names: 0, crash=lambda: False)
