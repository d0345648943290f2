"""The past and the texts with which the search is measured: each kind finds what it is meant to find."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from bench.lists.keys import pages, typed
from bench.lists.past import Past
from bench.speed.engines import Sqlite
from domain.usecases.find_sales import AtDomain, FindSales, NothingFound, OneCustomer, OneSale, SeveralFound

SALES, EACH = 3000, 5
EXPECTED = {
    "address": OneCustomer,
    "@domain": AtDomain,
    "order number": OneSale,
    "order number, 12 characters": OneSale,
    "cs_…": OneSale,
    "pi_…": OneSale,
    "ch_… (the shop stores none)": NothingFound,
    "re_…": OneSale,
    "du_…": OneSale,
    "evt_…": OneSale,
    "licence key": OneSale,
    "address of a page of the shop": OneSale,
    "address of a page of Stripe": OneSale,
    "beginning of an address": SeveralFound,
    "name before the @": SeveralFound,
    "name at another domain": NothingFound,
    "product": SeveralFound,
    "no hit": NothingFound,
    "hostile": NothingFound,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Past, SqliteStore]]:
    folder: Path = tmp_path_factory.mktemp("lists")
    past, engine = Past(SALES), Sqlite(folder)
    engine.fill(past.lots())
    with closing(SqliteStore.open(engine.path, serving=True)) as opened:
        yield past, opened


def test_every_text_finds_what_is_measured(store: tuple[Past, SqliteStore]) -> None:
    past, opened = store
    find, texts = FindSales(opened), typed(past, "https://shop.example", number=EACH)
    found = {name: {type(asyncio.run(find(text))) for text in those} for name, those in texts.items()}
    assert found == {name: {kind} for name, kind in EXPECTED.items()}
    assert all(len(set(those)) == EACH for those in texts.values())


def test_the_pages_that_are_measured_name_rows_of_the_past(store: tuple[Past, SqliteStore]) -> None:
    past, opened = store
    line = past.line(past.lines()[0])
    lines = asyncio.run(opened.read(lambda tx: tx.audit.page_before("", limit=SALES)))
    assert (lines[-1].id, len(lines)) == (line, len(past.lines()))
    events = asyncio.run(opened.read(lambda tx: tx.events.newest(limit=SALES)))
    assert events[-1].event.id == past.event(past.events_since())
    far = [addresses[1] for addresses in pages(past).values() if len(addresses) > 1]
    assert len(far) > 40
