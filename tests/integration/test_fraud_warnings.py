"""Early fraud warnings from Stripe's webhook to the merchant: `[fraud]` in shop.toml says what comes of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.product import FraudTerms
from domain.values import Money
from testkit.catalogues import a_catalogue, load
from testkit.servers import Shopper, a_shop

SHOP = 'name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n'
REFUNDING = '[fraud]\nwarnings = "refund"\nrefund_up_to = "50.00"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book")


def write(root: Path, settings: str) -> None:
    (root / "shop.toml").write_text(SHOP + settings)


def test_without_a_word_about_it_the_shop_refunds_nothing_by_itself(root: Path) -> None:
    for settings in ("", '[fraud]\nwarnings = "notify"\nrefund_up_to = "50.00"\n'):
        write(root, settings)
        assert load(root).current().shop.fraud == FraudTerms()


def test_the_limit_is_an_amount_in_the_currency_of_the_shop(root: Path) -> None:
    write(root, REFUNDING)
    assert load(root).current().shop.fraud == FraudTerms(refund_up_to=Money(5000, "eur"))


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("", 'warnings = "refund" needs a limit: write it like refund_up_to = "50.00"'),
        ('refund_up_to = "much"\n', "a price is written like 19.99 (digits, one point, no sign), not 'much'"),
    ],
)
def test_without_a_limit_that_can_be_read_nothing_is_refunded_and_the_merchant_reads_why(
    root: Path, limit: str, words: str
) -> None:
    write(root, f'[fraud]\nwarnings = "refund"\n{limit}')
    catalogue = load(root)
    assert catalogue.current().shop.fraud == FraudTerms()
    assert catalogue.problems[0].endswith(words)


@pytest.mark.long
@pytest.mark.engines
def test_the_merchant_is_emailed_and_a_small_payment_is_refunded_as_fraudulent(
    root: Path, tmp_path: Path, in_database: Callable[[], dict[str, str]]
) -> None:
    write(root, REFUNDING)
    with a_shop(tmp_path, **in_database()) as shop:
        anna = Shopper(shop)
        ref = anna.buy_and_pay("anna@example.com", "book")
        shop.sandbox.post(f"/_sandbox/sessions/{ref}/warn")
        told = shop.sandbox.wait_for_mail("help@shop.example")
        assert told["subject"].startswith("Possible fraud: ")
        assert "anna" not in told["text"]
        assert shop.sandbox.wait_for_mail("anna@example.com", number=2)["subject"].startswith("Your refund")
        [request] = shop.export()["refund_request"]
        assert (request["cause"], request["by"], request["problem"]) == ("fraudulent", "cli:shop.toml", "")
