"""`make bench`: the shop against the tutorial's own system, medians of alternating runs on this machine.

Checkouts are started by POST /buy against the stand-in, their signed events fired at both, and what stands in the
books afterwards is counted by `coatcheck export`.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from benchmarks.load import fire, rate_of
from benchmarks.peer_server import Peer
from support.races import Cast, Tally, biased, race
from support.servers import (
    BOOK,
    ROOT,
    WEBHOOK_SECRET,
    Process,
    Shopper,
    ShopServer,
    a_shop,
    clean_environment,
    free_port,
)

RUNS = 3
SALES = 1000
LOGINS = 1000


def main() -> int:
    schedules = print_schedules()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with a_shop(folder) as shop:
            peer = Peer(folder, shop.sandbox.url)
            peer.start()
            try:
                bench_pages(shop, peer, folder)
                bench_webhook(shop, peer, folder)
            finally:
                peer.process.kill()
            bench_logins(shop)
            print_memory(shop)
        print_cold_start(folder / "cold")
    return 0 if schedules else 1


def print_schedules() -> bool:
    """The race bench: different schedules, and who was first. False below 500, or one side below a fifth."""
    tally = Tally()
    for seed in range(2000):
        chance = random.Random(seed)
        cast = Cast(
            sales=chance.randint(1, 2), redirects=chance.randint(1, 3), webhooks=chance.randint(1, 4),
            reconcilers=chance.randint(0, 1), workers=chance.randint(0, 2),
        )  # fmt: skip
        race(cast, choose=biased(chance), crash=lambda chance=chance: chance.random() < 0.12, tally=tally)
    print(f"race: {tally}", flush=True)
    return len(tally.schedules) >= 500 and min(tally.share("redirect"), tally.share("webhook")) >= 0.2


def row(what: str, ours: list[float], peers: list[float], goal: float) -> None:
    """One line: medians, and their ratio against the goal."""
    mine, theirs = statistics.median(ours), statistics.median(peers)
    ratio = mine / theirs
    mark = "ok " if ratio >= goal else "BELOW"
    print(
        f"{what:44} {mine:8.0f}/s  peer {theirs:6.0f}/s  {ratio:5.1f} x  (goal {goal:g} x) {mark}", flush=True
    )


def alternating(*measures: Callable[[], float]) -> list[list[float]]:
    """Each measure RUNS times, in turn, so that a slow minute of the machine hits all."""
    found: list[list[float]] = [[] for _ in measures]
    for _ in range(RUNS):
        for kept, measure in zip(found, measures, strict=True):
            kept.append(measure())
    return found


def bench_pages(shop: ShopServer, peer: Peer, folder: Path) -> None:
    page = folder / "page.html"
    page.write_bytes(httpx.get(shop.url).content)
    bare_port = free_port()
    command = [sys.executable, "-m", "benchmarks.bare", str(bare_port), str(page)]
    environment = clean_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}")
    bare = Process(command, folder, environment, folder / "bare.log")
    bare_url = f"http://127.0.0.1:{bare_port}/"
    bare.start(bare_url)
    try:
        ours, peers, bares = alternating(
            lambda: rate_of(f"{shop.url}/"), lambda: rate_of(f"{peer.url}/"), lambda: rate_of(bare_url)
        )
    finally:
        bare.kill()
    row("storefront, guest", ours, peers, 15)
    share = statistics.median(ours) / statistics.median(bares)
    print(
        f"{'  of a bare handler with the same bytes':44} {share:8.0%}    bare {statistics.median(bares):6.0f}/s"
    )
    shopper = Shopper(shop)
    shopper.buy_and_pay("owner@example.com")
    cookie = f"session={shopper.http.cookies['session']}"
    theirs = peer.owner_cookie()
    ours, library, peers = alternating(
        lambda: rate_of(f"{shop.url}/", cookie=cookie),
        lambda: rate_of(f"{shop.url}/library", cookie=cookie),
        lambda: rate_of(
            f"{peer.url}/", cookie=theirs, strict=False
        ),  # some of its answers are errors; they count, too
    )
    row("storefront, owner", ours, peers, 15)
    row("library, owner", library, peers, 15)


def bench_webhook(shop: ShopServer, peer: Peer, folder: Path) -> None:
    """Every event is of a checkout of its own, begun by POST /buy, and of a mailbox of its own."""
    before = shop.export()
    batches = [[_an_event(shop, run * SALES + n) for n in range(SALES)] for run in range(RUNS)]
    mine, theirs = iter(batches), iter(batches)
    ours, peers = alternating(
        lambda: fire(shop.url, next(mine), secret=WEBHOOK_SECRET, folder=folder),
        lambda: fire(peer.url, next(theirs), secret=WEBHOOK_SECRET, folder=folder),
    )
    row("webhook to durable claim, 64 at a time", ours, peers, 12)
    after = shop.export()
    booked = len(after["purchase"]) - len(before["purchase"])
    tickets = sum(m["mail"] == "ticket" for m in after["mail"]) - sum(
        m["mail"] == "ticket" for m in before["mail"]
    )
    print(
        f"{'  counted by export':44} {booked} purchases, {tickets} tickets of {RUNS * SALES} sales",
        flush=True,
    )
    assert booked == tickets == RUNS * SALES


_addresses = itertools.count(1)


def _an_event(shop: ShopServer, number: int) -> str:
    """Begin a checkout (at most 20 a second, as the shop allows) and pay it; the event's body on one line."""
    client = shop.clients[0]
    address = next(_addresses)
    headers = {"x-forwarded-for": f"10.{address >> 16}.{address >> 8 & 255}.{address & 255}", "cookie": ""}
    while True:
        answer = client.post(f"/buy/{BOOK}", headers=headers)
        client.cookies.clear()
        if answer.status_code == 303:
            break
        time.sleep(0.05)
    cs = answer.headers["location"].rpartition("/")[2]
    paid = shop.sandbox.pay(cs, email=f"known{number:05}@example.com")
    return json.dumps(json.loads(paid["body"]))


def bench_logins(shop: ShopServer) -> None:
    """Whether the time of an answer tells a known address from an unknown one: .5 is chance."""
    time.sleep(20)  # let the mail worker finish, so that it disturbs nobody
    client = shop.clients[0]
    chance = random.Random(1)
    wanted = [(f"known{n:05}@example.com", True) for n in range(LOGINS)]
    wanted += [(f"never{n:05}@example.com", False) for n in range(LOGINS)]
    chance.shuffle(wanted)
    times: dict[bool, list[float]] = {True: [], False: []}
    for email, known in wanted:
        address = next(_addresses)
        headers = {
            "x-forwarded-for": f"10.{address >> 16}.{address >> 8 & 255}.{address & 255}",
            "cookie": "",
        }
        began = time.perf_counter()
        answer = client.post("/request-login", data={"email": email}, headers=headers)
        times[known].append(time.perf_counter() - began)
        client.cookies.clear()
        assert answer.status_code == 200
    auc = area_under_curve(times[True], times[False])
    mark = "ok" if 0.45 <= auc <= 0.55 else "TELLS"
    print(
        f"{'login, known against unknown address':44} AUC {auc:.3f} over 2 x {LOGINS} (goal .45-.55) {mark}",
        flush=True,
    )


def area_under_curve(one: list[float], two: list[float]) -> float:
    """Mann-Whitney: how often a draw of `one` is greater than a draw of `two`; ties count half."""
    ranked = sorted([(value, 1) for value in one] + [(value, 0) for value in two])
    rank_sum = sum(rank for rank, (_, side) in enumerate(ranked, start=1) if side)
    return (rank_sum - len(one) * (len(one) + 1) / 2) / (len(one) * len(two))


def print_memory(shop: ShopServer) -> None:
    assert shop.process.child is not None
    told = subprocess.run(
        ["ps", "-o", "rss=", "-g", str(shop.process.child.pid)], capture_output=True, text=True, check=True
    )
    print(
        f"{'resident memory after all that':44} {sum(map(int, told.stdout.split())) / 1000:.0f} MB (goal < 130 MB)"
    )


def print_cold_start(folder: Path) -> None:
    folder.mkdir()
    shop = ShopServer(folder)
    began = time.perf_counter()
    shop.start()
    print(f"{'first answer after a cold start':44} {time.perf_counter() - began:.2f} s (goal < 1 s)")
    shop.process.stop()


if __name__ == "__main__":
    sys.exit(main())
