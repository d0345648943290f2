"""What the merchant sees of a customer, found by address or by order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.fact import Fact, FactKind
from domain.mail import Delivery, MailKind, MailState
from domain.product import Licences
from domain.purchase import Purchase
from domain.usecases.fetch_file import Offered
from domain.usecases.find_order import SeveralOrders
from domain.usecases.request_login import NotAnAddress
from domain.usecases.show_customer import Customer
from domain.values import CheckoutId, EmailProblem
from entrypoints.customer_lines import customer_lines, several_lines
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from testkit.stepping import run
from testkit.without_address import paid

ANNA, BEN = "anna@example.com", "ben@example.com"


def bought(shop: Shop, email: str = ANNA, browser: Browser | None = None) -> Purchase:
    (browser or Browser(shop)).buy_and_pay(email, again=browser is not None)
    return list(shop.memory.tables.purchases.values())[-1]


def shown(shop: Shop, wanted: str) -> Customer:
    found = run(shop.show_customer(wanted))
    assert isinstance(found, Customer), found
    return found


def lines(shop: Shop, wanted: str) -> list[str]:
    return customer_lines(shown(shop, wanted))


def alike(shop: Shop, number: int, start: str = "0000abcd") -> list[CheckoutId]:
    """Orders that begin alike."""
    one = bought(shop)
    ids = [CheckoutId(f"{start}{n:024x}") for n in range(number)]
    for order in ids:
        shop.memory.tables.purchases[order] = replace(one, checkout=order, provider_ref=None, payment=None)
    return ids


# ------------------------------------------------------------------ finding


def test_an_order_is_found_by_its_id_its_number_and_the_beginning_of_that() -> None:
    shop = Shop()
    order = bought(shop).checkout
    number = order[:16].upper()
    spaced = f"#{number[:4]}-{number[4:8]} {number[8:]} "
    for wanted in (order, number, order[:4], order[:7], order.upper(), spaced):
        assert [held.purchase.checkout for held in shown(shop, wanted).holdings] == [order], wanted


@pytest.mark.parametrize(
    "wanted", ["", "-", "019", "zzzz", "0000000000000000", "nobody@example.com", "%%%%", "____"]
)
def test_nothing_is_found_for_less_than_four_characters_or_what_nothing_begins_with(wanted: str) -> None:
    shop = Shop()
    bought(shop)
    assert run(shop.show_customer(wanted)) is None


def test_several_orders_are_listed_with_masked_addresses() -> None:
    shop = Shop()
    first, second = alike(shop, 2)
    found = run(shop.show_customer("0000ABCD"))
    assert isinstance(found, SeveralOrders)
    assert [held.purchase.checkout for held in found.orders] == [first, second]
    assert several_lines(found) == [
        f"{order}  The book, 2026-03-01 12:00 UTC, a•••@example.com" for order in (first, second)
    ], "by their whole ids, because their numbers are the same"
    assert isinstance(run(shop.show_customer(first)), Customer), "a whole id is one order"


def test_no_more_than_twenty_orders_are_listed() -> None:
    shop = Shop()
    alike(shop, 20)
    found = run(shop.show_customer("0000abcd"))
    assert isinstance(found, SeveralOrders)
    assert (len(found.orders), found.more, len(several_lines(found))) == (20, False, 20)
    alike(shop, 21)
    found = run(shop.show_customer("0000abcd"))
    assert isinstance(found, SeveralOrders)
    assert (len(found.orders), found.more, several_lines(found)[-1]) == (20, True, "…")


def test_an_address_is_read_as_at_the_payment() -> None:
    shop = Shop()
    bought(shop)
    assert shown(shop, " ANNA@Example.com").user is not None
    assert run(shop.show_customer("a..b@example.com")) == NotAnAddress(EmailProblem.LOCAL_PART_REFUSED)


# ------------------------------------------------------------------ the timeline


def test_the_timeline_tells_what_happened_in_order() -> None:
    shop = Shop()
    anna = Browser(shop)
    purchase = bought(shop, browser=anna)
    number = purchase.checkout[:16]
    shop.clock.tick(hours=1)
    anna.press(shop.last_link(ANNA))
    shop.clock.tick(hours=1)
    offered = run(shop.fetch_file(anna.visitor, BOOK, "it.txt"))
    assert isinstance(offered, Offered)
    run(shop.fetch_file.open(offered, start=0, stop=5))
    run(
        shop.store.transact(
            lambda tx: tx.outbox.record_delivery(f"access:{purchase.checkout}", Delivery.BOUNCED)
        )
    )
    at = int(datetime(2026, 3, 1, 15, 0, tzinfo=UTC).timestamp())
    fact = Fact("re_1", FactKind.REFUND, purchase.payment, as_of=at, status="succeeded", amount=400)
    run(shop.store.transact(lambda tx: tx.facts.record(fact)))
    assert lines(shop, ANNA) == lines(shop, number)
    said = lines(shop, ANNA)
    assert said[0] == ANNA
    assert said[1] == "1 order, customer since 2026-03-01 12:00 UTC, address verified 2026-03-01 13:00 UTC."
    assert said[3:] == [
        f"2026-03-01 12:00 UTC  Order {number}: The book, $9.00. Open, $4.00 refunded. Test purchase.",
        f"2026-03-01 12:00 UTC  Access email, order {number}: sent, bounced.",
        "2026-03-01 13:00 UTC  A browser: last seen (signed in since 2026-03-01 13:00 UTC).",
        f"2026-03-01 14:00 UTC  it.txt of order {number} downloaded (once so far).",
        f"2026-03-01 15:00 UTC  Refund of $4.00, order {number}: succeeded.",
    ]


@pytest.mark.parametrize(
    ("kind", "status", "amount", "said"),
    [(FactKind.REFUND, "succeeded", 900, "Closed since 2026-03-01 12:00 UTC: refunded in full."),
     (FactKind.DISPUTE, "lost", 900, "Closed since 2026-03-01 12:00 UTC: charged back."),
     (FactKind.DISPUTE, "lost", 300, "Open, $3.00 lost in a dispute."),
     (FactKind.DISPUTE, "needs_response", 900, "Closed since 2026-03-01 12:00 UTC: in dispute."),
     (FactKind.REFUND, "brand_new", 900, "Closed since 2026-03-01 12:00 UTC: Stripe reports a status that is not known."),
     (FactKind.REFUND, "failed", 900, "Open.")],
)  # fmt: skip
def test_the_state_of_an_order_is_told_with_its_reason(
    kind: FactKind, status: str, amount: int, said: str
) -> None:
    shop = Shop()
    purchase = bought(shop)
    at = int(shop.clock.now().timestamp())
    fact = Fact("x_1", kind, purchase.payment, as_of=at, status=status, amount=amount)
    run(shop.store.transact(lambda tx: tx.facts.record(fact)))
    assert any(f"$9.00. {said}" in line for line in lines(shop, ANNA))


def test_no_secret_is_told() -> None:
    keys = Licences(listed=("ABCD-EFGH-IJKL-1234", "SHORT"))
    shop = Shop(edition=an_edition(a_product(BOOK, licences=keys)))
    run(shop.supply_licences())
    anna = Browser(shop)
    bought(shop, browser=anna)
    bought(shop, browser=anna)
    Browser(shop).ask_for_link(ANNA)
    shop.deliver_mail()
    link, code = shop.last_link(ANNA), shop.last_code(ANNA)
    anna.press(link)
    said = "\n".join(lines(shop, ANNA))
    assert "Licence key •••1234 given." in said
    assert "Licence key ••• given." in said
    assert "Sign-in email: sent." in said
    secrets = ["ABCD", "SHORT", link, code, anna.token, anna.device, *shop.memory.tables.links]
    secrets += [session.token_hash for session in shop.memory.tables.sessions.values()]
    assert [secret for secret in secrets if str(secret) in said] == []


def test_a_change_of_address_is_told_under_both_addresses() -> None:
    shop = Shop()
    anna = Browser(shop)
    number = bought(shop, browser=anna).checkout[:16]
    anna.press(shop.last_link(ANNA))
    run(shop.change_address.change(anna.visitor, BEN))
    asked = f"2026-03-01 12:00 UTC  Address: change from {ANNA} to {BEN} requested."
    assert asked in lines(shop, ANNA)
    assert asked in lines(shop, BEN)
    shop.deliver_mail()
    shop.clock.tick(minutes=5)
    anna.press(shop.last_link(BEN))
    done = f"2026-03-01 12:05 UTC  Address: changed from {ANNA} to {BEN}."
    assert {asked, done} <= set(lines(shop, BEN))
    assert {asked, done, "No order belongs to this address."} <= set(lines(shop, ANNA))
    assert lines(shop, number)[0] == BEN, "an order is its owner's"


def test_a_session_that_was_carried_away_is_under_the_new_address() -> None:
    shop = Shop()
    anna = Browser(shop)
    bought(shop, browser=anna)
    anna.press(shop.last_link(ANNA))
    run(shop.change_address.change(anna.visitor, BEN))
    shop.deliver_mail()
    anna.press(shop.last_link(BEN))
    assert (len(shown(shop, BEN).sessions), len(shown(shop, ANNA).sessions)) == (1, 0)


def test_an_expired_session_is_told_as_such() -> None:
    shop = Shop()
    anna = Browser(shop)
    bought(shop, browser=anna)
    anna.press(shop.last_link(ANNA))
    shop.clock.tick(days=15)
    assert any("A browser: last seen" in line and "expired since" in line for line in lines(shop, ANNA))


def test_an_order_without_an_address_and_one_of_an_erased_customer_say_so() -> None:
    shop = Shop()
    order = paid(shop, Browser(shop)).checkout
    assert lines(shop, order)[0].startswith(f"Order {order[:16]} has no address yet.")
    anna = Browser(shop, network="192.0.2.9")
    mine = bought(shop, browser=anna).checkout
    anna.press(shop.last_link(ANNA))
    run(shop.erase(anna.visitor))
    said = lines(shop, mine)
    assert said[0] == f"The customer of order {mine[:16]} was erased on 2026-03-01 12:00 UTC."
    assert ANNA not in "".join(said)
    assert run(shop.show_customer(ANNA)) is None


def test_a_test_purchase_opens_nothing_once_the_shop_is_live() -> None:
    shop = Shop()
    order = bought(shop).checkout
    shop.payments.livemode = True
    run(shop.go_live())
    assert any("Closed: a test purchase." in line for line in lines(shop, order))


def test_an_address_that_only_tried_to_sign_in_is_no_customers() -> None:
    shop = Shop()
    Browser(shop).ask_for_link(BEN)
    shop.deliver_mail()
    said = lines(shop, BEN)
    assert said[1] == "No order belongs to this address."
    assert said[3:] == [
        "2026-03-01 12:00 UTC  Sign-in email: not sent, because no customer had this address."
    ]


def test_what_the_shop_emails_to_its_merchant_is_not_a_customers() -> None:
    shop = Shop()
    bought(shop, "help@shop.example")
    [mail] = shop.memory.tables.outbox.values()
    notice = replace(mail, key="notice:x", kind=MailKind.NOTICE, state=MailState.SENT)
    shop.memory.tables.outbox["notice:x"] = notice
    assert [one.key for one in shown(shop, "help@shop.example").mails] == [mail.key]
