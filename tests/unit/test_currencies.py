"""What can be charged in each currency, and what a written or typed amount means in it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.amounts import (
    AmountProblem,
    charge_problem,
    example_amount,
    greatest_charge,
    least_charge,
    typed_amount,
    written_price,
)
from domain.currencies import CURRENCIES
from domain.product import BadAmount, asked_price
from domain.values import LARGEST_AMOUNT, Money, decimal_text
from entrypoints.http.form_errors import amount_error
from entrypoints.testing import a_product
from testkit.stripe_currencies import LEAST, LISTED, MOST

CODES = sorted(CURRENCIES)


def a_charge(code: str) -> st.SearchStrategy[Money]:
    rules = CURRENCIES[code]
    steps = st.integers(-(-rules.least // rules.step), rules.most // rules.step)
    return steps.map(lambda count: Money(count * rules.step, code))


CHARGES = st.sampled_from(CODES).flatmap(a_charge)


def test_the_table_holds_every_currency_that_stripe_documents_and_no_other() -> None:
    assert CURRENCIES.keys() == LISTED
    documented = {code: decimal_text(CURRENCIES[code].least, code) for code in LEAST}
    assert documented == {code: decimal_text(written(amount, code), code) for code, amount in LEAST.items()}
    assert {code: rules.most for code, rules in CURRENCIES.items() if len(str(rules.most)) != 8} == MOST


def written(amount: str, code: str) -> int:
    price = written_price(amount, currency=code)
    assert isinstance(price, Money)
    return price.amount


@pytest.mark.parametrize("code", CODES)
def test_the_limits_of_a_currency_are_chargeable_and_the_next_amounts_are_not(code: str) -> None:
    rules = CURRENCIES[code]
    least, most = least_charge(code), greatest_charge(code)
    assert charge_problem(least) is None
    assert charge_problem(most) is None
    assert charge_problem(example_amount(code)) is None
    assert charge_problem(Money(0, code)) is None, "nothing is a price"
    below = Money(least.amount - rules.step, code)
    assert charge_problem(below) is (AmountProblem.BELOW_SMALLEST_CHARGE if below.amount else None)
    if most.amount + rules.step <= LARGEST_AMOUNT:
        above = Money(most.amount + rules.step, code)
        assert charge_problem(above) is AmountProblem.ABOVE_GREATEST_CHARGE
    if rules.step > 1:
        assert charge_problem(Money(least.amount + 1, code)) is AmountProblem.TOO_FINE


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("19.99", "usd", 1999), ("5", "usd", 500), ("0", "usd", 0), ("500", "jpy", 500), ("1.23", "kwd", 1230),
        ("1.230", "kwd", 1230), ("5", "isk", 500), ("5.00", "isk", 500), ("1500000", "idr", 150_000_000),
        ("9999999999.99", "idr", 999_999_999_999), ("175", "huf", 17500), ("175.50", "huf", 17550), ("30.05", "twd", 3005),
        ("19,99", "usd", "NOT_A_NUMBER"), ("-1", "usd", "NOT_A_NUMBER"), ("1e3", "usd", "NOT_A_NUMBER"),
        ("", "usd", "NOT_A_NUMBER"), ("１", "usd", "NOT_A_NUMBER"), ("1_000", "usd", "NOT_A_NUMBER"),
        ("1.000", "usd", "TOO_FINE"), ("1.999", "usd", "TOO_FINE"), ("1.5", "jpy", "TOO_FINE"), ("1.0", "jpy", "TOO_FINE"),
        ("1.005", "kwd", "TOO_FINE"), ("1.234", "tnd", "TOO_FINE"), ("5.50", "isk", "TOO_FINE"), ("5.5", "ugx", "TOO_FINE"),
        ("0.49", "usd", "BELOW_SMALLEST_CHARGE"), ("49", "krw", "BELOW_SMALLEST_CHARGE"),
        ("174.99", "huf", "BELOW_SMALLEST_CHARGE"), ("0.49", "zar", "BELOW_SMALLEST_CHARGE"),
        ("1000000", "usd", "ABOVE_GREATEST_CHARGE"), ("100000000", "jpy", "ABOVE_GREATEST_CHARGE"),
        ("10000000000", "idr", "ABOVE_GREATEST_CHARGE"), ("5", "xyz", "UNKNOWN_CURRENCY"), ("5", "hrk", "UNKNOWN_CURRENCY"),
    ],
)  # fmt: skip
def test_a_written_price_is_counted_as_stripe_counts_it_or_refused(
    text: str, currency: str, expected: int | str
) -> None:
    found = written_price(text, currency=currency)
    assert (found.amount if isinstance(found, Money) else found.name) == expected


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        # One separator before exactly three digits.
        ("1,000", "usd", "AMBIGUOUS"), ("1.000", "eur", "AMBIGUOUS"), ("1.000", "usd", "AMBIGUOUS"),
        ("€1,000", "eur", "AMBIGUOUS"), ("12.345", "huf", "AMBIGUOUS"), ("1,005", "usd", "AMBIGUOUS"),
        ("1,500", "kwd", "AMBIGUOUS"), ("1.500", "kwd", 1500), ("1,500", "jpy", 1500), ("1.500", "jpy", 1500),
        ("1.500", "isk", 150_000), ("0.500", "usd", 50), ("1234,500", "usd", 123_450),
        # Separators that have one meaning only.
        ("1,000.00", "usd", 100_000), ("1.000,00", "eur", 100_000), ("1.000.000", "idr", 100_000_000),
        ("1 000", "eur", 100_000), ("1\u202f000,50", "eur", 100_050), ("1\u2019234.50", "chf", 123_450), ("12,5", "eur", 1250),
        ("1 000.500", "usd", 100_050), ("12.500,00", "usd", 1_250_000),
        ("1,000,00", "usd", "NOT_A_NUMBER"), ("1,00.00", "usd", "NOT_A_NUMBER"), ("1.000.00", "usd", "NOT_A_NUMBER"),
        ("10 00", "usd", "NOT_A_NUMBER"), ("0 500", "usd", "NOT_A_NUMBER"), (". 5", "usd", "NOT_A_NUMBER"),
        ("Rs. 500", "inr", 50_000), ("500 kr.", "dkk", 50_000), ("1 2", "usd", "NOT_A_NUMBER"), ("1.000,000.00", "usd", "NOT_A_NUMBER"),
        # What stands around the number.
        ("€ 12,-", "eur", 1200), ("12,- kr", "sek", 1200), ("Fr. 12.50", "chf", 1250), ("US$ 12", "usd", 1200),
        ("CA$12", "cad", 1200), ("R$ 12,50", "brl", 1250), ("12 USD", "usd", 1200), ("１０００円", "jpy", 1000), ("￥1,000", "jpy", 1000),
        ("€12", "usd", "OTHER_CURRENCY"), ("12 eur", "usd", "OTHER_CURRENCY"), ("US$12", "cad", "OTHER_CURRENCY"),
        ("$12", "eur", "OTHER_CURRENCY"), ("£12", "eur", "OTHER_CURRENCY"), ("¥1200", "krw", "OTHER_CURRENCY"),
        (".5", "usd", "NOT_A_NUMBER"), (",50", "eur", "NOT_A_NUMBER"), ("5.", "usd", "NOT_A_NUMBER"), ("\u22125", "usd", "NOT_A_NUMBER"),
        ("-5", "usd", "NOT_A_NUMBER"), ("\u20135", "usd", "NOT_A_NUMBER"), ("(5)", "usd", "NOT_A_NUMBER"), ("50%", "usd", "NOT_A_NUMBER"),
        ("1e3", "usd", "NOT_A_NUMBER"), ("5 or 6", "usd", "NOT_A_NUMBER"), ("٣٣", "usd", "NOT_A_NUMBER"), ("5" * 61, "usd", "NOT_A_NUMBER"),
        # Finer, smaller or greater than can be charged.
        ("1." + "9" * 50, "usd", "TOO_FINE"), ("1.005", "kwd", "TOO_FINE"), ("5,50", "isk", "TOO_FINE"), ("1.5", "jpy", "TOO_FINE"),
        ("0.49", "usd", "BELOW_SMALLEST_CHARGE"), ("1000000", "usd", "ABOVE_GREATEST_CHARGE"),
        ("5" * 60, "usd", "ABOVE_GREATEST_CHARGE"), ("1500000", "idr", 150_000_000),
    ],
)  # fmt: skip
def test_a_typed_amount_has_one_meaning_or_is_asked_again(
    text: str, currency: str, expected: int | str
) -> None:
    found = typed_amount(text, currency=currency)
    assert (found.amount if isinstance(found, Money) else found.name) == expected


@given(CHARGES)
@example(Money(100_000, "usd"))
@example(Money(1500, "kwd"))
def test_an_amount_as_the_shop_writes_it_means_that_amount_or_is_asked_again(charge: Money) -> None:
    assert typed_amount(decimal_text(charge.amount, charge.currency), currency=charge.currency) == charge
    assert typed_amount(str(charge), currency=charge.currency) in (charge, AmountProblem.AMBIGUOUS)
    comma = decimal_text(charge.amount, charge.currency).replace(".", ",")
    assert typed_amount(comma, currency=charge.currency) in (charge, AmountProblem.AMBIGUOUS)


@given(st.sampled_from(CODES), st.text(alphabet="0123456789,. '", max_size=14))
@example("usd", "1,000")
@example("eur", "1.000")
@example("usd", ".5")
@example("jpy", "1.000")
@example("usd", "0 500")
@example("usd", "5 .")
@example("usd", ". 5")
def test_what_is_charged_is_the_only_thing_that_was_typed(code: str, text: str) -> None:
    """There are two notations; an amount that they disagree on is charged only where one of them cannot be meant."""
    found = typed_amount(text, currency=code)
    if isinstance(found, Money):
        rules = CURRENCIES[code]
        point, comma = read_with(text, ".", rules.digits), read_with(text, ",", rules.digits)
        readings = {amount for amount in (point, comma) if amount is not None}
        assert found.amount in readings, (code, text)
        if len(readings) > 1:
            assert (rules.whole and found.amount == max(readings)) or (
                rules.digits == 3 and found.amount == point
            )


def read_with(text: str, mark: str, digits: int) -> int | None:
    """Minor units, where `mark` is the decimal one and every other separator groups three digits."""
    whole, _, fraction = text.strip().partition(mark)
    groups = whole.replace("'", " ").replace("," if mark == "." else ".", " ").split(" ")
    first, *rest = groups
    grouped = not rest or (len(first) in (1, 2, 3) and first[0] != "0" and all(len(g) == 3 for g in rest))
    if not grouped or not all(g.isdigit() for g in groups) or (fraction and not fraction.isdigit()):
        return None
    cents = fraction.rstrip("0")
    return int("".join(groups) + cents.ljust(digits, "0")) if len(cents) <= digits else None


@pytest.mark.parametrize(
    ("currency", "typed", "sentence"),
    [
        ("usd", "1,000", "without a thousands separator, for example 10.00."),
        ("jpy", "lots", "in digits, for example 50."),
        ("isk", "5.5", "Amounts in ISK must be multiples of 1. Please write an amount such as 10."),
        ("kwd", "1.005", "Amounts in KWD must be multiples of 0.010."),
        ("krw", "10", "The minimum is ₩50, or nothing"),
        ("idr", "99999999999", "The maximum is IDR\N{NO-BREAK SPACE}9,999,999,999.99."),
        ("eur", "$5", "The price is in EUR."),
    ],
)
def test_the_answer_names_an_example_and_the_limits_of_the_currency(
    currency: str, typed: str, sentence: str
) -> None:
    product = a_product(
        pay_what_you_want=True, other_prices=(Money(0, currency),) if currency != "usd" else ()
    )
    if currency == "usd":
        product = a_product(price=0, pay_what_you_want=True)
    found = asked_price(product, currency=currency, amount=typed)
    assert isinstance(found, BadAmount)
    assert sentence in amount_error(found)
    assert charge_problem(found.example) is None


def test_an_example_is_not_below_the_price() -> None:
    found = asked_price(a_product(price=5000, pay_what_you_want=True), currency="usd", amount="1.000")
    assert isinstance(found, BadAmount)
    assert "for example 50.00." in amount_error(found)
