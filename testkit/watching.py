"""What must be true of the shop of two people after every step: laws that the model in `testkit.people` speaks of.

A and A2 are the thief's browsers, V and P (her phone) hers, and at K (a public computer) they take turns.
"""

from __future__ import annotations

from datetime import datetime

from hypothesis.stateful import RuleBasedStateMachine, invariant

from adapters.memory.tables import Tables
from domain.keys import read_token
from domain.mail import Envelope
from domain.product import Licences
from domain.usecases.fetch_file import Offered
from domain.usecases.show_receipt import ShowReceipt
from domain.values import ChangeId, CheckoutId, ProductId
from entrypoints.testing import BASE_URL, BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.people import World
from testkit.roles import HERS, HIS, Life, Order, Seat
from testkit.stepping import run

FREE = ProductId("free")
NOTICE = "Your email address is about to change"


def link_of(letter: Envelope) -> str:
    return letter.text.partition(f"{BASE_URL}/login/")[2].split()[0]


class Watched(RuleBasedStateMachine):
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
        self.too_late: set[ChangeId] = set()
        """Corrections of addresses that were verified: kept, and taken back at once."""
        self.erased: set[CheckoutId] = set()
        """The orders of accounts that were deleted."""
        self.deleted: set[str] = set()
        """The addresses of the accounts that were deleted since the backup, and those that were changed to them."""
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

    # ------------------------------------------------------------------ what must be true

    def shown(self, browser: Browser) -> set[CheckoutId]:
        """Every order that a browser gets anything of: in its library, as content, file, receipt or data."""
        found = {held.purchase.checkout for held in browser.viewer.holdings}
        own = run(self.shop.own_data(browser.visitor))
        found |= set() if own is None else {held.purchase.checkout for held in own.holdings}
        for product in (BOOK, PHOTOS, FREE):
            offered = run(self.shop.fetch_file(browser.visitor, product, "it.txt"))
            found |= {offered.purchase.checkout} if isinstance(offered, Offered) else set()
        return found | {o for o in self.world.orders if run(self.receipt(browser.visitor, o)) is not None}

    def has_all_that_is_hers(self, seat: Seat, address: str) -> None:
        missing = {order.id for order in self.world.at(address) if order.hers} - self.shown(seat.browser)
        assert not missing, "she does not have what is hers"
        listed = run(self.shop.sign_out.list(seat.browser.visitor))
        assert listed is not None
        rows = {session.id for session in (*listed.all, *listed.holders)}
        for other in self.seats.values():
            grants = [o for o in self.world.at(address) if not self.world.why_not(other, o, now=self.now)]
            assert not grants or other.life is None or other.life.row in rows, (
                "a session is in no list of hers"
            )

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
            if not order.hers and not order.erased:
                order.owner = owner
            assert owner is None or not order.erased, "an order that was deleted came back"
            assert owner == order.owner, f"an order of hers is at {owner}, and belongs to {order.owner}"
        assert purchases.keys() <= self.world.orders.keys()
        self.world.forget_proofs()

    @invariant()
    def a_thief_sees_nothing_of_hers_but_by_a_documented_grant(self) -> None:
        for seat in self.seats.values():
            if seat.hers or seat.browser.viewer.session is None:
                continue
            for checkout in self.shown(seat.browser):
                order = self.world.orders[checkout]
                why = self.world.why_not(seat, order, now=self.now)
                assert not order.hers or not why, f"{seat.name} opens an order of hers although {why}"
                invoice = run(self.receipt.invoice(seat.browser.visitor, checkout))
                may = invoice is None or self.world.may_read_invoice(seat, order, now=self.now)
                assert may or not order.hers, (
                    "an invoice, which names her, is for the verified owner who paid"
                )

    @invariant()
    def a_cookie_is_worth_what_the_model_says(self) -> None:
        for seat in self.seats.values():
            session = seat.browser.viewer.session
            if session is not None:
                assert seat.alive, f"the session at {seat.name} goes on although {seat.over}"
                held = None if session.mailbox is None else str(session.mailbox)
                assert held == seat.mailbox, (
                    f"{seat.name} is signed in as {held}, and verified {seat.mailbox}"
                )
            elif seat.life is not None and seat.life.is_new(now=self.now):
                assert not seat.alive, f"the session at {seat.name} was ended by nobody who may"

    @invariant()
    def what_was_taken_back_waits_no_more(self) -> None:
        for move in self.shop.memory.tables.moves.values():
            wish = self.world.wishes.get(move.id)
            if wish is not None:
                taken_back = move.undone_at is not None
                assert taken_back or not wish.withdrawn, f"a wish waits or stands although {wish.withdrawn}"
                assert wish.withdrawn or not taken_back, "a wish was taken back by nobody who may"
                assert (move.done_at is not None) == bool(wish.done), "a wish is done that nobody proved"

    @invariant()
    def her_letters_reach_nobody_else(self) -> None:
        """No link to her account and no licence key of hers arrives at his mailboxes; no notice to her gets lost."""
        tables = self.shop.memory.tables
        lost = self.world.notices.keys() - tables.outbox.keys()
        assert not lost, "another customer's deletion took her undo notice"
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
            assert link is None or link.mailbox == letter.to, f"a link of {link.mailbox} goes to {letter.to}"
            if str(letter.to) in HIS:
                assert not any(key in letter.text for key in keys), "he receives a licence key of hers"
        self.read = len(arrived)
