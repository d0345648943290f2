"""What the domain asks of the world. Each docstring is a contract that every adapter's tests hold it to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from domain.claim import ProviderCheckout
from domain.emails import Email
from domain.mail import Delivery, Envelope, Letter
from domain.product import CatalogueEdition, GoodsFile, PaymentTerms, ShopInfo
from domain.purchase import Checkout, Fact
from domain.records import EventRecord
from domain.redacting import redacted_start
from domain.transaction import ReadTransaction, Transaction
from domain.values import ProductId, ProviderRef

if TYPE_CHECKING:  # a path is passed on, never opened here
    from pathlib import Path

T = TypeVar("T")


# ---------------------------------------------------------------------------------------------- time and chance


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class Randomness(Protocol):
    """Chance that nobody can guess."""

    def token(self, size: int) -> bytes:
        """`size` bytes from the operating system's generator; never the same again."""


class ProviderSaid(Exception):
    """A provider's answer that is no success. Its words are kept without the addresses and keys they name."""

    def __init__(self, words: str = "") -> None:
        super().__init__(redacted_start(words))


class StoreUnavailable(Exception):
    """The store could not do it, now: busy, locked, full or broken. Whether it was done may be unknown."""


class StoreBusy(StoreUnavailable):
    """Too much is waiting: it was refused before it began, so it was not done."""


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What a store counts of itself since it was opened; None where it does not count that."""

    commits: int | None = None
    """Transactions committed."""
    waiting: int | None = None
    """Works that have not begun."""


class Store(Protocol):
    """Where the records are kept."""

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` as one serializable transaction; returns once the commit is durable.

        `work` may run more than once and touches nothing but its transaction. If it raises, nothing of it is kept and
        the exception comes back to this caller alone. Cancelling the caller does not withdraw a work that has
        begun. Raises StoreBusy (not done) or StoreUnavailable (perhaps done).
        """

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        """Run `work` on one consistent, committed state. Raises StoreUnavailable."""

    async def scrub(self) -> None:
        """See to it that nothing that was erased can be read back from what the store keeps on this machine.

        Returns when that is so. Raises StoreUnavailable.
        """

    async def ready(self) -> None:
        """Return if a write could begin now, behind what waits. Raises StoreBusy or StoreUnavailable."""

    def figures(self) -> StoreFigures:
        """The store's own counters, for /metrics; cheap."""

    def close(self) -> None:
        """Finish what waits and let go of files and connections. Nothing is asked of the store afterwards."""


# ---------------------------------------------------------------------------------------------- payments


@dataclass(frozen=True, slots=True)
class CheckoutOffer:
    """What is asked of the payment provider: one copy of one product at the price of the snapshot."""

    checkout: Checkout
    shop: str
    seal: str
    summary: str
    success_url: str
    """With `{CHECKOUT_SESSION_ID}` where the provider puts its id."""
    cancel_url: str
    terms: PaymentTerms = field(default_factory=PaymentTerms)
    tax_code: str = ""


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """Where the shopper pays."""

    ref: ProviderRef
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutEvent:
    """A verified delivery about a checkout session."""

    event: EventRecord
    reading: ProviderCheckout


@dataclass(frozen=True, slots=True)
class FactEvent:
    """A verified delivery about a refund or a dispute."""

    event: EventRecord
    fact: Fact


@dataclass(frozen=True, slots=True)
class PaymentChangedEvent:
    """A verified delivery that says only that something happened to a payment: it is to be asked about."""

    event: EventRecord
    payment: str


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """A verified delivery about something this shop does not follow."""

    event: EventRecord


@dataclass(frozen=True, slots=True)
class InvalidWebhook:
    """A delivery that is not to be believed, or not to be understood; `reason` is for the log and the answer."""

    reason: str


WebhookEvent = CheckoutEvent | FactEvent | PaymentChangedEvent | IgnoredEvent | InvalidWebhook


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """What the provider says of a payment: the checkout it was made in (None: none), its refunds and disputes."""

    checkout: ProviderCheckout | None
    facts: tuple[Fact, ...]


class PaymentsUnreachable(ProviderSaid):
    """The provider did not answer, or said that it cannot now. Nothing was charged."""


class PaymentsRefused(ProviderSaid):
    """The provider understood and said no: a key, a currency or a price is wrong. The message is for the merchant."""


class Payments(Protocol):
    """Whoever takes the money."""

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""

    @property
    def page_origin(self) -> str:
        """The origin of the page where shoppers pay, for the Content-Security-Policy's form-action."""

    async def create_checkout(self, offer: CheckoutOffer) -> PaymentPage:
        """Open a checkout session; the same checkout id twice gives the same session.

        Raises PaymentsUnreachable within 10 s, or PaymentsRefused.
        """

    async def retrieve_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """What the provider says of a session now; None if it knows none of that id. Raises as `start` does."""

    def list_completed(self, since: datetime, until: datetime) -> AsyncIterator[ProviderCheckout]:
        """Completed sessions made from one moment up to another, ours or not, in any order. Raises as `start`."""

    def list_facts(self, since: datetime) -> AsyncIterator[Fact]:
        """Refunds and disputes made since a moment, of payments of ours or not, in any order. Raises as `start`."""

    async def retrieve_payment(self, payment: str) -> ProviderPayment | None:
        """What the provider says of a payment now; None if it knows none of that id. Raises as `start` does."""

    async def invoice_url(self, ref: ProviderRef) -> str | None:
        """Where the buyer sees the provider's own invoice of a session; None if it made none. Raises as `start`."""

    @property
    def signature_header(self) -> str:
        """The header that carries a delivery's signature, in lower case."""

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> WebhookEvent:
        """Verify and parse one delivery. Never raises for what came over the wire."""

    async def check(self) -> datetime | None:
        """Ask for something small, to learn whether the key is good; the provider's time, None if it names none.

        Raises as `start` does.
        """

    async def close(self) -> None:
        """Let go of the connections. May be called when none was ever opened, and twice."""


# ---------------------------------------------------------------------------------------------- mail, goods, catalogue


class MailNotSent(ProviderSaid):
    """Surely not accepted: unreachable, or turned away for now. Worth another try."""


class MailUnknown(ProviderSaid):
    """It may have been accepted: the line broke after it was given. Only the same key may be tried again."""


class MailRefused(ProviderSaid):
    """Turned away for good: a wrong key, an address that cannot be. The message says what to do."""


class Mailer(Protocol):
    """Whoever carries mail."""

    async def send(self, envelope: Envelope) -> None:
        """Hand over one mail; returns once it was accepted, within 15 s.

        The same `idempotency_key` twice is delivered once, as far as the carrier can promise it. Raises
        MailNotSent, MailUnknown or MailRefused.
        """

    async def check(self) -> None:
        """Return if the carrier can be reached and would take our mail. Sends nothing. Raises as `send` does."""

    async def sender_found(self) -> tuple[bool, str]:
        """Whether mail may come from the sender's address, and a sentence that says so or what to do.

        True where the carrier cannot say. Raises as `send` does.
        """

    async def close(self) -> None:
        """Let go of the connections. May be called when none was ever opened, and twice."""


class EmailTemplates(Protocol):
    """The sentences and the look of every email."""

    def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
        """An email in a language, or in English where there is no translation.

        LINK_SLOT, CODE_SLOT and the slot of `opt_out_slot` stand where links and code will go; all else is escaped as
        its format wants it. The same arguments give the same bytes. Raises EmailNotRendered, and nothing else.
        """


class EmailNotRendered(Exception):
    """A template is missing or broken; the message says which and why."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A verified report on a mail of ours: `key` is the outbox's."""

    key: str
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class OtherReport:
    """A verified report on something else: another shop's mail, or a kind that is not followed."""

    type: str


class MailReports(Protocol):
    """What the mail carrier tells of the mails it took."""

    def parse_webhook(
        self, body: bytes, headers: Mapping[str, str], *, shop: str
    ) -> DeliveryReport | OtherReport | InvalidWebhook:
        """Verify and parse one report; `headers` in lower case. Never raises for what came over the wire."""


class Catalogue(Protocol):
    """What the shop sells."""

    def current(self) -> CatalogueEdition:
        """The last good edition; cheap. Two calls may give different editions: take one and keep to it."""

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """The bytes and the media type of a product's cover; None if it has none."""

    async def refresh(self) -> None:
        """Take up what the merchant changed; call it about every second. A broken edit leaves the last good one."""

    @property
    def declared_id(self) -> str | None:
        """The shop's id as the merchant declares it; None if that is left to the store."""

    @property
    def left_out(self) -> Sequence[str]:
        """Why products are held back while all others are on sale, a sentence each."""

    def adopt(self, shop_id: str) -> None:
        """Take the shop's id as it is stored; every edition names it from now on."""


class GoodsUnavailable(ProviderSaid):
    """The storage does not answer, says that it cannot now, or broke off in the middle. Worth another try."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A span of a file being handed out: `size` bytes, in chunks that can be taken once.

    Whoever stops early closes the chunks. They give exactly `size` bytes, or raise GoodsUnavailable: that they
    end is never a sign that something broke.
    """

    size: int
    chunks: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class FileAt:
    """Where the browser fetches the whole file itself: a signed address that opens nothing else and soon lapses."""

    url: str


@dataclass(frozen=True, slots=True)
class Blob:
    """One content that is kept on this machine; `size` in bytes."""

    sha256: str
    path: Path
    size: int


class Goods(Protocol):
    """The contents that buyers download, kept by their SHA-256."""

    def shelve(self, path: Path) -> tuple[str, int]:
        """Take a merchant's file in, unless that was done before; its SHA-256 and its size in bytes.

        Called in a thread, for each file of an edition before that goes live; several threads and processes may do
        it at once. Raises OSError or GoodsUnavailable: then nothing was taken in.
        """

    async def open(self, file: GoodsFile, *, start: int, stop: int) -> OpenFile | FileAt | None:
        """The bytes from `start` up to, but not including, `stop`; 0 <= start <= stop <= file.size.

        They are of exactly the content that `file` names, whatever became of the merchant's own file since, and
        the span of one call is of one content. FileAt is for the whole file: whoever serves it there answers
        ranges. None: the bytes are not there. Raises GoodsUnavailable, within some 10 s.
        """

    async def prune(self, named: frozenset[str], *, now: datetime) -> None:
        """Throw out contents that the catalogue has not named for long, if anything; `named` are those it names now.

        Called every few hours. Raises OSError or GoodsUnavailable.
        """

    async def check(self) -> str:
        """What the merchant may hear of the place, such as how much is kept there. Raises GoodsUnavailable."""

    @property
    def elsewhere(self) -> str:
        """Where the contents are kept, if that has copies of its own: a backup names it and holds none of them.

        "" if they are the files of `blobs`, in the shop's own folder for goods.
        """

    def blobs(self) -> Iterator[Blob]:
        """Every content in the shop's own folder, in the order of their hashes; none where they are kept elsewhere."""

    def verify(self, *, done: Callable[[int], object] = ...) -> Iterator[Blob]:
        """Those of `blobs` whose bytes no longer have their hash; `done` is told of bytes read. Raises OSError."""

    async def close(self) -> None:
        """Let go of connections and threads. May be called when none was ever opened, and twice."""
