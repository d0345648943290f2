"""What came of having an access link emailed again for a customer."""

from __future__ import annotations

from enum import Enum, auto

from domain.frozen import frozen
from domain.purchase import Purchase
from domain.rights import NotAllowed
from domain.usecases.find_order import SeveralOrders
from domain.usecases.request_login import NotAnAddress
from domain.values import EmailAddress


class WhyNotSent(Enum):
    """Why no email was queued."""

    NO_SUCH_ORDER = auto()
    NO_SUCH_CUSTOMER = auto()
    """No order belongs to the address."""
    WITHOUT_ADDRESS = auto()
    """The order belongs to no address yet: `SendOwnerLink` emails the link that gives it one."""
    ERASED = auto()
    """Its customer deleted their account."""
    TEST_PURCHASE = auto()
    """The shop has gone live, so it opens nothing."""
    REFUNDED = auto()
    CHARGED_BACK = auto()
    REVOKED = auto()
    """The merchant closed it."""
    IN_DISPUTE = auto()
    UNKNOWN_STATUS = auto()
    """The provider reports a status of a refund or dispute that is not known."""
    STILL_QUEUED = auto()
    """An access email for the order waits in the outbox."""
    ENOUGH = auto()
    """See `RESENT_BY_MERCHANT`."""


@frozen
class NotSent:
    """Nothing was queued. `order`: the one that the reason is about."""

    why: WhyNotSent
    order: Purchase | None = None


@frozen
class AccessQueued:
    """One email is on its way to `mailbox`."""

    mailbox: EmailAddress
    order: Purchase
    """The one that the email names."""
    others: tuple[Purchase, ...]
    """What else is open: the link signs its owner in."""
    bounced: bool
    """Whether the last access email to that address came back."""


Resending = AccessQueued | NotSent | NotAllowed | SeveralOrders | NotAnAddress
