"""What the merchant does to customers and sales by hand: once for each form, and only what was verified moves."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.address_change import ChangeKind
from domain.audit import AuditAction, AuditResult
from domain.claim import RejectReason
from domain.fact import CheckoutStatus
from domain.mail import MailKind
from domain.product import Licences
from domain.purchase import Source
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor, Role, StaffId
from domain.usecases.book_payment import Bookable, NotBooked, PaymentBooked, WhyNotBooked
from domain.usecases.erase_customer import CustomerErased, NotErased, WhyNotErased
from domain.usecases.link_outcomes import LinkValid
from domain.usecases.replace_key import KeyReplaced, NotReplaced, WhyNotReplaced
from domain.usecases.request_login import NotAnAddress
from domain.usecases.sign_out_customer import NoSuchCustomer, SignedOutByHand
from domain.usecases.staff_change import ChangeAsked, NotChanged, WhyNotChanged
from domain.usecases.write_note import Noted, NotNoted, WhyNoNote
from domain.values import EmailAddress, Money
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from entrypoints.testing.office import Office
from testkit.by_hand import CLI, log
from testkit.stepping import run

ANNA, ANNE, BEN = "anna@exmaple.com", "anna@example.com", "ben@example.com"
WHY = {"actor": CLI, "reason": "they wrote"}
SUPPORT = Actor("staff:s1", role=Role.SUPPORT, fresh=True, staff=StaffId("s1"))


def an_office(*buyers: str, keys: Licences | None = None) -> Office:
    office = Office() if keys is None else Office(Shop(edition=an_edition(a_product(BOOK, licences=keys))))
    run(office.shop.supply_licences())
    for buyer in buyers:
        office.shop.clock.tick(seconds=1)
        Browser(office.shop).buy_and_pay(buyer)
    return office


def owners(office: Office) -> list[str]:
    sold = office.shop.memory.tables.purchases.values()
    return ["" if one.mailbox is None else one.mailbox.canonical for one in sold]


def order_of(office: Office, email: str) -> str:
    [found] = [
        one.checkout
        for one in office.shop.memory.tables.purchases.values()
        if one.mailbox == EmailAddress(email)
    ]
    return found


def user_of(office: Office, email: str) -> str:
    [found] = [u.id for u in office.shop.memory.tables.users.values() if u.mailbox.canonical == email]
    return found


# ------------------------------------------------------------------ addresses


def test_a_corrected_address_moves_everything_once_it_is_verified_and_the_old_one_can_undo_it() -> None:
    office = an_office(ANNA)
    shop, order = office.shop, order_of(office, ANNA)
    found = run(office.correct_address.customer(user_of(office, ANNA), ANNE, form="f1", **WHY))
    assert isinstance(found, ChangeAsked)
    assert (found.change.kind, found.change.by_staff) == (ChangeKind.CHANGE, True)
    before = copy.deepcopy(shop.memory.tables)
    assert run(office.correct_address.customer(user_of(office, ANNA), ANNE, form="f1", **WHY)) == found
    assert shop.memory.tables == before, "the same form does it once"
    assert owners(office) == [ANNA], "nothing moves before it is verified"
    [line] = [one for one in log(shop) if one.action is AuditAction.CORRECT_ADDRESS]
    assert (line.object_id, line.reason) == (order, "they wrote")
    shop.deliver_mail()
    anywhere = Browser(shop)
    seen = run(shop.redeem.look(anywhere.visitor, shop.last_link(ANNE)))
    assert isinstance(seen, LinkValid)
    assert seen.moving is not None
    assert (seen.moving.works_here, seen.moving.by_staff) == (True, True)
    assert "code" not in shop.letters_to(ANNE)[-1].text
    anywhere.press(shop.last_link(ANNE))
    assert (owners(office), anywhere.owned) == ([ANNE], {BOOK})
    back = Browser(shop)
    back.press(shop.last_link(ANNA))
    assert (owners(office), back.owned, anywhere.owned) == ([ANNA], {BOOK}, set())


def test_one_purchase_is_corrected_although_its_address_was_verified_and_belongs_to_somebody_else() -> None:
    office = an_office(BEN)
    shop = office.shop
    ben = Browser(shop)
    ben.press(shop.last_link(BEN))
    shop.clock.tick(seconds=1)
    Browser(shop).buy_and_pay(BEN)
    [own, theirs] = shop.memory.tables.purchases
    asked = run(office.correct_address.order(theirs[:16], ANNE, form="f1", **WHY))
    assert isinstance(asked, ChangeAsked)
    shop.deliver_mail()
    Browser(shop).press(shop.last_link(ANNE))
    assert owners(office) == [BEN, ANNE]
    ben.press(shop.last_link(BEN))
    assert owners(office) == [BEN, BEN]
    assert own


def test_a_link_of_staff_can_be_used_for_a_day() -> None:
    office = an_office(ANNA)
    shop = office.shop
    run(office.correct_address.customer(ANNA, ANNE, form="f1", **WHY))
    shop.deliver_mail()
    shop.clock.tick(seconds=24 * 3600 - 1)
    Browser(shop).press(shop.last_link(ANNE))
    assert owners(office) == [ANNE]


def test_why_an_address_is_not_changed() -> None:
    office = an_office(ANNA, BEN)
    correct, user = office.correct_address, user_of(office, ANNA)

    def why(found: object) -> object:
        assert isinstance(found, NotChanged), found
        return found.why

    assert isinstance(run(correct.customer(user, "nobody", form="a", **WHY)), NotAnAddress)
    assert why(run(correct.customer(user, ANNE, actor=CLI, form="b", reason=" "))) is WhyNotChanged.NO_REASON
    assert why(run(correct.customer("u9", ANNE, form="c", **WHY))) is WhyNotChanged.NO_SUCH_CUSTOMER
    assert why(run(correct.order("ffffffff", ANNE, form="d", **WHY))) is WhyNotChanged.NO_SUCH_ORDER
    assert why(run(correct.customer(user, ANNA, form="e", **WHY))) is WhyNotChanged.SAME
    assert why(run(correct.customer(user, BEN, form="f", **WHY))) is WhyNotChanged.WOULD_MERGE
    merge = office.merge_customers
    assert why(run(merge(user, ANNE, form="g", **WHY))) is WhyNotChanged.NOT_A_CUSTOMER
    assert why(run(merge("u9", BEN, form="h", **WHY))) is WhyNotChanged.NO_SUCH_CUSTOMER
    assert why(run(merge(user, ANNA, form="i", **WHY))) is WhyNotChanged.SAME
    assert not office.shop.memory.tables.moves
    assert isinstance(run(correct.customer(user, ANNE, form="j", **WHY)), ChangeAsked)
    for again in (
        correct.customer(user, "x@example.com", form="k", **WHY),
        merge(user, BEN, form="l", **WHY),
    ):
        assert why(run(again)) is WhyNotChanged.ANOTHER_OPEN
    office.shop.clock.tick(hours=25)
    assert isinstance(run(correct.customer(user, "x@example.com", form="m", **WHY)), ChangeAsked)


def test_customers_are_merged_by_an_owner_once_the_other_address_confirms_it() -> None:
    office = an_office(ANNA, BEN)
    shop, merge = office.shop, office.merge_customers
    refused = run(merge(ANNA, BEN, actor=SUPPORT, form="f1", reason="one person"))
    assert refused == NotAllowed(Verdict.WRONG_ROLE)
    [line] = [one for one in log(shop) if one.result is AuditResult.REFUSED]
    assert line.action is AuditAction.MERGE_CUSTOMERS
    assert isinstance(run(merge(ANNA, BEN, form="f2", **WHY)), ChangeAsked)
    shop.deliver_mail()
    assert "Both would be in one account" in shop.letters_to(BEN)[-1].text
    Browser(shop).press(shop.last_link(BEN))
    assert owners(office) == [BEN, BEN]
    Browser(shop).press(shop.last_link(ANNA))
    assert owners(office) == [ANNA, BEN]


# ------------------------------------------------------------------ licence keys


@pytest.mark.parametrize("keys", [Licences(listed=("k1", "k2")), Licences(listed=None)])
def test_a_replaced_key_is_emailed_once_and_nobody_gets_the_old_one_again(keys: Licences) -> None:
    office = an_office(ANNA, keys=keys)
    shop, order = office.shop, order_of(office, ANNA)
    [old] = shop.memory.tables.purchases[order].licences  # type: ignore[index]  # a checkout's id
    found = run(office.replace_key(order, form="f1", **WHY))
    assert isinstance(found, KeyReplaced)
    assert found.told
    [new] = found.order.licences
    assert new.key != old.key
    assert run(office.replace_key(order, form="f1", **WHY)) == found
    assert run(shop.store.read(lambda tx: tx.licences.replaced_of(found.order.checkout))) == [old]
    shop.deliver_mail()
    letter = shop.letters_to(ANNA)[-1].text
    assert new.key in letter
    assert "not valid any more" in letter
    again = run(office.replace_key(order, form="f2", **WHY))
    if keys.listed is None:
        assert isinstance(again, KeyReplaced)
        assert again.order.licences[0].key not in (old.key, new.key)
    else:
        assert again == NotReplaced(WhyNotReplaced.NO_KEYS, found.order)
        run(shop.supply_licences())
        assert not shop.memory.tables.free_licences[BOOK], "the list still has the old key; it is not free"


def test_why_a_key_is_not_replaced() -> None:
    office = an_office(ANNA)
    order = order_of(office, ANNA)
    for wanted, reason, why in (
        (order, "x", WhyNotReplaced.NO_KEY), (order, "", WhyNotReplaced.NO_REASON), ("ffff", "x", WhyNotReplaced.NO_SUCH_ORDER),
    ):  # fmt: skip
        found = run(office.replace_key(wanted, actor=CLI, form=f"f{why.name}", reason=reason))
        assert isinstance(found, NotReplaced)
        assert found.why is why


# ------------------------------------------------------------------ notes, signing out


def test_a_note_is_written_changed_deleted_and_no_audit_line_holds_it() -> None:
    office = an_office(ANNA)
    order = order_of(office, ANNA)
    text = "rang on Monday\r\nwants an invoice  \n"
    found = run(office.write_note(order[:16], text, actor=SUPPORT, form="f1"))
    assert isinstance(found, Noted)
    assert found.note is not None
    assert (found.note.text, found.note.written_by) == ("rang on Monday\nwants an invoice", "staff:s1")
    assert run(office.write_note(order, "other", actor=SUPPORT, form="f1")) == found
    assert run(office.write_note(order, "x" * 2001, actor=CLI, form="f2")) == NotNoted(WhyNoNote.TOO_LONG)
    assert run(office.write_note("ffff", "x", actor=CLI, form="f3")) == NotNoted(WhyNoNote.NO_SUCH_ORDER)
    assert [(line.action.value, line.reason) for line in log(office.shop)] == [("write-note", "")]
    gone = run(office.write_note(order, "  ", actor=CLI, form="f4"))
    assert isinstance(gone, Noted)
    assert gone.note is None
    assert not office.shop.memory.tables.sale_notes


def test_a_customer_is_signed_out_everywhere_and_keeps_what_they_have() -> None:
    office = an_office(ANNA)
    shop = office.shop
    anna = Browser(shop)
    anna.press(shop.last_link(ANNA))
    assert anna.owned == {BOOK}
    done = run(office.sign_out_customer(user_of(office, ANNA), actor=SUPPORT, form="f1"))
    assert done == SignedOutByHand(EmailAddress(ANNA))
    assert (anna.owned, owners(office)) == (set(), [ANNA])
    assert run(office.sign_out_customer("u9", actor=CLI, form="f2")) == NoSuchCustomer()


# ------------------------------------------------------------------ deleting


def test_deleting_a_customer_leaves_nothing_but_a_last_email_which_goes_too() -> None:
    office = an_office(ANNA)
    shop, order = office.shop, order_of(office, ANNA)
    run(office.write_note(order, "a note", actor=CLI, form="f0"))
    assert run(office.erase_customer(ANNA, actor=SUPPORT, form="f1", reason="x")) == NotAllowed(
        Verdict.WRONG_ROLE
    )
    assert run(office.erase_customer(ANNA, form="f2", **WHY)) == CustomerErased()
    assert run(office.erase_customer(ANNA, form="f2", **WHY)) == CustomerErased()
    assert run(office.erase_customer(ANNA, form="f3", **WHY)) == NotErased(WhyNotErased.NO_SUCH_CUSTOMER)
    tables = shop.memory.tables
    assert (owners(office), tables.users, tables.sale_notes) == ([""], {}, {})
    assert [line.reason for line in log(shop) if line.action is AuditAction.ERASE_CUSTOMER] == ["", ""]
    [last] = tables.outbox.values()
    assert (last.kind, last.to.canonical) == (MailKind.FAREWELL, ANNA)
    shop.deliver_mail()
    assert "Your data was deleted" in shop.letters_to(ANNA)[-1].subject
    shop.clock.tick(hours=25, seconds=1)
    run(shop.store.transact(lambda tx: tx.retention.prune(now=shop.clock.now())))
    assert not shop.memory.tables.outbox
    assert ANNA not in repr(shop.memory.tables)


def test_a_customer_is_not_deleted_while_something_may_come_back() -> None:
    office = an_office(ANNA, BEN)
    shop = office.shop
    run(office.merge_customers(ANNA, BEN, form="f1", **WHY))
    shop.deliver_mail()
    Browser(shop).press(shop.last_link(BEN))
    assert run(office.erase_customer(BEN, form="f2", **WHY)) == NotErased(
        WhyNotErased.TOO_SOON, EmailAddress(BEN)
    )
    shop.clock.tick(seconds=timedelta(hours=74).total_seconds())
    assert run(office.erase_customer(BEN, form="f2", **WHY)) == CustomerErased()
    assert "@" not in str(owners(office))


# ------------------------------------------------------------------ quarantined payments


def quarantined(**paid: Any) -> tuple[Office, str]:
    """A sale that was paid otherwise than it was asked."""
    office = Office()
    shop = office.shop
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=ANNA)
    shop.payments.sessions[ref] = replace(shop.payments.sessions[ref], **paid)
    shop.hear_of(ref, event="evt_1")
    assert not shop.memory.tables.purchases
    return office, ref


@pytest.mark.parametrize(
    ("paid", "why", "money"),
    [
        ({"subtotal": 700, "total": 700}, RejectReason.WRONG_AMOUNT, Money(700, "usd")),
        ({"currency": "eur"}, RejectReason.WRONG_CURRENCY, Money(900, "eur")),
        ({"discount": 400, "total": 500}, RejectReason.UNASKED_DISCOUNT, Money(500, "usd")),
    ],
)
def test_a_payment_of_ours_that_was_paid_otherwise_is_booked_for_what_was_paid(
    paid: dict[str, Any], why: RejectReason, money: Money
) -> None:
    office, ref = quarantined(**paid)
    shop = office.shop
    seen = run(office.book_payment.look(ref))
    assert isinstance(seen, Bookable)
    assert (seen.reason, seen.asked, seen.sale.paid) == (why, Money(900, "usd"), money)
    viewer = replace(SUPPORT, role=Role.VIEWER)
    refused = run(office.book_payment(ref, actor=viewer, form="f0", reason="they wrote"))
    assert refused == NotAllowed(Verdict.WRONG_ROLE)
    stale = replace(SUPPORT, fresh=False)
    refused = run(office.book_payment(ref, actor=stale, form="f0", reason="they wrote"))
    assert refused == NotAllowed(Verdict.PROVE_AGAIN)
    found = run(office.book_payment(ref, form="f1", **WHY))
    assert isinstance(found, PaymentBooked)
    order = found.order
    assert (order.paid, order.source, order.mailbox) == (money, Source.SALE, EmailAddress(ANNA))
    assert run(office.book_payment(ref, form="f1", **WHY)) == found
    assert run(office.book_payment(ref, form="f2", **WHY)) == NotBooked(WhyNotBooked.NOT_QUARANTINED)
    assert not run(shop.store.read(lambda tx: tx.quarantine.open_entries()))
    shop.hear_of(ref, event="evt_2")  # type: ignore[arg-type]  # the id of a session
    assert owners(office) == [ANNA], "another delivery books nothing, and quarantines nothing"
    assert not run(shop.store.read(lambda tx: tx.quarantine.open_entries()))
    shop.deliver_mail()
    anna = Browser(shop)
    anna.press(shop.last_link(ANNA))
    assert anna.owned == {BOOK}
    assert [line.object_id for line in log(shop) if line.result is AuditResult.DONE] == [order.checkout]


@pytest.mark.parametrize(
    "paid",
    [{"livemode": True}, {"mode": "subscription"}, {"product": "another"}, {"reference": None, "shop": "x"}],
)
def test_what_is_not_a_checkout_of_this_shop_is_never_booked(paid: dict[str, Any]) -> None:
    office, ref = quarantined(**paid)
    found = run(office.book_payment(ref, form="f1", **WHY))
    assert isinstance(found, NotBooked)
    assert found.why in (WhyNotBooked.NOT_OURS, WhyNotBooked.NOT_QUARANTINED)
    assert run(office.book_payment("pi_1", form="f2", **WHY)) == NotBooked(WhyNotBooked.NOT_OURS)
    assert not office.shop.memory.tables.purchases


@pytest.mark.parametrize("now", [{"livemode": True}, {"mode": "subscription"}, {"product": "another"}])
def test_what_turned_out_to_be_something_else_is_not_booked(now: dict[str, Any]) -> None:
    """The entry is of another amount, and Stripe says now that it is no checkout of this shop either."""
    office, ref = quarantined(subtotal=700, total=700)
    sessions = office.shop.payments.sessions
    sessions[ref] = replace(sessions[ref], **now)  # type: ignore[index]  # the id of a session
    assert run(office.book_payment(ref, form="f1", **WHY)) == NotBooked(WhyNotBooked.NOT_OURS)
    sessions[ref] = replace(sessions[ref], status=CheckoutStatus.UNPAID)  # type: ignore[index]  # as above
    assert isinstance(run(office.book_payment(ref, form="f2", **WHY)), NotBooked)
    assert not office.shop.memory.tables.purchases


def test_what_is_not_paid_is_not_booked() -> None:
    office, ref = quarantined(subtotal=700, total=700)
    sessions = office.shop.payments.sessions
    sessions[ref] = replace(sessions[ref], status=CheckoutStatus.EXPIRED)  # type: ignore[index]  # the id of a session
    assert run(office.book_payment(ref, form="f1", **WHY)) == NotBooked(WhyNotBooked.NOT_PAID)


def test_a_payment_without_a_reason_stays_in_quarantine() -> None:
    office, ref = quarantined(subtotal=1, total=1)
    found = run(office.book_payment(ref, actor=CLI, form="f1", reason=" "))
    assert found == NotBooked(WhyNotBooked.NO_REASON)
