"""What comes of withdrawing, and of deciding about a withdrawal; one vocabulary from the rule to the page."""

from __future__ import annotations

from enum import Enum, auto

from domain.frozen import frozen
from domain.rights import NotAllowed
from domain.usecases.refund_outcomes import NotRefunded
from domain.values import CheckoutId, EmailAddress, Money
from domain.withdrawal import Withdrawal


@frozen
class Statement:
    """What a person states, before it is confirmed."""

    name: str
    contract: str
    email: EmailAddress
    checkout: CheckoutId | None = None
    """The purchase that they chose of those that their browser holds."""


@frozen
class Received:
    """The withdrawal is on record."""

    withdrawal: Withdrawal
    emailed: bool
    """Whether an acknowledgement was queued, now or by the same form before."""


class WhyUndecided(Enum):
    """Why nothing was decided about a withdrawal."""

    NO_SUCH_WITHDRAWAL = auto()
    DECIDED_BEFORE = auto()
    NO_REASON = auto()
    """A refusal needs one, of at most 500 characters: the person is emailed it."""
    NO_PURCHASE = auto()
    """It matches no purchase, so there is nothing to accept."""
    NOT_PROVED = auto()
    """Nobody who holds the purchase has confirmed that it is theirs."""


@frozen
class Undecided:
    """Nothing was decided."""

    why: WhyUndecided
    withdrawal: Withdrawal | None = None


@frozen
class DecidedOn:
    """It was decided, now or by the same form before. `refund`: what was asked for; None where nothing was left."""

    withdrawal: Withdrawal
    refund: Money | None = None


DecidingOnWithdrawal = DecidedOn | Undecided | NotRefunded | NotAllowed
