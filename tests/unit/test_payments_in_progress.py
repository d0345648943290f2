"""A payment in progress follows its account to another address, and holds up the deletion of that account."""

from __future__ import annotations

import pytest

from adapters.memory.tables import Tables
from domain.claim import RejectReason
from domain.fact import CheckoutStatus, FactKind
from domain.usecases.erase_customer import CustomerErased, NotErased, WhyNotErased
from domain.usecases.erase_refusal import Erased
from domain.usecases.link_outcomes import SignedIn
from domain.values import EmailAddress, ProviderRef
from entrypoints.testing import BASE_URL, BOOK, PHOTOS, Browser, Shop
from entrypoints.testing.office import Office
from testkit.by_hand import CLI
from testkit.owners import ANNA, BEN, NEW, change, opens, owner_of, signed_in
from testkit.stepping import run

# ------------------------------------------------------------------ a payment in progress follows the account


def a_debit(shop: Shop, browser: Browser, typed: str, *, settled: str = CheckoutStatus.UNPAID) -> ProviderRef:
    """A bank debit that is under way, begun in this browser."""
    ref = browser.buy(PHOTOS, again=True)
    shop.payments.pay(ref, email=typed, status=settled)
    shop.hear_of(ref, event=f"evt_{ref[-8:]}_{settled}")
    return ref


def settles(shop: Shop, ref: ProviderRef, status: str = CheckoutStatus.PAID) -> None:
    shop.payments.pay(ref, email=None, status=status)
    shop.hear_of(ref, event=f"evt_{ref[-8:]}_{status}", kind="checkout.session.async_payment_succeeded")
    shop.deliver_mail()


def moved_while_a_debit_is_pending(typed: str, *, as_guest: bool) -> tuple[Shop, Browser, ProviderRef]:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    ref = a_debit(shop, anna, typed) if as_guest else None
    anna.press(shop.last_link(ANNA))
    ref = ref or a_debit(shop, anna, typed)
    change(shop, anna, NEW)
    assert isinstance(anna.type_code(shop.last_code(NEW)), SignedIn)
    return shop, anna, ref


@pytest.mark.parametrize("as_guest", [True, False])
def test_a_debit_that_is_pending_while_the_address_changes_arrives_at_the_new_address(as_guest: bool) -> None:
    """Also one that the browser began before it signed in, and that is paid with the old address."""
    shop, anna, ref = moved_while_a_debit_is_pending(ANNA, as_guest=as_guest)
    settles(shop, ref)
    assert owner_of(shop, ref) == NEW
    assert opens(anna, PHOTOS)
    assert [mail.subject for mail in shop.letters_to(NEW)][-1] == "Your purchase: The photos"
    [user] = shop.memory.tables.users.values()
    assert str(user.mailbox) == NEW


@pytest.mark.parametrize("as_guest", [True, False])
@pytest.mark.parametrize("undone_first", [True, False])
def test_what_is_booked_from_it_within_72_hours_goes_back_with_an_undo(
    as_guest: bool, undone_first: bool
) -> None:
    shop, anna, ref = moved_while_a_debit_is_pending(ANNA, as_guest=as_guest)
    undo = next(m for m in shop.letters_to(ANNA) if m.subject == "Your email address is about to change")
    link = undo.text.partition(f"{BASE_URL}/login/")[2].split()[0]
    shop.clock.tick(hours=71)
    if not undone_first:
        settles(shop, ref)
    old = Browser(shop, network="192.0.2.7")
    assert isinstance(old.press(link), SignedIn)
    if undone_first:
        settles(shop, ref)
    assert owner_of(shop, ref) == ANNA
    assert opens(old, PHOTOS)
    assert not opens(anna, PHOTOS)


def test_a_debit_of_another_payer_stays_the_payers_whoever_signs_in_where_it_began() -> None:
    """At a public computer: she pays on her telephone, and types her address."""
    shop, anna, ref = moved_while_a_debit_is_pending(BEN, as_guest=True)
    settles(shop, ref)
    assert owner_of(shop, ref) == BEN
    assert not opens(anna, PHOTOS)


def test_the_email_about_a_failed_debit_follows_the_account_too() -> None:
    shop, _, ref = moved_while_a_debit_is_pending(ANNA, as_guest=True)
    settles(shop, ref, CheckoutStatus.FAILED)
    assert "did not go through" in shop.letters_to(NEW)[-1].subject


def test_a_debit_follows_an_account_that_moves_twice_and_one_that_comes_back() -> None:
    for third in ("anna@third.example", ANNA):
        shop, anna, ref = moved_while_a_debit_is_pending(ANNA, as_guest=True)
        shop.clock.tick(minutes=5)
        change(shop, anna, third)
        assert isinstance(anna.type_code(shop.last_code(third)), SignedIn)
        shop.clock.tick(days=14)
        run(shop.store.transact(lambda tx, shop=shop: tx.retention.prune(now=shop.clock.now())))
        settles(shop, ref)
        assert owner_of(shop, ref) == third


def a_phones_debit_whose_session_a_change_ended() -> tuple[Shop, Browser, ProviderRef]:
    """A telephone began it as a guest and verified the address; a laptop changed that, which ended its session."""
    shop = Shop()
    phone, laptop = Browser(shop), Browser(shop)
    phone.buy_and_pay(ANNA)
    ref = a_debit(shop, phone, ANNA)
    phone.press(shop.last_link(ANNA))
    laptop.ask_for_link(ANNA)
    shop.deliver_mail()
    laptop.press(shop.last_link(ANNA))
    change(shop, laptop, NEW)
    assert isinstance(laptop.type_code(shop.last_code(NEW)), SignedIn)
    assert phone.viewer.session is None
    return shop, laptop, ref


@pytest.mark.parametrize("third_undone", [False, True])
def test_a_debit_whose_browser_is_signed_out_follows_every_further_change(third_undone: bool) -> None:
    shop, laptop, ref = a_phones_debit_whose_session_a_change_ended()
    shop.clock.tick(minutes=5)
    change(shop, laptop, "anna@third.example")
    undo = shop.last_link(NEW)
    assert isinstance(laptop.type_code(shop.last_code("anna@third.example")), SignedIn)
    if third_undone:
        laptop.press(undo)
        assert run(shop.erase.refusal(laptop.visitor)) is not None
        change(shop, laptop, "anna@fourth.example")
        assert isinstance(laptop.type_code(shop.last_code("anna@fourth.example")), SignedIn)
    settles(shop, ref)
    assert owner_of(shop, ref) == ("anna@fourth.example" if third_undone else "anna@third.example")
    assert len(shop.memory.tables.users) == 1


@pytest.mark.parametrize("ended_by", ["sign-out", "undo"])
def test_a_guests_debit_stays_the_accounts_when_the_session_that_began_it_ends(ended_by: str) -> None:
    """Known by the address that this session verified: it delays the deletion, and follows a change."""
    shop = Shop()
    phone, laptop = Browser(shop), Browser(shop, network="192.0.2.7")
    phone.buy_and_pay(ANNA)
    ref = a_debit(shop, phone, ANNA)
    phone.press(shop.last_link(ANNA))
    if ended_by == "undo":
        change(shop, phone, NEW)
        undo = shop.last_link(ANNA)
        assert isinstance(phone.type_code(shop.last_code(NEW)), SignedIn)
        assert isinstance(laptop.press(undo), SignedIn)
    else:
        run(shop.sign_out.here(phone.visitor))
        laptop.ask_for_link(ANNA)
        shop.deliver_mail()
        laptop.press(shop.last_link(ANNA))
    assert phone.viewer.session is None
    assert run(shop.erase.refusal(laptop.visitor)) is Erased.PAYMENT_PENDING
    change(shop, laptop, "anna@third.example")
    assert isinstance(laptop.type_code(shop.last_code("anna@third.example")), SignedIn)
    settles(shop, ref)
    assert owner_of(shop, ref) == "anna@third.example"
    assert len(shop.memory.tables.users) == 1


def test_a_debit_that_changes_brought_to_an_address_keeps_it_and_none_before_from_being_deleted() -> None:
    shop, laptop, ref = a_phones_debit_whose_session_a_change_ended()
    shop.clock.tick(hours=74)
    former = Browser(shop, network="192.0.2.8")
    former.buy_and_pay(ANNA)
    former.press(shop.last_link(ANNA))
    assert run(shop.erase.refusal(former.visitor)) is None, "it left this address"
    laptop.ask_for_link(NEW)
    shop.deliver_mail()
    laptop.press(shop.last_link(NEW))
    assert run(shop.erase(laptop.visitor)) is Erased.PAYMENT_PENDING
    settles(shop, ref)
    assert owner_of(shop, ref) == NEW
    assert run(shop.erase(laptop.visitor)) is Erased.DONE
    assert owner_of(shop, ref) is None


# ------------------------------------------------------------------ a deletion, and money that is under way


@pytest.mark.parametrize("as_guest", [True, False])
def test_an_account_with_a_payment_under_way_is_not_deleted_until_that_is_settled(as_guest: bool) -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    ref = a_debit(shop, anna, ANNA) if as_guest else None
    anna.press(shop.last_link(ANNA))
    ref = ref or a_debit(shop, anna, ANNA)
    before = shop.memory.tables.copy()
    assert run(shop.erase.refusal(anna.visitor)) is Erased.PAYMENT_PENDING
    assert run(shop.erase(anna.visitor)) is Erased.PAYMENT_PENDING
    assert shop.memory.tables == before
    own = run(shop.own_data(anna.visitor))
    assert own is not None
    assert [checkout.provider_ref for checkout in own.pending] == [ref]
    settles(shop, ref, CheckoutStatus.FAILED)
    assert run(shop.erase.refusal(anna.visitor)) is None
    assert run(shop.erase(anna.visitor)) is Erased.DONE


def test_nor_does_the_merchant_delete_it_until_then() -> None:
    shop = Shop()
    office, anna = Office(shop), Browser(shop)
    anna.buy_and_pay(ANNA)
    anna.press(shop.last_link(ANNA))
    ref = a_debit(shop, anna, ANNA)
    refused = NotErased(WhyNotErased.PAYMENT_PENDING, EmailAddress(ANNA))
    assert run(office.erase_customer(ANNA, actor=CLI, form="f1", reason="asked")) == refused
    assert [one.mailbox for one in shop.memory.tables.users.values()] == [EmailAddress(ANNA)]
    settles(shop, ref, CheckoutStatus.FAILED)
    assert run(office.erase_customer(ANNA, actor=CLI, form="f1", reason="asked")) == CustomerErased()


def test_a_page_that_is_merely_open_keeps_nobody_from_deleting_nor_does_anothers_debit() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    anna.buy(PHOTOS)
    a_debit(shop, Browser(shop, network="192.0.2.8"), BEN)
    assert run(shop.erase(anna.visitor)) is Erased.DONE


def test_money_that_arrives_for_an_erased_customer_is_the_merchants_to_pay_back() -> None:
    """Each time by an email and in `status`, which is content again once it was refunded in full."""
    shop = Shop()
    anna, _ = signed_in(shop)
    refs = [anna.buy(PHOTOS, again=True), anna.buy(BOOK, again=True)]
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    for ref in refs:
        shop.payments.pay(ref, email=ANNA)
        assert run(shop.report()).all_well is (ref == refs[0])
        shop.hear_of(ref, event=f"evt_{ref[-8:]}")
        shop.hear_of(ref, event=f"evt_again_{ref[-8:]}")
        shop.deliver_mail()
        assert owner_of(shop, ref) is None
    entries = {entry.ref: entry.reason for entry in run(shop.report()).quarantine}
    assert entries == dict.fromkeys(refs, RejectReason.CUSTOMER_ERASED)
    told = [mail.text for mail in shop.letters_to(str(shop.edition.shop.support))]
    assert [sum(ref in text for text in told) for ref in refs] == [1, 1]
    assert all("deleted the account" in text for text in told)
    assert not any("If it is a sale of this shop" in text for text in told), "it is one"
    assert shop.letters_to(ANNA)[-1].subject != "Your purchase: The photos"
    shop.hear_fact(shop.payments.tell(refs[0], FactKind.REFUND, "succeeded", amount=1))
    assert len(run(shop.report()).quarantine) == 2, "a part is not all of it"
    total = shop.payments.sessions[refs[0]].total
    shop.clock.tick(seconds=5)
    shop.hear_fact(shop.payments.tell(refs[0], FactKind.REFUND, "succeeded", amount=total, name="2"))
    assert [entry.ref for entry in run(shop.report()).quarantine] == [refs[1]]


@pytest.mark.parametrize(
    ("kind", "status", "part", "left"),
    [
        (FactKind.REFUND, "succeeded", 0, False), (FactKind.DISPUTE, "lost", 0, False),
        (FactKind.REFUND, "succeeded", 1, True), (FactKind.REFUND, "failed", 0, True),
    ],
)  # fmt: skip
def test_money_that_was_paid_back_before_it_was_booked_for_an_erased_customer_is_no_news(
    kind: FactKind, status: str, part: int, left: bool
) -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    ref = anna.buy(PHOTOS, again=True)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    shop.payments.pay(ref, email=ANNA)
    total = shop.payments.sessions[ref].total
    shop.hear_fact(shop.payments.tell(ref, kind, status, amount=total - part))
    shop.hear_of(ref, event="evt_late")
    shop.deliver_mail()
    assert owner_of(shop, ref) is None
    assert [entry.ref for entry in run(shop.report()).quarantine] == ([ref] if left else [])
    told = [mail.text for mail in shop.letters_to(str(shop.edition.shop.support))]
    assert sum(ref in text for text in told) == left


def test_a_sale_that_a_restored_shop_books_again_for_an_erased_customer_is_no_news() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    erased = list(shop.memory.tables.erasures)
    shop.memory.tables = Tables(shop=dict(shop.memory.tables.shop))
    run(shop.erase_again(erased, []))
    shop.hear_of(ref, event="evt_restored")
    assert owner_by_row(shop, ref) is None
    assert run(shop.report()).all_well


def owner_by_row(shop: Shop, ref: ProviderRef) -> EmailAddress | None:
    [purchase] = [p for p in shop.memory.tables.purchases.values() if p.provider_ref == ref]
    return purchase.mailbox
