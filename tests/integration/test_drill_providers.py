"""Stripe and the mail service are away in each of five ways, in the middle of a storm of sales.

For 20 seconds each; `make drills-short` has a minute of each, `make drills` ten.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bench.drills.report import table
from bench.drills.running import AWAY, run

pytestmark = pytest.mark.drill


def test_the_shop_survives_without_stripe_and_mail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing lost, nothing doubled, one access email a sale, no answer of 500 but 503; pages that need neither go on."""
    [outcome] = asyncio.run(run([(AWAY, replace(AWAY.short, seconds=20))], tmp_path, seed=1))
    with capsys.disabled():
        print("\n" + table([outcome]))
    assert outcome.broken == ()
    assert outcome.rounds == 5
    assert outcome.lost == outcome.doubled == 0
    assert outcome.access_emails == outcome.sales >= 100
