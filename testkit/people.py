"""Two people at five browsers, and what is whose: the model that `testkit.two_people` holds the shop against.

Everything here is typed out from the rules (docs and README), and nothing of the domain decides it: who read which
mail, who sat where, who paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from domain.values import ChangeId, CheckoutId, SessionId
from testkit.roles import GRANT, HERS, HIS, NOBODYS, Life, Order, Seat, Wish


@dataclass
class World:
    """What a backup can take back: orders, wishes and proofs."""

    orders: dict[CheckoutId, Order] = field(default_factory=dict)
    wishes: dict[ChangeId, Wish] = field(default_factory=dict)
    lives: list[Life] = field(default_factory=list)
    proved: set[str] = field(default_factory=set)
    notices: dict[str, str] = field(default_factory=dict)
    """The undo notices that the shop owes her: the key of each in the outbox, and its address."""

    def at(self, address: str) -> list[Order]:
        return [order for order in self.orders.values() if order.owner == address]

    def begun_by(self, address: str) -> list[Order]:
        """What an account began and has not paid."""
        return [order for order in self.orders.values() if not order.paid and order.account == address]

    def new_life(self, seat: Seat, *, now: datetime) -> Life:
        life = Life(began_at=now)
        self.lives.append(life)
        seat.sit(life)
        return life

    def book(self, order: Order, owner: str, *, by_her: bool, now: datetime) -> None:
        order.paid, order.owner, order.booked_at = True, None if order.erased else owner, now
        # At an address that nobody reads, nobody can undo what the paying browser does: hers once she corrected it.
        order.hers = (by_her and owner != NOBODYS) or (owner in HERS and owner in self.proved)

    # ------------------------------------------------------------------ what a click does

    def verify(self, seat: Seat, address: str, *, now: datetime) -> Life:
        """A button was pressed, or a code typed, by the person who read the mail to `address`, at `seat`."""
        life = seat.life
        if life is None or not seat.alive or life.mailbox not in (None, address):
            if life is not None and seat.alive:
                life.end("another address was verified in it")
            life = self.new_life(seat, now=now)
        life.mailbox, life.verified_at, life.turn = address, now, life.turn + 1
        for order in self.orders.values():
            if order.life is life and order.account is None and not (order.paid or order.erased):
                order.verified = order.verified or address
        seat.sit(life)
        if self.at(address):
            self.proved.add(address)
        for wish in self.wishes.values():
            if wish.old == address and wish.order is not None and not wish.done:
                wish.withdraw("its owner verified the address that he wanted to correct")
        for order in self.at(address):
            order.hers = order.hers or (address in HERS and not order.gift)
        return life

    def finish(self, wish: Wish, seat: Seat) -> None:
        """The new address of a wish was verified at `seat`."""
        wish.done = 1 + max(one.done for one in self.wishes.values())
        wish.moved = (
            [wish.order] if wish.order is not None else [*self.at(wish.old), *self.begun_by(wish.old)]
        )
        # What does not belong to the old address any more is not the business of this wish.
        wish.moved = [order for order in wish.moved if order.at == wish.old]
        for order in wish.moved:
            order.gift = order.gift or (wish.old in HIS and order.paid and not order.hers)
            order.move_to(wish.new)
        self.forget_proofs()
        if wish.order is not None:
            return
        for order in self.orders.values():
            open_ = order.account is None and not (order.paid or order.erased)
            if open_ and order.counts_to(wish.old):
                order.follows.append(wish)
                wish.moved.append(order)
        for life in self.lives:
            if life.mailbox == wish.old and life is not wish.life:
                life.end("a change of address ends the other sessions of the account")
        wish.life.mailbox, wish.life.change = wish.new, wish
        self.withdraw(wish.old, "another change of the account was done")

    def forget_proofs(self) -> None:
        """An address that owns nothing any more is no customer's: what comes to it later finds it unverified."""
        self.proved &= {order.owner for order in self.orders.values() if order.owner}

    def undo(self, wish: Wish) -> None:
        """The old address takes a wish back, wherever its orders were moved on to."""
        was_done = wish.done
        wish.withdraw("the old address undid it")
        if not was_done:
            if wish.order is None and wish.life.mailbox == wish.old:
                wish.life.end("the old address undid the change that it asked for")
            return
        chain = list(self.carried_on(wish))
        for order in wish.moved:
            if order.at in {one.new for one in chain}:
                order.move_to(wish.old)
        self.forget_proofs()
        if wish.order is None:
            for life in self.lives:
                if life.change in chain:
                    life.end("the old address undid the change that signed it in")
        for later in chain[1:]:
            later.moved = [order for order in later.moved if order not in wish.moved]

    def carried_on(self, wish: Wish) -> Iterator[Wish]:
        """The wish, and those that were done since and moved some of its orders further."""
        chain = [wish]
        for one in chain:
            yield one
            chain += [
                later
                for later in self.wishes.values()
                if later.old == one.new
                and later.done > wish.done
                and not later.withdrawn
                and later not in chain
                if set(later.moved) & set(wish.moved)
            ]

    def withdraw(self, address: str, why: str) -> None:
        """Every wish that waits to move something away from an address is taken back."""
        for wish in self.wishes.values():
            if wish.old == address and not wish.done:
                wish.withdraw(why)

    def hand_back(self, address: str, *, now: datetime) -> None:
        """What corrections brought to an address goes back before its account is deleted, while that can be undone."""
        for wish in self.ways_to(address):
            if wish.order is not None and wish.comes_back(now=now):
                self.undo(wish)

    def all_goes_back(self, address: str, *, now: datetime) -> None:
        """A deletion is done again in a restored shop: in the lost one it had waited until nothing could come back."""
        for wish in self.ways_to(address):
            if wish.comes_back(now=now):
                self.undo(wish)

    def ways_to(self, address: str) -> list[Wish]:
        """The wishes that stand and brought orders to an address, also earlier ones whose orders they took further."""
        ways: list[Wish] = []
        reached = [(address, len(self.wishes) + 1)]
        for at, left in reached:
            for wish in self.wishes.values():
                stands = wish.done and not (wish.withdrawn or wish.forgotten)
                if wish.new == at and stands and wish.done < left and wish not in ways:
                    ways.append(wish)
                    reached.append((wish.old, wish.done))
        return ways

    def sign_out_everywhere(self, seat: Seat, *, now: datetime) -> None:
        address, why = seat.mailbox, "its owner signed out everywhere"
        if seat.life is not None and seat.alive:
            seat.life.end(why)
        if address is None:
            return
        for life in self.sessions_of(address, now=now):
            life.end(why)
        for wish in self.wishes.values():
            if wish.order is None and wish.old == address and wish.done and wish.comes_back(now=now):
                onward = list(self.carried_on(wish))[1:]
                for life in self.lives:
                    if life.change in onward:
                        life.end(why)
        for order in self.at(address):
            order.released = order.released or why
        self.withdraw(address, why)

    def sessions_of(self, address: str, *, now: datetime) -> list[Life]:
        """Those that verified it, and those that a change carried away from it, as long as that can be undone."""
        return [
            life
            for life in self.lives
            if not life.over
            if life.mailbox == address
            or (life.change is not None and life.change.old == address and life.change.comes_back(now=now))
        ]

    def end_one(self, seat: Seat, row: SessionId, *, now: datetime) -> bool:
        """One is ended in the list of an account: of its own, or what another one holds of it; False: none of those."""
        assert seat.life is not None
        own = [seat.life] if seat.mailbox is None else self.sessions_of(seat.mailbox, now=now)
        for life in own:
            if life.row == row:
                life.end("its owner ended it in the list")
                return True
        held = [
            order
            for order in self.at(seat.mailbox or "")
            if order.life is not None and order.life.row == row and self.grants(order.life, order, now=now)
        ]
        for order in held:
            order.released = "its owner ended it in the list"
        return bool(held)

    def forget(self, address: str) -> list[CheckoutId]:
        """The account of an address is deleted; its orders."""
        gone = [*self.at(address), *self.begun_by(address)]
        for order in gone:
            order.owner, order.account, order.erased = None, None, True
        for wish in self.wishes.values():
            wish.forgotten = wish.forgotten or (wish.new == address and bool(wish.done))
        for order in self.orders.values():
            order.verified = "" if order.verified == address else order.verified
        for life in self.lives:
            if life.mailbox == address:
                life.end("the account was deleted")
        if address in HERS:
            # What was sent to another address of hers may have been about this account.
            self.notices = {}
        return [order.id for order in gone]

    # ------------------------------------------------------------------ what must be true

    def why_not(self, seat: Seat, order: Order, *, now: datetime) -> str:
        """Why a browser opens nothing of an order, in the words of the rule; "" if it may, his or hers."""
        life = seat.life
        if life is None or not seat.alive:
            return seat.over
        if order.owner is None or order.booked_at is None:
            return "it belongs to nobody"
        if life.mailbox is not None:
            return (
                "" if order.owner == life.mailbox else "another address was verified there than its owner's"
            )
        if order.life is not life:
            return "that browser did not start its checkout"
        if order.released or now - order.booked_at >= GRANT:
            return order.released or "a day has passed since the payment"
        return ""

    def may_read_invoice(self, seat: Seat, order: Order, *, now: datetime) -> bool:
        """It names who paid: for the verified owner alone, and after a correction only at the payment's own address.

        One that was undone brought the order back to the address of its payer.
        """
        if seat.mailbox is None or self.why_not(seat, order, now=now):
            return False
        corrected = any(
            wish.order is order and wish.done and not wish.withdrawn for wish in self.wishes.values()
        )
        return not corrected or order.typed == seat.mailbox

    @staticmethod
    def grants(life: Life, order: Order, *, now: datetime) -> bool:
        """Whether a browser that verified nothing opens an order because it started the checkout."""
        if life.mailbox is not None or life.over or order.life is not life or order.released:
            return False
        return order.booked_at is not None and now - order.booked_at < GRANT
