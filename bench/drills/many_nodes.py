"""`make nodes`: 20,000 sales over three nodes behind HAProxy, audited; then what one, two and three nodes manage.

Exit code 1 when a sale was lost or doubled, a mailbox has two users, an access email is missing, or an answer was
500 or more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.drills.audit import audit, until_no_mail_waits
from bench.drills.crowd import Beside, sell
from bench.drills.report import Outcome, table, write_json
from bench.speed.nodes import throughput
from bench.speed.nodes import told as throughput_told
from testkit.nodes import Cluster, a_cluster
from testkit.postgres import PostgresServer, a_postgres
from testkit.storm import Storm

_MAILS_A_SECOND: Final = 8.0
"""What a busy node hands over, at least."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How large a storm."""

    sales: int = 20_000
    nodes: int = 3
    bought: float = 0.25
    """The share that goes through POST /buy, 18 a second; the others are begun beside the shop."""
    rate: float = 100.0
    """So many of the others begin a second, at most."""
    at_once: int = 32


async def _storm(cluster: Cluster, wish: Wish, *, seed: int) -> tuple[Storm, set[str], float]:
    storm = Storm(cluster.shop, random.Random(seed), patient=True)
    sales = [storm.a_sale(number, mailboxes=max(1, wish.sales // 3)) for number in range(wish.sales)]
    began = time.monotonic()
    async with Beside(cluster.shop) as beside:
        await sell(storm, sales, beside, bought=wish.bought, rate=wish.rate, at_once=wish.at_once)
    took = time.monotonic() - began
    await until_no_mail_waits(cluster.shop, within=60 + wish.sales / _MAILS_A_SECOND / wish.nodes)
    await storm.close()
    return storm, {sale.cs for sale in sales if sale.acknowledged}, took


def storm_over_nodes(folder: Path, server: PostgresServer, wish: Wish, *, seed: int = 1) -> Outcome:
    """The storm, and what the store and the mailboxes say of it."""
    began = time.monotonic()
    with a_cluster(folder, server.url(server.new_database()), number=wish.nodes) as cluster:
        storm, acknowledged, took = asyncio.run(_storm(cluster, wish, seed=seed))
        found = audit(cluster.shop, acknowledged=acknowledged)
        shares = [node.answered() for node in cluster.nodes]
        errors = sum(line["level"] == "error" for node in cluster.nodes for line in node.lines)
    wrong = {status: number for status, number in storm.answers.items() if status >= 500}
    laws = {
        f"{found.sales} sales at Stripe, of {wish.sales}": found.sales != wish.sales,
        "sales that nobody heard were booked": found.acknowledged != wish.sales,
        f"answers of 500 or more: {wrong}": bool(wrong),
        f"{storm.unanswered} requests without an answer": storm.unanswered > 0,
        f"{errors} errors in the logs": errors > 0,
        f"a node that did next to nothing: {shares}": min(shares) < sum(shares) / wish.nodes / 4,
    }
    return Outcome(
        drill=f"{wish.nodes} nodes", rounds=1, sales=found.sales, acknowledged=found.acknowledged, lost=found.lost,
        doubled=found.doubled, users=found.users, access_emails=found.access_emails, answers=wrong, ready_again=(),
        seconds=round(time.monotonic() - began, 1),
        notes=(
            f"{wish.sales / took:.0f} sales a second, {wish.bought:.0%} of them by POST /buy; {os.cpu_count()} cores",
            f"answers {dict(sorted(storm.answers.items()))}, by node {shares}",
        ),
        broken=(*found.broken, *(law for law, broke in laws.items() if broke)),
    )  # fmt: skip


def main() -> int:
    wish = Wish()
    parser = argparse.ArgumentParser(prog="python -m bench.drills.many_nodes", description=__doc__)
    parser.add_argument("--sales", type=int, default=wish.sales)
    parser.add_argument("--nodes", type=int, default=wish.nodes, choices=(1, 2, 3))
    parser.add_argument("--bought", type=float, default=wish.bought, help="share that goes through POST /buy")
    parser.add_argument("--rate", type=float, default=wish.rate, help="others that begin a second, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-throughput", action="store_true", help="only the storm")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there too")
    asked = parser.parse_args()
    wish = Wish(sales=asked.sales, nodes=asked.nodes, bought=asked.bought, rate=asked.rate)
    with tempfile.TemporaryDirectory(prefix="nodes-") as folder, a_postgres() as server:
        place = Path(folder) / "storm"
        place.mkdir()
        outcome = storm_over_nodes(place, server, wish, seed=asked.seed)
        print(table([outcome]), flush=True)
        if asked.json is not None:
            write_json([outcome], asked.json)
        if not asked.no_throughput:
            print(throughput_told(throughput(Path(folder), server)))
    return 0 if outcome.held else 1


if __name__ == "__main__":
    sys.exit(main())
