"""What `doctor` has the payment provider open a page for: one trial for each currency that something is on sale in."""

from __future__ import annotations

from dataclasses import replace

from domain.payment_account import CheckoutTrial, checkout_trials
from domain.product import CatalogueEdition, PaymentTerms, Product, Tax
from domain.values import Money, ProductId
from entrypoints.testing import a_product, an_edition


def an_offer(name: str, price: int, *others: Money, **more: object) -> Product:
    return a_product(ProductId(name), price=price, other_prices=others, **more)  # type: ignore[arg-type]


def taxed(edition: CatalogueEdition) -> CatalogueEdition:
    return replace(edition, shop=replace(edition.shop, payment=PaymentTerms(tax=Tax.INCLUSIVE)))


def seen(edition: CatalogueEdition) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(trial.price), trial.tax_codes) for trial in checkout_trials(edition)]


def test_the_lowest_price_of_each_currency_is_tried() -> None:
    edition = an_edition(
        an_offer("a", 900, Money(800, "eur")),
        an_offer("b", 500, Money(1200, "jpy"), Money(900, "eur")),
        an_offer("off", 100, Money(100, "gbp"), held_back=True),
        an_offer("gift", 0),
    )
    assert seen(edition) == [("$5.00", ("",)), ("€8.00", ("",)), ("¥1,200", ("",))]


def test_where_the_buyer_names_the_price_it_is_the_least_that_can_be_charged() -> None:
    edition = an_edition(an_offer("wish", 0, Money(0, "isk"), pay_what_you_want=True))
    assert seen(edition) == [("$0.50", ("",)), ("ISK\N{NO-BREAK SPACE}1", ("",))]


def test_every_tax_code_is_tried_where_taxes_are_worked_out() -> None:
    products = (
        replace(an_offer("a", 900, Money(100, "eur")), tax_code="txcd_2"),
        replace(an_offer("b", 500), tax_code="txcd_1"),
        an_offer("c", 600),
        replace(an_offer("d", 700), tax_code="txcd_1"),
    )
    assert seen(taxed(an_edition(*products))) == [("$5.00", ("txcd_1", "", "txcd_2")), ("€1.00", ("txcd_2",))]
    assert seen(an_edition(*products)) == [("$5.00", ("txcd_1",)), ("€1.00", ("txcd_2",))]


def test_a_shop_without_prices_has_nothing_to_try() -> None:
    assert checkout_trials(an_edition(an_offer("gift", 0))) == ()


def test_a_trial_asks_for_what_a_customers_checkout_asks_for() -> None:
    edition = taxed(an_edition(an_offer("a", 900)))
    [trial] = checkout_trials(edition)
    assert trial == CheckoutTrial(
        price=Money(900, "usd"), name="The a", tax_codes=("",), terms=edition.shop.payment
    )
