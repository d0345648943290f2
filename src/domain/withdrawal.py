"""Withdrawals: a consumer's statement that they withdraw from a contract, and what becomes of it.

Directive 2011/83/EU, art. 9 to 16, with art. 11a of Directive (EU) 2023/2673. Days are counted in
`domain.legal_period`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.legal_period import last_day
from domain.local_time import day_of
from domain.purchase import Purchase, Source
from domain.values import CheckoutId, EmailAddress, as_line

KEPT_FOR: Final = timedelta(days=3 * 365)
"""Of statements that match no purchase, and of emails about any. What is about a purchase is kept as long as that."""
_LINKED: Final = re.compile(r"\.(?=[^\W\d_])|(?<=:)(?=//)")
LONGEST: Final = 200
"""Characters of each thing that a person writes: more would let strangers be emailed by it."""


class WithdrawalState(Enum):
    """How far a withdrawal got. The values are stored and exported."""

    OPEN = "open"
    """Received; the merchant has not decided."""
    ACCEPTED = "accepted"
    REFUSED = "refused"


@frozen
class Withdrawal:
    """One statement, as it was confirmed. Its receipt is certain; whose it is needs a proof."""

    id: str
    """That of the form that was confirmed, so that confirming it twice is one withdrawal. Ids sort by their time."""
    name: str
    """As the person wrote it; "" once they were erased, as the two that follow."""
    contract: str
    """The order number, or what was bought and when, as they wrote it."""
    email: EmailAddress | None
    """Where the acknowledgement goes; None once its person was erased."""
    checkout: CheckoutId | None
    """The purchase it is about; None if it matches none."""
    received_at: datetime
    """To the second: the acknowledgement says it."""
    proved_at: datetime | None = None
    """When somebody who holds the purchase confirmed that it is theirs."""
    state: WithdrawalState = WithdrawalState.OPEN
    decided_at: datetime | None = None
    decided_by: str = ""
    """See `domain.staff.Actor`."""
    reason: str = ""
    """Why it was refused; the person was emailed it."""
    request: str = ""
    """The refund request (`domain.refund`) that came of it; "" if nothing was left to refund."""


def written(typed: str) -> str | None:
    """What a person wrote, as one line; None if it is empty or too long."""
    line = " ".join(as_line(typed).split())
    return line if 0 < len(line) <= LONGEST else None


def unlinked(text: str) -> str:
    """A text of which no email program makes a link: a space stands behind each full stop within an address."""
    return _LINKED.sub(lambda found: f"{found[0]} ", text)


def can_be_withdrawn(purchase: Purchase) -> bool:
    """Whether a purchase is offered to be withdrawn from: it was sold here, for money."""
    return purchase.source is Source.SALE and purchase.paid.amount > 0


def in_time(purchase: Purchase, received: datetime, zone: tzinfo) -> bool:
    """Whether a withdrawal came within 14 days of the purchase. A later one is received all the same."""
    return day_of(received, zone) <= last_day(purchase.booked_at, zone)


def days_left(withdrawal: Withdrawal, *, now: datetime, zone: tzinfo) -> int:
    """How many days are left to pay back; below zero once they are over."""
    return (last_day(withdrawal.received_at, zone) - day_of(now, zone)).days


def is_payers(held: Holding) -> bool:
    """Whether who owns a purchase paid for it: only then can it be withdrawn from without staff looking at it."""
    purchase = held.purchase
    return purchase.mailbox is not None and purchase.paid_email in (None, purchase.mailbox)
