"""`[law] without_waiver = "wait"`: bought without the waiver, a purchase opens once the period for withdrawal is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.templates.emails import PackagedTemplates
from domain.access import Closed, Holding, Opens, Waits, access, waits
from domain.claim import terms_of
from domain.fact import Fact, FactKind
from domain.product import Licences
from domain.purchase import Purchase
from domain.usecases.checkout_outcomes import WaiverNeeded
from domain.usecases.list_todo import Task
from domain.usecases.waiver_proofs import proof_of
from domain.waiver import Boxes, WaiverMissing, opening_day, read_opening, terms_written
from entrypoints.admin.sale_words import state_sentence
from entrypoints.admin.waiver_parts import waiver_rows
from entrypoints.customer_lines import customer_lines
from entrypoints.testing import BOOK, Browser, Shop, a_product
from testkit.pages_in_memory import Client, Town
from testkit.stepping import run
from testkit.waivers import TEXT, TICKED, an_edition_that_waits, an_edition_with_waiver, chosen_to_wait

ANNA = "anna@example.com"
BERLIN = ZoneInfo("Europe/Berlin")
# Bought on Sunday, 1 March 2026. The 14th day after is a Sunday, so Monday is the last one.
OPENS = datetime(2026, 3, 17, 0, 0, tzinfo=BERLIN)


def sold(*products: Any) -> tuple[Shop, Browser]:
    shop = Shop(edition=an_edition_that_waits(*products))
    shop.payments.livemode = True
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, boxes=chosen_to_wait(shop))
    return shop, anna


def purchase_of(shop: Shop) -> Purchase:
    [purchase] = shop.memory.tables.purchases.values()
    return purchase


def until(shop: Shop, at: datetime) -> None:
    shop.clock.time = at.astimezone(UTC)


# ---------------------------------------------------------------- the day


@pytest.mark.parametrize(
    ("bought", "opens"),
    [
        (datetime(2026, 3, 2, 12, tzinfo=UTC), date(2026, 3, 17)),  # a Monday
        (datetime(2026, 3, 6, 12, tzinfo=UTC), date(2026, 3, 21)),  # a Friday: the last day is a Friday
        (
            datetime(2026, 3, 7, 12, tzinfo=UTC),
            date(2026, 3, 24),
        ),  # a Saturday, whose last day moves to Monday
        (datetime(2026, 3, 8, 12, tzinfo=UTC), date(2026, 3, 24)),  # a Sunday
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), date(2026, 3, 17)),  # the day after in Berlin: a Monday
    ],
)
def test_it_opens_on_the_day_after_the_last_one_to_withdraw_by_the_shops_calendar(
    bought: datetime, opens: date
) -> None:
    assert opening_day(bought, BERLIN) == opens


def test_terms_are_written_and_read() -> None:
    at = OPENS.astimezone(UTC)
    assert read_opening(terms_written(None, at)) == at
    assert terms_written(None, None) == ""
    assert [read_opening(text) for text in (None, "", "wait", "wait x", f"{'ab' * 16} en 1")] == [None] * 5


# ---------------------------------------------------------------- the checkout


def test_the_switch_is_needed_and_the_day_must_be_the_one_that_is_shown() -> None:
    without = Shop(edition=an_edition_with_waiver())
    with_it = Shop(edition=an_edition_that_waits())
    yesterday = Boxes(text=TEXT.hash, wait="2026-03-16")
    for shop, boxes, missing in (
        (without, chosen_to_wait(with_it), WaiverMissing(wants=False, knows=False)),
        (with_it, yesterday, WaiverMissing(wants=False, knows=False, postponed=True)),
        (with_it, Boxes(text=TEXT.hash), WaiverMissing(wants=False, knows=False)),
    ):
        answer = run(shop.start_checkout(Browser(shop).visitor, BOOK, again=False, boxes=boxes))
        assert isinstance(answer, WaiverNeeded)
        assert answer.missing == missing
        assert not shop.memory.tables.checkouts


def test_it_is_stored_and_sealed_and_a_restored_shop_knows_it() -> None:
    before, _ = sold()
    [checkout] = before.memory.tables.checkouts.values()
    assert (checkout.waiver, checkout.opens_at) == (None, OPENS)
    [reading] = before.payments.sessions.values()
    assert reading.waiver == f"wait {int(OPENS.timestamp())}"
    assert terms_of(checkout, shop="shop-1").version == "v3"
    after, forged = Shop(edition=before.edition), Shop(edition=before.edition)
    after.payments.livemode = forged.payments.livemode = True
    after.clock.tick(days=40)
    after.payments.invent(reading)
    after.hear_of(reading.ref)
    after.deliver_mail()
    assert purchase_of(after).opens_at == OPENS
    [first], [second] = before.letters_to(ANNA), after.letters_to(ANNA)
    assert (first.text, first.html) == (second.text, second.html)
    forged.payments.invent(replace(reading, waiver=f"wait {int(OPENS.timestamp()) - 86400}"))
    forged.hear_of(reading.ref)
    assert not forged.memory.tables.purchases


def test_the_same_form_submitted_twice_is_one_checkout() -> None:
    shop = Shop(edition=an_edition_that_waits())
    anna = Browser(shop)
    first = anna.buy(boxes=chosen_to_wait(shop))
    shop.clock.tick(seconds=5)
    assert anna.buy(boxes=chosen_to_wait(shop)) == first
    assert anna.buy(boxes=TICKED) != first, "with the waiver it is another contract"


def test_with_the_boxes_it_opens_at_once() -> None:
    shop = Shop(edition=an_edition_that_waits())
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, boxes=TICKED)
    assert purchase_of(shop).opens_at is None
    [held] = anna.viewer.holdings
    assert isinstance(access(anna.viewer.session, product=BOOK, holdings=[held], now=shop.clock.now()), Opens)


# ---------------------------------------------------------------- access


def found_at(shop: Shop, anna: Browser, at: datetime) -> object:
    return access(anna.viewer.session, product=BOOK, holdings=anna.viewer.holdings, now=at)


def test_nothing_but_the_clock_opens_it() -> None:
    shop, anna = sold()
    anna.press(shop.last_link(ANNA))
    for at, kind in (
        (shop.clock.now(), Waits), (OPENS - timedelta(microseconds=1), Waits), (OPENS, Opens),
        (OPENS + timedelta(days=900), Opens),
    ):  # fmt: skip
        assert isinstance(found_at(shop, anna, at), kind)
    assert anna.owned == {BOOK}, "it is theirs meanwhile"


def test_a_refund_closes_it_in_any_order_with_the_clock_and_another_purchase_opens_it_at_once() -> None:
    shop, anna = sold()
    anna.press(shop.last_link(ANNA))
    [held] = anna.viewer.holdings
    refund = Fact("re_1", FactKind.REFUND, held.purchase.payment, 1, "succeeded", held.purchase.paid.amount)
    closed = Holding(purchase=held.purchase, facts=(*held.facts, refund))
    other = Holding(purchase=replace(held.purchase, opens_at=None), facts=())
    for at in (shop.clock.now(), OPENS):
        session = anna.viewer.session
        assert isinstance(access(session, product=BOOK, holdings=[closed], now=at), Closed)
        assert isinstance(access(session, product=BOOK, holdings=[held, other], now=at), Opens)
    two = [held, Holding(purchase=replace(held.purchase, opens_at=OPENS - timedelta(days=1)), facts=())]
    sooner = access(anna.viewer.session, product=BOOK, holdings=two, now=shop.clock.now())
    assert isinstance(sooner, Waits)
    assert sooner.purchase.opens_at == OPENS - timedelta(days=1)


def test_it_is_not_opened_before_neither_by_its_page_nor_by_a_file() -> None:
    shop, anna = sold()
    anna.press(shop.last_link(ANNA))
    assert isinstance(run(shop.fetch_file(anna.visitor, BOOK, "it.txt")), Waits)
    assert purchase_of(shop).opened_at is None


def test_its_licence_key_is_shown_once_it_opens_and_in_no_email_before() -> None:
    shop, anna = sold(a_product(licences=Licences(listed=None)))
    key = purchase_of(shop).licences[0].key
    [held] = anna.viewer.holdings
    assert held.usable_keys(shop.clock.now()) == ()
    assert [one.key for one in held.usable_keys(OPENS)] == [key]
    assert key not in shop.letters_to(ANNA)[0].text
    anna.press(shop.last_link(ANNA))
    run(shop.resend(anna.visitor, purchase_of(shop).checkout))
    shop.deliver_mail()
    assert key not in shop.letters_to(ANNA)[-1].text
    until(shop, OPENS)
    again = Browser(shop)
    again.ask_for_link(ANNA)
    shop.deliver_mail()
    again.press(shop.last_link(ANNA))
    run(shop.resend(again.visitor, purchase_of(shop).checkout))
    shop.deliver_mail()
    last = shop.letters_to(ANNA)[-1].text
    assert key in last
    assert "opens when its 14 days" not in last


def test_a_listed_key_that_comes_later_is_not_emailed_before_it_opens() -> None:
    shop, _ = sold(a_product(licences=Licences(listed=())))
    run(shop.supply_licences())
    keyed = a_product(licences=Licences(listed=("K-1",)))
    shop.catalogue.edition = an_edition_that_waits(keyed)
    run(shop.supply_licences())
    shop.deliver_mail()
    assert [one.key for one in purchase_of(shop).licences] == ["K-1"]
    assert len(shop.letters_to(ANNA)) == 1


def test_the_email_says_when_it_opens() -> None:
    shop, _ = sold()
    [letter] = shop.letters_to(ANNA)
    for body in (letter.text, letter.html):
        assert "when its 14 days are over: on 17 March 2026, 00:00 CET." in body
        assert "opens your purchase on any device" not in body
    assert TEXT.wants not in letter.text
    own = (("access_link.txt", "Yours\n\n{{ link }}"), ("access_link.html", "<p>{{ link }}"))
    edition = replace(shop.edition, shop=replace(shop.edition.shop, emails=own))
    [mail] = shop.memory.tables.outbox.values()
    rendered = PackagedTemplates().render(mail.email, language="", shop=edition.shop, base_url="https://a")
    assert "17 March 2026" in rendered.text, "a template that leaves that out is not used"


# ---------------------------------------------------------------- the merchant


def test_it_is_nobodys_task_that_it_was_not_opened_before_it_could_be() -> None:
    shop, _ = sold()

    def tasks() -> list[Task]:
        return [row.task for row in run(shop.list_todo()).rows]

    shop.clock.tick(days=3)
    assert Task.NEVER_OPENED not in tasks()
    until(shop, OPENS + timedelta(hours=47))
    assert Task.NEVER_OPENED not in tasks()
    until(shop, OPENS + timedelta(hours=48))
    assert Task.NEVER_OPENED in tasks()


def test_the_page_of_the_sale_and_the_command_line_say_when_it_opens() -> None:
    shop, _ = sold()
    order = purchase_of(shop).checkout
    shown = run(shop.show_sale(order))
    assert shown is not None
    rows = dict(waiver_rows(shown, shop.edition.shop.law, BERLIN))
    assert rows["Right of withdrawal"].startswith("not waived")
    assert "17 Mar" in rows["Opens"]
    said = "Opens on 17 March: paid, without waiving the right of withdrawal."
    assert state_sentence(shown, BERLIN) == said
    customer = run(shop.show_customer(order))
    assert "Opens 2026-03-16 23:00 UTC: the right of withdrawal was not waived." in "\n".join(
        customer_lines(customer)
    )  # type: ignore[arg-type]
    assert run(shop.store.read(lambda tx: proof_of(tx, purchase_of(shop)))) is None, "the right stays"
    assert waits(purchase_of(shop), now=shop.clock.now())


# ---------------------------------------------------------------- pages


def visit(scene: Callable[[Town, Client], Coroutine[Any, Any, None]], *products: Any) -> None:
    town = Town(Path("/nowhere"), an_edition_that_waits(*products), look=lambda where, html: None)
    asyncio.run(scene(town, town.client()))


def test_the_button_without_the_boxes_says_on_which_day_it_opens_and_sells() -> None:
    async def scene(town: Town, client: Client) -> None:
        html = await client.get("/products/book")
        assert (
            'name="wait" value="2026-03-17" formnovalidate>Buy without the boxes: opens on 17 March 2026<'
            in html
        )
        assert html.index("Buy<span") < html.index("Buy without"), "Enter presses the first"
        await client.post("/buy/book", status=422, currency="usd", waiver_text=TEXT.hash)
        html = await client.post("/buy/book", status=422, currency="usd", wait="2026-03-16")
        assert "The day on which it would open has changed" in html
        await client.post("/buy/book", status=303, currency="usd", wait="2026-03-17")

    visit(scene)


def test_the_page_for_guests_shows_another_day_after_midnight() -> None:
    async def scene(town: Town, client: Client) -> None:
        assert 'value="2026-03-17"' in await client.get("/products/book")
        until(town.shop, datetime(2026, 3, 3, 0, 0, tzinfo=BERLIN))
        assert 'value="2026-03-18"' in await client.get("/products/book")

    visit(scene)


def test_page_library_receipt_and_files_say_when_it_opens_and_show_nothing_of_it_before() -> None:
    async def scene(town: Town, client: Client) -> None:
        ref = await town.bought(client, ANNA, wait="2026-03-17")
        key = purchase_of(town.shop).licences[0].key
        await client.get(f"/view/book?session_id={ref}", status=303)
        order = purchase_of(town.shop).checkout
        for path, status in (
            ("/view/book", 200), ("/library", 200), (f"/orders/{order}", 200), ("/files/book/it.txt", 403),
        ):  # fmt: skip
            html = await client.get(path, status=status)
            assert "17 March 2026, 00:00 CET" in html, path
            assert "The secret of the book" not in html
            assert 'href="/files/' not in html
            assert key not in html
        assert purchase_of(town.shop).opened_at is None
        until(town.shop, OPENS + timedelta(hours=1))
        await client.post("/request-login", email=ANNA)
        await town.follow(client, ANNA)
        html = await client.get("/view/book")
        assert "The secret of the book" in html
        assert key in html
        assert "17 March" not in html
        assert purchase_of(town.shop).opened_at == OPENS + timedelta(hours=1)
        assert "Opens later" not in await client.get("/library")
        assert await client.get("/files/book/it.txt") == "hello"

    visit(scene, a_product(licences=Licences(listed=None)))


def test_it_can_be_bought_again_without_the_boxes_too() -> None:
    async def scene(town: Town, client: Client) -> None:
        await town.bought(client, ANNA, wait="2026-03-17")
        html = await client.post("/buy/book", currency="usd")
        assert 'name="wait" value="2026-03-17"' in html
        await client.post("/buy/book", status=303, again="yes", wait="2026-03-17")

    visit(scene)
