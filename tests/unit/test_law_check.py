"""doctor warns a shop that sells in a currency of the Union without the function of withdrawal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.law import LawTerms
from domain.values import Money, ProductId
from entrypoints.maintenance.checks.law import law_findings
from entrypoints.testing import a_product, an_edition


@pytest.mark.parametrize(
    ("currency", "withdrawal", "warned"),
    [("eur", False, True), ("sek", False, True), ("eur", True, False), ("chf", False, False)],
)
def test_who_sells_in_the_union_without_it_is_warned(currency: str, withdrawal: bool, warned: bool) -> None:
    edition = an_edition(a_product(ProductId("book"), other_prices=(Money(800, currency),)))
    found = law_findings(replace(edition, shop=replace(edition.shop, law=LawTerms(withdrawal=withdrawal))))
    assert [one.warns for one in found] == [True] * warned
    assert all(currency.upper() in one.words for one in found)
