"""The in-memory shop: its parts, the use cases built from them, and events in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

from adapters.languages.packaged import PackagedLanguages
from adapters.memory.catalogue import MemoryCatalogue
from adapters.memory.goods import MemoryGoods
from adapters.memory.mailer import MemoryMailer
from adapters.memory.payments import MemoryPayments
from adapters.memory.store import MemoryStore
from adapters.templates.emails import PackagedTemplates
from domain.fact import Fact
from domain.keys import Keyring
from domain.mail import Envelope
from domain.ports import EmailTemplates, Store
from domain.product import CatalogueEdition
from domain.usecases.act_on_fraud_warnings import ActOnFraudWarnings
from domain.usecases.book_sale import BookSale
from domain.usecases.change_address import ChangeAddress
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.code_links import CodeLinks
from domain.usecases.confirm_withdrawal import ConfirmWithdrawal
from domain.usecases.deliver_mail import DeliverMail
from domain.usecases.email_preferences import EmailPreferences
from domain.usecases.erase_again import EraseAgain
from domain.usecases.erase_me import EraseMe
from domain.usecases.expire_duplicates import ExpireDuplicates
from domain.usecases.fetch_file import FetchFile
from domain.usecases.find_withdrawal import FindWithdrawal
from domain.usecases.go_live import GoLive
from domain.usecases.grant_product import GrantProduct
from domain.usecases.handle_payment_webhook import HandlePaymentWebhook
from domain.usecases.identify_viewer import IdentifyViewer
from domain.usecases.lease_mail import LeaseMail
from domain.usecases.list_pending import ListPending
from domain.usecases.order_free import OrderFree
from domain.usecases.own_data import ShowOwnData
from domain.usecases.preview_product import PreviewProduct
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile import Reconcile
from domain.usecases.record_fact import RecordFact
from domain.usecases.redeem_link import RedeemLink
from domain.usecases.report_status import ReportStatus
from domain.usecases.request_login import RequestLogin
from domain.usecases.resend_access_link import ResendAccessLink
from domain.usecases.resend_to_customer import ResendToCustomer
from domain.usecases.retry_quarantine import RetryQuarantine
from domain.usecases.return_from_payment import ReturnFromPayment
from domain.usecases.send_owner_link import SendOwnerLink
from domain.usecases.send_refunds import SendRefunds
from domain.usecases.send_refused import SendRefused
from domain.usecases.send_sales_digest import SendSalesDigest
from domain.usecases.sign_out import SignOut
from domain.usecases.start_checkout import StartCheckout
from domain.usecases.supply_licences import SupplyLicences
from domain.values import ProviderRef
from entrypoints.testing.back_office import BackOffice
from entrypoints.testing.fakes import BASE_URL, CONTENT, SECRET, CountedRandomness, HandClock, an_edition, run

EMAIL_TEMPLATES = PackagedTemplates(PackagedLanguages().language)


async def _no_pause(place: str) -> None: ...


@dataclass
class Shop(BackOffice):
    """The parts, followed by the use cases built from them."""

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
            catalogue=self.catalogue, keyring=self.keyring, clock=self.clock, randomness=self.randomness
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
    def send_owner_link(self) -> SendOwnerLink:
        return SendOwnerLink(
            store=self.store, keyring=self.keyring, clock=self.clock, randomness=self.randomness
        )

    @cached_property
    def resend(self) -> ResendAccessLink:
        return ResendAccessLink(
            store=self.store,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
        )

    @cached_property
    def resend_to_customer(self) -> ResendToCustomer:
        return ResendToCustomer(
            store=self.store, catalogue=self.catalogue, keyring=self.keyring, clock=self.clock,
            randomness=self.randomness,
        )  # fmt: skip

    @cached_property
    def grant_product(self) -> GrantProduct:
        return GrantProduct(
            store=self.store, catalogue=self.catalogue, keyring=self.keyring, clock=self.clock,
            randomness=self.randomness, booking=self.booking,
        )  # fmt: skip

    @cached_property
    def confirm_withdrawal(self) -> ConfirmWithdrawal:
        return ConfirmWithdrawal(
            store=self.store, catalogue=self.catalogue, keyring=self.keyring, clock=self.clock,
            randomness=self.randomness,
        )  # fmt: skip

    @cached_property
    def find_withdrawal(self) -> FindWithdrawal:
        return FindWithdrawal(store=self.store)

    @cached_property
    def act_on_fraud_warnings(self) -> ActOnFraudWarnings:
        return ActOnFraudWarnings(
            store=self.store, payments=self.payments, catalogue=self.catalogue, clock=self.clock,
            request_refund=self.request_refund,
        )  # fmt: skip

    @cached_property
    def send_refunds(self) -> SendRefunds:
        return SendRefunds(
            store=self.store, payments=self.payments, note=self.note, clock=self.clock, base_url=BASE_URL
        )

    @cached_property
    def send_sales_digest(self) -> SendSalesDigest:
        return SendSalesDigest(store=self.store, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def erase(self) -> EraseMe:
        return EraseMe(store=self.store, clock=self.clock, keyring=self.keyring, randomness=self.randomness)

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
    def preview_product(self) -> PreviewProduct:
        return PreviewProduct(
            catalogue=self.catalogue, keyring=self.keyring, clock=self.clock, base_url=BASE_URL
        )

    @cached_property
    def supply_licences(self) -> SupplyLicences:
        return SupplyLicences(store=self.store, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def go_live(self) -> GoLive:
        return GoLive(store=self.store, payments=self.payments, clock=self.clock)

    @cached_property
    def code_links(self) -> CodeLinks:
        return CodeLinks(payments=self.payments, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def start_checkout(self) -> StartCheckout:
        return StartCheckout(
            store=self.store,
            payments=self.payments,
            catalogue=self.catalogue,
            code_links=self.code_links,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
            base_url=BASE_URL,
        )

    @cached_property
    def come_back(self) -> ReturnFromPayment:
        return ReturnFromPayment(
            store=self.store, payments=self.payments, claim=self.claim, keyring=self.keyring, clock=self.clock
        )

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
            store=self.store, payments=self.payments, claim=self.claim, note=self.note,
            recheck_payments=self.recheck_payments, expire_duplicates=self.expire_duplicates, clock=self.clock,
        )  # fmt: skip

    @cached_property
    def expire_duplicates(self) -> ExpireDuplicates:
        return ExpireDuplicates(store=self.store, payments=self.payments, claim=self.claim, clock=self.clock)

    @cached_property
    def list_pending(self) -> ListPending:
        return ListPending(store=self.store)

    @cached_property
    def retry_quarantine(self) -> RetryQuarantine:
        return RetryQuarantine(store=self.store, payments=self.payments, claim=self.claim, clock=self.clock)

    @cached_property
    def request_login(self) -> RequestLogin:
        return RequestLogin(
            store=self.store, catalogue=self.catalogue, keyring=self.keyring, clock=self.clock,
            randomness=self.randomness,
        )  # fmt: skip

    @cached_property
    def redeem(self) -> RedeemLink:
        return RedeemLink(
            store=self.store, keyring=self.keyring, clock=self.clock, randomness=self.randomness,
            booking=self.booking,
        )  # fmt: skip

    @cached_property
    def sign_out(self) -> SignOut:
        return SignOut(store=self.store, keyring=self.keyring, clock=self.clock)

    @cached_property
    def fetch_file(self) -> FetchFile:
        return FetchFile(
            identify_viewer=self.identify_viewer, store=self.store, catalogue=self.catalogue, goods=self.goods,
            clock=self.clock,
        )  # fmt: skip

    @cached_property
    def report(self) -> ReportStatus:
        return ReportStatus(
            store=self.store, catalogue=self.catalogue, keyring=self.keyring, clock=self.clock,
            randomness=self.randomness,
        )  # fmt: skip

    @cached_property
    def send_refused(self) -> SendRefused:
        return SendRefused(
            store=self.store, keyring=self.keyring, clock=self.clock, randomness=self.randomness
        )

    @cached_property
    def lease_mail(self) -> LeaseMail:
        return LeaseMail(
            store=self.store,
            templates=self.templates,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            randomness=self.randomness,
            base_url=BASE_URL,
        )

    @cached_property
    def hand_over(self) -> DeliverMail:
        return DeliverMail(
            store=self.store,
            mailer=self.mailer,
            catalogue=self.catalogue,
            keyring=self.keyring,
            clock=self.clock,
            base_url=BASE_URL,
        )

    # ---------------------------------------------------------------- events

    async def mail_round(self) -> int:
        """Run one round of the mail worker."""
        return len([await self.hand_over(mail) for mail in await self.lease_mail()])

    def deliver_mail(self) -> None:
        """Run the mail worker until no mail is due."""
        while run(self.mail_round()):
            pass

    def hear_of(
        self, ref: ProviderRef, *, event: str = "evt_1", kind: str = "checkout.session.completed"
    ) -> str:
        """Receive the provider's webhook about a session; return its outcome."""
        delivery = self.payments.delivery(ref, event=event, kind=kind)
        heard = run(self.hear(delivery.body, delivery.signature))
        return getattr(heard, "name", "unheard")

    def hear_fact(self, fact: Fact, *, event: str = "") -> str:
        """Receive the provider's webhook about a refund or dispute; return its outcome."""
        delivery = self.payments.fact_delivery(fact, event=event or f"evt_{fact.object_id}_{fact.status}")
        heard = run(self.hear(delivery.body, delivery.signature))
        return getattr(heard, "name", "unheard")

    def letters_to(self, address: str) -> list[Envelope]:
        """The mails delivered to an address, oldest first."""
        return [mail for mail in self.mailer.mailbox.values() if mail.to.canonical == address]

    def last_link(self, address: str) -> str:
        """The token of the last link delivered to an address."""
        text = self.letters_to(address)[-1].text
        return text.partition(f"{BASE_URL}/login/")[2].split()[0]

    def last_code(self, address: str) -> str:
        """The code of the last login mail delivered to an address."""
        return next(
            line.strip() for line in self.letters_to(address)[-1].text.splitlines() if line[:4] == "    "
        )
