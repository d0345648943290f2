"""In which order the list of products stands, and the heads of its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from domain.product import ShopInfo
from domain.usecases.list_products import ProductRow
from entrypoints.http.sentences import N_, _

_Value = tuple[float, str]
"""What is compared: numbers first, then texts."""


class Column(NamedTuple):
    """One column: its name, whether a phone leaves it out, and what it is sorted by."""

    name: str
    rest: bool = True
    value: Callable[[ProductRow, ShopInfo], _Value | None] | None = None
    """None for a product that has nothing in this column. Columns without it are not sorted by."""
    falls: bool = False
    """Whether the greatest comes first at first."""
    number: bool = False


def _price(row: ProductRow, shop: ShopInfo) -> _Value | None:
    price = row.product.price
    return (price.amount, "") if price.currency == shop.currency else None


def _recent(row: ProductRow, shop: ShopInfo) -> _Value | None:
    amounts = dict(row.recent)
    return (amounts[shop.currency], "") if shop.currency in amounts else None


def _stock(row: ProductRow, _shop: ShopInfo) -> _Value | None:
    stock = row.product.stock
    return None if stock is None else (max(0, stock - row.sold), "")


def _keys(row: ProductRow, _shop: ShopInfo) -> _Value | None:
    """Those that wait for a key come before those whose list is used up."""
    if row.keys_waiting:
        return -row.keys_waiting, ""
    return None if row.keys_free is None else (row.keys_free, "")


def _changed(row: ProductRow, _shop: ShopInfo) -> _Value | None:
    changed = row.product.changed
    return None if changed is None else (changed.timestamp(), "")


COLUMNS: Final[dict[str, Column]] = {
    "name": Column(N_("Product"), rest=False, value=lambda row, _shop: (0, row.product.name.casefold())),
    "state": Column(N_("State"), rest=False),
    "price": Column(N_("Price"), rest=False, value=_price, falls=True, number=True),
    "sold": Column(N_("Sold"), value=lambda row, _shop: (row.sold, ""), falls=True, number=True),
    "net": Column(N_("Net, 30 days"), value=_recent, falls=True, number=True),
    "stock": Column(N_("Stock"), value=_stock, number=True),
    "keys": Column(N_("Keys left"), value=_keys, number=True),
    "files": Column(N_("Files")),
    "changed": Column(N_("Last change"), value=_changed, falls=True),
}
"""By their names in an address. Amounts are those in the shop's own currency: others do not compare."""


class ProductOrder(NamedTuple):
    """The column that decides, and whether the greater comes first."""

    by: str = "name"
    falls: bool = False

    @classmethod
    def asked(cls, text: str) -> ProductOrder:
        """What `sort=sold` or `sort=sold-up` of an address asks for; by name if it is none of these."""
        by, hyphen, direction = text.partition("-")
        if by not in COLUMNS or COLUMNS[by].value is None or (hyphen and direction not in ("up", "down")):
            return cls()
        return cls(by, direction == "down" if hyphen else COLUMNS[by].falls)

    def arranged(self, rows: Iterable[ProductRow], shop: ShopInfo) -> list[ProductRow]:
        """Those that are not in the catalogue any more stay last, after those with nothing in the column."""
        value = COLUMNS[self.by].value
        if value is None:
            raise AssertionError("no list is sorted by such a column")
        by_name = sorted(rows, key=lambda row: (row.product.name.casefold(), row.product.id))
        found = [(value(row, shop), row) for row in by_name]
        known = sorted(
            ((one, row) for one, row in found if one is not None),
            key=lambda pair: pair[0],
            reverse=self.falls,
        )
        ordered = [row for _one, row in known] + [row for one, row in found if one is None]
        return sorted(ordered, key=lambda row: not row.product.present)

    def columns(self, at: str) -> Sequence[dict[str, object]]:
        """The heads of the list at this address: a second click turns the order."""
        return [
            {
                "name": _(column.name), "rest": column.rest, "number": column.number,
                "at": "" if column.value is None else f"{at}{self._query(key, column)}",
                "sorted": ("descending" if self.falls else "ascending") if key == self.by else "",
            }
            for key, column in COLUMNS.items()
        ]  # fmt: skip

    def _query(self, key: str, column: Column) -> str:
        falls = not self.falls if key == self.by else column.falls
        turned = {True: "-down", False: "-up"}[falls] if falls != column.falls else ""
        return "" if key == "name" and not turned else f"?sort={key}{turned}"
