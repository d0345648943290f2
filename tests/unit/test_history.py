"""Long histories: many browsers, mailboxes, sales, logins and failures, in any order; the truths hold after each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.fact import FactKind
from domain.mail import MailKind
from domain.ports import MailNotSent
from domain.usecases.checkout_outcomes import RedirectToPayment
from domain.usecases.link_outcomes import SignedIn
from domain.values import ProviderRef
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit import by_hand
from testkit.stepping import run

MAILBOXES = ["anna@example.com", "ben@example.com", "eve@example.com"]
BROWSERS = 3
browsers = st.integers(0, BROWSERS - 1)


@dataclass
class Sale:
    browser: int
    product: str
    ref: ProviderRef
    life: int
    """Which life of the browser's session began it: a row that ended opens nothing any more."""
    email: str = ""
    paid: bool = False
    refunded: bool = False
    dispute: str = ""

    @property
    def is_live(self) -> bool:
        return not self.refunded and self.dispute in ("", "won")


@dataclass
class Model:
    """What must be true, kept in the simplest way."""

    sales: list[Sale] = field(default_factory=list)
    proved: list[str | None] = field(default_factory=lambda: [None] * BROWSERS)
    life: list[int] = field(default_factory=lambda: [0] * BROWSERS)


class History(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.browsers = [Browser(self.shop, network=f"192.0.2.{n}") for n in range(BROWSERS)]
        self.model = Model()
        self.events = 0
        self.unswept = 0

    def _sale(self, number: int) -> Sale | None:
        return self.model.sales[number % len(self.model.sales)] if self.model.sales else None

    @rule(who=browsers, product=st.sampled_from([BOOK, PHOTOS]))
    def presses_buy(self, who: int, product: str) -> None:
        browser = self.browsers[who]
        self.shop.clock.tick(seconds=1)
        started = run(self.shop.start_checkout(browser.visitor, product, again=True))  # type: ignore[arg-type]
        if isinstance(started, RedirectToPayment):
            browser.token = started.new_token or browser.token
            ref = ProviderRef(started.url.rpartition("/")[2])
            if all(sale.ref != ref for sale in self.model.sales):  # pressed again within a minute
                self.model.sales.append(
                    Sale(who, product, ref, self.model.life[who], self.model.proved[who] or "")
                )

    @rule(number=st.integers(0, 20), email=st.sampled_from(MAILBOXES))
    def pays(self, number: int, email: str) -> None:
        sale = self._sale(number)
        # Stripe's page closes after 24 hours.
        open_ = sale is not None and self.shop.clock.now() < self.shop.payments.made_at[sale.ref] + timedelta(
            hours=24
        )
        if sale is not None and open_ and not sale.paid:
            sale.email = sale.email or email
            sale.paid = True
            self.shop.payments.pay(sale.ref, email=email)

    @rule(number=st.integers(0, 20), same_event=st.booleans())
    def webhook(self, number: int, same_event: bool) -> None:
        sale = self._sale(number)
        if sale is not None:
            self.events += not same_event
            self.shop.hear_of(sale.ref, event=f"evt_{self.events}")

    @rule(number=st.integers(0, 20), who=browsers)
    def follows_the_success_url(self, number: int, who: int) -> None:
        sale = self._sale(number)
        if sale is not None:
            self.shop.clock.tick(seconds=5)
            run(self.shop.come_back(self.browsers[who].visitor, sale.product, sale.ref))  # type: ignore[arg-type]

    @rule()
    def reconciler(self) -> None:
        self.unswept = 0
        run(self.shop.reconcile())

    @rule(away=st.booleans())
    def mail_worker(self, away: bool) -> None:
        self.shop.mailer.failing = MailNotSent("away") if away else None
        self.shop.deliver_mail()
        self.shop.mailer.failing = None

    @rule(who=browsers, email=st.sampled_from(MAILBOXES))
    def asks_for_a_link(self, who: int, email: str) -> None:
        self.shop.clock.tick(minutes=6)
        self.browsers[who].ask_for_link(email)
        self.shop.deliver_mail()

    @precondition(lambda self: bool(self.shop.mailer.mailbox))
    @rule(who=browsers, email=st.sampled_from(MAILBOXES), number=st.integers(0, 20))
    def presses_a_link_of_their_mailbox(self, who: int, email: str, number: int) -> None:
        letters = [mail for mail in self.shop.letters_to(email) if "/login/" in mail.text]
        if not letters:
            return
        token = letters[number % len(letters)].text.partition("/login/")[2].split()[0]
        if isinstance(self.browsers[who].press(token), SignedIn):
            if self.model.proved[who] not in (None, email):
                self.model.life[who] += 1
            self.model.proved[who] = email

    @rule(who=browsers)
    def logs_out(self, who: int) -> None:
        run(self.shop.sign_out.here(self.browsers[who].visitor))
        self.browsers[who].token = None
        self.model.proved[who] = None
        self.model.life[who] += 1

    @rule(number=st.integers(0, 20), told=st.booleans())
    def is_refunded(self, number: int, told: bool) -> None:
        """Its webhook comes at once, or never: then a sweep or a reading must find out."""
        sale = self._sale(number)
        if sale is None or not sale.paid or sale.refunded:
            return
        self.shop.clock.tick(seconds=1)
        total = self.shop.payments.sessions[sale.ref].total
        fact = self.shop.payments.tell(sale.ref, FactKind.REFUND, "succeeded", amount=total)
        if told:
            self.shop.hear_fact(fact, event=f"evt_{fact.object_id}")
        else:
            self.reconciler()
        sale.refunded = True

    @rule(number=st.integers(0, 20), status=st.sampled_from(["needs_response", "won", "lost"]))
    def is_disputed(self, number: int, status: str) -> None:
        sale = self._sale(number)
        if sale is None or not sale.paid or sale.dispute in ("won", "lost"):
            return
        self.shop.clock.tick(seconds=1)
        sale.dispute = status
        total = self.shop.payments.sessions[sale.ref].total
        fact = self.shop.payments.tell(sale.ref, FactKind.DISPUTE, status, amount=total)
        for copy in range(2):
            self.shop.hear_fact(fact, event=f"evt_{fact.object_id}_{status}_{copy}")

    @rule(hours=st.integers(1, 48))
    def time_passes(self, hours: int) -> None:
        self.shop.clock.tick(hours=hours)
        now = self.shop.clock.now()
        self.unswept += hours
        if self.unswept >= 48:  # the worker sweeps every ten minutes; here it may be down for two days
            self.reconciler()
        for who, browser in enumerate(self.browsers):
            # Nobody stays away for two weeks in this history, but thirty days in all may be over.
            if browser.token is not None and browser.viewer.session is None:
                browser.token = None
                self.model.proved[who] = None
                self.model.life[who] += 1
        run(self.shop.store.transact(lambda tx: tx.retention.prune(now=now)))
        run(self.shop.recheck_payments())

    @invariant()
    def one_purchase_a_paid_checkout_and_one_access_email_each(self) -> None:
        tables = self.shop.memory.tables
        booked = {p.provider_ref for p in tables.purchases.values()}
        assert booked <= {sale.ref for sale in self.model.sales if sale.paid}
        access_emails = [m for m in tables.outbox.values() if m.kind is MailKind.ACCESS]
        assert len(access_emails) == len(tables.purchases) == len(booked)
        refunds = [m.key for m in tables.outbox.values() if m.key.startswith("refunded:")]
        assert len(refunds) <= sum(sale.refunded for sale in self.model.sales)
        assert {str(u.mailbox) for u in tables.users.values()} == {
            str(p.mailbox) for p in tables.purchases.values()
        }
        assert len(tables.users) == len({u.mailbox for u in tables.users.values()})

    @invariant()
    def everybody_opens_what_is_theirs_and_nothing_else(self) -> None:
        """The address that a browser verified decides; without one, what it paid for in the last 24 hours."""
        booked = {p.provider_ref: p.booked_at for p in self.shop.memory.tables.purchases.values()}
        a_day_ago = self.shop.clock.now() - timedelta(hours=24)
        for who, browser in enumerate(self.browsers):
            proved = self.model.proved[who]
            theirs = {
                sale.product
                for sale in self.model.sales
                if sale.ref in booked
                and sale.is_live
                and (
                    sale.email == proved
                    if proved is not None
                    else sale.browser == who
                    and sale.life == self.model.life[who]
                    and booked[sale.ref] > a_day_ago
                )
            }
            assert browser.owned == theirs

    def teardown(self) -> None:
        """However the history went: what was paid is booked in the end, and its access email arrives once."""
        for mail in run(
            self.shop.report()
        ).mails:  # three days without an email provider: the merchant says "again"
            by_hand.send_again(self.shop, mail.key)
        for _ in range(4):
            self.shop.clock.tick(hours=1)
            run(self.shop.reconcile())
            self.shop.deliver_mail()
        tables = self.shop.memory.tables
        assert {p.provider_ref for p in tables.purchases.values()} == {
            s.ref for s in self.model.sales if s.paid
        }
        arrived = [m for m in self.shop.mailer.mailbox.values() if m.subject.startswith("Your purchase")]
        assert len(arrived) == len(tables.purchases)


History.TestCase.settings = settings(stateful_step_count=40, max_examples=100)
TestLongHistories = History.TestCase
