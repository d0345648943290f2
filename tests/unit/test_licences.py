"""Who gets the licence keys that the merchant listed: live purchases, in their order, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fact import FactKind
from domain.product import Licences
from domain.purchase import Purchase
from domain.values import ProviderRef
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from testkit import by_hand
from testkit.stepping import run

ANNA, BEN = "anna@example.com", "ben@example.com"


def a_shop(keys: Licences) -> Shop:
    shop = Shop(edition=an_edition(a_product(BOOK, licences=keys)))
    run(shop.supply_licences())
    return shop


def purchases(shop: Shop) -> list[Purchase]:
    return list(shop.memory.tables.purchases.values())


def a_list_that_ran_out(*emails: str) -> tuple[Shop, list[ProviderRef]]:
    """A shop without free keys, and purchases that wait, each bought a second after the one before."""
    shop = a_shop(Licences(listed=()))
    refs = []
    for email in emails:
        shop.clock.tick(seconds=1)
        refs.append(Browser(shop).buy_and_pay(email))
    shop.clock.tick(seconds=1)
    return shop, refs


def keys_of(shop: Shop) -> list[list[str]]:
    return [[item.key for item in p.licences] for p in purchases(shop)]


def restock(shop: Shop, *keys: str) -> int:
    shop.catalogue.edition = an_edition(a_product(BOOK, licences=Licences(listed=keys)))
    served = run(shop.supply_licences())
    shop.deliver_mail()
    return served


NOT_LIVE = [
    (FactKind.REFUND, "succeeded"), (FactKind.REFUND, "pending"), (FactKind.REFUND, "a new word"),
    (FactKind.DISPUTE, "lost"), (FactKind.DISPUTE, "needs_response"), (FactKind.DISPUTE, "a new word"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "status"), NOT_LIVE)
def test_a_purchase_that_is_not_live_is_skipped_in_the_line(kind: FactKind, status: str) -> None:
    shop, [first, _] = a_list_that_ran_out(ANNA, BEN)
    shop.hear_fact(shop.payments.tell(first, kind, status, amount=900))
    assert restock(shop, "k1") == 1
    assert keys_of(shop) == [[], ["k1"]]
    assert not any("k1" in mail.text for mail in shop.letters_to(ANNA))
    assert "k1" in shop.letters_to(BEN)[-1].text


def test_a_revoked_purchase_is_skipped_in_the_line_and_served_once_it_is_reopened() -> None:
    shop, _ = a_list_that_ran_out(ANNA, BEN)
    order = purchases(shop)[0].checkout
    by_hand.revoke(shop, order)
    assert restock(shop, "k1", "k2") == 1
    assert keys_of(shop) == [[], ["k1"]]
    by_hand.restore(shop, order)
    assert run(shop.supply_licences.serve()) == 1
    assert keys_of(shop) == [["k2"], ["k1"]]
    shop.deliver_mail()
    assert any("k2" in mail.text for mail in shop.letters_to(ANNA))


def test_a_purchase_that_is_live_again_gets_its_key_without_a_new_list() -> None:
    shop, [ref] = a_list_that_ran_out(ANNA)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "needs_response", amount=900))
    assert restock(shop, "k1") == 0
    shop.clock.tick(minutes=1)
    shop.hear_fact(shop.payments.tell(ref, FactKind.DISPUTE, "won", amount=900))
    assert run(shop.supply_licences.serve()) == 1
    assert keys_of(shop) == [["k1"]]
    shop.deliver_mail()
    assert any("k1" in mail.text for mail in shop.letters_to(ANNA))


def test_a_long_line_of_refunded_purchases_hides_nobody_behind_it() -> None:
    emails = [f"anna{n}@example.com" for n in range(45)]
    shop, refs = a_list_that_ran_out(*emails)
    for number, ref in enumerate(refs[:-1]):
        refund = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=900)
        shop.hear_fact(refund, event=f"evt_refund_{number}")
    assert restock(shop, "k1", "k2") == 1
    assert keys_of(shop)[-1] == ["k1"]
    assert not any(keys_of(shop)[:-1])


@pytest.mark.parametrize("keys", [Licences(listed=None), Licences(listed=("k1", "k2"))])
@pytest.mark.parametrize("found_by", ["webhook", "reconciler", "payment"])
def test_a_sale_that_was_refunded_before_it_was_booked_takes_no_key_and_emails_none(
    keys: Licences, found_by: str
) -> None:
    shop = a_shop(keys)
    anna = Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=ANNA)
    refund = shop.payments.tell(ref, FactKind.REFUND, "pending", amount=900)
    match found_by:
        case "webhook":
            assert shop.hear_fact(refund) == "waits for its sale"
            assert shop.hear_of(ref) == "booked"
        case "reconciler":
            assert run(shop.reconcile()).booked == [ref]
        case _:
            delivery = shop.payments.payment_delivery(shop.payments.sessions[ref].payment or "")
            run(shop.hear(delivery.body, delivery.signature))
            run(shop.recheck_payments())
    run(shop.supply_licences.serve())
    shop.deliver_mail()
    [purchase] = purchases(shop)
    assert len(shop.letters_to(ANNA)) == 2, "the access email, and the one about the refund"
    assert not any("icence key" in mail.text for mail in shop.letters_to(ANNA))
    if keys.listed is not None:
        assert not purchase.licences
        Browser(shop).buy_and_pay(BEN)
        assert "k1" in shop.letters_to(BEN)[-1].text, "the key that the refunded sale did not take"
    shop.clock.tick(hours=1)
    shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "failed", amount=900))
    run(shop.supply_licences.serve())
    [held] = anna.viewer.holdings
    assert [item.key for item in held.usable_keys(shop.clock.now())] == (
        ["k2"] if keys.listed else [shop.keyring.signing.licence_of(purchase.checkout, BOOK)]
    )


@settings(max_examples=60)
@given(
    waiting=st.lists(
        st.sampled_from(["live", "refunded", "part", "disputed", "inquiry", "lost"]), max_size=6
    ),
    keys=st.integers(0, 7),
)
def test_keys_go_to_live_purchases_in_their_order_and_to_nobody_else(waiting: list[str], keys: int) -> None:
    shop, refs = a_list_that_ran_out(*[f"anna{n}@example.com" for n in range(len(waiting))])
    facts = {
        "refunded": (FactKind.REFUND, "succeeded", 900),
        "part": (FactKind.REFUND, "succeeded", 899),
        "disputed": (FactKind.DISPUTE, "under_review", 1),
        "inquiry": (FactKind.DISPUTE, "warning_needs_response", 900),
        "lost": (FactKind.DISPUTE, "lost", 900),
    }
    for ref, why in zip(refs, waiting, strict=True):
        if why in facts:
            kind, status, amount = facts[why]
            shop.hear_fact(shop.payments.tell(ref, kind, status, amount=amount))
    restock(shop, *[f"k{n}" for n in range(keys)])
    free = iter([f"k{n}" for n in range(keys)])
    expected = [
        [k] if why in ("live", "part", "inquiry") and (k := next(free, "")) else [] for why in waiting
    ]
    assert keys_of(shop) == expected
