"""The access email once more, the receipt, what the email provider reports of a mail, and news of a new version."""

from __future__ import annotations

import copy
from dataclasses import replace

from domain.fact import FactKind
from domain.mail import Delivery, MailState
from domain.ports import DeliveryReport, InvalidWebhook, MailUnknown, OtherReport
from domain.product import GoodsFile
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor, Role
from domain.usecases.announce import Announced
from domain.usecases.handle_email_webhook import EmailWebhookHandled, HandleEmailWebhook
from domain.usecases.link_outcomes import SignedIn
from domain.usecases.look_at_release import TrialQueued
from domain.usecases.open_purchase import OpenPurchase
from domain.usecases.resend_access_link import Resent
from domain.usecases.show_receipt import ShowReceipt
from domain.values import CheckoutId, EmailAddress, ProductId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from entrypoints.testing.fakes import BASE_URL
from testkit import by_hand
from testkit.owners import ANNA, BEN, WRONG, order_of, signed_in
from testkit.stepping import run

# ------------------------------------------------------------------ the access email, the receipt


def test_an_access_email_is_sent_again_to_its_owner_and_to_nobody_else() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(ANNA)
    order = order_of(shop, ref)
    answers = [run(shop.resend(anna.visitor, order)) for _ in range(4)]
    assert answers == [Resent.QUEUED] * 3 + [Resent.ENOUGH]
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to(ANNA)] == ["Your purchase: The book"] * 4
    assert isinstance(Browser(shop).press(shop.last_link(ANNA)), SignedIn)
    assert run(shop.resend(Browser(shop).visitor, order)) is Resent.NOT_YOURS
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=900))
    shop.clock.tick(hours=1)
    assert run(shop.resend(anna.visitor, order)) is Resent.NOT_YOURS


def test_a_receipt_is_for_those_who_may_know_of_the_order() -> None:
    shop = Shop()
    anna, thief = Browser(shop), Browser(shop)
    order = order_of(shop, anna.buy_and_pay(ANNA))
    thief.buy_and_pay(BEN)
    show = ShowReceipt(store=shop.store, payments=shop.payments, clock=shop.clock)
    found = run(show(anna.visitor, order))
    assert found is not None
    assert found.holding.purchase.checkout == order
    assert run(show(thief.visitor, order)) is None
    assert run(show(Browser(shop).visitor, order)) is None
    assert run(show(anna.visitor, CheckoutId("nothing"))) is None


# ------------------------------------------------------------------ what the email provider reports


class Reports:
    """Reports as they were given."""

    def __init__(self) -> None:
        self.next: DeliveryReport | OtherReport | InvalidWebhook = InvalidWebhook(reason="nothing")

    def parse_webhook(
        self, body: bytes, headers: object, *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        return self.next


def reported(shop: Shop, key: str, delivery: Delivery) -> str:
    reports = Reports()
    reports.next = DeliveryReport(key=key, delivery=delivery)
    hear = HandleEmailWebhook(store=shop.store, reports=reports, catalogue=shop.catalogue, clock=shop.clock)
    heard = run(hear(b"", {}))
    assert isinstance(heard, EmailWebhookHandled)
    return heard.outcome.value


def test_reports_commute_and_the_weightiest_stays() -> None:
    for order in ([Delivery.ACCEPTED, Delivery.DELIVERED, Delivery.BOUNCED],
                  [Delivery.BOUNCED, Delivery.DELIVERED, Delivery.ACCEPTED],
                  [Delivery.DELIVERED, Delivery.BOUNCED, Delivery.DELIVERED]):  # fmt: skip
        shop = Shop()
        Browser(shop).buy_and_pay(ANNA)
        [key] = shop.memory.tables.outbox
        for delivery in order:
            reported(shop, key, delivery)
        assert shop.memory.tables.outbox[key].delivery is Delivery.BOUNCED
        assert run(shop.report()).tally.bounced == 1


def test_an_access_email_that_bounced_is_told_to_the_browser_that_paid_and_to_the_merchant() -> None:
    shop = Shop()
    anna = Browser(shop)
    order = order_of(shop, anna.buy_and_pay(WRONG))
    page = OpenPurchase(identify_viewer=shop.identify_viewer, store=shop.store, clock=shop.clock)
    before = run(page(anna.visitor, BOOK))
    assert before.access_email is not None
    assert (before.access_email.arrived, before.access_email.returned, before.correctable) == (
        True,
        False,
        True,
    )
    assert reported(shop, f"access:{order}", Delivery.BOUNCED) == "bounced"
    assert reported(shop, f"access:{order}", Delivery.BOUNCED) == "known"
    after = run(page(anna.visitor, BOOK))
    assert after.access_email is not None
    assert (after.access_email.returned, after.correctable) == (True, True)
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to("help@shop.example")] == ["An access email bounced"]
    shop.clock.tick(hours=1)
    assert run(page(anna.visitor, BOOK)).correctable is False


def test_a_report_settles_a_mail_whose_outcome_was_unknown() -> None:
    shop = Shop()
    shop.mailer.failing = MailUnknown("the line broke")
    Browser(shop).buy_and_pay(ANNA)
    [key] = shop.memory.tables.outbox
    assert shop.memory.tables.outbox[key].state is MailState.QUEUED
    shop.mailer.failing = None
    reported(shop, key, Delivery.DELIVERED)
    assert shop.memory.tables.outbox[key].state is MailState.SENT
    shop.clock.tick(hours=2)
    shop.deliver_mail()
    assert not shop.mailer.handed, "not sent again"


def test_a_report_on_a_mail_we_do_not_have_changes_nothing() -> None:
    shop = Shop()
    assert reported(shop, "access:nothing", Delivery.BOUNCED) == "known"


# ------------------------------------------------------------------ news


def announce(shop: Shop) -> tuple[int, int, int]:
    found = run(shop.announce(BOOK, actor=Actor.on_host("ada"), form="f1"))
    assert isinstance(found, Announced)
    shop.deliver_mail()
    return found.queued, found.known, found.left_out


def test_owners_hear_of_a_new_version_once_unless_they_said_no() -> None:
    shop = Shop(
        edition=an_edition(a_product(BOOK), a_product(PHOTOS), a_product(ProductId("pack"), contains=(BOOK,)))
    )
    Browser(shop).buy_and_pay(ANNA)
    Browser(shop).buy_and_pay(BEN, ProductId("pack"))
    Browser(shop).buy_and_pay("cy@example.com", PHOTOS)
    refunded = Browser(shop).buy_and_pay("dora@example.com")
    shop.hear_fact(shop.payments.tell(refunded, FactKind.REFUND, "succeeded", amount=900))
    assert announce(shop) == (2, 0, 1)
    assert announce(shop) == (0, 2, 1), "run again, nobody hears of the same files twice"
    letter = shop.letters_to(ANNA)[-1]
    assert letter.subject == "A new version: The book"
    token = letter.no_more_url.rpartition("/")[2]
    assert letter.no_more_url in letter.text
    assert run(shop.news.no_more(token)) is True
    assert run(shop.news.no_more(token[:-1] + ("0" if token[-1] != "0" else "1"))) is False
    shop.catalogue.edition = _new_files(shop)
    assert announce(shop) == (1, 0, 2)
    assert shop.letters_to(ANNA)[-1] == letter


def _new_files(shop: Shop) -> object:
    book = replace(
        shop.edition.products[BOOK], files=(GoodsFile(name="it.txt", title="It", size=6, sha256="00"),)
    )
    return replace(shop.edition, products={**shop.edition.products, BOOK: book})


def counted(shop: Shop) -> tuple[int, int, int]:
    seen = run(shop.look_at_release(BOOK))
    assert seen is not None
    assert seen.complete
    return seen.wanted, seen.known, seen.left_out


def test_what_an_announcement_would_do_is_what_it_does() -> None:
    shop = Shop(
        edition=an_edition(a_product(BOOK), a_product(PHOTOS), a_product(ProductId("pack"), contains=(BOOK,)))
    )
    assert counted(shop) == (0, 0, 0)
    signed_in(shop)
    Browser(shop).buy_and_pay(BEN, ProductId("pack"))
    Browser(shop).buy_and_pay("cy@example.com", PHOTOS)
    refunded = Browser(shop).buy_and_pay("dora@example.com")
    shop.hear_fact(shop.payments.tell(refunded, FactKind.REFUND, "succeeded", amount=900))
    before = copy.deepcopy(shop.memory.tables)
    assert counted(shop) == (2, 0, 1)
    assert shop.memory.tables == before
    assert announce(shop) == (2, 0, 1)
    assert counted(shop) == (0, 2, 1)
    for number in range(120):
        Browser(shop).buy_and_pay(f"reader{number}@example.com")
    shop.catalogue.edition = _new_files(shop)
    assert counted(shop) == announce(shop) == (122, 0, 1), "in more than one piece"


def test_the_page_before_an_announcement_shows_the_email_that_owners_get() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    seen = run(shop.look_at_release(BOOK))
    assert seen is not None
    assert seen.letter is not None
    announce(shop)
    sent = shop.letters_to(ANNA)[-1]
    assert seen.letter.subject == sent.subject
    assert seen.letter.text.replace(f"{BASE_URL}/account", sent.no_more_url) == sent.text


def test_a_test_goes_to_whoever_asks_once_and_to_no_owner() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    shop.deliver_mail()
    before = len(shop.letters_to(ANNA))
    me, owner = EmailAddress("owner@example.com"), Actor("staff:o1", role=Role.OWNER, fresh=True)
    for _ in range(2):
        assert run(shop.try_announcement(BOOK, me, actor=owner, form="t1")) == TrialQueued(me)
    shop.deliver_mail()
    [letter] = shop.letters_to("owner@example.com")
    assert letter.subject == "A new version: The book"
    assert f"{BASE_URL}/account" in letter.text
    assert letter.no_more_url == ""
    assert "coatcheck:" not in letter.text + letter.html, "no placeholder is left"
    assert len(shop.letters_to(ANNA)) == before
    assert announce(shop) == (1, 0, 0), "it counts for nobody"
    lines = [(line.action.value, line.actor) for line in by_hand.log(shop)]
    assert lines == [("try-announcement", "staff:o1"), ("announce", "cli:ada")]
    stale = replace(owner, fresh=False)
    assert run(shop.try_announcement(BOOK, me, actor=stale, form="f2")) == NotAllowed(Verdict.PROVE_AGAIN)
    assert run(shop.try_announcement(ProductId("nothing"), me, actor=owner, form="f3")) is None


def test_saying_no_between_announcement_and_delivery_counts() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    run(shop.announce(BOOK, actor=Actor.on_host("ada"), form="f1"))
    assert run(shop.news.here(anna.visitor, wanted=False))
    shop.deliver_mail()
    assert not [m for m in shop.letters_to(ANNA) if "new version" in m.subject]
    assert run(shop.news.here(Browser(shop).visitor, wanted=True)) is False


def test_mailboxes_that_bounce_or_complain_hear_no_news() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    [key] = shop.memory.tables.outbox
    reported(shop, key, Delivery.COMPLAINED)
    assert announce(shop) == (0, 0, 1)


def test_nothing_is_announced_of_a_product_that_is_not_there() -> None:
    assert run(Shop().announce(ProductId("nothing"), actor=Actor.on_host("ada"), form="f1")) is None
    assert run(Shop().look_at_release(ProductId("nothing"))) is None
