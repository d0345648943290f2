"""A thief's tries: none of them opens what is somebody else's."""

from __future__ import annotations

from datetime import timedelta

from domain.address_change import AddressChange, ChangeKind
from domain.transaction import Transaction
from domain.usecases.erase_refusal import Erased, changes_to
from domain.usecases.link_outcomes import LinkError, LinkRejected, SignedIn
from domain.usecases.return_outcomes import Claimed
from domain.values import ChangeId, EmailAddress, SessionId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit.stepping import Actor, Stage, pause, run

VICTIM = "victim@example.com"


def test_paying_with_a_victims_address_opens_nothing_of_the_victims_now_or_later() -> None:
    """Stripe does not verify the address typed at checkout: a payment proves a browser, not a mailbox."""
    shop = Shop()
    victim, thief = Browser(shop), Browser(shop)
    victim.buy_and_pay(VICTIM, BOOK)
    ref = thief.buy(PHOTOS)
    shop.payments.pay(ref, email=VICTIM)
    assert thief.come_back(ref, PHOTOS) == Claimed(here=True)
    assert thief.owned == {PHOTOS}
    shop.deliver_mail()
    victim.press(shop.last_link(VICTIM))
    assert thief.owned == {PHOTOS}, "the victim's login must not open anything to the thief"
    assert victim.owned == {BOOK, PHOTOS}, "the purchase belongs to the mailbox it was paid with"


def test_the_success_url_in_another_browser_opens_nothing() -> None:
    shop = Shop()
    anna, thief = Browser(shop), Browser(shop)
    ref = anna.buy()
    shop.payments.pay(ref, email=VICTIM)
    assert thief.come_back(ref) == Claimed(here=False)
    assert thief.owned == frozenset()
    assert thief.viewer.session is None, "no login, no session"
    assert anna.come_back(ref) == Claimed(here=True)


def test_a_browser_that_left_an_account_never_learns_where_its_owner_went() -> None:
    """It was signed in to the account when its payment page opened; the account has another address since."""
    shop = Shop()
    shared, owner = Browser(shop), Browser(shop)
    Browser(shop).buy_and_pay("other@example.com", PHOTOS)
    shared.buy_and_pay(VICTIM, BOOK)
    shared.press(shop.last_link(VICTIM))
    ref = shared.buy(PHOTOS)
    for browser, address in ((shared, "other@example.com"), (owner, VICTIM)):
        browser.ask_for_link(address)
        shop.deliver_mail()
        assert isinstance(browser.press(shop.last_link(address)), SignedIn)
    run(shop.change_address.change(owner.visitor, "new@example.com"))
    shop.deliver_mail()
    assert isinstance(owner.press(shop.last_link("new@example.com")), SignedIn)
    shop.payments.pay(ref, email=VICTIM)
    assert shared.come_back(ref, PHOTOS) == Claimed(here=False, sent_to=None)
    assert owner.owned == {BOOK, PHOTOS}


def test_twenty_uses_of_one_link_at_once_give_one_session() -> None:
    """Single use is one atomic statement, in every order of the awaits."""
    for lead in range(20):
        shop = Shop(pause=pause)
        ref = Browser(shop).buy_and_pay(VICTIM)
        assert ref
        token, before = shop.last_link(VICTIM), len(shop.memory.tables.sessions)
        came: list[SignedIn | LinkRejected] = []

        def user(shop: Shop = shop, token: str = token, came: list[SignedIn | LinkRejected] = came) -> object:
            async def use() -> None:
                came.append(await shop.redeem.by_link(Browser(shop).visitor, token))

            return use()

        actors = [Actor(f"user{n}", user, retried=False) for n in range(20)]  # type: ignore[arg-type]
        Stage(choose=lambda names, lead=lead: (lead * 7) % len(names), crash=lambda: False).play(actors)
        assert sum(isinstance(c, SignedIn) for c in came) == 1
        assert [c.error for c in came if isinstance(c, LinkRejected)] == [LinkError.USED] * 19
        assert len(shop.memory.tables.sessions) == before + 1


def test_a_code_phished_from_the_owner_is_worth_nothing_in_another_browser() -> None:
    shop = Shop()
    Browser(shop).buy_and_pay(VICTIM)
    victim, thief = Browser(shop), Browser(shop)
    victim.ask_for_link(VICTIM)
    shop.deliver_mail()
    code = shop.last_code(VICTIM)
    thief.ask_for_link("thief@example.com")
    assert isinstance(thief.type_code(code), LinkRejected)
    assert isinstance(victim.type_code(code), SignedIn)


def test_a_thief_who_deletes_his_account_does_not_save_the_session_that_he_stole() -> None:
    """He asked there to move her account to his address; her undo link ends that session all the same."""
    shop = Shop()
    victim, thief = Browser(shop), Browser(shop)
    for browser, address in ((victim, VICTIM), (thief, "thief@example.com")):
        browser.buy_and_pay(address)
        browser.press(shop.last_link(address))
    stolen = Browser(shop, token=victim.token)
    run(shop.change_address.change(stolen.visitor, "thief@example.com"))
    assert run(shop.erase(thief.visitor)) is Erased.DONE
    shop.deliver_mail()
    assert isinstance(Browser(shop).press(shop.last_link(VICTIM)), SignedIn)
    assert stolen.viewer.session is None


def test_a_restored_shop_opens_no_account_by_an_access_email_that_went_to_another_address() -> None:
    """A restore forgets a change of address, and books the sales since under the address that it knows."""
    shop = Shop()
    victim = Browser(shop)
    victim.buy_and_pay(VICTIM)
    victim.press(shop.last_link(VICTIM))
    ref = victim.buy(PHOTOS)
    backup = shop.memory.tables.copy()
    run(shop.change_address.change(victim.visitor, "thief@example.com"))
    shop.deliver_mail()
    assert isinstance(victim.press(shop.last_link("thief@example.com")), SignedIn)
    shop.payments.pay(ref, email=VICTIM)
    shop.hear_of(ref, event="evt_2")
    shop.deliver_mail()
    access_link = shop.last_link("thief@example.com")
    shop.memory.tables = backup
    shop.hear_of(ref, event="evt_3")
    assert shop.memory.tables.purchases[next(reversed(shop.memory.tables.purchases))].mailbox == EmailAddress(
        VICTIM
    )
    assert isinstance(Browser(shop).press(access_link), LinkRejected)


def test_a_deletion_that_is_done_again_after_a_restore_leaves_a_victim_the_way_back() -> None:
    """The backup knows her account at the thief's second address; she undid that, then he deleted his first."""
    shop = Shop()
    victim, thief = Browser(shop), Browser(shop)
    victim.buy_and_pay(VICTIM)
    victim.press(shop.last_link(VICTIM))
    [order] = shop.memory.tables.purchases
    stolen = Browser(shop, token=victim.token)
    for address in ("thief@example.com", "thief@second.example"):
        run(shop.change_address.change(stolen.visitor, address))
        shop.deliver_mail()
        assert isinstance(stolen.press(shop.last_link(address)), SignedIn)
    undo = shop.last_link(VICTIM)
    backup = shop.memory.tables.copy()
    assert isinstance(Browser(shop).press(undo), SignedIn)
    thief.buy_and_pay("thief@example.com")
    thief.press(shop.last_link("thief@example.com"))
    assert run(shop.erase(thief.visitor)) is Erased.DONE
    done = shop.memory.tables
    shop.memory.tables = backup
    run(shop.erase_again(sorted(done.erasures), list(done.erased_addresses.values())))
    assert shop.memory.tables.purchases[order].mailbox == EmailAddress(VICTIM)


def test_no_secret_is_at_rest() -> None:
    """Nothing in the store opens anything: no token, no link, no code, no key."""
    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay(VICTIM)
    anna.ask_for_link(VICTIM)
    shop.deliver_mail()
    rest = repr(shop.memory.tables)
    for secret in (
        anna.token,
        shop.last_link(VICTIM),
        shop.last_code(VICTIM),
        shop.last_code(VICTIM).replace("-", ""),
        *shop.secrets,
    ):
        assert str(secret) not in rest


def test_a_change_that_was_done_later_is_no_way_to_an_address() -> None:
    """A to B, B to C, then C to B by itself: what C gave back to B later says nothing of how anything came to C."""
    shop, at = Shop(), Shop().clock.now()
    a, b, c = (EmailAddress.parse(f"{name}@example.com") for name in "abc")

    def change(number: int, old: EmailAddress, new: EmailAddress) -> AddressChange:
        done = at + timedelta(minutes=number)
        return AddressChange(
            id=ChangeId(f"{number:032x}"), kind=ChangeKind.CHANGE, old=old, new=new, asked_by=SessionId("0" * 32),
            asked_at=at, checkouts=(), done_at=done,
        )  # fmt: skip

    first, second, later = change(1, a, b), change(2, b, c), change(3, c, b)

    def work(tx: Transaction) -> list[AddressChange]:
        for one in (first, second, later):
            tx.address_changes.begin(one)
        return changes_to(tx, c)

    assert run(shop.memory.transact(work)) == [second, first]
