"""A whole shop in memory: the real use cases on the fakes that ship, a clock and a chance that tests command."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from adapters.memory.catalogue import MemoryCatalogue
from adapters.memory.goods import MemoryGoods
from adapters.memory.mailer import MemoryMailer
from adapters.memory.payments import MemoryPayments
from adapters.memory.store import MemoryStore
from adapters.templates.emails import PackagedTemplates
from domain.keys import Keyring
from domain.mail import Envelope
from domain.ports import EmailTemplates, Store
from domain.product import CatalogueEdition, GoodsFile, Page, Product, ShopInfo
from domain.purchase import Fact
from domain.session import Visitor
from domain.usecases.announce import Announce
from domain.usecases.book_sale import BookSale
from domain.usecases.change_address import ChangeAddress
from domain.usecases.checkout_outcomes import ConfirmationEmailed, RedirectToPayment
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.deliver_mail import DeliverMail
from domain.usecases.email_preferences import EmailPreferences
from domain.usecases.erase_again import EraseAgain
from domain.usecases.erase_me import EraseMe
from domain.usecases.fetch_file import FetchFile
from domain.usecases.handle_payment_webhook import HandlePaymentWebhook
from domain.usecases.identify_viewer import IdentifyViewer, Viewer
from domain.usecases.link_outcomes import LinkRejected, SignedIn
from domain.usecases.order_free import OrderFree
from domain.usecases.own_data import ShowOwnData
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile import Reconcile
from domain.usecases.record_fact import RecordFact
from domain.usecases.redeem_link import RedeemLink
from domain.usecases.report_status import ReportStatus
from domain.usecases.request_login import CheckYourEmail, RequestLogin
from domain.usecases.resend_ticket import ResendTicket
from domain.usecases.retry_quarantine import RetryQuarantine
from domain.usecases.return_from_payment import Returned, ReturnFromPayment
from domain.usecases.sign_out import SignOut
from domain.usecases.start_checkout import StartCheckout
from domain.usecases.supply_licences import SupplyLicences
from domain.values import EmailAddress, Money, ProductId, ProviderRef, digest_of
from testkit.stepping import run

EMAIL_TEMPLATES = PackagedTemplates()
SECRET = "a secret that is long enough for a shop of tests"
BASE_URL = "https://shop.example"
BOOK, PHOTOS = ProductId("book"), ProductId("photos")
CONTENT = b"hello"
"""What is in the file of every product."""


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def tick(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        self.time += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)


class CountedRandomness:
    """Never the same twice, always the same in every run."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._count = 0

    def token(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed}{self._count}".encode()).digest(size)


def a_product(
    pid: ProductId = BOOK, *, price: int = 900, on_sale: bool = True, stock: int | None = None, **more: Any
) -> Product:
    return Product(
        id=pid,
        name=f"The {pid}",
        summary=f"All about the {pid}.",
        price=Money(price, "usd"),
        description_html="<p>About it.</p>",
        content_html=f"<p>The secret of the {pid}.</p>",
        on_sale=on_sale,
        stock=stock,
        cover=None,
        cover_alt="",
        **more,
        files=(GoodsFile(name="it.txt", title="It", size=5, sha256=hashlib.sha256(CONTENT).hexdigest()),),
    )


def an_edition(*products: Product, shop_id: str = "shop-1") -> CatalogueEdition:
    found = products or (a_product(BOOK), a_product(PHOTOS, price=1400))
    return CatalogueEdition(
        version="1",
        shop=ShopInfo(
            id=shop_id,
            name="A Shop",
            tagline="Of tests",
            support=EmailAddress("help@shop.example"),
            currency="usd",
        ),
        products={product.id: product for product in found},
        pages={"terms": Page(slug="terms", title="Terms", html="<p>Be kind.</p>")},
    )


async def _no_pause(place: str) -> None:
    pass


@dataclass
class Shop:
    """Parts first, then the stories made of them."""

    edition: CatalogueEdition = field(default_factory=an_edition)
    pause: Callable[[str], Awaitable[None]] = _no_pause
    secrets: tuple[str, ...] = (SECRET,)
    given_store: Store | None = None

    def __post_init__(self) -> None:
        self.clock = HandClock()
        self.randomness = CountedRandomness()
        self.store: Store = self.given_store or MemoryStore(pause=self.pause)
        self.payments = MemoryPayments(clock=self.clock, pause=self.pause)
        self.mailer = MemoryMailer(pause=self.pause)
        self.catalogue = MemoryCatalogue(self.edition)
        self.keyring = Keyring.of(self.secrets)
        self.templates: EmailTemplates = EMAIL_TEMPLATES
        self.goods = MemoryGoods(CONTENT)

    @property
    def memory(self) -> MemoryStore:
        assert isinstance(self.store, MemoryStore)
        return self.store

    @cached_property
    def identify_viewer(self) -> IdentifyViewer:
        return IdentifyViewer(store=self.store, clock=self.clock)

    @cached_property
    def booking(self) -> BookSale:
        return BookSale(
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
        )

    @cached_property
    def claim(self) -> ClaimPurchase:
        return ClaimPurchase(
            payments=self.payments,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            booking=self.booking,
        )

    @cached_property
    def note(self) -> RecordFact:
        return RecordFact(clock=self.clock)

    @cached_property
    def order_free(self) -> OrderFree:
        return OrderFree(
            store=self.store,
            payments=self.payments,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
            booking=self.booking,
        )

    @cached_property
    def change_address(self) -> ChangeAddress:
        return ChangeAddress(
            store=self.store,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
        )

    @cached_property
    def resend(self) -> ResendTicket:
        return ResendTicket(
            store=self.store,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
        )

    @cached_property
    def erase(self) -> EraseMe:
        return EraseMe(store=self.store, clock=self.clock, keyring=self.keyring)

    @cached_property
    def erase_again(self) -> EraseAgain:
        return EraseAgain(store=self.store, clock=self.clock, keyring=self.keyring)

    @cached_property
    def own_data(self) -> ShowOwnData:
        return ShowOwnData(store=self.store, clock=self.clock)

    @cached_property
    def news(self) -> EmailPreferences:
        return EmailPreferences(store=self.store, keyring=self.keyring, clock=self.clock)

    @cached_property
    def announce(self) -> Announce:
        return Announce(
            store=self.store,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
        )

    @cached_property
    def supply_licences(self) -> SupplyLicences:
        return SupplyLicences(store=self.store, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def start_checkout(self) -> StartCheckout:
        return StartCheckout(
            store=self.store,
            payments=self.payments,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
            base_url=BASE_URL,
        )

    @cached_property
    def come_back(self) -> ReturnFromPayment:
        return ReturnFromPayment(store=self.store, payments=self.payments, claim=self.claim, clock=self.clock)

    @cached_property
    def hear(self) -> HandlePaymentWebhook:
        return HandlePaymentWebhook(
            store=self.store, payments=self.payments, claim=self.claim, note=self.note, clock=self.clock
        )

    @cached_property
    def recheck_payments(self) -> RecheckPayments:
        return RecheckPayments(
            store=self.store,
            payments=self.payments,
            catalogue=self.catalogue,
            claim=self.claim,
            note=self.note,
            clock=self.clock,
        )

    @cached_property
    def reconcile(self) -> Reconcile:
        return Reconcile(
            store=self.store,
            payments=self.payments,
            claim=self.claim,
            note=self.note,
            recheck_payments=self.recheck_payments,
            clock=self.clock,
        )

    @cached_property
    def retry_quarantine(self) -> RetryQuarantine:
        return RetryQuarantine(store=self.store, payments=self.payments, claim=self.claim, clock=self.clock)

    @cached_property
    def request_login(self) -> RequestLogin:
        return RequestLogin(
            store=self.store,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
        )

    @cached_property
    def redeem(self) -> RedeemLink:
        return RedeemLink(
            store=self.store,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
            booking=self.booking,
        )

    @cached_property
    def sign_out(self) -> SignOut:
        return SignOut(store=self.store, clock=self.clock)

    @cached_property
    def fetch_file(self) -> FetchFile:
        return FetchFile(
            identify_viewer=self.identify_viewer,
            store=self.store,
            catalogue=self.catalogue,
            goods=self.goods,
            clock=self.clock,
        )

    @cached_property
    def report(self) -> ReportStatus:
        return ReportStatus(
            store=self.store, keyring=self.keyring, clock=self.clock, randomness=self.randomness
        )

    @cached_property
    def deliver(self) -> DeliverMail:
        return DeliverMail(
            store=self.store,
            mailer=self.mailer,
            templates=self.templates,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
            base_url=BASE_URL,
        )

    # ---------------------------------------------------------------- things that happen

    async def mail_round(self) -> int:
        """One round of the mail worker."""
        mails = await self.deliver.lease()
        for mail in mails:
            await self.deliver.hand_over(mail)
        return len(mails)

    def deliver_mail(self) -> None:
        """The mail worker until nothing is due."""
        while run(self.mail_round()):
            pass

    def hear_of(
        self, ref: ProviderRef, *, event: str = "evt_1", kind: str = "checkout.session.completed"
    ) -> str:
        """The provider's webhook about a session; what became of it."""
        delivery = self.payments.delivery(ref, event=event, kind=kind)
        heard = run(self.hear(delivery.body, delivery.signature))
        return getattr(heard, "outcome", "unheard")

    def hear_fact(self, fact: Fact, *, event: str = "") -> str:
        """The provider's webhook about a refund or dispute; what became of it."""
        delivery = self.payments.fact_delivery(fact, event=event or f"evt_{fact.object_id}_{fact.status}")
        heard = run(self.hear(delivery.body, delivery.signature))
        return getattr(heard, "outcome", "unheard")

    def letters_to(self, address: str) -> list[Envelope]:
        """What arrived in a mailbox, oldest first."""
        return [mail for mail in self.mailer.mailbox.values() if mail.to.canonical == address]

    def last_link(self, address: str) -> str:
        """The token of the last link that arrived there."""
        text = self.letters_to(address)[-1].text
        return text.partition(f"{BASE_URL}/login/")[2].split()[0]

    def last_code(self, address: str) -> str:
        """The code of the last login mail that arrived there."""
        line = next(
            line for line in self.letters_to(address)[-1].text.splitlines() if line.startswith("    ")
        )
        return line.strip()


@dataclass
class Browser:
    """A shopper's browser: keeps the cookies it is given."""

    shop: Shop
    network: str = "192.0.2.1"
    token: str | None = None
    device: str | None = None
    form: str | None = None
    """The cookie that the page of a link left here."""

    @property
    def visitor(self) -> Visitor:
        digest, form = (
            None if cookie is None else digest_of(cookie.encode()) for cookie in (self.token, self.form)
        )
        return Visitor(
            token_hash=digest, network=self.network, label="A browser", device=self.device, form=form
        )

    def buy(self, product: ProductId = BOOK, *, again: bool = False) -> ProviderRef:
        """Press Buy; the provider's session."""
        started = run(self.shop.start_checkout(self.visitor, product, again=again))
        assert isinstance(started, RedirectToPayment), started
        self.token = started.new_token or self.token
        return ProviderRef(started.url.rpartition("/")[2])

    def take(
        self, product: ProductId = BOOK, *, email: str | None = None, again: bool = False, amount: str = ""
    ) -> object:
        """Press Get for something that is free."""
        answer = run(
            self.shop.order_free(self.visitor, product, currency="", amount=amount, email=email, again=again)
        )
        if isinstance(answer, ConfirmationEmailed):
            self.token = answer.new_token or self.token
        return answer

    def come_back(self, ref: ProviderRef, product: ProductId = BOOK) -> Returned:
        """Follow the provider's success redirect."""
        return run(self.shop.come_back(self.visitor, product, ref))

    def buy_and_pay(self, email: str, product: ProductId = BOOK, *, again: bool = False) -> ProviderRef:
        """The whole way, with the webhook first and the mail delivered."""
        ref = self.buy(product, again=again)
        self.shop.payments.pay(ref, email=email)
        self.shop.hear_of(ref, event=f"evt_{ref[-8:]}")
        self.shop.deliver_mail()
        return ref

    def ask_for_link(self, email: str) -> object:
        answer = run(self.shop.request_login(self.visitor, email))
        if isinstance(answer, CheckYourEmail):
            self.token = answer.new_token or self.token
        return answer

    def press(self, token: str) -> SignedIn | LinkRejected:
        """Press the button of a link."""
        return self._enter(run(self.shop.redeem.by_link(self.visitor, token)))

    def type_code(self, code: str) -> SignedIn | LinkRejected:
        return self._enter(run(self.shop.redeem.by_code(self.visitor, code)))

    def _enter(self, came: SignedIn | LinkRejected) -> SignedIn | LinkRejected:
        if isinstance(came, SignedIn):
            self.token, self.device = came.token, came.device
        return came

    @property
    def viewer(self) -> Viewer:
        return run(self.shop.identify_viewer(self.visitor))

    @property
    def owned(self) -> frozenset[ProductId]:
        return self.viewer.owned
