"""The survival drills in their short form, and the proof that each of their verdicts can be a bad one.

`test_drill_providers.py` has the one that lasts for minutes in any form.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.drills.audit import audit
from bench.drills.cluster import kill_the_primary
from bench.drills.places import on_a_cluster, on_a_disk_that_breaks
from bench.drills.power import cut_the_power
from bench.drills.report import Outcome, table, write_json
from bench.drills.running import AWAY, DRILLS, Drill, run
from bench.drills.scale import Scale
from testkit.servers import Shopper, ShopServer
from testkit.tools import program

pytestmark = pytest.mark.drill
HERE = [drill for drill in DRILLS if drill is not AWAY]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every drill, one after the other."""
    chosen = [(drill, drill.short) for drill in HERE if not drill.missing]
    found = asyncio.run(run(chosen, tmp_path_factory.mktemp("drills"), seed=1))
    return {outcome.drill: outcome for outcome in found}


@pytest.mark.parametrize("name", [drill.name for drill in HERE])
def test_the_shop_survives(
    outcomes: dict[str, Outcome], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing lost, nothing doubled, one access email a sale, no answer of 500. How soon it is ready again is printed."""
    for needed in next(drill.needs for drill in HERE if drill.name == name):
        program(needed)
    outcome = outcomes[name]
    with capsys.disabled():
        print("\n" + table([outcome]))
    assert outcome.broken == ()
    assert outcome.lost == outcome.doubled == 0
    assert outcome.access_emails == outcome.sales >= 20


def test_a_disk_that_lies_loses_sales_and_the_drill_says_so(tmp_path: Path) -> None:
    """The control: a drill that this does not break would prove nothing."""
    program("gcc")
    control = Drill(
        "lying disk", partial(cut_the_power, lies=True), Scale(), Scale(), place=on_a_disk_that_breaks
    )
    [outcome] = asyncio.run(run([(control, Scale(rounds=2, settles_within=0))], tmp_path, seed=1))
    assert outcome.lost > 0
    assert "acknowledged, and gone" in outcome.broken[0]


def test_an_asynchronous_standby_loses_sales_and_the_drill_says_so(tmp_path: Path) -> None:
    """The control of the primary's kill, and the reason why the docs ask for `synchronous_mode_strict`."""
    for needed in ("patroni", "etcd"):
        program(needed)
    place = partial(on_a_cluster, synchronous=False)
    control = Drill("asynchronous", kill_the_primary, Scale(), Scale(), ready_within=30, place=place)
    [outcome] = asyncio.run(run([(control, Scale(rounds=1, settles_within=0))], tmp_path, seed=1))
    assert outcome.lost > 0
    assert "acknowledged, and gone" in outcome.broken[0]


def test_the_audit_finds_a_sale_that_the_books_do_not_know(own_shop: ShopServer) -> None:
    cs = Shopper(own_shop).buy()
    own_shop.sandbox.pay(cs, email="anna@example.com")
    found = audit(own_shop, acknowledged={cs})
    assert (found.sales, found.lost, found.access_emails) == (1, 1, 0)
    assert {law.partition(" × ")[2].partition(":")[0] for law in found.broken} >= {
        "paid and not booked",
        "acknowledged and not booked",
    }


def test_the_audit_finds_a_refund_that_the_books_do_not_know(own_shop: ShopServer) -> None:
    cs = Shopper(own_shop).buy_and_pay("anna@example.com")
    assert audit(own_shop, acknowledged={cs}).lost == 0
    own_shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", copies=0)
    assert any("other money" in law for law in audit(own_shop, acknowledged={cs}).broken)


def _outcome(**told: Any) -> Outcome:
    usual: dict[str, Any] = {
        "drill": "kill -9", "rounds": 2, "sales": 3, "acknowledged": 3, "lost": 0, "doubled": 0, "users": 3, "access_emails": 3,
        "answers": {503: 4}, "ready_again": (0.5, 0.7, 1.1), "seconds": 9.0, "notes": ("a note",), "broken": (),
    }  # fmt: skip
    return Outcome(**{**usual, **told})


def test_the_table_says_what_held_and_what_broke(tmp_path: Path) -> None:
    assert not _outcome(missed=("3.1 s",)).held
    told = [_outcome(), _outcome(drill="full disk", lost=1, broken=("1 × paid and not booked: cs_1",))]
    lines = table(told).splitlines()
    assert "0.50 / 0.70 / 1.10 s" in lines[2]
    assert lines[2].endswith("| held    |")
    assert lines[3].endswith("| BROKEN  |")
    assert "- full disk BROKE: 1 × paid and not booked: cs_1" in lines
    write_json(told, tmp_path / "made" / "drills.json")
    read = json.loads((tmp_path / "made" / "drills.json").read_text())
    assert [(one["drill"], one["held"]) for one in read] == [("kill -9", True), ("full disk", False)]


def test_an_unknown_drill_is_refused_by_name() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.drills", "earthquake"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no drill earthquake" in done.stderr
