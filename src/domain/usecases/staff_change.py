"""A change of address that the merchant asks for: the new address has to verify it, and the old one can undo it."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from domain.address_change import BY_STAFF, AddressChange, ChangeKind
from domain.audit import AuditAction, ByHand
from domain.emails import AddressChangeRequested, ChangedItem, ConfirmAddress
from domain.frozen import frozen
from domain.keys import Keyring
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Urgency
from domain.ports import Randomness
from domain.rights import NotAllowed
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.find_order import SeveralOrders
from domain.usecases.request_login import NotAnAddress
from domain.usecases.send_email import send_link
from domain.values import ChangeId, CheckoutId, EmailAddress, LinkId


class WhyNotChanged(Enum):
    """Why no change of address was asked for."""

    NO_REASON = auto()
    """It is empty, or too long."""
    NO_SUCH_ORDER = auto()
    NO_SUCH_CUSTOMER = auto()
    NO_ADDRESS = auto()
    """The purchase belongs to no address, or its customer was erased."""
    SAME = auto()
    """It is the address already."""
    ANOTHER_OPEN = auto()
    """Another change away from that address waits to be confirmed."""
    WOULD_MERGE = auto()
    """The new address is another customer's: that is a merge."""
    NOT_A_CUSTOMER = auto()
    """What is to be merged into is no customer's address: that is a correction."""


@frozen
class NotChanged:
    """Nothing was asked for. `mailbox`: whose address was to change."""

    why: WhyNotChanged
    mailbox: EmailAddress | None = None


@frozen
class ChangeAsked:
    """Both addresses are emailed, now or since the same form was submitted before. Nothing moves until it is proved."""

    change: AddressChange


Changing = ChangeAsked | NotChanged | NotAllowed | NotAnAddress | SeveralOrders


@frozen
class StaffChange:
    """One such change that may be asked for; whose address it leaves is known inside the transaction."""

    asked: ByHand
    reason: str | None
    keyring: Keyring
    proof: LinkId
    undo: LinkId

    @classmethod
    def drawn(
        cls, asked: ByHand, *, reason: str | None, keyring: Keyring, randomness: Randomness
    ) -> StaffChange:
        """With the ids of its two links."""
        return cls(
            asked=asked, reason=reason, keyring=keyring, proof=LinkId(randomness.token(16).hex()),
            undo=LinkId(randomness.token(16).hex()),
        )  # fmt: skip

    def asked_before(self, tx: ReadTransaction) -> Changing | None:
        """What came of this form, if it was submitted before."""
        done = tx.audit.by_form(self.asked.form)
        change = None if done is None else tx.address_changes.get(ChangeId(done.id))
        return None if change is None else ChangeAsked(change)

    def ask(
        self,
        tx: Transaction,
        action: AuditAction,
        *,
        old: EmailAddress,
        new: EmailAddress,
        kind: ChangeKind,
        orders: tuple[CheckoutId, ...],
        item: ChangedItem,
    ) -> Changing:
        """Write the change and its audit line, and send the proof to the new address and the notice to the old one.

        `orders`: at least one, the oldest first; the audit line names that.
        """
        asked = self.asked
        if self.reason is None:
            return NotChanged(WhyNotChanged.NO_REASON, old)
        if new == old:
            return NotChanged(WhyNotChanged.SAME, old)
        earlier = (one for one in tx.address_changes.of_address(old) if one.old == old)
        if any(one.is_open(now=asked.at) for one in earlier):
            return NotChanged(WhyNotChanged.ANOTHER_OPEN, old)
        not_allowed = refusal(tx, action, orders[0], asked=asked)
        if not_allowed is not None:
            return not_allowed
        change = AddressChange(
            id=ChangeId(asked.id), kind=kind, old=old, new=new, asked_by=BY_STAFF, asked_at=asked.at,
            checkouts=orders,
        )  # fmt: skip
        tx.address_changes.begin(change)
        write_down(tx, asked.line(action, orders[0], reason=self.reason))
        self._send(tx, change, item)
        return ChangeAsked(change)

    def _send(self, tx: Transaction, change: AddressChange, item: ChangedItem) -> None:
        proof = ConfirmAddress(
            item=item, address=change.new.canonical, here_only=False, merges=tx.users.exists(change.new),
            by_staff=True,
        )  # fmt: skip
        link = MagicLink(
            id=self.proof, key=self.keyring.signing.name, purpose=LinkPurpose.MOVE, mailbox=change.new, asked_by=None,
            product=None, made_at=change.asked_at, move=change.id,
        )  # fmt: skip
        send_link(tx, link, proof, urgency=Urgency.KNOWN)
        undo = replace(link, id=self.undo, purpose=LinkPurpose.UNDO, mailbox=change.old)
        send_link(tx, undo, AddressChangeRequested(item=item, by_staff=True), urgency=Urgency.KNOWN)
