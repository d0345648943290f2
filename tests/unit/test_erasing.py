"""What a buyer sees of the data that is held about them, and what is left of it once they are erased."""

from __future__ import annotations

from dataclasses import astuple, is_dataclass, replace

import pytest

from adapters.memory.store import MemoryStore
from adapters.memory.tables import Tables
from domain.fact import FactKind
from domain.keys import Keyring
from domain.magic_link import LinkPurpose
from domain.mail import MailKind
from domain.ports import StoreUnavailable
from domain.product import Licences
from domain.usecases.erase_again import ErasedAgain
from domain.usecases.erase_refusal import Erased
from domain.values import EmailAddress, ProviderRef
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.owners import ANNA, BEN, NEW, change, order_of, owner_of, signed_in
from testkit.stepping import run


def names_anywhere(shop: Shop, text: str) -> list[str]:
    """Where in the store a text still stands."""
    found: list[str] = []
    tables = shop.memory.tables
    for name in tables.__slots__:
        for key, row in getattr(tables, name).items():
            flat = repr(astuple(row)) if is_dataclass(row) and not isinstance(row, type) else repr(row)
            if text in flat or text in repr(key):
                found.append(f"{name}: {key}")
    return found


def test_ones_data_is_everything_that_is_held() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    offered = run(shop.fetch_file(anna.visitor, BOOK, "it.txt"))
    run(shop.fetch_file.open(offered, start=0, stop=5))  # type: ignore[arg-type]
    run(shop.fetch_file.open(offered, start=2, stop=5))  # type: ignore[arg-type]
    own = run(shop.own_data(anna.visitor))
    assert own is not None
    assert own.user is not None
    assert [h.purchase.checkout for h in own.holdings] == [order_of(shop, ref)]
    assert [(d.name, d.times) for d in own.downloads] == [("it.txt", 1)], "not once a range"
    assert [m.kind for m in own.mails] == [MailKind.ACCESS]
    assert run(shop.own_data(Browser(shop).visitor)) is None
    payer = Browser(shop)
    payer.buy_and_pay(ANNA, PHOTOS)
    assert run(shop.own_data(payer.visitor)) is None, "a payment proves no mailbox"
    shop.clock.tick(days=1)
    run(shop.fetch_file.open(offered, start=0, stop=5))  # type: ignore[arg-type]
    own = run(shop.own_data(anna.visitor))
    assert own is not None
    assert own.downloads[0].times == 2


def an_erased_shop() -> tuple[Shop, Browser, ProviderRef]:
    shop = Shop(edition=an_edition(a_product(BOOK, licences=Licences(listed=None)), a_product(PHOTOS)))
    anna, ref = signed_in(shop)
    anna.ask_for_link(ANNA)
    change(shop, anna, NEW)
    change(shop, anna, "other@example.com")
    ben, _ = signed_in(shop, BEN)
    mixed = ben.buy(PHOTOS)
    shop.payments.sessions[mixed] = replace(shop.payments.sessions[mixed], email=None)
    shop.payments.pay(mixed, email=ANNA)
    shop.hear_of(mixed, event="evt_mixed")
    anna.buy(PHOTOS)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    return shop, anna, ref


def test_what_cannot_be_scrubbed_at_once_is_later_and_once() -> None:
    """Somebody reads an older state when a buyer is erased: they are erased all the same, and the store is told again."""
    store = ReadByOthers(MemoryStore())
    shop = Shop(given_store=store)
    anna, _ = signed_in(shop)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    assert store.scrubbed == 0
    with pytest.raises(StoreUnavailable):
        run(shop.erase.scrub_what_waits())
    store.read_by_others = False
    for _ in range(3):
        shop.clock.tick(minutes=30)
        run(shop.erase.scrub_what_waits())
    assert store.scrubbed == 1
    ben, _ = signed_in(shop, BEN)
    assert run(shop.erase(ben.visitor)) is Erased.DONE
    run(shop.erase.scrub_what_waits())
    assert store.scrubbed == 2


class ReadByOthers:
    """A store of which others read an older state."""

    def __init__(self, store: MemoryStore) -> None:
        self.transact, self.read = store.transact, store.read
        self.read_by_others, self.scrubbed = True, 0

    async def scrub(self) -> None:
        if self.read_by_others:
            raise StoreUnavailable("another program reads an older state")
        self.scrubbed += 1


def test_after_erasing_no_row_names_the_address_and_the_books_keep_the_sale() -> None:
    shop, anna, ref = an_erased_shop()
    assert names_anywhere(shop, ANNA) == []
    assert names_anywhere(shop, NEW) == [], "nor the address it was to be changed to"
    purchase = shop.memory.tables.purchases[order_of(shop, ref)]
    assert (purchase.user, purchase.mailbox, purchase.paid_email, purchase.session) == (None,) * 4
    assert purchase.paid.amount == 900
    assert order_of(shop, ref) in shop.memory.tables.erasures
    assert anna.viewer.session is None
    assert run(shop.report()).tally.purchases == 3


def test_after_erasing_late_news_make_no_user_and_no_mail() -> None:
    shop, _, ref = an_erased_shop()
    mails = len(shop.memory.tables.outbox)
    assert shop.hear_of(ref, event="evt_late") == "known"
    assert shop.hear_fact(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=900)) == "noted"
    run(shop.reconcile())
    assert names_anywhere(shop, ANNA) == []
    assert len(shop.memory.tables.outbox) == mails


def test_a_sale_that_is_claimed_after_its_buyer_was_erased_makes_no_user_and_no_mail() -> None:
    """A debit that was under way; and the store of last night, with the erasures that are carried apart."""
    shop = Shop()
    anna, _ = signed_in(shop)
    backup = shop.memory.tables.copy()
    debit = anna.buy(PHOTOS)
    shop.payments.pay(debit, email=ANNA, status="unpaid")
    lost = anna.buy_and_pay(ANNA, again=True)
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    shop.hear_of(debit, event="evt_debit")
    shop.payments.pay(debit, email=ANNA)
    assert shop.hear_of(debit, event="evt_paid") == "booked"
    assert names_anywhere(shop, ANNA) == []
    erased = list(shop.memory.tables.erasures), list(shop.memory.tables.erased_addresses.values())
    shop.memory.tables = backup
    assert run(shop.erase_again(*erased)).orders > 0
    run(shop.reconcile())
    assert names_anywhere(shop, ANNA) == []
    assert owner_of(shop, lost) is None
    assert len(shop.memory.tables.purchases) == 3
    assert not shop.memory.tables.outbox


def test_who_was_erased_may_come_again_as_somebody_new() -> None:
    shop, _, ref = an_erased_shop()
    again = Browser(shop).buy_and_pay(ANNA)
    assert owner_of(shop, again) == ANNA
    assert owner_of(shop, ref) is None


def test_only_who_is_signed_in_can_be_erased() -> None:
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    assert run(shop.erase(anna.visitor)) is Erased.NOT_SIGNED_IN
    assert EmailAddress(ANNA) in {u.mailbox for u in shop.memory.tables.users.values()}


def test_what_cannot_be_undone_takes_a_fresh_proof() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    shop.clock.tick(hours=2)
    assert run(shop.erase(anna.visitor)) is Erased.PROVE_AGAIN
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE


def test_a_thief_with_a_session_cannot_move_everything_away_and_erase_it() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    thief = Browser(shop, token=anna.token)
    change(shop, thief, "thief@example.com")
    thief.press(shop.last_link("thief@example.com"))
    assert run(shop.erase(thief.visitor)) is Erased.TOO_SOON
    Browser(shop).press(shop.last_link(ANNA))
    assert owner_of(shop, ref) == ANNA
    assert run(shop.erase(thief.visitor)) is Erased.NOT_SIGNED_IN, (
        "undoing ends the session that the change signed in"
    )
    assert owner_of(shop, ref) == ANNA


def test_an_address_that_was_changed_long_ago_can_be_erased() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    change(shop, anna, NEW)
    shop.clock.tick(minutes=10)
    anna.press(shop.last_link(NEW))
    shop.clock.tick(days=4)
    anna.ask_for_link(NEW)
    shop.deliver_mail()
    anna.press(shop.last_link(NEW))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    assert owner_of(shop, ref) is None
    assert names_anywhere(shop, ANNA) == []


def restored(shop: Shop, backup: Tables) -> None:
    """The books of then, with the erasures of now, which are carried apart."""
    erased = list(shop.memory.tables.erasures), list(shop.memory.tables.erased_addresses.values())
    shop.memory.tables = backup.copy()
    run(shop.erase_again(*erased))


def a_changed_shop() -> tuple[Shop, Browser, ProviderRef, Tables, Tables]:
    """Anna bought, began something else, and changed her address; the store before and after that."""
    shop = Shop()
    anna, ref = signed_in(shop)
    second = anna.buy_and_pay(ANNA, PHOTOS)
    before = shop.memory.tables.copy()
    change(shop, anna, NEW)
    anna.press(shop.last_link(NEW))
    assert owner_of(shop, ref) == owner_of(shop, second) == NEW
    return shop, anna, ref, before, shop.memory.tables.copy()


def test_who_has_a_former_address_now_erases_nothing_of_who_had_it_not_even_by_a_restore() -> None:
    shop, _, ref, before, after = a_changed_shop()
    stranger = Browser(shop)
    stranger.ask_for_link(ANNA)
    shop.deliver_mail()
    shop.clock.tick(minutes=1)
    mine = Browser(shop).buy_and_pay(ANNA)
    shop.deliver_mail()
    stranger.press(shop.last_link(ANNA))
    assert owner_of(shop, mine) == ANNA
    assert run(shop.erase(stranger.visitor)) is Erased.DONE
    assert (owner_of(shop, mine), owner_of(shop, ref)) == (None, NEW)
    restored(shop, after)
    assert owner_of(shop, ref) == NEW
    restored(shop, before)
    assert owner_of(shop, ref) == ANNA, "it was hers then"
    assert shop.memory.tables.users


def test_a_restore_erases_who_changed_their_address_under_both() -> None:
    shop, anna, _, before, _ = a_changed_shop()
    shop.clock.tick(days=4)
    anna.ask_for_link(NEW)
    shop.deliver_mail()
    anna.press(shop.last_link(NEW))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    restored(shop, before)
    assert names_anywhere(shop, ANNA) == names_anywhere(shop, NEW) == []


def test_who_came_again_after_being_erased_stays_when_an_older_backup_is_restored() -> None:
    shop, _, ref = an_erased_shop()
    again = Browser(shop).buy_and_pay(ANNA)
    restored(shop, shop.memory.tables)
    assert (owner_of(shop, again), owner_of(shop, ref)) == (ANNA, None)


def test_who_was_erased_twice_is_erased_by_the_backup_between() -> None:
    shop, _, _ = an_erased_shop()
    shop.clock.tick(minutes=20)
    Browser(shop).buy_and_pay(ANNA)
    between = shop.memory.tables.copy()
    anna = Browser(shop)
    anna.ask_for_link(ANNA)
    shop.deliver_mail()
    anna.press(shop.last_link(ANNA))
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    restored(shop, between)
    assert names_anywhere(shop, ANNA) == []


def test_without_the_secret_of_then_the_orders_are_erased_and_the_rest_is_said_to_be_missing() -> None:
    shop = Shop()
    anna, ref = signed_in(shop)
    backup = shop.memory.tables.copy()
    assert run(shop.erase(anna.visitor)) is Erased.DONE
    erased = list(shop.memory.tables.erasures), list(shop.memory.tables.erased_addresses.values())
    assert "anna" not in repr(erased)
    shop.memory.tables = backup
    other = replace(shop.erase_again, keyring=Keyring.of(("another secret of thirty-two characters",)))
    assert run(other(*erased)) == ErasedAgain(orders=1, unknown=1)
    assert owner_of(shop, ref) is None
    assert not shop.memory.tables.users
    assert run(shop.erase_again(*erased)) == ErasedAgain(orders=0, unknown=0)
    assert names_anywhere(shop, ANNA) == [], "with that secret again, it is made up for"


def test_a_thief_cannot_hide_the_notice_of_a_change_by_deleting_an_account_of_his() -> None:
    shop = Shop()
    anna, _ = signed_in(shop)
    thief, _ = signed_in(shop, "thief@example.com")
    change(shop, Browser(shop, token=anna.token), NEW)
    change(shop, thief, ANNA)
    notices = [
        m
        for m in shop.memory.tables.outbox.values()
        if m.kind is MailKind.ADDRESS and m.to == EmailAddress(ANNA)
    ]
    assert len(notices) == 2
    assert run(shop.erase(thief.visitor)) is Erased.DONE
    left = [
        m
        for m in shop.memory.tables.outbox.values()
        if m.kind is MailKind.ADDRESS and m.to == EmailAddress(ANNA)
    ]
    assert len(left) == 1, "the one about Anna's own address"
    assert left[0].link is not None
    assert shop.memory.tables.links[left[0].link].purpose is LinkPurpose.UNDO
