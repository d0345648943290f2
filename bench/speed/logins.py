"""Coming back: ask for a link, use it; and whether the time of an answer tells who is a customer."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode

from bench.speed.figures import Figure, Goal, alternating
from bench.speed.load import Shot, fire, form
from bench.speed.sales import MadeSale, an_address, deliveries
from bench.speed.stage import Stage

_PEER_LOGINS = 300
_TIMED = 400


def logins(stage: Stage) -> Iterator[Figure]:
    """Each by a mailbox of its own, from a network of its own, in a browser that once verified that mailbox: so no
    limit is reached, not even the one that all strangers share."""
    subject, folder = stage.shop, stage.folder
    runs, number = stage.wish.runs, min(stage.wish.sales, 1500)
    sales = [_sold(stage, number) for _ in range(runs)]
    for_asking, for_using = iter(sales), iter(sales)

    def ask() -> float:
        shots = [
            form(
                "/request-login",
                urlencode({"email": sale.email}),
                x_forwarded_for=an_address(),
                cookie=f"device={subject.till.keyring.device_tag(nonce='n', mailbox=sale.email)}",
            )
            for sale in next(for_asking)
        ]
        rate = fire(subject.shop.url, shots, folder=folder)
        subject.settle()
        return rate

    def use() -> float:
        shots = [form(subject.till.link(sale), "", x_forwarded_for=an_address()) for sale in next(for_using)]
        return fire(subject.shop.url, shots, folder=folder, expect=303)

    asked, peer_asked = alternating(runs, ask, lambda: _peer_asks(stage))
    yield Figure("login-ask", "ask for a link, 64 at a time", "/s", asked, peer_asked, against="the peer")
    used, peer_used = alternating(runs, use, lambda: _peer_uses(stage))
    yield Figure("login-use", "use a link, 64 at a time", "/s", used, peer_used, against="the peer")


def _sold(stage: Stage, number: int) -> list[MadeSale]:
    subject = stage.shop
    sales = subject.till.draw(number)
    subject.till.tell(sales, subject.shop.url)
    subject.settle()
    return sales


def _peer_asks(stage: Stage) -> float:
    """Its customers are made by its webhook; nothing of that is measured here."""
    sales = stage.shop.till.draw(_PEER_LOGINS)
    fire(stage.peer.url, deliveries(sales), folder=stage.folder)
    shots = [form("/request-login", urlencode({"email": sale.email})) for sale in sales]
    # It answers many of them with an error, since nothing in it waits for its database; they count, too.
    return fire(stage.peer.url, shots, folder=stage.folder, strict=False)


def _peer_uses(stage: Stage) -> float:
    """Its links are in its database as they are in its mails."""
    with closing(sqlite3.connect(stage.folder / "peer.db", timeout=30)) as db:
        newest = db.execute(
            "SELECT token FROM magic_links WHERE NOT used ORDER BY id DESC LIMIT ?", (_PEER_LOGINS,)
        ).fetchall()
    shots = [Shot("GET", f"/login/{token}") for (token,) in newest]
    return fire(stage.peer.url, shots, folder=stage.folder, strict=False)


def timing(stage: Stage) -> Iterator[Figure]:
    """The area under the curve of known against unknown addresses: a half is chance."""
    client = stage.shop.shop.clients[0]
    entropy = random.Random(1)
    wanted = [(sale.email, True) for sale in _sold(stage, _TIMED)]
    wanted += [(f"never{n:07}@example.com", False) for n in range(_TIMED)]
    entropy.shuffle(wanted)
    times: dict[bool, list[float]] = {True: [], False: []}
    for email, known in wanted:
        headers = {"x-forwarded-for": an_address(), "cookie": ""}
        status = 429
        while status == 429:  # strangers share what the shop sends at their request
            began = time.perf_counter()
            answer = client.post("/request-login", data={"email": email}, headers=headers)
            took, status = time.perf_counter() - began, answer.status_code
            client.cookies.clear()
            time.sleep(1 if status == 429 else 0)
        assert status == 200
        times[known].append(took)
    stage.shop.settle()
    yield Figure(
        "login-timing", "does the answer's time tell who bought here?", "AUC",
        [area_under_curve(times[True], times[False])], goal=0.05, judged=Goal.AROUND_HALF,
        note=f"2 x {_TIMED} asked",
    )  # fmt: skip


def area_under_curve(one: list[float], two: list[float]) -> float:
    """Mann-Whitney: how often a draw of `one` is greater than a draw of `two`; ties count half."""
    ranked = sorted([(value, 1) for value in one] + [(value, 0) for value in two])
    rank_sum = sum(rank for rank, (_, side) in enumerate(ranked, start=1) if side)
    return (rank_sum - len(one) * (len(one) + 1) / 2) / (len(one) * len(two))
