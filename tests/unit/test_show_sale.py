"""One sale and one customer as the merchant sees them: the reason for a state, and a folded timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from contracts import samples
from contracts.samples import ANNA, BOOK, DAY, MINUTE, NOW

from domain.access import Closed, Holding, NotYours, Opens
from domain.fact import Fact, FactKind
from domain.mail import MailState
from domain.purchase import PurchaseState
from domain.records import Download
from domain.sale_list import SaleState
from domain.timeline import Entry, Happened, Step, timeline
from domain.usecases.show_person import Person, ShowPerson
from domain.usecases.show_sale import SaleShown, ShowSale, money_of, reason_of
from domain.values import CheckoutId, EmailAddress, LinkId, ProductId
from entrypoints.testing import Browser, Shop
from testkit.stepping import run

REFUND = Fact("re_1", FactKind.REFUND, "pi_c1", as_of=1_700_000_000, status="succeeded", amount=900)


def held(row: str = "c1", *facts: Fact, product: str = "book") -> Holding:
    return Holding(purchase=samples.a_purchase(row, product=product), facts=facts)


def test_a_closed_sale_names_the_fact_and_the_purchase_that_opens_it_all_the_same() -> None:
    other = held("c2")
    part = replace(REFUND, object_id="re_0", as_of=1_600_000_000, amount=100)
    reason = reason_of(held("c1", part, replace(REFUND, amount=800)), [held("c3", product="zine"), other])
    assert (reason.state, reason.since) == (SaleState.REFUNDED, datetime.fromtimestamp(1_700_000_000, UTC))
    assert (reason.decided_by, reason.opens_by) == (replace(REFUND, amount=800), other)
    reason = reason_of(held("c1"), [other])
    assert (reason.state, reason.since, reason.decided_by, reason.opens_by) == (
        SaleState.OPEN,
        None,
        None,
        None,
    )
    dispute = Fact("du_1", FactKind.DISPUTE, "pi_c1", as_of=7, status="needs_response", amount=900)
    reason = reason_of(held("c1", dispute), [held("c2", REFUND)])
    assert (reason.state, reason.decided_by, reason.opens_by) == (SaleState.DISPUTED, dispute, None)


def test_the_money_of_a_sale_lists_every_movement() -> None:
    failed = replace(REFUND, object_id="re_2", status="failed", as_of=1)
    lost = Fact("du_1", FactKind.DISPUTE, "pi_c1", as_of=2, status="lost", amount=200)
    session = Fact("cs_test_c1", FactKind.SESSION, None, as_of=3, status="paid", amount=900)
    money = money_of(held("c1", replace(REFUND, amount=300), failed, lost, session))
    assert (money.paid, money.refunded, money.charged_back, money.net) == (900, 300, 200, 400)
    assert [fact.object_id for fact in money.movements] == ["re_2", "du_1", "re_1"]


def download(name: str, days: int, times: int, first: int | None = None) -> Download:
    first_at = None if first is None else NOW + first * DAY
    return Download(CheckoutId("c1"), BOOK, name, last_at=NOW + days * DAY, times=times, first_at=first_at)


def test_runs_of_the_same_are_folded_into_one_entry() -> None:
    links = [
        replace(samples.a_link(f"l{n}"), used_at=NOW + n * MINUTE, id=LinkId(f"l{n}")) for n in (1, 2, 3)
    ]
    found = timeline(
        Happened(
            downloads=[download("a", 9, 4, first=3), download("b", 8, 1, first=8), replace(download("a", 7, 2, first=5), checkout=CheckoutId("c2"))],
            links=links,
        )
    )  # fmt: skip
    assert [(entry.step, entry.at, entry.since, entry.times) for entry in found] == [
        (Step.DOWNLOADED, NOW + 9 * DAY, NOW + 3 * DAY, 4),
        (Step.DOWNLOADED, NOW + 8 * DAY, None, 1),
        (Step.DOWNLOADED, NOW + 7 * DAY, NOW + 5 * DAY, 2),
        (Step.LINK_USED, NOW + 3 * MINUTE, NOW + 1 * MINUTE, 3),
    ]
    assert found[3].about is links[2], "the newest of them"


def test_what_differs_is_not_folded() -> None:
    mails = [replace(samples.a_mail(f"m{n}"), queued_at=NOW + n * DAY) for n in (1, 2, 3)]
    mails[0] = replace(mails[0], state=MailState.STUCK)
    found = timeline(Happened(mails=mails, holdings=[held("c1", REFUND, replace(REFUND, object_id="re_2"))]))
    assert [(entry.step, entry.times) for entry in found] == [
        (Step.MAILED, 2), (Step.MAILED, 1), (Step.BOOKED, 1), (Step.TOLD, 1), (Step.TOLD, 1),
    ]  # fmt: skip


@pytest.fixture
def shop() -> Shop:
    return Shop()


def sold(shop: Shop) -> CheckoutId:
    Browser(shop).buy_and_pay(str(ANNA))
    [one] = run(shop.store.read(lambda tx: tx.purchases.page_after("", limit=9)))
    return one.purchase.checkout


def steps(entries: object) -> list[str]:
    assert isinstance(entries, list)
    return [entry.step.name for entry in entries if isinstance(entry, Entry)]


def shown(shop: Shop, order: CheckoutId) -> SaleShown:
    found = run(ShowSale(store=shop.store, clock=shop.clock)(order))
    assert found is not None
    return found


def test_a_sale_shows_what_happened_newest_first(shop: Shop) -> None:
    order = sold(shop)
    shop.clock.tick(minutes=5)
    run(shop.store.transact(lambda tx: tx.downloads.mark_opened(order, at=shop.clock.now())))
    shop.clock.tick(minutes=5)
    anna = Browser(shop)
    anna.press(shop.last_link(str(ANNA)))
    sale = shown(shop, order)
    assert steps(sale.timeline) == ["LINK_USED", "OPENED", "MAILED", "BOOKED", "BEGAN"]
    assert (sale.reason.state, sale.erased, sale.counts) == (SaleState.OPEN, False, True)
    assert sale.user is not None
    assert sale.user.proved_at == shop.clock.now()
    assert sale.others == []
    assert run(ShowSale(store=shop.store, clock=shop.clock)(CheckoutId("none"))) is None


def test_a_person_sees_why_each_product_opens_or_does_not(shop: Shop) -> None:
    order = sold(shop)
    show = ShowPerson(store=shop.store, clock=shop.clock)
    person = run(show(ANNA, product=ProductId("photos")))
    assert isinstance(person, Person)
    assert [(one.product, one.name, type(one.access)) for one in person.access] == [
        ("book", "The book", Opens),
        ("photos", "", NotYours),
    ]
    payment = shown(shop, order).held.purchase.payment
    assert payment is not None
    fact = replace(REFUND, payment=payment, as_of=int((shop.clock.now() + timedelta(seconds=9)).timestamp()))
    shop.hear_fact(fact)
    person = run(show(ANNA))
    assert person is not None
    [book] = person.access
    assert isinstance(book.access, Closed)
    assert book.access.standing.state is PurchaseState.REFUNDED
    assert "TOLD" in steps(person.timeline)
    assert run(show(EmailAddress("nobody@example.com"))) is None
