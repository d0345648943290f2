"""The tax rate that the amounts of a sale tell: the shortest one that leads to just these amounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.purchase import Breakdown
from domain.tax_rate import tax_rate
from domain.values import Money


@pytest.mark.parametrize(
    ("paid", "tax", "on_top", "rate"),
    [
        (1190, 190, True, "19"),
        (1190, 190, False, "19"),
        (1191, 190, True, "19"),  # 18.98 % of 10.01
        (1200, 192, True, "19"),  # 19.05 % of 10.08
        (1000, 160, False, "19"),  # 19.05 % of 8.40
        (999, 160, False, "19"),
        (2000, 333, False, "20"),
        (2400, 400, False, "20"),
        (1100, 100, False, "10"),
        (1081, 81, True, "8.1"),
        (500, 37, False, "8"),  # 8.1 % leads to the same amounts
        (9900, 742, False, "8.1"),
        (1055, 55, True, "5.5"),
        (1089, 89, True, "8.9"),
        (10888, 888, True, "8.88"),  # 8.875 % of 100.00
        (108875, 8875, True, "8.88"),
        (11498, 1498, True, "14.98"),  # 5 % and 9.975 % of 100.00
        (100005, 5, True, "0.01"),
        (3, 1, False, "50"),
        (1000, 0, False, None),
        (0, 0, False, None),
        (5, 5, False, None),
    ],
)
def test_the_rate_of_two_amounts(paid: int, tax: int, on_top: bool, rate: str | None) -> None:
    assert tax_rate(Money(paid, "eur"), Breakdown(tax=tax, tax_on_top=on_top)) == rate


@given(st.integers(100, 10**7), st.integers(1, 300), st.booleans())
def test_a_rate_with_one_decimal_comes_back_or_another_that_leads_to_the_same_amounts(
    base: int, tenths: int, on_top: bool
) -> None:
    """`base`: without tax if the tax is added, with it if not. Half a cent is rounded up."""
    below = 1000 if on_top else 1000 + tenths
    tax = (2 * base * tenths + below) // (2 * below)
    found = tax_rate(Money(base + tax if on_top else base, "eur"), Breakdown(tax=tax, tax_on_top=on_top))
    if tax == 0:
        assert found is None
        return
    assert found is not None
    again = round(float(found) * 10)
    assert float(found) * 10 == pytest.approx(again), "one decimal at most"
    if base > 10**6:  # a cent of it is less than a tenth of a percent
        assert again == tenths
