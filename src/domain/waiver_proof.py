"""Whether a waiver ended the right of withdrawal: it was given, confirmed by an email that arrived, and used."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.emails import AccessLink
from domain.frozen import frozen
from domain.mail import Delivery, Mail, MailState
from domain.outbox_keys import sale_of
from domain.purchase import Purchase
from domain.waiver import Waiver

_NOT_ARRIVED: Final = (Delivery.BOUNCED, Delivery.DELAYED)


@frozen
class WaiverProof:
    """What is known of a waiver."""

    waiver: Waiver
    confirmed_at: datetime | None
    """When the first email that repeats it in full was sent and arrived, as far as we know; None while none did."""
    under_way: bool
    """Whether such an email is still to be sent, or delayed on its way."""
    opened_at: datetime | None
    """When performance began."""

    @property
    def holds(self) -> bool:
        """Whether the right of withdrawal is lost. In every other case it stays."""
        return self.confirmed_at is not None and self.opened_at is not None


def waiver_proof(
    purchase: Purchase, mails: Iterable[Mail], *, corrected_at: datetime | None = None
) -> WaiverProof | None:
    """The proof that a purchase has, with the emails about it in any order; None if nothing was waived.

    `corrected_at`: when its address was corrected. What went to the address before may have reached a stranger, and
    confirms nothing.
    """
    waiver = purchase.waiver
    if waiver is None:
        return None
    copies = [
        mail
        for mail in mails
        if _repeats(mail, purchase)
        and (corrected_at is None or mail.to == purchase.mailbox or mail.queued_at >= corrected_at)
    ]
    arrived = [
        mail.sent_at for mail in copies if mail.delivery not in _NOT_ARRIVED and mail.sent_at is not None
    ]
    return WaiverProof(
        waiver=waiver,
        confirmed_at=min(arrived, default=None),
        under_way=any(mail.state is MailState.QUEUED or mail.delivery is Delivery.DELAYED for mail in copies),
        opened_at=purchase.opened_at,
    )


def waiver_holds(purchase: Purchase, mails: Iterable[Mail], *, corrected_at: datetime | None = None) -> bool:
    """Whether a purchase cannot be withdrawn from any more, because of its waiver: given, confirmed, and opened."""
    proof = waiver_proof(purchase, mails, corrected_at=corrected_at)
    return proof is not None and proof.holds


def _repeats(mail: Mail, purchase: Purchase) -> bool:
    """Whether an email is about this purchase, and repeats its very waiver."""
    email, waiver = mail.email, purchase.waiver
    if not isinstance(email, AccessLink) or email.waiver is None or waiver is None:
        return False
    return sale_of(mail.key) == purchase.checkout and email.waiver.text == waiver.text
