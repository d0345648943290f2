"""Whole attacks on the shop of two people, with drawn details: random single steps find long histories rarely.

Each begins with what it needs, leaves room for a step of somebody's in between, and ends where a law could break; the
checks of `testkit.watching` look at what came of it.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from domain.usecases.resend_access_link import Resent
from entrypoints.testing import BOOK, PHOTOS
from testkit.plots import Plots
from testkit.roles import HERS, HIS, NOBODYS
from testkit.watching import link_of

hers, his = st.sampled_from(["V", "P", "K"]), st.sampled_from(["A", "A2", "K"])
her_address, his_address = st.sampled_from(HERS), st.sampled_from(HIS)
yes_or_no = st.booleans()
steps = st.sampled_from(["nothing", "an hour", "she signs in", "he signs in", "K changes hands", "a backup"])


def the_other(address: str) -> str:
    """The second address of the same person."""
    return next(one for pair in (HERS, HIS) if address in pair for one in pair if one != address)


class Attacks(Plots):
    # ------------------------------------------------------------------ payments in progress

    @rule(
        name=hers,
        signed_in=yes_or_no,
        typed=st.sampled_from([*HERS, NOBODYS]),
        on=yes_or_no,
        step=steps,
        then=st.sampled_from(["nothing", "she undoes at once", "she undoes afterwards", "he signs in there"]),
    )
    def she_pays_while_her_account_moves(
        self, name: str, signed_in: bool, typed: str, on: bool, step: str, then: str
    ) -> None:
        """The page was opened before she signed in there, or after; `on`: and her account moves back, too."""
        self.calm()
        old, new = HERS
        self.her_account(self.seats["P"], old)
        seat = self.seat(name, hers=True)
        self.sign_out(seat)
        order = None if signed_in else self.start(seat, PHOTOS)
        self.signs_in(seat, old)
        order = order or self.start(seat, PHOTOS)
        if then == "he signs in there":
            self.copies(seat, self.seats["A"])
        self.moves(seat, new)
        undo = self.newest(old, notice=True)
        if then == "she undoes at once":
            self.press(self.seats["P"], undo)
        self.everything_is_whose_it_is()
        self.meanwhile(step)
        if on:
            self.calm()
            self.moves(seat, old)
            self.everything_is_whose_it_is()
        if order is not None and not order.paid:
            self.pay(order, typed, by_her=True, redirect=seat.name)
        if then == "she undoes afterwards":
            self.press(self.seats["P"], undo)

    @rule(own=his_address, to=his_address, typed=her_address, step=steps)
    def he_moves_his_account_where_she_was_about_to_pay(
        self, own: str, to: str, typed: str, step: str
    ) -> None:
        """She opened the page as a guest at the public computer, and pays on her telephone."""
        self.calm()
        computer = self.seats["K"]
        self.sign_out(computer)
        computer.hers = True
        order = self.start(computer, BOOK)
        computer.hers = False
        self.signs_in(computer, own)
        self.moves(computer, to)
        self.meanwhile(step)
        if order is not None and not order.paid:
            self.pay(order, typed, by_her=True, redirect="P")

    # ------------------------------------------------------------------ takeovers

    @rule(name=his, own=his_address, to=her_address, at=hers, step=steps, deletes=yes_or_no)
    def he_asks_to_move_his_account_to_her(
        self, name: str, own: str, to: str, at: str, step: str, deletes: bool
    ) -> None:
        """She presses "Yes, it is mine" in her browser; then he takes it back, and deletes what he can reach."""
        self.calm()
        thief = self.seat(name, hers=False)
        self.signs_in(thief, own)
        self.change(thief, to)
        self.meanwhile(step)
        self.press(self.seat(at, hers=True), self.newest(to), twice=True)
        self.a_cookie_is_worth_what_the_model_says()
        if deletes:
            self.press(self.seats["A2"], self.newest(own))
            self.erases(thief)

    @rule(
        source=st.sampled_from(["V", "K"]),
        there=st.sampled_from(["A", "A2"]),
        address=her_address,
        to=his_address,
        minutes=st.sampled_from([0, 0, 61]),
        on=yes_or_no,
        step=steps,
        then=st.sampled_from(["nothing", "he deletes", "she signs out everywhere", "she undoes"]),
    )
    def he_steals_a_session_and_moves_her_account(
        self, source: str, there: str, address: str, to: str, minutes: int, on: bool, step: str, then: str
    ) -> None:
        """`on`: and further, to his second address, after she signed in again."""
        held, thief = self.seat(source, hers=True), self.seats[there]
        self.her_account(held, address)
        self.signs_in(self.seats["P"], address)
        self.copies(held, thief)
        self.waits(minutes)
        self.moves(thief, to)
        self.a_cookie_is_worth_what_the_model_says()
        if on:
            self.meanwhile(step)
            self.calm()
            self.signs_in(self.seats["P"], address)
            self.moves(thief, the_other(to))
        match then:
            case "he deletes":
                self.erases(thief)
            case "she signs out everywhere":
                if self.signs_in(self.seats["V"], address):
                    self.sign_out_everywhere(self.seats["V"])
            case "she undoes":
                self.she_undoes()

    @rule(
        address=her_address,
        to=his_address,
        there=st.sampled_from(["A", "A2"]),
        deletes=yes_or_no,
        both=yes_or_no,
        then=st.sampled_from(["she signs out everywhere", "she undoes", "nothing"]),
    )
    def a_stolen_session_asks_for_a_change_that_waits(
        self, address: str, to: str, there: str, deletes: bool, both: bool, then: str
    ) -> None:
        """`deletes`: he deletes his own account at the new address before her notice leaves; `both`: having asked there
        for a change to her address."""
        mine, thief = self.seats["A" if there == "A2" else "A2"], self.seats[there]
        self.her_account(self.seats["V"], address)
        self.signs_in(self.seats["P"], address)
        self.signs_in(mine, to)
        self.takes_free(mine)
        self.copies(self.seats["V"], thief)
        self.change(thief, to)
        proof = None
        if deletes:
            if both:
                self.change(mine, address)
            self.erases(mine)
            self.her_letters_reach_nobody_else()
        else:
            proof = self.newest(to)
        match then:
            case "she signs out everywhere":
                self.sign_out_everywhere(self.seats["P"])
            case "she undoes":
                assert self.press(self.seats["P"], self.newest(address, notice=True)), (
                    "her undo link opens nothing"
                )
        self.a_cookie_is_worth_what_the_model_says()
        if proof is not None:
            self.press(thief, proof)

    @rule(address=her_address, to=his_address, step=steps)
    def he_takes_her_account_round_to_her_second_address(self, address: str, to: str, step: str) -> None:
        """At a public computer, so that she herself presses the second proof there; he keeps the undo link of his."""
        self.seats["K"].hers = True
        other, public, home = the_other(address), self.seats["K"], self.seats["V"]
        self.her_account(public, address)
        public.hers = False
        if not self.moves(public, to):
            return
        self.change(public, other)
        public.hers = True
        if not self.press(public, self.newest(other)):
            return
        self.meanwhile(step)
        public.hers = True
        self.calm()
        notice = self.newest(address, notice=True)
        assert notice is not None
        # Within the hour she may have pressed it, if an earlier one was about to expire.
        assert self.press(home, notice) or link_of(notice) in self.used_by_her, "her undo link opens nothing"
        self.everything_is_whose_it_is()
        self.moves(home, other)
        self.press(self.seats["A"], self.newest(to, notice=True))

    # ------------------------------------------------------------------ checkouts that he began

    @rule(
        starter=st.sampled_from(["A", "K"]),
        address=st.sampled_from([*HERS, NOBODYS]),
        to=his_address,
        step=steps,
        verifies=yes_or_no,
        moves=yes_or_no,
        then=st.sampled_from(["nothing", "he deletes", "she undoes"]),
    )
    def he_sends_her_a_page_and_corrects_her_address(
        self, starter: str, address: str, to: str, step: str, verifies: bool, moves: bool, then: str
    ) -> None:
        """She pays, as a guest, on a page that he began; his browser asks to correct her address to his."""
        self.calm()
        seat, home = self.seats[starter], self.seats["V"]
        order = self.start(seat, PHOTOS)
        if order is None:
            return
        self.pay(order, address, by_her=True, redirect="V")
        self.correct(seat, order, to)
        proof = self.newest(to) if self.letters((to,)) else None
        self.meanwhile(step)
        if verifies and address in HERS and self.signs_in(home, address) and moves:
            self.moves(home, the_other(address))
        if proof is not None:
            self.press(self.seats["A2"], proof)
        self.a_thief_sees_nothing_of_hers_but_by_a_documented_grant()
        if then == "he deletes":
            self.erases(self.seats["A2"])
        elif then == "she undoes":
            self.she_undoes()

    @rule(
        starter=st.sampled_from(["A", "K"]),
        address=her_address,
        again=yes_or_no,
        then=st.sampled_from(
            ["a day", "she signs out everywhere", "she ends it", "he signs in", "she shows it"]
        ),
    )
    def he_keeps_the_page_that_she_paid(self, starter: str, address: str, again: bool, then: str) -> None:
        """`again`: he has its access link sent as often as he may, and so must not use up what she may.

        Not where she is signed in: what is done in a session of hers counts as done by her.
        """
        self.calm()
        seat, home = self.seats[starter], self.seats["V"]
        order = self.start(seat, BOOK)
        if order is None:
            return
        self.pay(order, address, by_her=True, redirect="P")
        self.a_thief_sees_nothing_of_hers_but_by_a_documented_grant()
        while again and seat.mailbox not in HERS and self.resend(seat, order) is Resent.QUEUED:
            pass
        assert self.signs_in(home, address), "she cannot sign in"
        if not self.world.why_not(home, order, now=self.now):
            assert self.resend(home, order) is Resent.QUEUED, "he delays her access link"
        match then:
            case "a day":
                self.waits(60 * 25)
            case "she signs out everywhere":
                self.sign_out_everywhere(home)
            case "she ends it":
                self.ends_all_others(home)
            case "he signs in":
                self.signs_in(seat, HERS[0] if seat.hers else HIS[0])
            case "she shows it":
                self.has_all_that_is_hers(home, address)

    @rule(there=st.sampled_from(["A", "A2"]), address=her_address, at=st.sampled_from(["V", "P"]))
    def he_floods_her_mailbox(self, there: str, address: str, at: str) -> None:
        """A browser that once verified the address has an allowance of its own, whatever strangers ask for."""
        self.her_account(self.seats[at], address)
        self.calm()
        for name in (there, "A", "A2", there):
            if self.seats[name].mailbox != address:
                self.asks(self.seats[name], address)
        assert self.signs_in(self.seats[at], address), "he keeps a link from her"

    # ------------------------------------------------------------------ her own changes, and the shop's backups

    @rule(
        at=hers,
        address=her_address,
        stolen=yes_or_no,
        begins=yes_or_no,
        then=st.sampled_from(["nothing", "out", "list"]),
    )
    def she_changes_her_address(self, at: str, address: str, stolen: bool, begins: bool, then: str) -> None:
        """Other sessions end with it, and what she began before and pays after it comes along."""
        seat, other = self.seat(at, hers=True), the_other(address)
        phone = self.seats["V" if seat.name == "P" else "P"]
        self.her_account(phone, address)
        if stolen:
            self.copies(phone, self.seats["A"])
        self.signs_in(seat, address)
        begun = self.start(seat, PHOTOS) if begins else None
        self.calm()
        assert self.moves(seat, other), "she cannot change her address"
        self.a_cookie_is_worth_what_the_model_says()
        if begun is not None:
            self.pay(begun, address, by_her=True, redirect=seat.name)
        self.has_all_that_is_hers(seat, other)
        if then == "out":
            self.sign_out_everywhere(seat)
        elif then == "list":
            self.ends_all_others(seat)

    @rule(address=her_address, first=yes_or_no, step=steps)
    def a_former_address_is_deleted_and_the_shop_restored(self, address: str, first: bool, step: str) -> None:
        """Whoever reads it now takes something free there, and deletes that; `first`: the backup was made before."""
        self.she_undoes()
        seat, phone, other = self.seats["V"], self.seats["P"], the_other(address)
        self.her_account(seat, address)
        if first:
            self.back_up()
        if not self.moves(seat, other):
            return
        if not first:
            self.back_up()
        self.calm()
        self.signs_in(phone, address)
        self.takes_free(phone)
        self.erases(phone)
        self.everything_is_whose_it_is()
        if step != "a backup":
            self.meanwhile(step)
        self.she_undoes()
        self.restore()

    @rule(address=st.sampled_from([*HERS, NOBODYS]), at=hers, step=steps)
    def a_corrected_order_is_deleted_and_the_shop_restored(self, address: str, at: str, step: str) -> None:
        """The backup is older than the mails of the correction: the restored shop sends them once more."""
        self.she_undoes()
        self.calm()
        seat = self.seat(at, hers=True)
        if seat.mailbox is not None:
            self.sign_out(seat)
        orders = [order for order in (self.start(seat, BOOK), self.start(seat, PHOTOS)) if order is not None]
        for order in orders:
            self.pay(order, address, by_her=True, redirect=seat.name)
        to = the_other(address) if address in HERS else HERS[1]
        self.shop.deliver_mail()
        self.correct(seat, orders[0], to)
        self.back_up()
        if not self.press(self.seats["P"], self.newest(to)):
            return
        self.waits(60 * 74)
        self.calm()
        if not self.signs_in(self.seats["P"], to) or not self.erases(self.seats["P"]):
            return
        self.she_undoes()
        self.restore()
        self.everything_is_whose_it_is()
        if step != "she signs in":
            self.meanwhile(step)
        if self.letters((to,)):
            self.press(self.seats["P"], self.newest(to))
