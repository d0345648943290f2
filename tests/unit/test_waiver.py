"""The waiver for digital content: what is asked, what is stored, and what the purchase email repeats."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec.structs import replace as replace_struct

from adapters.files.law import WAIVER_TEXTS
from adapters.languages.packaged import PackagedLanguages
from adapters.stripe.offering import create_params
from adapters.stripe.wire import StripeSession, reading_of
from domain.claim import ProviderCheckout, RejectReason, draft_of, terms_of
from domain.emails import AccessLink
from domain.law import LawTerms
from domain.mail import BODY_KEPT
from domain.ports import CheckoutOffer
from domain.purchase import Checkout, Purchase
from domain.usecases.checkout_outcomes import AlreadyYours, RedirectToPayment, Started, WaiverNeeded
from domain.values import EmailAddress, ProviderRef
from domain.waiver import NO_BOXES, Boxes, Waiver, WaiverMissing, WaiverText, waiver_given
from entrypoints.testing import BOOK, Browser, Shop, a_product
from entrypoints.testing.fakes import an_edition
from testkit.stepping import run
from testkit.waivers import TEXT, TICKED, a_shop_with_waiver, an_edition_with_waiver

ANNA = "anna@example.com"
OLD = WaiverText(language="en", wants="I want it.", knows="I know it.")


def pressed(browser: Browser, boxes: Boxes, *, again: bool = False) -> Started:
    return run(browser.shop.start_checkout(browser.visitor, BOOK, again=again, boxes=boxes))


def only_checkout(shop: Shop) -> Checkout:
    [checkout] = shop.memory.tables.checkouts.values()
    return checkout


def only_purchase(shop: Shop) -> Purchase:
    [purchase] = shop.memory.tables.purchases.values()
    return purchase


# ---------------------------------------------------------------- the text


def test_every_text_that_was_ever_released_is_still_there_and_none_changed() -> None:
    """It is the proof of sales: add a new text below the others, and its hash here."""
    assert [(text.language, text.hash) for text in WAIVER_TEXTS] == [
        ("en", "186c4849dc7bc3c37f76b466f05e4009"),
        ("de", "c1dfa9f3129a42e91483e63391b1aa76"),
        ("es", "08a9cc0431bda2d1e646f781dedcc60d"),
        ("fr", "64ec58f0152516b8d337e286cce7c8d2"),
        ("it", "78c0bfeb2781a866764bc2d5646d7e46"),
        ("nl", "24bf0015d834e525a24018ab83ed0359"),
    ]


def test_every_language_of_the_shop_has_a_text() -> None:
    assert {text.language for text in WAIVER_TEXTS} == {*PackagedLanguages().codes}


def test_a_hash_is_128_bits_of_language_and_both_sentences_and_each_of_them_counts() -> None:
    exact = "en\nI want it.\nI know it."
    assert hashlib.sha256(exact.encode()).hexdigest()[:32] == OLD.hash
    others = {replace(OLD, **{name: "x"}).hash for name in ("language", "wants", "knows")}
    assert len({OLD.hash, *others}) == 4


def test_the_last_text_of_a_language_is_shown_in_another_language_the_first_there_is() -> None:
    german = WaiverText(language="de", wants="Ich möchte", knows="Ich weiß")
    law = LawTerms(waiver=True, waiver_texts=(OLD, german, TEXT))
    assert [law.text_in(language) for language in ("en", "de", "fr")] == [TEXT, german, TEXT]
    assert [law.text_of(one.hash) for one in (OLD, german)] == [OLD, german]
    assert law.text_of("0" * 32) is None
    assert LawTerms(waiver_texts=(TEXT,)).text_in("en") is None


@pytest.mark.parametrize(
    "written", ["", "wait", "ab en 1", f"{'ab' * 16} en", f"{'AB' * 16} en 1", f"{'ab' * 16} en 1 2"]
)
def test_what_is_no_waiver_is_not_read_as_one(written: str) -> None:
    assert Waiver.read(written) is None


# ---------------------------------------------------------------- the boxes


def test_without_the_switch_nothing_is_asked_and_nothing_is_stored() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(ANNA)
    assert only_checkout(shop).waiver is None
    assert only_purchase(shop).waiver is None
    assert "withdraw" not in shop.letters_to(ANNA)[0].text


@pytest.mark.parametrize(
    ("boxes", "missing"),
    [
        (NO_BOXES, WaiverMissing(wants=False, knows=False)),
        (replace(TICKED, wants=False), WaiverMissing(wants=False, knows=True)),
        (replace(TICKED, knows=False), WaiverMissing(wants=True, knows=False)),
        (replace(TICKED, text=OLD.hash), WaiverMissing(wants=False, knows=False, outdated=True)),
        (replace(TICKED, text=""), WaiverMissing(wants=False, knows=False, outdated=True)),
        (Boxes(text=OLD.hash), WaiverMissing(wants=False, knows=False)),
    ],
)
def test_without_both_boxes_beside_todays_text_no_checkout_begins(
    boxes: Boxes, missing: WaiverMissing
) -> None:
    shop = Shop(edition=an_edition_with_waiver(texts=(OLD, TEXT)))
    answer = pressed(Browser(shop), boxes)
    assert isinstance(answer, WaiverNeeded)
    assert (answer.missing, answer.again) == (missing, None)
    assert not shop.memory.tables.checkouts
    assert not shop.payments.calls
    assert not shop.memory.tables.limits, "no place is taken by a form that lacks a box"


def test_both_boxes_begin_a_checkout_that_knows_text_language_and_second() -> None:
    shop = a_shop_with_waiver()
    shop.clock.tick(seconds=0.25)
    assert isinstance(pressed(Browser(shop), TICKED), RedirectToPayment)
    assert only_checkout(shop).waiver == Waiver(TEXT.hash, "en", shop.clock.now().replace(microsecond=0))


def test_the_same_form_submitted_twice_is_one_checkout_and_one_with_another_text_is_not() -> None:
    shop = Shop(edition=an_edition_with_waiver(texts=(TEXT, replace(OLD, language="de"))))
    browser = Browser(shop)
    first = browser.buy(boxes=TICKED)
    shop.clock.tick(seconds=5)
    assert browser.buy(boxes=TICKED) == first
    german = replace(TICKED, text=replace(OLD, language="de").hash)
    assert browser.buy(boxes=german) != first


def test_an_owner_is_asked_first_whether_to_buy_again_and_then_for_the_boxes() -> None:
    shop = a_shop_with_waiver()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, boxes=TICKED)
    assert isinstance(pressed(anna, NO_BOXES), AlreadyYours)
    answer = pressed(anna, NO_BOXES, again=True)
    assert isinstance(answer, WaiverNeeded)
    assert isinstance(answer.again, AlreadyYours)
    assert isinstance(pressed(anna, TICKED, again=True), RedirectToPayment)


def test_what_is_free_needs_no_boxes() -> None:
    shop = a_shop_with_waiver(a_product(price=0))
    browser = Browser(shop)
    browser.take(email=ANNA)
    shop.deliver_mail()
    browser.press(shop.last_link(ANNA))
    assert only_purchase(shop).waiver is None


def test_a_waiver_is_given_only_beside_a_text_that_is_shown() -> None:
    now = Shop().clock.now()
    assert waiver_given(TICKED, (), now=now) == WaiverMissing(wants=False, knows=False, outdated=True)
    assert waiver_given(TICKED, (TEXT,), now=now) == Waiver(TEXT.hash, "en", now)


# ---------------------------------------------------------------- metadata, seal, claim


def test_stripe_is_told_of_the_waiver_in_the_metadata_of_session_and_payment() -> None:
    shop = a_shop_with_waiver()
    Browser(shop).buy(boxes=TICKED)
    checkout = only_checkout(shop)
    offer = CheckoutOffer(
        checkout=checkout,
        shop="shop-1",
        seal="s",
        summary="",
        success_url="https://a/{}",
        cancel_url="https://a/b",
    )
    params = create_params(offer)
    second = int(checkout.started_at.timestamp())
    assert checkout.waiver is not None
    assert params["metadata"]["waiver"] == f"{TEXT.hash} en {second}"
    assert params["payment_intent_data"]["metadata"]["waiver"] == checkout.waiver.written
    assert "waiver" not in create_params(replace(offer, checkout=replace(checkout, waiver=None)))["metadata"]


def test_stripes_answer_brings_the_waiver_back() -> None:
    session = StripeSession(id="cs_test_1", created=1, livemode=False, metadata={"waiver": "as it was"})
    assert reading_of(session, as_of=1).waiver == "as it was"
    assert reading_of(replace_struct(session, metadata=None), as_of=1).waiver == ""


def test_a_seal_vouches_for_the_waiver_in_a_version_of_its_own_and_older_seals_still_hold() -> None:
    shop = a_shop_with_waiver()
    now = shop.clock.now()
    draft = draft_of(a_product(), a_product().price, livemode=False, entropy=b"0123456789", now=now)
    plain, discounted = terms_of(draft, shop="s"), terms_of(replace(draft, discounts=True), shop="s")
    waived = terms_of(replace(draft, waiver=Waiver(TEXT.hash, "en", now)), shop="s")
    assert [terms.version for terms in (plain, discounted, waived)] == ["v1", "v2", "v3"]
    assert b"v1\x1fs\x1ftest\x1f" in plain.message()
    assert plain.message().count(b"\x1f") == 6
    assert discounted.message().count(b"\x1f") == 8
    seal = shop.keyring.seal(waived)
    assert shop.keyring.seal_holds(seal, waived)
    for other in (
        plain,
        replace(waived, waiver=waived.waiver.replace(" en ", " de ")),
        replace(waived, waiver=""),
    ):
        assert not shop.keyring.seal_holds(seal, other)
    assert not shop.keyring.seal_holds(shop.keyring.seal(plain), waived), "nobody adds a waiver afterwards"


def restored(before: Shop, ref: ProviderRef, *, reading: ProviderCheckout | None = None) -> Shop:
    """A shop of the same catalogue and secret whose database is gone, and which hears of the session."""
    after = Shop(edition=before.edition)
    after.clock.time = before.clock.time + timedelta(days=3)
    after.payments.invent(reading or before.payments.sessions[ref])
    after.hear_of(ref)
    return after


def test_a_restored_shop_still_knows_the_waiver_and_repeats_it_to_the_byte() -> None:
    before = a_shop_with_waiver()
    ref = Browser(before).buy_and_pay(ANNA, boxes=TICKED)
    after = restored(before, ref)
    after.deliver_mail()
    assert only_purchase(after).waiver == only_purchase(before).waiver is not None
    assert only_checkout(after).waiver == only_checkout(before).waiver
    [first], [second] = before.letters_to(ANNA), after.letters_to(ANNA)
    assert (first.text, first.html, first.idempotency_key) == (
        second.text,
        second.html,
        second.idempotency_key,
    )


@pytest.mark.parametrize("forged", ["", f"{'ab' * 16} en 1", "wait 1"])
def test_a_restored_shop_believes_no_waiver_that_was_not_sealed(forged: str) -> None:
    before = a_shop_with_waiver()
    ref = Browser(before).buy_and_pay(ANNA, boxes=TICKED)
    after = restored(before, ref, reading=replace(before.payments.sessions[ref], waiver=forged))
    assert not after.memory.tables.purchases
    assert [entry.reason for entry in after.memory.tables.quarantined.values()] == [
        RejectReason.UNKNOWN_CHECKOUT
    ]


def test_a_session_claimed_with_its_row_knows_the_waiver_of_the_row_alone() -> None:
    shop = a_shop_with_waiver()
    anna = Browser(shop)
    ref = anna.buy(boxes=TICKED)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], waiver=f"{'ab' * 16} en 1")
    shop.payments.pay(ref, email=ANNA)
    anna.come_back(ref)
    assert only_purchase(shop).waiver == only_checkout(shop).waiver


# ---------------------------------------------------------------- the purchase email


def test_the_purchase_email_repeats_both_sentences_in_full_with_date_and_time_of_the_shops_zone() -> None:
    edition = an_edition_with_waiver()
    shop = Shop(edition=replace(edition, shop=replace(edition.shop, timezone="Europe/Berlin")))
    Browser(shop).buy_and_pay(ANNA, boxes=TICKED)
    [letter] = shop.letters_to(ANNA)
    for sentence in TEXT.sentences:
        assert sentence in letter.text
        assert sentence in letter.html
    for body in (letter.text, letter.html):
        assert "on 1 March 2026, 13:00 CET you agreed to this:" in body


def test_an_access_link_that_is_sent_again_repeats_it_too_though_the_switch_is_off_by_now() -> None:
    shop = a_shop_with_waiver()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, boxes=TICKED)
    edition = shop.catalogue.current()
    law = replace(edition.shop.law, waiver=False)
    shop.catalogue.edition = replace(edition, shop=replace(edition.shop, law=law))
    run(shop.resend(anna.visitor, only_purchase(shop).checkout))
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == 2
    assert TEXT.wants in shop.letters_to(ANNA)[1].text


def test_a_text_that_this_version_does_not_know_is_not_claimed_to_be_repeated() -> None:
    before = a_shop_with_waiver()
    ref = Browser(before).buy_and_pay(ANNA, boxes=TICKED)
    older = Shop(edition=an_edition())
    older.payments.invent(before.payments.sessions[ref])
    older.hear_of(ref)
    [mail] = older.memory.tables.outbox.values()
    assert isinstance(mail.email, AccessLink)
    assert mail.email.waiver is None
    assert not mail.repeats_waiver
    assert only_purchase(older).waiver is not None


def test_a_template_of_the_merchants_that_leaves_the_waiver_out_is_not_used_for_it() -> None:
    edition = an_edition_with_waiver()
    own = (("access_link.txt", "Yours\n\n{{ link }}"), ("access_link.html", "<p>{{ link }}"))
    shop = Shop(edition=replace(edition, shop=replace(edition.shop, emails=own)))
    Browser(shop).buy_and_pay(ANNA, boxes=TICKED)
    assert TEXT.knows in shop.letters_to(ANNA)[0].text
    without = Shop(edition=replace(an_edition(), shop=replace(an_edition().shop, emails=own)))
    Browser(without).buy_and_pay(ANNA)
    assert without.letters_to(ANNA)[0].subject == "Yours"


def test_the_body_of_that_email_is_kept_until_its_customer_is_erased() -> None:
    shop = a_shop_with_waiver()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA, boxes=TICKED)
    shop.clock.tick(days=400)
    run(shop.store.transact(lambda tx: tx.retention.prune(now=shop.clock.now() + BODY_KEPT)))
    [mail] = shop.memory.tables.outbox.values()
    assert mail.letter is not None
    assert TEXT.wants in mail.letter.text
    assert "/login/" not in mail.letter.text, "the link is not in it"
    run(
        shop.store.transact(
            lambda tx: [
                tx.erasures.erase(EmailAddress(ANNA), at=shop.clock.now()),
                tx.erasures.forget(EmailAddress(ANNA)),
            ]
        )
    )
    assert not shop.memory.tables.outbox
    assert only_purchase(shop).waiver is not None, "it says nothing of who gave it"
