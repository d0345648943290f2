"""A thief and his victim, at five browsers, in any order: he opens, moves, delays and deletes nothing of hers.

These are the rules of everyday life. He orders, buys, corrects, changes, undoes, deletes, copies cookies and sends again
what he sent before. She presses every button that arrives in her mailboxes, twice, at V, P or K, but types codes only at
V and P. The shop loses its database and has it back from a backup. Whole attacks are in `testkit.attacks`, what must be
true after each step in `testkit.watching`, and what is whose in the model `testkit.people`.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from domain.usecases.link_outcomes import LinkRejected, SignedIn
from domain.values import ProductId
from entrypoints.testing import BOOK, PHOTOS, Browser
from testkit.attacks import Attacks
from testkit.roles import HERS, HIS, NOBODYS, REPEATED, Seat
from testkit.stepping import run

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
numbers = st.integers(0, 7)
hers, his = st.sampled_from(["V", "P", "K"]), st.sampled_from(["A", "A2", "K"])
anybody = st.sampled_from(["V", "P", "K", "A", "A2"])
addresses = st.sampled_from([*HERS, *HIS])


class People(Attacks):
    # ------------------------------------------------------------------ orders and payments

    @rule(name=anybody, product=st.sampled_from([BOOK, PHOTOS]))
    def presses_buy(self, name: str, product: ProductId) -> None:
        self.shop.clock.tick(seconds=20)
        self.start(self.seats[name], product)

    @rule(
        number=numbers, by_her=st.booleans(), typed=st.sampled_from([*HERS, *HIS, NOBODYS]), redirect=anybody
    )
    def pays(self, number: int, by_her: bool, typed: str, redirect: str) -> None:
        """Whoever has the page may pay, and types an address: she one of hers, perhaps with a slip."""
        waiting = [o for o in self.world.orders.values() if not o.paid and o.ref is not None]
        if waiting:
            order = waiting[-1 - number % len(waiting)]
            self.pay(order, HERS[0] if by_her and typed in HIS else typed, by_her=by_her, redirect=redirect)

    @rule(name=anybody, typed=addresses)
    def takes_what_is_free(self, name: str, typed: str) -> None:
        self.shop.clock.tick(seconds=20)
        self.takes_free(self.seats[name], typed)

    # ------------------------------------------------------------------ links, codes, addresses

    @rule(name=anybody, typed=addresses)
    def asks_for_a_link(self, name: str, typed: str) -> None:
        self.shop.clock.tick(minutes=1)
        self.asks(self.seats[name], typed)

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
            if isinstance(came, SignedIn):
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
        assert isinstance(seat.browser.type_code("00000000"), LinkRejected)

    @rule(name=his, number=numbers)
    def he_sends_again(self, name: str, number: int) -> None:
        """His own submits, from the browser as it was; and hers, whose address is in the history of K."""
        if self.pressed:
            browser, link, token, at = self.pressed[-1 - number % len(self.pressed)]
            again = replace(browser).press(link)
            if isinstance(again, SignedIn):
                assert again.token == token
                assert self.now - at < REPEATED
        for link in self.used_by_her[-2:]:
            other = Browser(
                self.shop, network="192.0.2.99", token=self.seats["A"].browser.token, form="e" * 64
            )
            came = other.press(link)
            assert not isinstance(came, SignedIn), "her link was used"
            # Where he holds a session of hers, it leads on to what that shows anyway.
            assert isinstance(came, LinkRejected) or other.viewer.signed_in

    @rule(name=anybody, number=numbers, typed=addresses)
    def asks_for_a_correction(self, name: str, number: int, typed: str) -> None:
        seat = self.seats[name]
        order = self.order(number, begun=seat)
        if order is not None and not (seat.hers and typed in HIS):
            self.correct(seat, order, typed)

    @rule(name=anybody, typed=addresses)
    def asks_for_a_change(self, name: str, typed: str) -> None:
        seat = self.seats[name]
        if not (seat.hers and typed in HIS):
            self.change(seat, typed)

    # ------------------------------------------------------------------ sessions

    @rule(name=anybody, everywhere=st.booleans())
    def signs_out(self, name: str, everywhere: bool) -> None:
        seat = self.seats[name]
        if everywhere:
            self.sign_out_everywhere(seat)
        else:
            self.sign_out(seat)

    @rule()
    def the_other_sits_down_at_the_public_computer(self) -> None:
        self.seats["K"].hers = not self.seats["K"].hers

    @rule(source=anybody, there=st.sampled_from(["A", "A2"]))
    def he_copies_a_cookie(self, source: str, there: str) -> None:
        """Of K, or of a browser of hers, signed in or not: then he is whoever that browser is, until it ends."""
        self.copies(self.seats[source], self.seats[there])

    @rule(name=hers, address=st.sampled_from(HERS))
    def she_signs_in(self, name: str, address: str) -> None:
        """By a link that she asks for, if a limit does not keep it from her."""
        seat = self.seat(name, hers=True)
        self.shop.clock.tick(minutes=1)
        if self.signs_in(seat, address, twice=True):
            self.has_all_that_is_hers(seat, address)

    @rule(name=anybody, source=anybody, number=numbers)
    def ends_one_session(self, name: str, source: str, number: int) -> None:
        """One of the list, or, by a made-up form, that of any browser."""
        seat, other = self.seats[name], self.seats[source]
        listed = run(self.shop.sign_out.list(seat.browser.visitor))
        rows = [] if listed is None else [s.id for s in (*listed.all, *listed.holders)]
        row = rows[number] if number < len(rows) else other.life.row if other.life is not None else None
        if row is not None:
            self.ends_one(seat, row)

    @rule(name=anybody, number=numbers)
    def has_an_access_link_sent_again(self, name: str, number: int) -> None:
        order = self.order(number)
        if order is not None:
            self.resend(self.seats[name], order)

    # ------------------------------------------------------------------ deletion, backup, time

    @rule(name=anybody)
    def deletes_the_account(self, name: str) -> None:
        """She not while something is astray."""
        seat = self.seats[name]
        if seat.hers:
            self.she_undoes()
        self.erases(seat)

    @rule()
    def the_shop_makes_a_backup(self) -> None:
        if self.backup is None:
            self.back_up()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def the_shop_restores_its_backup(self) -> None:
        self.she_undoes()
        self.restore()

    @rule(minutes=st.sampled_from([1, 16, 31, 61, 60 * 12, 60 * 25, 60 * 73]))
    def time_passes(self, minutes: int) -> None:
        self.waits(minutes)

    # ------------------------------------------------------------------ the end

    def teardown(self) -> None:
        """However it went: she undoes what she finds, signs in, ends all else, and has everything; he has nothing."""
        if not self.world.orders:
            return
        for name in ("A", "A2"):
            self.she_undoes()
            for letter in self.letters(HIS):
                self.press(self.seats[name], letter)
            self.deletes_the_account(name)
            self.everything_is_whose_it_is()
        self.she_undoes()
        self.shop.clock.tick(hours=25)
        for address in HERS:
            if not self.world.at(address):
                continue
            home = Seat("home", Browser(self.shop, network="192.0.2.50", form="d" * 64), hers=True)
            self.seats["home"] = home
            assert self.signs_in(home, address, twice=True), "she cannot sign in"
            self.has_all_that_is_hers(home, address)
            self.sign_out_everywhere(home)
        for seat in self.seats.values():
            if not seat.hers:
                found = self.shown(seat.browser)
                left = any(self.world.orders[checkout].hers for checkout in found)
                assert not left, "he opens something of hers after she signed out everywhere"


ATTACKS = [name for name, value in vars(Attacks).items() if hasattr(value, "hypothesis_stateful_rule")]
INVARIANTS = [
    name for kind in Attacks.__mro__ for name in vars(kind) if hasattr(vars(kind)[name], "hypothesis_stateful_invariant")
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
@settings(max_examples=400 if NIGHTLY else 30, phases=[Phase.generate, Phase.shrink])
@given(data=st.data())
def test_each_attack_by_itself(attack: str, data: st.DataObject) -> None:
    """Random histories seldom play all of its details."""
    people = People()
    details = st.fixed_dictionaries(getattr(Attacks, attack).hypothesis_stateful_rule.arguments)
    getattr(people, attack)(**data.draw(details))
    for invariant in INVARIANTS:
        getattr(people, invariant)()
    people.teardown()


@pytest.mark.parametrize("first", [HERS[0], HERS[1]])
def test_a_change_leads_back_only_to_what_was_changed_before_it(first: str) -> None:
    """Her account went round between her two addresses: a deletion done again undoes nothing that came later."""
    people = People()
    if first == HERS[1]:
        people.he_takes_her_account_round_to_her_second_address(address=first, to=HIS[0], step="nothing")
        people.a_corrected_order_is_deleted_and_the_shop_restored(address=first, at="V", step="nothing")
        people.a_former_address_is_deleted_and_the_shop_restored(address=HERS[0], first=False, step="nothing")
    else:
        people.a_former_address_is_deleted_and_the_shop_restored(address=first, first=False, step="nothing")
        people.a_corrected_order_is_deleted_and_the_shop_restored(address=first, at="V", step="nothing")
        people.a_former_address_is_deleted_and_the_shop_restored(address=HERS[1], first=False, step="nothing")
    people.everything_is_whose_it_is()
    people.teardown()


@pytest.mark.parametrize("signs_out", [False, True])
def test_what_a_guest_began_follows_a_change_though_its_browser_signed_out(signs_out: bool) -> None:
    """She began it as a guest, verified her address in that browser, and changed it elsewhere before she paid."""
    people = People()
    people.presses_buy("V", PHOTOS)
    people.pays(0, by_her=True, typed=HERS[1], redirect="V")
    people.presses_buy("K", BOOK)
    people.she_signs_in("K", HERS[1])
    if signs_out:
        people.signs_out("K", everywhere=False)
    people.she_signs_in("V", HERS[1])
    assert people.moves(people.seats["V"], HERS[0])
    people.pays(0, by_her=True, typed=HERS[1], redirect="V")
    assert [one.owner for one in people.world.orders.values() if one.typed == HERS[1]] == [HERS[0]] * 2
    people.everything_is_whose_it_is()
    people.teardown()


def test_the_attacks_and_what_they_are_judged_by_are_found() -> None:
    assert len(ATTACKS) == 12
    assert len(INVARIANTS) == 5


People.TestCase.settings = settings(
    stateful_step_count=20, max_examples=4000 if NIGHTLY else 100, report_multiple_bugs=False
)
TestPeople = People.TestCase
