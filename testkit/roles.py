"""What the model of two people is made of: their addresses and browsers, sessions, wishes and orders, and the times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.values import ChangeId, CheckoutId, ProviderRef, SessionId
from entrypoints.testing import Browser

HERS = ("victim@example.com", "victim@new.example")
HIS = ("thief@example.com", "thief@second.example")
NOBODYS = "victim@exmaple.com"
"""Her address, mistyped."""

HOUR = timedelta(hours=1)
GRANT = timedelta(hours=24)
CORRECTION = timedelta(minutes=30)
REPEATED = timedelta(seconds=60)
UNDO = timedelta(hours=72)
COMES_BACK = timedelta(hours=73)
"""So long a deletion waits for a change, and her list has the sessions that the change carried away."""
IDLE = timedelta(days=14)


@dataclass(eq=False)
class Life:
    """One session of the shop, in one browser, and in those that a thief copied its cookie to."""

    began_at: datetime
    mailbox: str | None = None
    verified_at: datetime | None = None
    turn: int = 0
    """Every verification gives the browser a new cookie, and ends the copies of the old one."""
    over: str = ""
    """What ended it, in the words of the rule; "" while it lives."""
    change: Wish | None = None
    """The change of address that signed it in to its account."""
    row: SessionId | None = None
    """Its id in the shop: what a list of sessions names it by."""

    def end(self, why: str) -> None:
        self.over = self.over or why

    def is_new(self, *, now: datetime) -> bool:
        """Whether no timeout can have ended it."""
        return now - (self.verified_at or self.began_at) < IDLE


@dataclass(eq=False)
class Wish:
    """A correction or a change that was asked for."""

    id: ChangeId
    old: str
    new: str
    life: Life
    asked_at: datetime
    order: Order | None
    """The one that a correction moves; None: a change of a whole account."""
    moved: list[Order] = field(default_factory=list)
    done: int = 0
    """Its place among those that were done."""
    withdrawn: str = ""
    """Why it was taken back; "" while it waits or stands."""
    forgotten: bool = False
    """The account that it brought orders to was deleted: nothing leads further back by it."""

    def withdraw(self, why: str) -> None:
        self.withdrawn = self.withdrawn or why

    def comes_back(self, *, now: datetime) -> bool:
        """Whether it was done, and may still be undone."""
        return bool(self.done and not self.withdrawn) and now - self.asked_at < COMES_BACK


@dataclass(eq=False)
class Order:
    """A checkout, then a purchase."""

    id: CheckoutId
    life: Life | None
    """The session that started it; None for what is free, which opens by its address alone."""
    account: str | None
    """The account that was signed in when it started, following its changes of address: its owner, whoever pays."""
    hers: bool = False
    """She paid for it, or verified its address. Never of a thief's gift: what he paid for, or began, in his account."""
    gift: bool = False
    owner: str | None = None
    erased: bool = False
    """The account that began it was deleted: then a payment has no owner."""
    ref: ProviderRef | None = None
    paid: bool = False
    booked_at: datetime | None = None
    released: str = ""
    """Its owner ended it: the browser that started it opens it no more."""
    follows: list[Wish] = field(default_factory=list)
    """The changes that were done while it was open, begun by a guest in a session of the account since."""
    verified: str = ""
    """The address that its browser verified first since a guest began it there, before it was paid."""
    typed: str = ""
    """The address that was given to the payment provider: the invoice names its reader."""

    @property
    def at(self) -> str | None:
        """The address it is under: its owner's, or before it is paid that of the account that began it."""
        return self.owner if self.paid else self.account

    def owner_if_paid_as(self, typed: str) -> str:
        """The account that began it; else the address given at the payment, or where changes that it follows led."""
        owner = typed
        for wish in self.follows:
            if wish.old == owner and not (wish.withdrawn or wish.forgotten) and self in wish.moved:
                owner = wish.new
        return self.account or owner

    def counts_to(self, address: str) -> bool:
        """Whether a guest's open payment follows a change of this address: its browser verified it, signed out since
        or not, or the last change that it follows, of those from or to the address, ended there.
        """
        standing = [w for w in self.follows if not (w.withdrawn or w.forgotten) and self in w.moved]
        ends = [w.new for w in standing if address in (w.old, w.new)]
        return (ends[-1] if ends else self.verified) == address

    def move_to(self, address: str) -> None:
        if self.paid:
            self.owner = address
        self.account = None if self.account is None else address

    @property
    def astray(self) -> bool:
        """Hers, but at the thief's address until she undoes that."""
        return self.hers and self.owner in HIS


@dataclass(eq=False)
class Seat:
    """A browser and the session whose cookie it has."""

    name: str
    browser: Browser
    hers: bool
    life: Life | None = None
    turn: int = 0

    @property
    def alive(self) -> bool:
        return self.life is not None and not self.over

    @property
    def over(self) -> str:
        """What ended this browser's session; "" while it lives."""
        if self.life is None:
            return "it never had one"
        copied = "a verification gave the browser a new cookie"
        return self.life.over or ("" if self.turn == self.life.turn else copied)

    @property
    def mailbox(self) -> str | None:
        return self.life.mailbox if self.alive and self.life is not None else None

    def sit(self, life: Life) -> None:
        self.life, self.turn = life, life.turn
