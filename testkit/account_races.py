"""The race of an account with its payments: a change of address, a deletion, a debit, two tabs, forms sent twice.

Whoever comes first, and whoever dies: no paid session is lost or booked twice, none goes to a wrong address, and money that
comes for nobody is the merchant's to see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from domain.claim import RejectReason
from domain.fact import CheckoutStatus
from domain.purchase import Purchase
from domain.usecases.checkout_outcomes import RedirectToPayment
from domain.values import CheckoutId, ProductId, ProviderRef
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit.races import Begin, calm_down
from testkit.stepping import Actor, Stage, pause, run

OLD, NEW = "anna@example.com", "anna@new.example"


@dataclass(frozen=True)
class AccountCast:
    """What happens at once."""

    as_guest: bool = False
    """The payment in progress was begun before the browser signed in."""
    debit: bool = True
    """It is a bank debit under way; else its page is merely open, and is paid."""
    changes: int = 0
    """How often the change of address is confirmed."""
    deletions: int = 0
    """How often the form that deletes the account is sent."""
    tabs: int = 0
    """First checkouts of another browser that begin at once."""
    presses: int = 0
    """How often that account presses Buy once more, within a minute."""
    webhooks: int = 1
    workers: int = 1


@dataclass
class AccountRace:
    """One shop, one account and its payments."""

    cast: AccountCast
    keeps_proofs: bool = True
    """The negative control: a browser that keeps its session alone, as before checkouts had cookies of their own."""
    pressed: set[ProviderRef] = field(default_factory=set)
    began: list[tuple[Browser, ProviderRef]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop = Shop(pause=pause)
        self.anna = Browser(self.shop, form="f" * 64)
        self.paid = [self.anna.buy_and_pay(OLD)]
        link = self.shop.last_link(OLD)
        if not self.cast.as_guest:
            self.anna.press(link)
        self.debit = self.anna.buy(PHOTOS)
        if self.cast.debit:
            self.shop.payments.pay(self.debit, email=OLD, status=CheckoutStatus.UNPAID)
            self.shop.hear_of(self.debit, event="evt_unpaid")
        if self.cast.as_guest:
            self.anna.press(link)
        self.shop.clock.tick(minutes=2)
        run(self.shop.change_address.change(self.anna.visitor, NEW))
        self.shop.deliver_mail()
        self.confirms = self.shop.last_link(NEW)

    def play(self, *, choose: Callable[[list[str]], int], crash: Callable[[], bool]) -> None:
        """Play one schedule, pay what was begun, let the world calm down, and judge it."""
        Stage(choose=choose, crash=crash).play(self._actors())
        for _, ref in self.began:
            self.shop.payments.pay(ref, email=OLD)
        self.paid += [self.debit, *(ref for _, ref in self.began)]
        self.shop.payments.pay(self.debit, email=OLD)
        self._tabs_come_back()
        self.shop.clock.tick(minutes=2)
        calm_down(self.shop)
        self.judge()

    # ------------------------------------------------------------------ who takes part

    def _actors(self) -> list[Actor]:
        cast, visitor = self.cast, self.anna.visitor
        self.shop.payments.pay(self.debit, email=OLD)
        settled = self.shop.payments.delivery(self.debit, event="evt_paid")
        some: list[tuple[str, Begin, int]] = [
            ("webhook", lambda: self.shop.hear(settled.body, settled.signature), cast.webhooks),
            ("redirect", lambda: self.shop.come_back(visitor, PHOTOS, self.debit), 1),
            ("change", lambda: self.shop.redeem.by_link(visitor, self.confirms), cast.changes),
            ("deletion", lambda: self.shop.erase(visitor), cast.deletions),
            ("buy", lambda: self._presses(self.anna, BOOK), cast.presses),
            ("worker", self.shop.mail_round, cast.workers),
        ]
        actors = [
            Actor(f"{name}{n}", begin, retried=name == "webhook")
            for name, begin, times in some
            for n in range(times)
        ]
        new = Browser(self.shop, network="192.0.2.9")
        for n in range(cast.tabs):
            tab, product = replace(new, proofs=new.proofs), (BOOK, PHOTOS)[n % 2]
            actors.append(
                Actor(f"tab{n}", lambda tab=tab, product=product: self._tab(tab, product), retried=False)
            )  # type: ignore[misc]
        return actors

    async def _presses(self, browser: Browser, product: ProductId) -> None:
        started = await self.shop.start_checkout(browser.visitor, product, again=True)
        if isinstance(started, RedirectToPayment):
            self.pressed.add(ProviderRef(started.url.rpartition("/")[2]))

    async def _tab(self, tab: Browser, product: ProductId) -> None:
        started = await self.shop.start_checkout(tab.visitor, product, again=False)
        if isinstance(started, RedirectToPayment):
            tab.token, tab.proofs[started.checkout] = started.new_token, started.proof
            self.began.append((tab, ProviderRef(started.url.rpartition("/")[2])))

    def _tabs_come_back(self) -> None:
        """Whichever answer came last: the browser has its session, and the cookies of all checkouts."""
        if not self.began:
            return
        kept = self.began[-1][0]
        if not self.keeps_proofs:
            kept.proofs.clear()
        for _, ref in self.began:
            checkout = self._row(ref)
            product = self.shop.memory.tables.checkouts[checkout].product
            kept.come_back(ref, product)
            held = {h.purchase.checkout for h in kept.viewer.holdings}
            assert checkout in held, "a tab that was paid does not open in the browser that began it"

    def _row(self, ref: ProviderRef) -> CheckoutId:
        [row] = [c.id for c in self.shop.memory.tables.checkouts.values() if c.provider_ref == ref]
        return row

    # ------------------------------------------------------------------ what must be true

    def judge(self) -> None:
        """0 lost, 0 to a wrong address, 0 double."""
        tables = self.shop.memory.tables
        booked = [p.provider_ref for p in tables.purchases.values()]
        assert sorted(booked, key=str) == sorted(self.paid, key=str), "a sale is lost, or booked twice"
        assert len({user.mailbox for user in tables.users.values()}) == len(tables.users)
        changed = any(move.stands for move in tables.moves.values())
        gone = bool(tables.erasures)
        # Either gives the browser another cookie, or none: what it sends after that is another form.
        assert changed or gone or len(self.pressed) <= 1, "Buy that was pressed twice began two checkouts"
        assert not (gone and self.cast.debit) or self._was_settled_first(), (
            "deleted while a payment was pending"
        )
        of_tabs = {ref for _, ref in self.began}
        for purchase in tables.purchases.values():
            if purchase.provider_ref in of_tabs:
                assert str(purchase.mailbox) == OLD, "it was paid with that address, by another browser"
            elif purchase.mailbox is None:
                self._is_the_merchants(purchase, gone=gone)
            else:
                assert not gone or purchase.provider_ref == self.debit, "a deleted account has purchases"
                assert str(purchase.mailbox) == (NEW if changed else OLD), "a sale is at the wrong address"
        arrived = [
            mail for mail in self.shop.mailer.mailbox.values() if mail.subject.startswith("Your purchase")
        ]
        owned = [p for p in tables.purchases.values() if p.mailbox is not None]
        assert len(owned) <= len(arrived) <= len(booked), "one access email each, before a deletion at most"
        assert {str(mail.to) for mail in arrived} <= {OLD, NEW}

    def _was_settled_first(self) -> bool:
        purchase = self.shop.memory.tables.purchases[self._row(self.debit)]
        return purchase.mailbox is None and self.debit not in self.shop.memory.tables.quarantined

    def _is_the_merchants(self, purchase: Purchase, *, gone: bool) -> None:
        """It was delivered and then deleted, or it came too late: then the merchant knows."""
        assert gone, "a sale belongs to nobody"
        entry = self.shop.memory.tables.quarantined.get(str(purchase.provider_ref))
        told = [mail for mail in self.shop.mailer.mailbox.values() if str(purchase.provider_ref) in mail.text]
        late = entry is not None and entry.reason is RejectReason.CUSTOMER_ERASED
        assert bool(told) == late, "the merchant is told of what came too late, and of that alone"
