"""The merchant gives somebody a product: once for each person and each form, with everything that a purchase has."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.access import Opens, access
from domain.audit import LONGEST_REASON, AuditAction, AuditLine, AuditResult, hash_of_reason
from domain.fact import Fact, FactKind
from domain.product import Licences, Product, Status
from domain.purchase import Purchase, Source
from domain.sales_sum import SalesBy
from domain.staff import Actor
from domain.usecases.erase_refusal import Erased
from domain.usecases.grant_outcomes import (
    Granted,
    Granting,
    HasItAlready,
    NotGranted,
    WhyNotGranted,
)
from domain.usecases.link_outcomes import SignedIn
from domain.usecases.list_audit import ListAudit
from domain.usecases.request_login import NotAnAddress
from domain.usecases.sum_sales import SumSales
from domain.values import EmailAddress, EmailProblem, Money, ProductId
from entrypoints.customer_lines import customer_lines
from entrypoints.grant_lines import granted_lines, not_granted_line
from entrypoints.maintenance.export_format import own_data_fields
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit import by_hand
from testkit.stepping import run

ANNA, BEN = "anna@example.com", "ben@example.com"
SET, GAME = ProductId("set"), ProductId("game")
CLI = Actor.on_host("ada")


def give(
    shop: Shop, product: ProductId = BOOK, to: str = ANNA, *, form: str = "", reason: str = "a review"
) -> Granting:
    form = form or f"form {len(shop.memory.tables.audit)}"
    return run(shop.grant_product(product, to, actor=CLI, form=form, reason=reason))


def given(shop: Shop, product: ProductId = BOOK, to: str = ANNA) -> Purchase:
    found = give(shop, product, to)
    assert isinstance(found, Granted), found
    shop.deliver_mail()
    return found.order


def of(*products: Product) -> Shop:
    return Shop(edition=an_edition(*products))


def log(shop: Shop) -> list[AuditLine]:
    async def every() -> list[AuditLine]:
        return [line async for line in ListAudit(shop.store)()]

    return run(every())


def opens(browser: Browser, product: ProductId) -> bool:
    viewer = browser.viewer
    found = access(viewer.session, product=product, holdings=viewer.holdings, now=browser.shop.clock.now())
    return isinstance(found, Opens)


def refuses(shop: Shop, why: WhyNotGranted, product: ProductId = BOOK, to: str = ANNA, **more: str) -> str:
    """The sentence; nothing was changed."""
    before = copy.deepcopy(shop.memory.tables)
    found = give(shop, product, to, **more)
    assert isinstance(found, NotGranted)
    assert found.why is why
    assert shop.memory.tables == before
    return not_granted_line(found)


# ------------------------------------------------------------------ what is given


def test_a_grant_is_a_purchase_with_nothing_paid_one_access_email_and_one_audit_line() -> None:
    shop = Shop()
    order = given(shop)
    assert (order.source, order.paid, order.mailbox) == (Source.GRANT, Money(0, "usd"), EmailAddress(ANNA))
    assert (order.livemode, order.provider_ref, order.payment, order.session) == (None, None, None, None)
    [email] = shop.letters_to(ANNA)
    assert email.subject == "You were given The book"
    assert "A Shop gave you The book. There is nothing to pay." in email.text
    assert "Thank you for" not in email.text + email.html
    [line] = log(shop)
    assert line == AuditLine(
        id=line.id, form="form 0", at=shop.clock.now(), actor="cli:ada", action=AuditAction.GRANT,
        object_id=order.checkout, result=AuditResult.DONE, reason="a review", salt=line.salt,
        reason_hash=hash_of_reason(line.salt, "a review"),
    )  # fmt: skip
    anna = Browser(shop)
    assert not opens(anna, BOOK), "nothing opens before the address is verified"
    assert isinstance(anna.press(shop.last_link(ANNA)), SignedIn)
    assert opens(anna, BOOK)
    assert granted_lines(Granted(order)) == [
        f"Order {order.checkout[:16]}: The book was given to a•••@example.com.",
        "The access email is queued. A running shop sends it within a second.",
    ]


def test_the_same_form_gives_once_and_shows_the_first_result() -> None:
    shop = Shop()
    first = give(shop, form="f1")
    before = copy.deepcopy(shop.memory.tables)
    shop.clock.tick(days=1)
    assert give(shop, form="f1") == first
    assert give(shop, PHOTOS, BEN, form="f1") == first, "whatever else it asks for"
    assert shop.memory.tables == before


def test_a_person_is_given_a_product_once() -> None:
    shop = Shop()
    order = given(shop)
    before = copy.deepcopy(shop.memory.tables)
    shop.clock.tick(days=1)
    again = give(shop, to=" ANNA@Example.com ")
    assert again == HasItAlready(order)
    assert shop.memory.tables == before
    assert isinstance(again, HasItAlready)
    assert not_granted_line(again) == (
        f"nothing was given: a•••@example.com has it already, by order {order.checkout[:16]} (The book) of "
        "2026-03-01 12:00 UTC; --again gives it once more"
    )
    assert isinstance(give(shop, to=BEN), Granted), "another person"
    assert isinstance(give(shop, PHOTOS), Granted), "another product"


def test_whoever_has_it_is_given_it_once_more_if_that_is_asked_for_again() -> None:
    shop = of(a_product(BOOK, licences=Licences(listed=("k1", "k2"))))
    run(shop.supply_licences())
    order = given(shop)
    assert give(shop, form="f1") == HasItAlready(order)
    second = run(shop.grant_product(BOOK, ANNA, actor=CLI, form="f1", reason="a second device", again=True))
    assert isinstance(second, Granted)
    assert second.order.checkout != order.checkout
    assert [key.key for key in second.order.licences] == ["k2"]
    assert give(shop, form="f1") == second, "the form is used up by what it gave, not by what was refused"


def test_what_was_bought_or_came_in_a_bundle_is_had_already_but_not_what_was_refunded() -> None:
    shop = of(a_product(BOOK), a_product(PHOTOS), a_product(SET, contains=(PHOTOS,)))
    given(shop, SET)
    Browser(shop).buy_and_pay(ANNA)
    assert isinstance(give(shop), HasItAlready)
    assert isinstance(give(shop, PHOTOS), HasItAlready)
    bought = next(p for p in shop.memory.tables.purchases.values() if p.payment)
    refund = Fact("re_1", FactKind.REFUND, bought.payment, as_of=1, status="succeeded", amount=900)
    run(shop.store.transact(lambda tx: tx.facts.record(refund)))
    assert isinstance(give(shop), Granted)


def test_a_test_purchase_of_a_shop_that_went_live_is_not_had() -> None:
    shop = Shop()
    shop.payments.livemode = True
    run(shop.go_live())
    shop.payments.livemode = False
    Browser(shop).buy_and_pay(ANNA)
    assert isinstance(give(shop), Granted)


def test_a_bundle_is_given_with_what_it_contains_and_with_its_keys() -> None:
    game = a_product(GAME, licences=Licences(listed=("k1", "k2")))
    shop = of(game, a_product(BOOK, licences=Licences(listed=None)), a_product(SET, contains=(BOOK, GAME)))
    run(shop.supply_licences())
    order = given(shop, SET)
    assert order.contents == (BOOK, GAME)
    assert [item.product for item in order.licences] == [BOOK, GAME]
    assert "k1" in shop.letters_to(ANNA)[-1].text
    anna = Browser(shop)
    anna.press(shop.last_link(ANNA))
    assert all(opens(anna, product) for product in (SET, BOOK, GAME))
    assert "k1" not in "\n".join(granted_lines(Granted(order)))


def test_a_product_that_is_sold_out_or_not_sold_yet_or_unlisted_can_be_given_and_takes_a_copy() -> None:
    rare, quiet = a_product(BOOK, stock=1), a_product(PHOTOS, status=Status.UNLISTED)
    later = a_product(SET, available_from=datetime(2027, 1, 1, tzinfo=UTC))
    shop = of(rare, quiet, later)
    Browser(shop).buy_and_pay(BEN)
    for product in (BOOK, PHOTOS, SET):
        given(shop, product)
    assert run(shop.store.read(lambda tx: tx.purchases.count_sold(BOOK))) == 2


# ------------------------------------------------------------------ what is not


@pytest.mark.parametrize(
    ("status", "why", "said"),
    [(Status.DRAFT, WhyNotGranted.DRAFT, 'book is a draft; give it the status "unlisted" or "on_sale" first'),
     (Status.RETIRED, WhyNotGranted.RETIRED, 'book is retired; give it the status "unlisted" first')],
)  # fmt: skip
def test_a_draft_and_a_retired_product_are_not_given(status: Status, why: WhyNotGranted, said: str) -> None:
    assert refuses(of(a_product(BOOK, status=status)), why) == f"nothing was given: {said}"


def test_a_product_that_is_not_in_the_catalogue_is_not_given() -> None:
    said = "nothing was given: there is no product 'map' in the catalogue: a product is called like its folder there"
    assert refuses(Shop(), WhyNotGranted.NO_SUCH_PRODUCT, ProductId("map")) == said
    refuses(of(a_product(BOOK, present=False)), WhyNotGranted.NO_SUCH_PRODUCT)


@pytest.mark.parametrize("reason", ["", " \n", "x" * (LONGEST_REASON + 1)])
def test_a_grant_needs_a_reason(reason: str) -> None:
    said = "nothing was given: --reason is empty, or longer than 500 characters"
    assert refuses(Shop(), WhyNotGranted.NO_REASON, reason=reason) == said


@pytest.mark.parametrize("bundled", [False, True])
def test_nothing_is_given_while_a_list_of_keys_is_used_up(bundled: bool) -> None:
    game = a_product(GAME, licences=Licences(listed=("k1",)))
    shop = of(game, a_product(SET, contains=(GAME,)))
    run(shop.supply_licences())
    given(shop, GAME, BEN)
    said = "nothing was given: the list of licence keys of game is used up; add keys to game/licences.txt"
    assert refuses(shop, WhyNotGranted.NO_KEYS, SET if bundled else GAME) == said


def test_an_address_that_cannot_be_emailed_is_refused() -> None:
    assert give(Shop(), to="a..b@example.com") == NotAnAddress(EmailProblem.LOCAL_PART_REFUSED)


def test_a_person_who_deleted_their_account_is_not_given_anything_until_they_order_again() -> None:
    shop = of(a_product(BOOK), a_product(PHOTOS))
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    said = refuses(shop, WhyNotGranted.ERASED)
    assert said == (
        "nothing was given: the person with that address deleted their account, and has to order themselves"
    )
    rotated = Shop(edition=shop.edition, secrets=("another secret of thirty-two characters", *shop.secrets))
    rotated.store = shop.store
    refuses(rotated, WhyNotGranted.ERASED)
    Browser(shop).buy_and_pay(ANNA)
    assert isinstance(give(shop, PHOTOS), Granted)


# ------------------------------------------------------------------ afterwards


def test_the_link_sent_again_says_that_it_was_given() -> None:
    shop = Shop()
    order = given(shop)
    by_hand.resend(shop, order.checkout)
    shop.deliver_mail()
    first, again = shop.letters_to(ANNA)
    assert again.subject == first.subject
    assert "gave you The book" in again.text


def test_a_grant_is_no_sale_in_the_figures_and_is_named_everywhere_else() -> None:
    shop = Shop()
    order = given(shop)
    assert run(SumSales(shop.store)(SalesBy.MONTH)) == []
    tally = run(shop.store.read(lambda tx: tx.shop.tally()))
    assert (tally.purchases, tally.users) == (0, 1)
    customer = run(shop.show_customer(ANNA))
    assert f"Order {order.checkout[:16]}: The book, granted. Open." in "\n".join(customer_lines(customer))  # type: ignore[arg-type]
    anna = Browser(shop)
    anna.press(shop.last_link(ANNA))
    own = run(shop.own_data(anna.visitor))
    assert own is not None
    assert own_data_fields(own)["purchases"][0]["source"] == "grant"


def test_an_address_change_takes_a_grant_along() -> None:
    shop = Shop()
    given(shop)
    anna = Browser(shop)
    anna.press(shop.last_link(ANNA))
    run(shop.change_address.change(anna.visitor, BEN))
    shop.deliver_mail()
    anna.press(shop.last_link(BEN))
    assert isinstance(give(shop, to=BEN), HasItAlready)


def test_deleting_the_account_leaves_the_grant_and_its_line_without_person_and_reason() -> None:
    shop = Shop()
    order = given(shop)
    anna = Browser(shop)
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    left = shop.memory.tables.purchases[order.checkout]
    assert left == replace(order, user=None, mailbox=None)
    assert [(line.object_id, line.reason) for line in log(shop)] == [(order.checkout, "")]
    assert ANNA not in repr(shop.memory.tables)


def test_the_log_names_nobody_by_address_even_if_the_reason_does() -> None:
    shop = Shop()
    give(shop, reason=f"asked by\n{BEN},  whose key is sk_live_abc")
    [line] = log(shop)
    assert line.reason == "asked by [address], whose key is [sk]"
    assert ANNA not in repr(line)
