"""What one, two and three nodes manage behind HAProxy, on one PostgreSQL: the storefront, and webhooks to a claim."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import Figure, Goal
from benchmarks.load import Shot, delivery, fire, rate_of
from domain.books import Books
from domain.claim import terms_of
from domain.keys import Keyring
from domain.purchase import Checkout
from domain.values import CheckoutId, Money, ProductId, ProviderRef, SessionId, sortable_id
from entrypoints.container import Container, close_shop, open_shop
from entrypoints.settings import read_environment, settle
from support.nodes import a_cluster
from support.postgres import PostgresServer, a_postgres, binaries
from support.servers import BOOK, SESSION_SECRET, WEBHOOK_SECRET, Shopper, ShopServer

if TYPE_CHECKING:
    from benchmarks.stage import Stage

ENOUGH_CORES: Final = 6
"""From so many on, two nodes should manage `GOAL` times what one does; fewer are taken up by load and database."""
GOAL: Final = 1.6
_WARM_UP: Final = 200
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests a second."""

    nodes: int
    storefront: float
    claims: float


def throughput(
    folder: Path,
    server: PostgresServer,
    *,
    nodes: Sequence[int] = (1, 2, 3),
    claims: int = 3000,
    seconds: int = 5,
) -> list[Throughput]:
    """Each number of nodes in turn, on a database of its own."""
    found = []
    for number in nodes:
        place = folder / f"throughput-{number}"
        place.mkdir()
        with a_cluster(place, server.url(server.new_database()), number=number) as cluster:
            shots = _deliveries(cluster.shop, claims + _WARM_UP)
            rate_of(f"{cluster.shop.url}/", seconds=1)
            fire(cluster.shop.url, shots[:_WARM_UP], folder=place)
            found.append(
                Throughput(
                    nodes=number,
                    storefront=rate_of(f"{cluster.shop.url}/", seconds=seconds),
                    claims=fire(cluster.shop.url, shots[_WARM_UP:], folder=place),
                )
            )
            booked = len(cluster.shop.export()["purchase"])
            assert booked == claims + _WARM_UP, f"{booked} purchases of {claims + _WARM_UP} claims"
    return found


def nodes(stage: Stage) -> Iterator[Figure]:
    """Two and three against one; judged where there are cores enough for two nodes and all else."""
    if "postgres" not in stage.wish.engines or binaries() is None:
        yield Figure("nodes", "one, two and three nodes", "/s", engine="postgres", note="no PostgreSQL here")
        return
    with a_postgres() as server:
        found = throughput(stage.folder, server, claims=stage.wish.sales, seconds=stage.wish.seconds)
    enough = (os.cpu_count() or 1) >= ENOUGH_CORES
    for what, of in (("storefront", "storefront"), ("webhook to durable claim", "claims")):
        for one in found:
            judged = enough and one.nodes == 2
            yield Figure(
                f"nodes-{one.nodes}-{of}", f"{what}, {one.nodes} behind HAProxy", "/s", [getattr(one, of)],
                [getattr(found[0], of)] if one.nodes > 1 else (), against="one node" if one.nodes > 1 else "",
                goal=GOAL if judged else None, judged=Goal.TIMES if judged else Goal.NONE, engine="postgres",
                note=f"{os.cpu_count()} cores",
            )  # fmt: skip


def told(found: Sequence[Throughput]) -> str:
    """A table, with the cores there were, and what that number of them lets one expect."""
    first, cores = found[0], os.cpu_count() or 1
    lines = ["| nodes | storefront/s | × | claims/s | × |", "|---|---|---|---|---|"]
    lines += [
        f"| {one.nodes} | {one.storefront:,.0f} | {one.storefront / first.storefront:.2f} "
        f"| {one.claims:,.0f} | {one.claims / first.claims:.2f} |"
        for one in found
    ]
    expected = (
        f"two should manage {GOAL} × one"
        if cores >= ENOUGH_CORES
        else f"under {ENOUGH_CORES}, the load, the proxy and the database share them with the nodes"
    )
    return "\n".join([*lines, "", f"{cores} cores: {expected}."])


def _deliveries(shop: ShopServer, number: int) -> list[Shot]:
    """So many checkouts in the books, each of a browser and a mailbox of its own, and the events that tell of them."""
    cs = Shopper(shop).buy(BOOK)
    template = json.loads(shop.sandbox.pay(cs, email="first@example.com")["body"])
    checkouts = [_checkout(template["data"]["object"]) for _ in range(number)]
    asyncio.run(_lay_down(shop, checkouts))
    keyring = Keyring.of((SESSION_SECRET,))
    return [
        delivery(_event(template, checkout, keyring, at), secret=WEBHOOK_SECRET)
        for at, checkout in enumerate(checkouts)
    ]


def _checkout(session: dict[str, Any]) -> Checkout:
    now = datetime.now(UTC)
    return Checkout(
        id=CheckoutId(sortable_id(now=now, chance=os.urandom(10))),
        product=ProductId(session["metadata"]["pid"]),
        product_name="The Last Cloakroom",
        price=Money(session["amount_subtotal"], session["currency"]),
        session=SessionId(sortable_id(now=now, chance=os.urandom(10))),
        mailbox=None,
        livemode=False,
        started_at=now,
        provider_ref=ProviderRef(f"cs_test_{os.urandom(29).hex()}"),
        expires_at=now + timedelta(hours=1),
    )


async def _lay_down(shop: ShopServer, checkouts: list[Checkout]) -> None:
    """As POST /buy leaves them, some hundred a transaction."""
    container = Container(settings=settle(read_environment(shop.environment, dotenv=None)))
    await open_shop(container)
    try:
        for begin in range(0, len(checkouts), _AT_ONCE):
            lot = checkouts[begin : begin + _AT_ONCE]

            def work(books: Books, lot: list[Checkout] = lot) -> None:
                for checkout in lot:
                    books.add_checkout(checkout)

            await container.store().transact(work)
    finally:
        await close_shop(container)


def _event(template: dict[str, Any], checkout: Checkout, keyring: Keyring, number: int) -> str:
    event = deepcopy(template)
    session = event["data"]["object"]
    event["id"] = f"evt_{os.urandom(12).hex()}"
    session["id"] = checkout.provider_ref
    session["client_reference_id"] = checkout.id
    session["payment_intent"] = f"pi_{os.urandom(12).hex()}"
    session["customer_details"]["email"] = f"buyer{number:07}@example.com"
    session["metadata"]["seal"] = keyring.seal(terms_of(checkout, shop=session["metadata"]["shop"]))
    return json.dumps(event)
