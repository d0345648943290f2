"""The races of redirect and webhook, and of refunds, as properties, on the engines that shops run on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from adapters.postgres.store import PostgresStore
from adapters.sql.schema import UNIQUE
from adapters.sqlite.store import SqliteStore
from domain.ports import Store
from domain.transaction import Transaction
from testkit.engine_races import Seen, race_on
from testkit.postgres import PostgresServer
from testkit.races import Cast
from testkit.refund_races import FAULTS, RefundCast
from testkit.refund_races_on_engines import race_refunds_on

pytestmark = [pytest.mark.engines, pytest.mark.long]

EXAMPLES = 2000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 60
NODES = 3
CASTS = st.builds(
    Cast,
    sales=st.integers(1, 2),
    redirects=st.integers(1, 3),
    webhooks=st.integers(1, 5),
    reconcilers=st.integers(0, 1),
    workers=st.integers(0, 2),
    refunds=st.integers(0, 2),
)


REFUND_CASTS = st.builds(
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


@pytest.fixture(scope="module")
def nodes(
    engine: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Sequence[Store]]:
    """Three on one PostgreSQL; one where SQLite keeps the records."""
    stores: list[PostgresStore] | list[SqliteStore]
    if engine == "sqlite":
        path: Path = tmp_path_factory.mktemp("races") / "shop.db"
        stores = [SqliteStore.open(path, serving=True)]
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.url(server.new_database())
        stores = [PostgresStore.open(url) for _ in range(NODES)]
    yield stores
    for store in stores:
        store.close()


def _empty(tx: Transaction) -> None:
    """Cheaper than a database for each example."""
    for table in ("purchases", *UNIQUE, "cursors", "payments_due", "limits", "downloads"):
        tx.users._sql(f"DELETE FROM {table}")  # type: ignore[attr-defined]


@pytest.mark.parametrize("deadly", [False, True], ids=["all live", "some die"])
def test_nobody_loses_or_doubles_a_sale_whoever_comes_first_and_whoever_dies(
    nodes: Sequence[Store], engine: str, deadly: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """One user, one purchase, one access email, from up to three redirects, five webhooks, a reconciler and two workers."""
    seen = Seen()
    with asyncio.Runner() as runner:
        _bench(lambda cast, seed: runner.run(_from_nothing(nodes, cast, seed, deadly, seen)))
    with capsys.disabled():
        print(f"\n  {engine}{', some die' if deadly else ''}: {seen}")
    assert seen.races == EXAMPLES
    assert (seen.deaths > 0) is deadly


async def _from_nothing(nodes: Sequence[Store], cast: Cast, seed: int, deadly: bool, seen: Seen) -> None:
    await nodes[0].transact(_empty)
    await race_on(nodes, cast, seed=seed, deadly=deadly, seen=seen)


@pytest.mark.parametrize("deadly", [False, True], ids=["all live", "some die"])
def test_never_more_is_refunded_than_was_paid_nothing_twice_and_nothing_is_lost(
    nodes: Sequence[Store], engine: str, deadly: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """One email each, from up to three people, three workers, two webhooks, a reconciler and faults of the provider."""
    seen = Seen()
    with asyncio.Runner() as runner:

        @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate])
        @given(cast=REFUND_CASTS, seed=st.integers(0, 2**64))
        def drawn(cast: RefundCast, seed: int) -> None:
            runner.run(_refunds_from_nothing(nodes, cast, seed, deadly, seen))

        drawn()
    with capsys.disabled():
        print(
            f"\n  {engine}, refunds{', some die' if deadly else ''}: {seen.races} races, {seen.deaths} deaths"
        )
    assert seen.races == EXAMPLES
    assert (seen.deaths > 0) is deadly


def test_the_bench_catches_a_key_that_is_new_each_time(nodes: Sequence[Store]) -> None:
    """Negative control."""
    cast = RefundCast(amounts=("3",), workers=1, webhooks=0, faults=("lost",))
    played = _refunds_from_nothing(nodes, cast, 1, deadly=False, seen=Seen(), honest=False)
    with pytest.raises(AssertionError, match="refunded twice"):
        asyncio.run(played)


async def _refunds_from_nothing(
    nodes: Sequence[Store], cast: RefundCast, seed: int, deadly: bool, seen: Seen, *, honest: bool = True
) -> None:
    await nodes[0].transact(_empty)
    await race_refunds_on(nodes, cast, seed=seed, deadly=deadly, seen=seen, honest=honest)


def _bench(play: Callable[[Cast, int], None]) -> None:
    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate])
    @given(cast=CASTS, seed=st.integers(0, 2**64))
    def drawn(cast: Cast, seed: int) -> None:
        play(cast, seed)

    drawn()
