"""The claim: what counts as a sale of ours, and what a sale leaves in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from adapters.memory.store import MemoryStore
from adapters.memory.transaction import MemoryTransaction
from domain.claim import AwaitingPayment, NotPaid, Rejected, RejectReason
from domain.fact import Fact, FactKind
from domain.keys import Keyring
from domain.mail import MailKind
from domain.transaction import Transaction
from domain.usecases.claim_outcome import Booked, ClaimOutcome
from domain.usecases.return_outcomes import Claimed, Confirming, UnknownCheckout
from domain.values import EmailAddress, Money, ProviderRef
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit import by_hand
from testkit.stepping import run

ANNA = "anna@example.com"
T = TypeVar("T")


def access_emails(shop: Shop) -> list[str]:
    return [m.key for m in shop.memory.tables.outbox.values() if m.kind is MailKind.ACCESS]


def test_the_redirect_books_the_sale_and_its_access_email_goes_out() -> None:
    """Whoever comes first sends the mail: in the tutorial only the webhook did."""
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    assert anna.come_back(ref) == Claimed(here=True)
    shop.deliver_mail()
    assert anna.owned == {BOOK}
    assert [m.subject for m in shop.letters_to(ANNA)] == ["Your purchase: The book"]


def test_the_webhook_books_the_sale_and_the_redirect_finds_it() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref) == "booked"
    calls = len(shop.payments.calls)
    assert anna.come_back(ref) == Claimed(here=True)
    assert len(shop.payments.calls) == calls, "nobody is asked about what stands in the store"
    assert len(access_emails(shop)) == 1


def test_every_delivery_runs_the_claim_and_only_the_first_books() -> None:
    shop = Shop()
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    outcomes = [shop.hear_of(ref, event=e) for e in ("evt_1", "evt_1", "evt_2")]
    assert outcomes == ["booked", "known", "known"]
    assert len(shop.memory.tables.purchases) == len(access_emails(shop)) == 1


def test_a_logged_event_does_not_keep_its_second_delivery_from_booking() -> None:
    """The log never decides: a first delivery that was heard too early must not shut out the next."""
    shop = Shop()
    ref = Browser(shop).buy()
    assert shop.hear_of(ref, event="evt_1") == "open"
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref, event="evt_1") == "booked"


def test_a_purchase_belongs_to_the_mailbox_that_was_proved_when_it_began() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    ref = anna.buy(PHOTOS)
    held = shop.payments.sessions[ref]
    shop.payments.sessions[ref] = replace(
        held, email="typed@elsewhere.example", status="paid", payment="pi_2"
    )
    shop.hear_of(ref)
    purchase = next(p for p in shop.memory.tables.purchases.values() if p.product == PHOTOS)
    assert purchase.mailbox == EmailAddress(ANNA)
    assert purchase.paid_email == EmailAddress("typed@elsewhere.example")


def test_one_user_for_one_mailbox_however_it_is_written() -> None:
    shop = Shop()
    for spelling in ("Anna@Example.com", "anna@example.com", " ANNA@EXAMPLE.COM ", "anna＠example.com"):
        ref = Browser(shop).buy()
        shop.payments.pay(ref, email=spelling)
        assert shop.hear_of(ref) == "booked"
    assert [u.mailbox.canonical for u in shop.memory.tables.users.values()] == [ANNA]


def test_the_snapshot_decides_and_not_todays_catalogue() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.catalogue.edition = an_edition(a_product(PHOTOS, price=5000))
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref) == "booked"
    [purchase] = shop.memory.tables.purchases.values()
    assert (purchase.paid, purchase.product_name) == (Money(900, "usd"), "The book")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subtotal": 899, "total": 899}, RejectReason.WRONG_AMOUNT),
        ({"total": 901}, RejectReason.WRONG_AMOUNT),
        ({"currency": "eur"}, RejectReason.WRONG_CURRENCY),
        ({"discount": 100, "total": 800}, RejectReason.UNASKED_DISCOUNT),
        ({"mode": "subscription"}, RejectReason.NOT_A_PAYMENT),
        ({"livemode": True}, RejectReason.OTHER_MODE),
        ({"product": "photos"}, RejectReason.WRONG_PRODUCT),
    ],
)
def test_what_does_not_match_goes_to_quarantine(change: dict[str, object], reason: RejectReason) -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], **change)  # type: ignore[arg-type]
    assert shop.hear_of(ref).startswith("quarantined")
    assert shop.memory.tables.quarantined[ref].reason is reason
    assert not shop.memory.tables.purchases
    assert isinstance(anna.come_back(ref), Rejected)
    assert isinstance(anna.come_back(ref), Rejected), "the page does not alternate with another one"
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to("help@shop.example")] == ["A payment is waiting for you"]


def test_tax_on_top_of_the_price_is_no_reason_to_refuse() -> None:
    shop = Shop()
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], tax=171, total=1071)
    assert shop.hear_of(ref) == "booked"
    [purchase] = shop.memory.tables.purchases.values()
    assert purchase.paid == Money(1071, "usd")


def foreign(where: Shop, **change: object) -> ProviderRef:
    """A paid session that is not the one this shop made."""
    real = Browser(where).buy()
    fake = replace(
        where.payments.sessions[real], ref=ProviderRef("cs_test_other"), status="paid", email=ANNA, **change
    )  # type: ignore[arg-type]
    where.payments.invent(fake)
    return fake.ref


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, RejectReason.ANOTHER_SESSION),
        ({"reference": None, "product": None, "seal": None, "shop": None}, RejectReason.NO_METADATA),
        ({"reference": "unknown"}, RejectReason.UNKNOWN_CHECKOUT),
        ({"reference": None}, RejectReason.UNKNOWN_CHECKOUT),
        ({"reference": "unknown", "shop": "another"}, RejectReason.ANOTHER_SHOP),
        ({"reference": "unknown", "product": "nothing"}, RejectReason.UNKNOWN_PRODUCT),
        ({"reference": "unknown", "product": "../etc"}, RejectReason.UNKNOWN_PRODUCT),
        ({"reference": "unknown", "seal": "v1.x.é"}, RejectReason.UNKNOWN_CHECKOUT),
    ],
)
def test_nothing_unknown_is_fulfilled(change: dict[str, object], reason: RejectReason) -> None:
    shop = Shop()
    ref = foreign(shop, **change)
    theirs = reason in (RejectReason.NO_METADATA, RejectReason.ANOTHER_SHOP)
    kind = "not ours: " if theirs else "quarantined: "
    assert shop.hear_of(ref).startswith(kind)
    assert shop.memory.tables.quarantined[ref].reason is reason
    assert not shop.memory.tables.purchases


def test_a_restored_shop_knows_its_own_seal_and_takes_one_session_for_it() -> None:
    """The database is gone, the secret and the id are not: the seal alone says that a session is ours, once."""
    before, after = Shop(), Shop()
    ref = Browser(before).buy()
    before.payments.pay(ref, email=ANNA)
    real = before.payments.sessions[ref]
    after.payments.invent(real)
    after.payments.invent(replace(real, ref=ProviderRef("cs_test_second"), payment="pi_second"))
    assert after.hear_of(ref) == "booked"
    assert after.hear_of(ProviderRef("cs_test_second")) == "quarantined: another session"
    after.deliver_mail()
    assert len(after.letters_to(ANNA)) == 1


def test_a_seal_of_a_secret_that_was_taken_out_is_worth_nothing() -> None:
    before, after = Shop(), Shop(secrets=("another secret that is long enough for tests",))
    ref = Browser(before).buy()
    before.payments.pay(ref, email=ANNA)
    after.payments.invent(before.payments.sessions[ref])
    assert after.hear_of(ref) == "quarantined: unknown checkout"


def test_a_crash_between_the_providers_answer_and_our_note_of_it_loses_no_sale() -> None:
    shop = Shop()
    ref = Browser(shop).buy()
    [checkout] = shop.memory.tables.checkouts.values()
    shop.memory.tables.checkouts[checkout.id] = replace(checkout, provider_ref=None)
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref) == "booked"
    assert shop.memory.tables.checkouts[checkout.id].provider_ref == ref


def test_quarantine_is_tried_again_and_closed_by_the_claim_that_succeeds() -> None:
    shop = Shop()
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    paid = shop.payments.sessions[ref]
    shop.payments.sessions[ref] = replace(paid, subtotal=899)
    assert shop.hear_of(ref) == "quarantined: wrong amount"
    shop.payments.sessions[ref] = paid
    shop.clock.tick(minutes=6)
    assert run(shop.retry_quarantine()) == 1
    assert not run(shop.report()).quarantine
    assert len(access_emails(shop)) == 1


def test_a_dismissed_entry_stays_dismissed_when_stripe_tells_again() -> None:
    shop = Shop()
    ref = foreign(shop, reference="unknown")
    shop.hear_of(ref)
    assert by_hand.dismiss(shop, ref)
    shop.hear_of(ref, event="evt_2")
    assert run(shop.report()).all_well is True


def test_the_merchant_is_told_of_the_first_of_a_kind_only() -> None:
    shop = Shop()
    for number in range(3):
        shop.payments.invent(
            replace(
                shop.payments.sessions[Browser(shop).buy()],
                ref=ProviderRef(f"cs_test_f{number}"), reference=None, status="paid",
            )
        )  # fmt: skip
        shop.hear_of(ProviderRef(f"cs_test_f{number}"), event=f"evt_{number}")
    shop.deliver_mail()
    assert len(shop.letters_to("help@shop.example")) == 1


def test_a_session_with_a_status_that_a_newer_version_stored_is_not_paid() -> None:
    shop = Shop()
    ref = Browser(shop).buy()
    fact = Fact(
        object_id=ref, kind=FactKind.SESSION, payment=None, as_of=2**40, status="unheard_of", amount=900
    )
    shop.memory.tables.facts[ref] = fact
    shop.payments.pay(ref, email=ANNA, status="unpaid")
    assert shop.hear_of(ref) == "open"


def test_a_bank_debit_delivers_when_the_bank_pays_and_nobody_polls_meanwhile() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA, status="unpaid")
    assert shop.hear_of(ref) == "awaiting payment"
    calls = len(shop.payments.calls)
    assert anna.come_back(ref) == AwaitingPayment()
    assert len(shop.payments.calls) == calls
    shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(ref, event="evt_2", kind="checkout.session.async_payment_succeeded") == "booked"
    assert anna.come_back(ref) == Claimed(here=True)


def test_a_bounced_debit_delivers_nothing_and_paid_stays_paid_when_events_come_in_the_wrong_order() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA, status="failed")
    assert shop.hear_of(ref) == "failed"
    assert anna.come_back(ref) == NotPaid("failed")
    shop.clock.tick(seconds=6)
    shop.payments.pay(ref, email=ANNA)
    shop.hear_of(ref, event="evt_2")
    shop.payments.pay(ref, email=ANNA, status="unpaid")
    assert shop.hear_of(ref, event="evt_0") == "known"
    assert anna.owned == {BOOK}


def test_the_provider_is_asked_at_most_once_in_five_seconds_whoever_asks() -> None:
    shop = Shop()
    anna, eve = Browser(shop), Browser(shop)
    ref = anna.buy()
    answers = [b.come_back(ref) for b in (anna, eve, anna)]
    assert answers == [NotPaid("open"), Confirming(), Confirming()]
    assert shop.payments.calls.count("look") == 1
    shop.clock.tick(seconds=5)
    shop.payments.pay(ref, email=ANNA)
    assert eve.come_back(ref) == Claimed(here=False)


@pytest.mark.parametrize(
    "ref", ["", "..", "cs_test_", "cs_test_a/../b", "cs_test_" + "x" * 201, "cs_test_é", "pi_1"]
)
def test_a_malformed_session_id_never_reaches_the_provider(ref: str) -> None:
    shop = Shop()
    assert Browser(shop).come_back(ProviderRef(ref)) == UnknownCheckout()
    assert shop.payments.calls == []


def test_a_session_we_never_started_and_one_of_another_product_are_not_asked_about() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy(PHOTOS)
    calls = list(shop.payments.calls)
    assert anna.come_back(ProviderRef("cs_test_unknown")) == UnknownCheckout()
    assert anna.come_back(ref, BOOK) == UnknownCheckout()
    assert shop.payments.calls == calls


def test_the_page_settles_later_when_the_provider_is_away() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    shop.payments.failing = True
    assert anna.come_back(ref) == Confirming()
    shop.payments.failing = False
    shop.clock.tick(seconds=5)
    assert anna.come_back(ref) == Claimed(here=True)


def test_the_reconciler_books_what_nobody_told_of() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    assert run(shop.reconcile()).booked == [ref]
    shop.clock.tick(minutes=10)
    assert run(shop.reconcile()).all_well
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == 1


def test_the_seal_binds_every_term() -> None:
    from domain.keys import SealedTerms
    from domain.values import CheckoutId

    ring = Keyring.of(("one secret that is long enough for the shop",))
    terms = SealedTerms(
        shop="s", livemode=False, checkout=CheckoutId("c"), product=BOOK, price=Money(900, "usd")
    )
    seal = ring.seal(terms)
    assert ring.seal_holds(seal, terms)
    for other in (
        replace(terms, shop="t"),
        replace(terms, livemode=True),
        replace(terms, checkout=CheckoutId("d")),
        replace(terms, product=PHOTOS),
        replace(terms, price=Money(901, "usd")),
        replace(terms, price=Money(900, "eur")),
    ):
        assert not ring.seal_holds(seal, other)


class RunsWorksTwice(MemoryStore):
    """Like an engine whose first attempt conflicted with another transaction."""

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        work(MemoryTransaction(self.tables.copy()))
        return await super().transact(work)


def test_a_claim_that_the_store_had_to_run_again_is_observed_once() -> None:
    observed: list[ClaimOutcome] = []
    shop = Shop(given_store=RunsWorksTwice())
    shop.claim = replace(shop.claim, observe=observed.append)
    anna = Browser(shop)
    sold, found_later = anna.buy(), anna.buy(PHOTOS)
    for ref in (sold, found_later):
        shop.payments.pay(ref, email=ANNA)
    assert shop.hear_of(sold) == "booked"
    assert shop.hear_of(sold) == "known"
    anna.come_back(found_later, PHOTOS)
    run(shop.reconcile())
    assert [isinstance(one, Booked) and one.first for one in observed] == [True, False, True]
