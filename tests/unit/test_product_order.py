"""The list of products stands in the order of a column, and its heads turn it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.usecases.list_products import ProductRow
from domain.values import Money, ProductId
from entrypoints.admin.product_order import ProductOrder
from entrypoints.testing.fakes import a_product, an_edition

SHOP = an_edition().shop


def a_row(pid: str, *, sold: int = 0, recent: list[tuple[str, int]] | None = None, keys: int | None = None,
          waiting: int = 0, **product: Any) -> ProductRow:  # fmt: skip
    price = product.pop("money", Money(900, "usd"))
    made = replace(a_product(ProductId(pid)), price=price, **product)
    return ProductRow(
        gone_live=False,
        product=made,
        sold=sold,
        recent=recent or [],
        keys_free=keys,
        keys_waiting=waiting,
        mistakes=[],
    )


ROWS = [
    a_row("book", sold=3, recent=[("usd", 900), ("eur", 9_000)], keys=0, stock=10),
    a_row("gone", sold=99, recent=[("usd", 9_900)], present=False),
    a_row("album", sold=1, waiting=2, keys=0, changed=datetime(2026, 5, 1, tzinfo=UTC)),
    a_row("comic", sold=3, keys=7, stock=4, money=Money(1_900, "usd"), changed=datetime(2026, 3, 1, tzinfo=UTC)),
    a_row("draft", recent=[("eur", 700)], money=Money(99_000, "eur")),
]  # fmt: skip
ORDERS = [
    ("", "album book comic draft gone"),
    ("name-down", "draft comic book album gone"),
    ("price", "comic album book draft gone"),
    ("price-up", "album book comic draft gone"),
    ("sold", "book comic album draft gone"),
    ("sold-up", "draft album book comic gone"),
    ("net", "book album comic draft gone"),
    ("stock", "comic book album draft gone"),
    ("keys", "album book comic draft gone"),
    ("keys-down", "comic book album draft gone"),
    ("changed", "album comic book draft gone"),
    ("changed-up", "comic album book draft gone"),
    ("state", "album book comic draft gone"),
    ("sold-sideways", "album book comic draft gone"),
    ("nothing", "album book comic draft gone"),
]


@pytest.mark.parametrize(("asked", "listed"), ORDERS)
def test_products_stand_in_the_order_of_a_column_and_those_without_a_value_last(
    asked: str, listed: str
) -> None:
    rows = ProductOrder.asked(asked).arranged(ROWS, SHOP)
    assert " ".join(row.product.id for row in rows) == listed


HEADS = [
    (
        "",
        "Product",
        "ascending",
        {"Product": "?sort=name-down", "Sold": "?sort=sold", "Stock": "?sort=stock"},
    ),
    ("name-down", "Product", "descending", {"Product": "", "Sold": "?sort=sold"}),
    ("sold", "Sold", "descending", {"Product": "", "Sold": "?sort=sold-up", "Price": "?sort=price"}),
    ("sold-up", "Sold", "ascending", {"Product": "", "Sold": "?sort=sold"}),
]


@pytest.mark.parametrize(("asked", "name", "direction", "links"), HEADS)
def test_one_head_says_how_the_list_is_sorted_and_each_click_turns_it(
    asked: str, name: str, direction: str, links: dict[str, str]
) -> None:
    heads = {head["name"]: head for head in ProductOrder.asked(asked).columns("/at")}
    assert {one: head["sorted"] for one, head in heads.items() if head["sorted"]} == {name: direction}
    assert {one: heads[one]["at"] for one in links} == {one: f"/at{query}" for one, query in links.items()}
    assert [one for one, head in heads.items() if not head["at"]] == ["State", "Files"]
