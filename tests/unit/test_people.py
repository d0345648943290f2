"""A thief and his victim, at five browsers, in any order: he opens, moves and deletes nothing of hers.

A and A2 are the thief's browsers, V and P (her phone) hers, and at K (a public computer) they take turns. He orders,
buys, corrects, changes, undoes, deletes, copies cookies and sends again what he sent before. She presses every button
that arrives in her mailboxes, twice, at V, P or K, but types codes only at V and P. The shop loses its database and has
it back from a backup. `support.people` is the model: what is whose, and what a browser may open at most.
"""

from __future__ import annotations

import copy
import os
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.memory.view import Tables
from domain.keys import read_token
from domain.magic_link import LinkPurpose
from domain.mail import Envelope
from domain.moves import MoveKind
from domain.product import Licences
from domain.usecases.erase_me import Erased
from domain.usecases.fetch_file import Offered
from domain.usecases.move_address import LookInTheNewMail
from domain.usecases.redeem_login import CameIn, Turned
from domain.usecases.show_receipt import ShowReceipt
from domain.usecases.start_checkout import PayThere
from domain.usecases.take_free import ConfirmByMail, Taken
from domain.values import CheckoutId, MoveId, ProductId, ProviderRef
from support.people import (
    CORRECTION,
    HERS,
    HIS,
    HOUR,
    NOBODYS,
    REPEATED,
    UNDO,
    Life,
    Order,
    Seat,
    Wish,
    World,
)
from support.shop import BASE_URL, BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from support.stepping import run

FREE = ProductId("free")
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
numbers = st.integers(0, 7)
hers, his = st.sampled_from(["V", "P", "K"]), st.sampled_from(["A", "A2", "K"])
anybody = st.sampled_from(["V", "P", "K", "A", "A2"])
addresses = st.sampled_from([*HERS, *HIS])


def link_of(letter: Envelope) -> str:
    return letter.text.partition(f"{BASE_URL}/login/")[2].split()[0]


class People(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        book = a_product(BOOK, licences=Licences(listed=None))
        self.shop = Shop(edition=an_edition(book, a_product(PHOTOS, price=1400), a_product(FREE, price=0)))
        self.receipt = ShowReceipt(store=self.shop.store, payments=self.shop.payments, clock=self.shop.clock)
        self.world = World()
        self.seats = {
            name: Seat(name, Browser(self.shop, network=f"192.0.2.{n}"), hers=name in ("V", "P", "K"))
            for n, name in enumerate(("A", "A2", "V", "P", "K"))
        }
        self.pressed: list[tuple[Browser, str, str, datetime]] = []
        """What the thief submitted with success: the browser as it was, the link, the new cookie, when."""
        self.given: dict[str, tuple[Life | None, int, str, datetime]] = {}
        """The session cookies that were given: one that comes again comes with a repeated submit."""
        self.pages = 0
        self.used_by_her: list[str] = []
        self.too_late: set[MoveId] = set()
        """Corrections of addresses that were verified: kept, and taken back at once."""
        self.erased: set[CheckoutId] = set()
        """The orders of accounts that were deleted."""
        self.backup: tuple[Tables, World] | None = None
        self.events = 0
        self.read = 0

    # ------------------------------------------------------------------ helpers

    @property
    def now(self) -> datetime:
        return self.shop.clock.now()

    def seat(self, name: str, *, hers: bool) -> Seat:
        """The browser of that name if that person sits there, else one of their own."""
        found = self.seats[name]
        return found if found.hers == hers else self.seats["V" if hers else "A"]

    def letters(self, mailboxes: tuple[str, ...]) -> list[Envelope]:
        """What can be pressed in somebody's mailboxes, newest first."""
        self.shop.deliver_mail()
        arrived = reversed(self.shop.mailer.mailbox.values())
        return [mail for mail in arrived if str(mail.to) in mailboxes and "/login/" in mail.text]

    def order(self, number: int, *, begun: Seat | None = None) -> Order | None:
        """One of the newest orders that were booked; `begun`: of those that this browser started."""
        life = None if begun is None else begun.life
        found = [o for o in self.world.orders.values() if o.paid and (begun is None or o.life is life)]
        return found[-1 - number % len(found)] if found else None

    def press(self, seat: Seat, letter: Envelope, *, twice: bool) -> bool:
        """The person at `seat` opens a link of their mailbox there, and presses its button."""
        link, browser = link_of(letter), seat.browser
        run(self.shop.redeem.look(browser.visitor, link))
        self.pages += 1
        browser.form = f"{self.pages:064}"
        before = replace(browser)
        came = browser.press(link)
        if not isinstance(came, CameIn):
            return False
        if seat.hers:
            self.used_by_her.append(link)
        else:
            self.pressed.append((before, link, came.token, self.now))
        state = self.effects()
        self.entered(seat, letter, came)
        self.given[came.token] = seat.life, seat.turn, str(letter.to), self.now
        if twice:
            again = before.press(link)
            assert isinstance(again, CameIn), "the same submit, sent again"
            assert again.token == came.token
            assert self.effects() == state, "it did something twice"
        return True

    def effects(self) -> object:
        t = self.shop.memory.tables
        moves = [(m.id, m.done_at, m.undone_at) for m in t.moves.values()]
        return dict(t.purchases), moves, sorted(t.sessions), sorted(t.outbox)

    def entered(self, seat: Seat, letter: Envelope, came: CameIn) -> None:
        """Somebody came in by a mail they read: the model follows."""
        address = str(letter.to)
        assert str(came.mailbox) == address
        token = read_token(link_of(letter))
        assert token is not None
        link = self.shop.memory.tables.links[token.id]
        wish = None if link.move is None else self.world.wishes.get(link.move)
        if link.purpose is LinkPurpose.ORDER and link.checkout is not None:
            order = self.world.orders.setdefault(link.checkout, Order(link.checkout, None, None))
            if not order.paid:
                self.world.book(order, address, by_her=address in HERS, now=self.now)
        elif link.purpose is LinkPurpose.MOVE:
            assert wish is not None
            self.finished(seat, wish)
        elif link.purpose is LinkPurpose.UNDO:
            assert wish is not None
            self.world.undo(wish)
        self.world.verify(seat, address, now=self.now)

    def finished(self, seat: Seat, wish: Wish) -> None:
        """What must have been so for a wish to be done."""
        assert not wish.withdrawn
        assert not wish.done
        if wish.order is None:
            assert seat.alive, "a change completes in the browser that asked"
            assert seat.life is wish.life
            assert seat.mailbox == wish.old
        else:
            assert wish.old not in self.world.proved, "its owner had verified the address"
        self.world.finish(wish, seat)

    def asked(self, seat: Seat, answer: object, order: Order | None) -> None:
        """A correction or a change was asked for: the shop's own record is noted by its id."""
        for move in self.shop.memory.tables.moves.values():
            if move.id in self.world.wishes or move.id in self.too_late:
                continue
            if move.undone_at == move.asked_at and move.done_at is None:
                assert str(move.old) in self.world.proved, (
                    "a correction comes too late only for a verified address"
                )
                self.too_late.add(move.id)
                continue
            assert isinstance(answer, LookInTheNewMail)
            assert seat.alive
            assert seat.life is not None
            wish = Wish(move.id, str(move.old), str(move.new), seat.life, self.now, order)
            self.world.wishes[move.id] = wish
            assert (move.kind is MoveKind.CORRECTION) == (order is not None)
            if order is None:
                assert wish.old == seat.mailbox
                assert seat.life.verified_at is not None
                assert self.now - seat.life.verified_at < HOUR, (
                    "a change needs a verification of the last hour"
                )
            else:
                assert order.life is seat.life
                assert seat.mailbox is None
                assert order.booked_at is not None
                assert self.now - order.booked_at < CORRECTION
                assert wish.old not in self.world.proved
            if wish.old in HERS and (order is None or order.hers):
                keys = [
                    m.key for m in self.shop.memory.tables.outbox.values() if m.key.startswith("address:")
                ]
                links = {link.id for link in self.shop.memory.tables.links.values() if link.move == move.id}
                undo = [k for k in keys if self.shop.memory.tables.outbox[k].link in links]
                self.world.notices |= {
                    k: wish.old for k in undo if str(self.shop.memory.tables.outbox[k].to) == wish.old
                }

    # ------------------------------------------------------------------ orders and payments

    @rule(name=anybody, product=st.sampled_from([BOOK, PHOTOS]))
    def presses_buy(self, name: str, product: ProductId) -> None:
        self.shop.clock.tick(seconds=20)
        self.start(self.seats[name], product)

    def start(self, seat: Seat, product: ProductId) -> Order | None:
        started = run(self.shop.start_checkout(seat.browser.visitor, product, again=True))
        if not isinstance(started, PayThere):
            return None
        if started.new_token is not None:
            seat.browser.token = started.new_token
            self.world.new_life(seat)
        assert seat.alive, "a session that ended goes on"
        ref = ProviderRef(started.url.rpartition("/")[2])
        [row] = [c for c in self.shop.memory.tables.checkouts.values() if c.provider_ref == ref]
        # A payment on a page that he began in his own account is a gift to that account, whoever pays.
        order = Order(row.id, seat.life, seat.mailbox, ref=ref, gift=seat.mailbox in HIS)
        self.world.orders[row.id] = order
        return order

    @rule(
        number=numbers, by_her=st.booleans(), typed=st.sampled_from([*HERS, *HIS, NOBODYS]), redirect=anybody
    )
    def pays(self, number: int, by_her: bool, typed: str, redirect: str) -> None:
        """Whoever has the page may pay, and types an address: she one of hers, perhaps with a slip."""
        waiting = [o for o in self.world.orders.values() if not o.paid and o.ref is not None]
        if waiting:
            order = waiting[-1 - number % len(waiting)]
            self.pay(order, HERS[0] if by_her and typed in HIS else typed, by_her=by_her, redirect=redirect)

    def pay(self, order: Order, typed: str, *, by_her: bool, redirect: str) -> None:
        assert order.ref is not None
        if self.now - self.shop.payments.made_at[order.ref] >= timedelta(hours=24):
            return
        self.shop.payments.pay(order.ref, email=typed)
        product = self.shop.memory.tables.checkouts[order.id].product
        run(self.shop.come_back(self.seats[redirect].browser.visitor, product, order.ref))
        self.hears(order.ref)
        order.gift = order.gift or not by_her
        self.world.book(order, order.account or typed, by_her=not order.gift, now=self.now)

    def hears(self, ref: ProviderRef) -> None:
        self.events += 1
        self.shop.hear_of(ref, event=f"evt_{self.events}")

    @rule(name=anybody, typed=addresses)
    def takes_what_is_free(self, name: str, typed: str) -> None:
        self.shop.clock.tick(seconds=20)
        seat = self.seats[name]
        known = set(self.shop.memory.tables.purchases)
        answer = seat.browser.take(FREE, email=typed, again=True)
        if isinstance(answer, ConfirmByMail) and answer.new_token is not None:
            self.world.new_life(seat)
        if isinstance(answer, Taken):
            assert seat.alive
            [new] = set(self.shop.memory.tables.purchases) - known
            order = self.world.orders[new] = Order(new, None, seat.mailbox)
            owner = str(self.shop.memory.tables.purchases[new].mailbox)
            assert owner == seat.mailbox
            self.world.book(order, owner, by_her=owner in HERS, now=self.now)

    # ------------------------------------------------------------------ links, codes, addresses

    @rule(name=anybody, typed=addresses)
    def asks_for_a_link(self, name: str, typed: str) -> None:
        self.shop.clock.tick(minutes=1)
        seat, token = self.seats[name], self.seats[name].browser.token
        seat.browser.ask_for_link(typed)
        if seat.browser.token != token:
            self.world.new_life(seat)

    @rule(name=hers, number=numbers, twice=st.booleans())
    def she_presses(self, name: str, number: int, twice: bool) -> None:
        letters = self.letters(HERS)
        if letters:
            self.press(self.seat(name, hers=True), letters[number % len(letters)], twice=twice)

    @rule(name=his, number=numbers, twice=st.booleans())
    def he_presses(self, name: str, number: int, twice: bool) -> None:
        letters = self.letters(HIS)
        if letters:
            self.press(self.seat(name, hers=False), letters[number % len(letters)], twice=twice)

    @rule(name=st.sampled_from(["V", "P", "A", "A2", "K"]), number=numbers)
    def types_a_code(self, name: str, number: int) -> None:
        """She types none into a browser that is not hers; he has those of his mailboxes, and guesses."""
        seat = self.seats[name]
        if seat.hers and name == "K":
            return
        for letter in self.letters(HERS if seat.hers else HIS)[: 1 + number]:
            code = next((line.strip() for line in letter.text.splitlines() if line.startswith("    ")), None)
            came = None if code is None else seat.browser.type_code(code)
            if isinstance(came, CameIn):
                # The same code, with the cookie of the first submit or of its answer.
                repeated = self.given.get(came.token)
                if repeated is None:
                    self.entered(seat, letter, came)
                    self.given[came.token] = seat.life, seat.turn, str(letter.to), self.now
                else:
                    seat.life, seat.turn, address, at = repeated
                    assert seat.alive
                    assert address == str(letter.to)
                    assert self.now - at < REPEATED
                return

    @rule(name=his)
    def he_guesses_a_code(self, name: str) -> None:
        seat = self.seat(name, hers=False)
        assert isinstance(seat.browser.type_code("00000000"), Turned)

    @rule(name=his, number=numbers)
    def he_sends_again(self, name: str, number: int) -> None:
        """His own submits, from the browser as it was; and hers, whose address is in the history of K."""
        if self.pressed:
            browser, link, token, at = self.pressed[-1 - number % len(self.pressed)]
            again = replace(browser).press(link)
            if isinstance(again, CameIn):
                assert again.token == token
                assert self.now - at < REPEATED
        for link in self.used_by_her[-2:]:
            other = Browser(
                self.shop, network="192.0.2.99", token=self.seats["A"].browser.token, form="e" * 64
            )
            assert isinstance(other.press(link), Turned), "her link was used"

    @rule(name=anybody, number=numbers, typed=addresses)
    def asks_for_a_correction(self, name: str, number: int, typed: str) -> None:
        seat = self.seats[name]
        order = self.order(number, begun=seat)
        if order is not None and not (seat.hers and typed in HIS):
            answer = run(self.shop.move_address.correct(seat.browser.visitor, order.id, typed))
            self.asked(seat, answer, order)

    @rule(name=anybody, typed=addresses)
    def asks_for_a_change(self, name: str, typed: str) -> None:
        seat = self.seats[name]
        if not (seat.hers and typed in HIS):
            self.change(seat, typed)

    def change(self, seat: Seat, typed: str) -> None:
        self.shop.clock.tick(minutes=1)
        self.asked(seat, run(self.shop.move_address.change(seat.browser.visitor, typed)), None)

    # ------------------------------------------------------------------ sessions

    @rule(name=anybody, everywhere=st.booleans())
    def signs_out(self, name: str, everywhere: bool) -> None:
        seat = self.seats[name]
        if everywhere:
            run(self.shop.sign_out.everywhere(seat.browser.visitor))
            self.world.sign_out_everywhere(seat)
        else:
            run(self.shop.sign_out.here(seat.browser.visitor))
            if seat.alive and seat.life is not None:
                seat.life.over = True

    @rule()
    def the_other_sits_down_at_the_public_computer(self) -> None:
        self.seats["K"].hers = not self.seats["K"].hers

    @rule(source=anybody, there=st.sampled_from(["A", "A2"]))
    def he_copies_a_cookie(self, source: str, there: str) -> None:
        """Of K, or of a browser of hers, signed in or not: then he is whoever that browser is, until it ends."""
        held, thief = self.seats[source], self.seats[there]
        thief.browser.token, thief.life, thief.turn = held.browser.token, held.life, held.turn

    @rule(source=hers, there=st.sampled_from(["A", "A2"]), to=st.sampled_from(HIS), on=st.booleans())
    def he_steals_a_session_and_moves_her_account(self, source: str, there: str, to: str, on: bool) -> None:
        """The whole theft at once; `on`: and further, to his second address."""
        self.he_copies_a_cookie(source, there)
        thief = self.seats[there]
        for address in (to, next(a for a in HIS if a != to))[: 2 if on else 1]:
            self.change(thief, address)
            for letter in self.letters((address,))[:1]:
                self.press(thief, letter, twice=False)

    @rule(starter=st.sampled_from(["A", "K"]), to=st.sampled_from(HIS), confirms=st.booleans())
    def he_sends_her_a_page_and_corrects_her_address(self, starter: str, to: str, confirms: bool) -> None:
        """She pays, as a guest, on a page that he began; his browser asks to correct her address to his."""
        seat = self.seats[starter]
        order = self.start(seat, PHOTOS)
        if order is not None:
            self.pay(order, HERS[0], by_her=True, redirect="V")
            answer = run(self.shop.move_address.correct(seat.browser.visitor, order.id, to))
            self.asked(seat, answer, order)
            for letter in self.letters((to,))[: int(confirms)]:
                self.press(self.seats["A2"], letter, twice=False)

    @rule(name=hers, address=st.sampled_from(HERS))
    def she_signs_in(self, name: str, address: str) -> None:
        """By a link that she asks for, if a limit does not keep it from her."""
        seat = self.seat(name, hers=True)
        before = len(self.letters((address,)))
        self.asks_for_a_link(seat.name, address)
        letters = self.letters((address,))
        if len(letters) > before:
            assert self.press(seat, letters[0], twice=True)
            self.has_all_that_is_hers(seat, address)

    # ------------------------------------------------------------------ deletion, backup, time

    @rule(name=anybody)
    def deletes_the_account(self, name: str) -> None:
        """He not in a session that he stole from her: there he would be her. She not while something is astray."""
        seat = self.seats[name]
        if seat.hers:
            self.she_undoes()
        address = seat.mailbox
        if not seat.hers and address in HERS:
            return
        if run(self.shop.erase(seat.browser.visitor)) is Erased.DONE:
            assert address is not None
            assert seat.life is not None
            assert seat.life.verified_at is not None
            assert self.now - seat.life.verified_at < HOUR
            self.world.hand_back(address, now=self.now)
            assert not any(order.astray for order in self.world.at(address)), "hers, until she undoes it"
            self.erased |= set(self.world.forget(address))

    @rule()
    def the_shop_makes_a_backup(self) -> None:
        if self.backup is None and not any(order.astray for order in self.world.orders.values()):
            self.backup = self.shop.memory.tables.copy(), copy.deepcopy(self.world)

    @precondition(lambda self: self.backup is not None)
    @rule()
    def the_shop_restores_its_backup(self) -> None:
        """Sessions end, sales since are read from the provider, and deletions since are done again."""
        self.she_undoes()
        assert self.backup is not None
        tables, world = self.backup
        self.backup = None
        lost = self.world
        self.erase_again(tables)
        self.world = world
        # Deleted with her account, and so once more.
        world.notices = {key: to for key, to in world.notices.items() if key in lost.notices}
        # Links that were used since the backup work once more (docs/operations.md).
        self.used_by_her.clear()
        self.pressed.clear()
        for seat in self.seats.values():
            seat.life = None
        for order in lost.orders.values():
            if order.ref is None or not order.paid:
                continue
            self.hears(order.ref)
            held = world.orders.setdefault(order.id, Order(order.id, None, None, ref=order.ref))
            held.erased = held.erased or order.id in self.erased
            if not held.paid:
                held.gift = order.gift
                sent = self.shop.payments.sessions[order.ref].email
                world.book(held, str(held.account or sent), by_her=order.hers, now=self.now)
        for order in world.orders.values():
            if order.id in self.erased:
                order.owner, order.account, order.erased = None, None, True

    def erase_again(self, tables: Tables) -> None:
        """What `coatcheck restore` does with a copy: the one place that knows how erasures are kept beside it."""
        memory, noted = self.shop.memory, self.shop.memory.tables
        memory.tables = tables
        since = sorted(set(noted.erasures) - set(tables.erasures))
        run(self.shop.erase.again(since, list(noted.erased_addresses.values())))
        memory.tables.sessions.clear()

    @rule(minutes=st.sampled_from([1, 16, 31, 61, 60 * 12, 60 * 25, 60 * 73]))
    def time_passes(self, minutes: int) -> None:
        """She reads her mail within the time that she has to undo what was done behind her back."""
        self.shop.deliver_mail()
        until = self.now + timedelta(minutes=minutes)
        if any(
            w.asked_at + UNDO <= until for w in self.world.wishes.values() if any(o.astray for o in w.moved)
        ):
            self.she_undoes()
        self.shop.clock.tick(minutes=minutes)

    def she_undoes(self) -> None:
        """She presses the undo links in her mailboxes as long as something of hers is astray: they bring it back."""
        for letter in self.letters(HERS):
            if letter.subject == "Your address is to be changed" and any(
                o.astray for o in self.world.orders.values()
            ):
                self.press(self.seats["V"], letter, twice=True)
        assert not any(o.astray for o in self.world.orders.values()), (
            "an undo link did not bring everything back"
        )
        self.everything_is_whose_it_is()

    # ------------------------------------------------------------------ what must be true

    def shown(self, browser: Browser) -> set[CheckoutId]:
        """Every order that a browser gets anything of: in its library, as content, file, receipt or data."""
        found = {held.purchase.checkout for held in browser.greeting.holdings}
        own = run(self.shop.own_data(browser.visitor))
        found |= set() if own is None else {held.purchase.checkout for held in own.holdings}
        for product in (BOOK, PHOTOS, FREE):
            offered = run(self.shop.fetch_file(browser.visitor, product, "it.txt"))
            found |= {offered.purchase.checkout} if isinstance(offered, Offered) else set()
        return found | {o for o in self.world.orders if run(self.receipt(browser.visitor, o)) is not None}

    def has_all_that_is_hers(self, seat: Seat, address: str) -> None:
        assert {order.id for order in self.world.at(address) if order.hers} <= self.shown(seat.browser)

    @invariant()
    def everything_is_whose_it_is(self) -> None:
        """At an address of hers, or astray for as long as she can undo that; the model follows what is his."""
        purchases = self.shop.memory.tables.purchases
        for order in self.world.orders.values():
            if not order.paid:
                assert order.id not in purchases
                continue
            held = purchases.get(order.id)
            owner = None if held is None or held.mailbox is None else str(held.mailbox)
            if not order.hers:
                order.owner = owner
            assert owner == order.owner, (owner, order)
        assert purchases.keys() <= self.world.orders.keys()
        self.world.proved &= {order.owner for order in self.world.orders.values() if order.owner}

    @invariant()
    def a_thief_sees_nothing_of_hers_but_by_a_documented_grant(self) -> None:
        for seat in self.seats.values():
            if seat.hers:
                continue
            for checkout in self.shown(seat.browser):
                order = self.world.orders[checkout]
                assert not order.hers or self.world.may_open(seat, order, now=self.now), (seat, order)

    @invariant()
    def her_letters_reach_nobody_else(self) -> None:
        """No link to her account and no licence key of hers arrives at his mailboxes; no notice to her gets lost."""
        tables = self.shop.memory.tables
        assert self.world.notices.keys() <= tables.outbox.keys()
        arrived = list(self.shop.mailer.mailbox.values())
        keys = {
            key.key: order
            for order in self.world.orders.values()
            if order.hers and order.owner in HERS and order.id in tables.purchases
            for key in tables.purchases[order.id].licences
        }
        for letter in arrived[self.read :]:
            token = read_token(link_of(letter)) if "/login/" in letter.text else None
            link = None if token is None else tables.links.get(token.id)
            assert link is None or link.mailbox == letter.to
            if str(letter.to) in HIS:
                assert not any(key in letter.text for key in keys)
        self.read = len(arrived)

    def teardown(self) -> None:
        """However it went: she undoes what she finds, signs in, ends all else, and has everything; he has nothing."""
        if not self.world.orders:
            return
        for name in ("A", "A2"):
            self.she_undoes()
            for letter in self.letters(HIS):
                self.press(self.seats[name], letter, twice=False)
            self.deletes_the_account(name)
            self.everything_is_whose_it_is()
        self.she_undoes()
        self.shop.clock.tick(hours=25)
        for address in HERS:
            if not self.world.at(address):
                continue
            home = Seat("home", Browser(self.shop, network="192.0.2.50", form="d" * 64), hers=True)
            self.seats["home"] = home
            self.asks_for_a_link("home", address)
            letters = self.letters((address,))
            assert letters
            assert self.press(home, letters[0], twice=True), "she cannot sign in"
            self.has_all_that_is_hers(home, address)
            run(self.shop.sign_out.everywhere(home.browser.visitor))
        for seat in self.seats.values():
            if not seat.hers:
                found = self.shown(seat.browser)
                assert not any(self.world.orders[checkout].hers for checkout in found)


People.TestCase.settings = settings(
    stateful_step_count=30, max_examples=4000 if NIGHTLY else 150, report_multiple_bugs=False
)
TestPeople = People.TestCase
