"""What is stored beside the rules' own values: logs, queues and figures."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from domain.claim import RejectReason
from domain.frozen import frozen
from domain.mail import MailState
from domain.values import CheckoutId, EmailAddress, Money, ProductId, UserId


@frozen
class EventRecord:
    """One delivery by the payment provider, for the log; it never decides."""

    id: str
    type: str
    object_id: str


@frozen
class LoggedEvent:
    """A delivery as it stands in the log."""

    event: EventRecord
    outcome: str
    """What the latest delivery of it came to; a name for people, as in the answer to the provider."""
    at: datetime
    """When it was first delivered."""


@frozen
class Quarantined:
    """A session (`cs_…`) or payment (`pi_…`) of the provider that the shop does not act on.

    `closed_at` once a claim succeeded, or the merchant dismissed it.
    """

    ref: str
    reason: RejectReason
    first_at: datetime
    last_at: datetime
    tries: int
    retry_at: datetime | None
    closed_at: datetime | None = None


@frozen
class User:
    """One canonical mailbox that a purchase was booked for."""

    id: UserId
    mailbox: EmailAddress
    since: datetime
    proved_at: datetime | None = None
    """When the address was first verified."""
    wants_release_emails: bool = True
    language: str = ""
    """What their emails are in (BCP 47); "" for the shop's first language."""


@frozen
class ErasedAddress:
    """An erased address. `tag` is a keyed hash (`domain.keys.Key.erasure_of`) and identifies no person."""

    tag: str
    at: datetime


@frozen
class PaymentDue:
    """A payment that the provider is to be asked about: facts without a sale, or facts that are not final."""

    payment: str
    since: datetime
    tries: int


@frozen
class Download:
    """How often a buyer fetched a file, a day's worth of requests counting once."""

    checkout: CheckoutId
    product: ProductId
    name: str
    last_at: datetime
    times: int
    first_at: datetime | None = None
    """When it was first counted; None for what was first fetched before this was kept."""


class ProblemKind(Enum):
    """What does not work, until it does again: what the payment provider refuses, and how the shop is reached."""

    CHECKOUT_REFUSED = "checkout-refused"
    """To open a payment page; the subject is the product."""
    LOOKUP_REFUSED = "lookup-refused"
    """To report the state of a checkout session."""
    LIST_REFUSED = "list-refused"
    """To list what the reconciler asks for; the subject is the list."""
    LIMITS_SHARED = "limits-shared"
    """Visitors cannot be told apart; the subject is why, and the detail the address that all seem to have."""

    @property
    def is_refusal(self) -> bool:
        """Whether it is the payment provider that refuses it."""
        return self is not ProblemKind.LIMITS_SHARED


@frozen
class Problem:
    """Something that does not work and that the merchant can mend, in the provider's own words."""

    kind: ProblemKind
    subject: str
    """What it is about, such as a product's id; "" if it is about the shop as a whole."""
    detail: str
    first_at: datetime
    last_at: datetime


@frozen
class Backlog:
    """What waits, in figures."""

    queued: int
    """Mails that are still to go out."""
    oldest_queued_at: datetime | None
    stuck: int
    """Mails that wait for the merchant."""
    quarantined: int
    """Open quarantine entries."""


@frozen
class Tally:
    """The shop in figures, for `status`."""

    users: int
    purchases: int
    """Without grants."""
    takings: tuple[Money, ...]
    """What is left of what was paid, one sum a currency: net of refunds pending or succeeded and of lost disputes.

    (Sums beyond Money's bound are given as several.)
    """
    mails: tuple[tuple[MailState, int], ...]
    bounced: int = 0
    """Access emails that could not be delivered."""
    foreign: int = 0
    """Sessions and payments of other programs on the same account of the provider, of the last 90 days."""
    test: int = 0
    """Test purchases that are not counted in `purchases` and `takings`: all of them once the shop has gone live."""
