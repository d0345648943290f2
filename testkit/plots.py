"""What the attacks on two people are made of."""

from __future__ import annotations

import copy

from domain.mail import Envelope
from entrypoints.testing import BOOK
from testkit.roles import HERS, HIS, Order, Seat
from testkit.two_people import TwoPeople
from testkit.watching import NOTICE


class Plots(TwoPeople):
    """Steps that several attacks have in common."""

    def calm(self) -> None:
        """No limit is near: they are the business of other tests, and would hide what comes after them."""
        self.shop.memory.tables.limits.clear()

    def meanwhile(self, step: str) -> None:
        match step:
            case "an hour":
                self.waits(61)
            case "she signs in":
                self.signs_in(self.seats["P"], HERS[0])
            case "he signs in":
                self.signs_in(self.seats["A2"], HIS[1])
            case "K changes hands":
                self.seats["K"].hers = not self.seats["K"].hers
            case "a backup":
                self.back_up()

    def back_up(self) -> None:
        self.everything_is_whose_it_is()  # who has nothing any more counts as never verified, in the copy, too
        if not any(order.astray for order in self.world.orders.values()):
            self.backup = self.shop.memory.tables.copy(), copy.deepcopy(self.world)
            self.deleted.clear()

    def her_account(self, seat: Seat, address: str) -> Order:
        """She is signed in at `seat`, and has bought something there."""
        self.calm()
        assert self.signs_in(seat, address), "she cannot sign in"
        order = self.start(seat, BOOK)
        assert order is not None
        self.pay(order, address, by_her=True, redirect=seat.name)
        return order

    def newest(self, address: str, *, notice: bool = False) -> Envelope | None:
        """The newest mail with a link there; `notice`: of those that tell that something is to be moved away."""
        return next((one for one in self.letters((address,)) if (one.subject == NOTICE) is notice), None)

    def moves(self, seat: Seat, to: str, *, at: Seat | None = None) -> bool:
        """A change of address, asked for at `seat`, and proved there (or `at` another browser)."""
        waits = len(self.world.wishes)
        self.change(seat, to)
        return len(self.world.wishes) > waits and self.press(at or seat, self.newest(to))
