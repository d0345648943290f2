"""One search field: what somebody has of a sale leads to it, and everything else is text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from contracts import samples
from contracts.samples import NOW

from adapters.memory.store import MemoryStore
from domain.fact import Fact, FactKind
from domain.purchase import LicenceKey
from domain.records import EventRecord
from domain.transaction import Transaction
from domain.usecases.find_sales import (
    AtDomain,
    FindSales,
    Found,
    NothingFound,
    OneCustomer,
    OneSale,
    SeveralFound,
)
from domain.values import EmailAddress, ProductId, ProviderRef, UserId
from testkit.stepping import run

ORDER = "019b2c3d4e5f00112233445566778899"
TWIN = "019b2c3d4e5f99112233445566778899"


def fill(tx: Transaction) -> None:
    for number, address in enumerate(("anna@example.com", "anna@firm.example", "carl@example.com")):
        tx.users.get_or_add(EmailAddress(address), new_id=UserId(f"u{number}"), now=NOW)
    key = (LicenceKey(product=ProductId("book"), key="AB 12 CD"),)
    for checkout, name in ((ORDER, "one"), (TWIN, "two")):
        begun = samples.a_checkout(checkout, ref=f"cs_test_{name}")
        tx.checkouts.add(begun)
        sale = samples.a_purchase(checkout, user="u0", licences=key if name == "one" else ())
        paid = EmailAddress("wife@example.com") if name == "two" else None
        tx.purchases.book(
            replace(sale, provider_ref=ProviderRef(f"cs_test_{name}"), payment=f"pi_{name}", paid_email=paid)
        )
    for object_id, kind in (("re_1", FactKind.REFUND), ("du_1", FactKind.DISPUTE)):
        tx.facts.record(Fact(object_id, kind, "pi_one", as_of=1, status="failed", amount=1))
    for event, about in (("evt_1", "cs_test_two"), ("evt_2", "re_1"), ("evt_3", "evt_3"), ("evt_4", "")):
        tx.events.log(EventRecord(event, "some.thing", about), outcome="noted", at=NOW)


def search(typed: str) -> Found:
    store = MemoryStore()
    run(store.transact(fill))
    return run(FindSales(store=store)(typed))


@pytest.mark.parametrize(
    ("typed", "order"),
    [
        (ORDER, ORDER), (ORDER[:16], ORDER), (f"#{ORDER[:16].upper()}", ORDER), (f"{ORDER[:8]}-{ORDER[8:16]}", ORDER),
        ("cs_test_one", ORDER), ("pi_one", ORDER), ("re_1", ORDER), ("du_1", ORDER), ("evt_1", TWIN), ("evt_2", ORDER),
        ("AB 12 CD", ORDER), (" AB 12 CD\n", ORDER), ("wife@example.com", TWIN),
        ("https://dashboard.stripe.com/test/payments/pi_two", TWIN),
        ("https://dashboard.stripe.com/acct_1/test/payments/pi_one?tab=x", ORDER),
        ("https://shop.example/view/book?session_id=cs_test_two", TWIN),
        (f"https://shop.example/orders/{TWIN}", TWIN), (f"https://shop.example/admin/sales/{ORDER}#x", ORDER),
    ],
)  # fmt: skip
def test_it_goes_straight_to_a_sale(typed: str, order: str) -> None:
    found = search(typed)
    assert isinstance(found, OneSale), found
    assert found.held.purchase.checkout == order


@pytest.mark.parametrize("typed", ["anna@example.com", " Anna@Example.COM "])
def test_it_goes_straight_to_a_customer(typed: str) -> None:
    found = search(typed)
    assert isinstance(found, OneCustomer)
    assert found.user.id == "u0"


def test_an_order_number_that_several_share_lists_them() -> None:
    found = search(ORDER[:12])
    assert isinstance(found, SeveralFound)
    assert [held.purchase.checkout for held in found.sales] == [ORDER, TWIN]
    assert search(ORDER[:11]) == NothingFound(), "too short to be one"


def test_a_domain_is_a_list_of_its_own() -> None:
    assert search("@Example.com") == AtDomain("example.com")


@pytest.mark.parametrize(
    ("typed", "users", "products"),
    [
        ("ann", ["u0", "u1"], []), ("ANNA@", ["u0", "u1"], []), ("anna@exam", ["u0"], []), ("boo", [], ["book"]),
        ("the b", [], ["book"]), ("Book", [], ["book"]), ("c", ["u2"], []),
    ],
)  # fmt: skip
def test_otherwise_it_lists_what_begins_so(typed: str, users: list[str], products: list[str]) -> None:
    found = search(typed)
    assert isinstance(found, SeveralFound), found
    assert [user.id for user in found.users] == users
    assert [product for product, _ in found.products] == products


def test_where_nothing_is_found_the_same_name_at_other_domains_is_offered() -> None:
    found = search("anna@elsewhere.test")
    assert isinstance(found, NothingFound)
    assert [user.id for user in found.elsewhere] == ["u0", "u1"]


@pytest.mark.parametrize(
    "typed", ["pi_none", "ch_1", "evt_3", "evt_4", "evt_9", "https://dashboard.stripe.com/payments/pi_9"]
)
def test_an_id_of_the_provider_that_is_not_known_may_be_known_there(typed: str) -> None:
    assert search(typed) == NothingFound(at_provider=True)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "%", "_", "'", '"; DROP TABLE users; --', "\0", "\ud800", "x" * 10_000, "@", "@@", "a@b@c", "https://x.test/",
     "cs_test_..", "[", "\N{RIGHT-TO-LEFT OVERRIDE}", "an%", "ann_"],
)  # fmt: skip
def test_everything_else_is_text(typed: str) -> None:
    assert search(typed) == NothingFound()


def test_a_long_list_says_that_there_is_more() -> None:
    store = MemoryStore()
    for number in range(21):
        run(
            store.transact(
                lambda tx, n=number: tx.users.get_or_add(
                    EmailAddress(f"a{n:02}@x.test"), new_id=UserId(f"u{n}"), now=NOW
                )
            )
        )  # type: ignore[misc]
    found = run(FindSales(store=store)("a"))
    assert isinstance(found, SeveralFound)
    assert (len(found.users), found.more) == (20, True)
