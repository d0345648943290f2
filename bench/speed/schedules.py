"""How many different orders of events the race bench of the unit tests sees, and who comes first in them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench.speed.figures import Figure, Goal
from bench.speed.stage import Stage
from testkit.races import Cast, Tally, biased, race

_RACES = 2000


def schedules(stage: Stage) -> Iterator[Figure]:
    """Two thousand races, each with a cast and an order of its own."""
    tally = Tally()
    for seed in range(_RACES):
        entropy = random.Random(seed)
        cast = Cast(
            sales=entropy.randint(1, 2), redirects=entropy.randint(1, 3), webhooks=entropy.randint(1, 4),
            reconcilers=entropy.randint(0, 1), workers=entropy.randint(0, 2),
        )  # fmt: skip
        race(cast, choose=biased(entropy), crash=lambda entropy=entropy: entropy.random() < 0.12, tally=tally)
    first = min(tally.share("redirect"), tally.share("webhook"))
    yield Figure(
        "race", "different orders of the race", "schedules", [len(tally.schedules)], goal=500, judged=Goal.AT_LEAST,
        note=str(tally),
    )  # fmt: skip
    yield Figure(
        "race-share", "races won by the rarer of redirect and webhook", "of 1", [first], goal=0.2,
        judged=Goal.AT_LEAST,
    )  # fmt: skip
