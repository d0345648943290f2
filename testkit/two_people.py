"""What two people do in a shop: the base of `testkit.attacks` and `tests/unit/test_people.py`.

Everything that somebody does goes through a method here, which does it in the shop and in the model, `testkit.people`,
and holds what the shop did against what the model allows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from adapters.memory.tables import Tables
from domain.address_change import ChangeKind
from domain.keys import read_token
from domain.magic_link import LinkPurpose
from domain.mail import Envelope
from domain.usecases.change_outcomes import CheckYourNewEmail
from domain.usecases.checkout_outcomes import ConfirmationEmailed, FreeOrderBooked, RedirectToPayment
from domain.usecases.erase_refusal import Erased
from domain.usecases.link_outcomes import LinkRejected, SignedIn
from domain.usecases.resend_access_link import Resent
from domain.values import EmailAddress, ProductId, ProviderRef, SessionId
from entrypoints.testing import Browser
from testkit.roles import CORRECTION, HERS, HIS, HOUR, REPEATED, UNDO, Life, Order, Seat, Wish
from testkit.stepping import run
from testkit.watching import FREE, Watched, link_of


class TwoPeople(Watched):
    def press(self, seat: Seat, letter: Envelope | None, *, twice: bool = False) -> bool:
        """The person at `seat` opens a link of their mailbox there, and presses its button; False if it opens nothing."""
        if letter is None:
            return False
        link, browser = link_of(letter), seat.browser
        run(self.shop.redeem.look(browser.visitor, link))
        self.pages += 1
        browser.form = f"{self.pages:064}"
        before = replace(browser)
        came = browser.press(link)
        if not isinstance(came, SignedIn):
            return False
        if seat.hers:
            self.used_by_her.append(link)
        else:
            self.pressed.append((before, link, came.token, self.now))
        state = self.effects()
        self.entered(seat, letter, came)
        self.given[came.token] = seat.life, seat.turn, str(letter.to), self.now
        if twice:
            again = replace(before).press(link)
            assert isinstance(again, SignedIn), "the same submit, sent again"
            assert again.token == came.token
            assert self.effects() == state, "it did something twice"
            stranger = Browser(self.shop, network="192.0.2.99", form="e" * 64)
            assert isinstance(stranger.press(link), LinkRejected), (
                "a used link opens for a browser without its cookie"
            )
            assert isinstance(replace(stranger, form=None).press(link), LinkRejected), (
                "a used link opens without a cookie"
            )
            self.shop.clock.tick(seconds=REPEATED.seconds)
            assert isinstance(before.press(link), LinkRejected), "a used link opens after its minute"
        return True

    def effects(self) -> object:
        t = self.shop.memory.tables
        moves = [(m.id, m.done_at, m.undone_at) for m in t.moves.values()]
        return dict(t.purchases), moves, sorted(t.sessions), sorted(t.outbox)

    def entered(self, seat: Seat, letter: Envelope, came: SignedIn) -> None:
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
        self.note_row(seat, self.world.verify(seat, address, now=self.now))

    def note_row(self, seat: Seat, life: Life) -> None:
        session = seat.browser.viewer.session
        life.row = None if session is None else session.id

    def begins(self, seat: Seat) -> None:
        """The shop gave a browser its first cookie."""
        self.note_row(seat, self.world.new_life(seat, now=self.now))

    def finished(self, seat: Seat, wish: Wish) -> None:
        """What must have been so for a wish to be done."""
        assert not wish.withdrawn, f"a wish was done although {wish.withdrawn}"
        assert not wish.done, "a wish was done twice"
        if wish.order is None:
            assert seat.alive, "a change completes in the browser that asked"
            assert seat.life is wish.life, "a change completes in the browser that asked"
            assert seat.mailbox == wish.old, "a change completes in the account that asked"
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
            assert isinstance(answer, CheckYourNewEmail)
            assert seat.alive, f"a session asks although {seat.over}"
            assert seat.life is not None
            wish = Wish(move.id, str(move.old), str(move.new), seat.life, self.now, order)
            self.world.wishes[move.id] = wish
            assert (move.kind is ChangeKind.CORRECTION) == (order is not None)
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

    # ------------------------------------------------------------------ what they do

    def start(self, seat: Seat, product: ProductId) -> Order | None:
        started = run(self.shop.start_checkout(seat.browser.visitor, product, again=True))
        if not isinstance(started, RedirectToPayment):
            return None
        if started.new_token is not None:
            seat.browser.token = started.new_token
            self.begins(seat)
        assert seat.alive, f"a session goes on although {seat.over}"
        ref = ProviderRef(started.url.rpartition("/")[2])
        [row] = [c for c in self.shop.memory.tables.checkouts.values() if c.provider_ref == ref]
        # A payment on a page that he began in his own account is a gift to that account, whoever pays.
        order = Order(row.id, seat.life, seat.mailbox, ref=ref, gift=seat.mailbox in HIS)
        self.world.orders[row.id] = order
        return order

    def pay(self, order: Order, typed: str, *, by_her: bool, redirect: str) -> None:
        assert order.ref is not None
        if self.now - self.shop.payments.made_at[order.ref] >= timedelta(hours=24):
            return
        self.shop.payments.pay(order.ref, email=typed)
        self.shop.payments.invoices[order.ref] = f"https://invoices.example/{order.ref}"
        order.typed = typed
        product = self.shop.memory.tables.checkouts[order.id].product
        run(self.shop.come_back(self.seats[redirect].browser.visitor, product, order.ref))
        self.hears(order.ref)
        order.gift = order.gift or not by_her
        self.world.book(order, order.owner_if_paid_as(typed), by_her=not order.gift, now=self.now)

    def hears(self, ref: ProviderRef) -> None:
        self.events += 1
        self.shop.hear_of(ref, event=f"evt_{self.events}")

    def takes_free(self, seat: Seat, typed: str | None = None) -> None:
        known = set(self.shop.memory.tables.purchases)
        answer = seat.browser.take(FREE, email=typed, again=True)
        if isinstance(answer, ConfirmationEmailed) and answer.new_token is not None:
            self.begins(seat)
        if isinstance(answer, FreeOrderBooked):
            assert seat.alive, f"a session goes on although {seat.over}"
            new = next(iter(set(self.shop.memory.tables.purchases) - known), None)
            if new is None:  # submitted twice within a minute
                return
            order = self.world.orders[new] = Order(new, None, seat.mailbox)
            owner = str(self.shop.memory.tables.purchases[new].mailbox)
            assert owner == seat.mailbox
            self.world.book(order, owner, by_her=owner in HERS, now=self.now)

    def asks(self, seat: Seat, typed: str) -> None:
        """For a link to sign in with."""
        token = seat.browser.token
        seat.browser.ask_for_link(typed)
        if seat.browser.token != token:
            self.begins(seat)

    def signs_in(self, seat: Seat, address: str, *, twice: bool = False) -> bool:
        """By a link asked for there, if a limit does not keep it from arriving: who has nothing yet takes what is free."""
        mine = HERS if seat.hers else HIS
        assert address in mine
        before = len(self.letters((address,)))
        if self.world.at(address):
            self.asks(seat, address)
        else:
            self.sign_out(seat)
            self.takes_free(seat, address)
        letters = self.letters((address,))
        if len(letters) == before:
            return False
        assert self.press(seat, letters[0], twice=twice), "a link that was asked for does not sign in"
        assert seat.mailbox == address
        return True

    def change(self, seat: Seat, typed: str) -> None:
        self.shop.clock.tick(minutes=1)
        self.asked(seat, run(self.shop.change_address.change(seat.browser.visitor, typed)), None)

    def correct(self, seat: Seat, order: Order, typed: str) -> None:
        self.asked(seat, run(self.shop.change_address.correct(seat.browser.visitor, order.id, typed)), order)

    def resend(self, seat: Seat, order: Order) -> Resent:
        """Have the access link of an order sent again; `her_letters_reach_nobody_else` looks where it went."""
        answer = run(self.shop.resend(seat.browser.visitor, order.id))
        if answer is not Resent.NOT_YOURS:
            why = self.world.why_not(seat, order, now=self.now)
            assert not why, f"a browser has an access link sent although {why}"
        return answer

    def sign_out_everywhere(self, seat: Seat) -> None:
        run(self.shop.sign_out.everywhere(seat.browser.visitor))
        self.world.sign_out_everywhere(seat, now=self.now)

    def sign_out(self, seat: Seat) -> None:
        run(self.shop.sign_out.here(seat.browser.visitor))
        if seat.alive and seat.life is not None:
            seat.life.end("it was signed out")

    def ends_one(self, seat: Seat, row: SessionId) -> None:
        may = seat.alive and self.world.end_one(seat, row, now=self.now)
        done = run(self.shop.sign_out.one(seat.browser.visitor, row))
        assert may or not done, "somebody ended a session that is none of his account's"

    def ends_all_others(self, seat: Seat) -> None:
        """Every session in the list of an account, but for this one."""
        listed = run(self.shop.sign_out.list(seat.browser.visitor))
        for session in () if listed is None else (*listed.all, *listed.holders):
            if seat.life is not None and session.id != seat.life.row:
                self.ends_one(seat, session.id)

    def erases(self, seat: Seat) -> bool:
        """He not in a session that he stole from her: there he would be her."""
        address = seat.mailbox
        if not seat.hers and address in HERS:
            return False
        former = () if address is None else self.former(address)
        state = self.effects()
        if run(self.shop.erase(seat.browser.visitor)) is not Erased.DONE:
            return False
        if address is None:  # the same form within a minute, by a session that the deletion ended
            assert self.effects() == state, "an account is deleted by a browser that is not signed in"
            return False
        self.deleted |= {address, *former}
        assert seat.life is not None
        assert seat.life.verified_at is not None
        assert self.now - seat.life.verified_at < HOUR, "a deletion needs a verification of the last hour"
        self.world.hand_back(address, now=self.now)
        astray = any(order.astray for order in self.world.at(address))
        assert not astray, "a deletion waits as long as what is hers can be brought back"
        self.erased |= set(self.world.forget(address))
        return True

    def former(self, address: str) -> set[str]:
        found = run(
            self.shop.store.read(lambda tx: tx.address_changes.former_addresses(EmailAddress(address)))
        )
        return {str(one) for one in found}

    def copies(self, held: Seat, thief: Seat) -> None:
        thief.browser.token, thief.life, thief.turn = held.browser.token, held.life, held.turn

    def waits(self, minutes: float) -> None:
        """She reads her mail within the time that she has to undo what was done behind her back."""
        self.shop.deliver_mail()
        until = self.now + timedelta(minutes=minutes)
        astray = [wish for wish in self.world.wishes.values() if any(order.astray for order in wish.moved)]
        if any(wish.asked_at + UNDO <= until for wish in astray):
            self.she_undoes()
        self.shop.clock.tick(minutes=minutes)

    def she_undoes(self) -> None:
        """She presses the undo links in her mailboxes as long as something of hers is astray: they bring it back."""
        for letter in self.letters(HERS):
            if letter.subject == "Your email address is about to change" and any(
                o.astray for o in self.world.orders.values()
            ):
                self.press(self.seats["V"], letter, twice=True)
        assert not any(o.astray for o in self.world.orders.values()), (
            "an undo link did not bring everything back"
        )
        self.everything_is_whose_it_is()

    def restore(self) -> None:
        """Sessions end, sales since are read from the provider, and deletions since are done again."""
        assert self.backup is not None
        tables, world = self.backup
        self.backup = None
        lost = self.world
        self.erase_again(tables)
        self.world = world
        for address in sorted(self.deleted):
            world.all_goes_back(address, now=self.now)
        # Deleted with her account, and so once more.
        world.notices = {key: to for key, to in world.notices.items() if key in lost.notices}
        # Links that were used since the backup work once more (docs/operations.md).
        self.used_by_her.clear()
        self.pressed.clear()
        for life in world.lives:
            life.end("the shop was restored")
        for seat in self.seats.values():
            seat.life = None
        for order in lost.orders.values():
            if order.ref is None or not order.paid:
                continue
            self.hears(order.ref)
            held = world.orders.setdefault(order.id, Order(order.id, None, None, ref=order.ref))
            held.erased = held.erased or order.id in self.erased
            if not held.paid:
                held.gift, held.typed = order.gift, order.typed
                sent = self.shop.payments.sessions[order.ref].email
                world.book(held, held.owner_if_paid_as(str(sent)), by_her=order.hers, now=self.now)
        for order in world.orders.values():
            if order.id in self.erased:
                order.owner, order.account, order.erased = None, None, True

    def erase_again(self, tables: Tables) -> None:
        """What `coatcheck restore` does with a copy: the one place that knows how erasures are kept beside it."""
        memory, noted = self.shop.memory, self.shop.memory.tables
        memory.tables = tables
        since = sorted(set(noted.erasures) - set(tables.erasures))
        run(self.shop.erase_again(since, list(noted.erased_addresses.values())))
        memory.tables.sessions.clear()
