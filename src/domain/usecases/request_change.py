"""Write a change of address that was asked for, and send the emails that confirm or undo it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.address_change import AddressChange, ChangeKind
from domain.emails import AddressChangeRequested, ChangedItem, ConfirmAddress
from domain.frozen import frozen
from domain.limits import CHANGES_PER_ACCOUNT
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Urgency
from domain.session import Session
from domain.transaction import Transaction
from domain.usecases.change_outcomes import Asked, CheckYourNewEmail
from domain.usecases.request_limits import RequestLimits
from domain.usecases.request_login import TooManyRequests
from domain.usecases.send_email import send_link
from domain.values import ChangeId, CheckoutId, EmailAddress, LinkId


@frozen
class ChangeDraft:
    """A move that may be asked for; whose address it leaves is known inside the transaction."""

    id: ChangeId
    kind: ChangeKind
    new: EmailAddress
    checkouts: tuple[CheckoutId, ...]
    undo: LinkId
    limits: RequestLimits

    def ask(self, tx: Transaction, session: Session, *, old: EmailAddress, item: ChangedItem) -> Asked:
        """Within the limits, write the move, and send the proof to the new address and the notice to the old one."""
        until = self._take_limits(tx, session, old)
        if until is not None:
            return TooManyRequests(until=until)
        asked = CheckYourNewEmail(self.kind)
        if not self.limits.take_address(tx, session, self.new):
            return asked
        user = tx.users.by_address(old)
        verified = self.kind is ChangeKind.CORRECTION and user is not None and user.proved_at is not None
        move = AddressChange(
            id=self.id,
            kind=self.kind,
            old=old,
            new=self.new,
            asked_by=session.id,
            asked_at=self.limits.now,
            checkouts=self.checkouts,
            # Kept as taken back at once, so that asking again gets the same answer whether it was verified or not.
            undone_at=self.limits.now if verified else None,
        )
        tx.address_changes.begin(move)
        if not verified:
            self._send(tx, session, old=old, item=item)
        return asked

    def _take_limits(self, tx: Transaction, session: Session, old: EmailAddress) -> datetime | None:
        """Both emails count: those of one account, and what strangers to an address cause in the whole shop."""
        limits = self.limits
        until = limits.take_network(tx)
        if until is None and self.kind is ChangeKind.CHANGE:
            bucket = limits.keyring.bucket(CHANGES_PER_ACCOUNT.kind, old.canonical)
            until = tx.limits.acquire(bucket, CHANGES_PER_ACCOUNT, now=limits.now, ref=limits.ref)
        if until is None:
            until = limits.take_shop(tx, session, self.new)
        if until is not None:
            tx.limits.release(limits.ref)
        return until

    def _send(self, tx: Transaction, session: Session, *, old: EmailAddress, item: ChangedItem) -> None:
        merges = tx.users.exists(self.new)
        here_only = self.kind is ChangeKind.CHANGE
        proof = ConfirmAddress(item=item, address=self.new.canonical, here_only=here_only, merges=merges)
        notice = AddressChangeRequested(item=item)
        link = MagicLink(
            id=LinkId(self.limits.ref),
            key=self.limits.keyring.signing.name,
            purpose=LinkPurpose.MOVE,
            mailbox=self.new,
            asked_by=session.id,
            product=None,
            made_at=self.limits.now,
            move=self.id,
        )
        send_link(tx, link, proof, urgency=self.limits.urgency(session, self.new))
        undo = replace(link, id=self.undo, purpose=LinkPurpose.UNDO, mailbox=old, asked_by=None)
        send_link(tx, undo, notice, urgency=Urgency.KNOWN)
