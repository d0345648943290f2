"""What the use cases of the back office have in common: who acts, what is written, and who is notified."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum

from domain import outbox_keys
from domain.audit import AuditLine
from domain.audit_chain import hour_of
from domain.challenge import ANSWERED, bucket_of, is_ours
from domain.emails import StaffNotice
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import widest_network
from domain.mail import MailKind
from domain.ports import Randomness
from domain.staff import (
    Actor,
    NewStaffSession,
    Role,
    StaffEvent,
    StaffMember,
    StaffSession,
    StaffSessionId,
    StaffVisitor,
)
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.send_email import send_email
from domain.values import mask, sortable_id


class WhyNotIn(Enum):
    """Why somebody was not let in. The person is told little of it: unknown credentials get the same answer."""

    WRONG = "wrong"
    """The passkey is unknown, its answer not right, its member disabled, or the challenge not ours."""
    TOO_LATE = "too-late"
    """The challenge was made too long ago, or answered before."""
    TOO_OFTEN = "too-often"
    """This network, or this member, tried too often."""
    NO_LINK = "no-link"
    """There is no such link, or it was used or has expired."""
    TAKEN = "taken"
    """That passkey is registered already."""


@frozen
class SignedIn:
    """A browser is signed in. `token`: its new cookie."""

    token: str
    member: StaffMember


@frozen
class SignedInStaff:
    """Who works in a browser."""

    member: StaffMember
    session: StaffSession

    def actor(self, *, now: datetime) -> Actor:
        """Who acts in this session."""
        return self.session.acts_as(self.member, now=now)


def staff_here(tx: ReadTransaction, visitor: StaffVisitor, *, now: datetime) -> SignedInStaff | None:
    """The member of staff who is signed in in a browser, if any."""
    if visitor.token_hash is None:
        return None
    session = tx.staff_sessions.by_token(visitor.token_hash)
    if session is None or not session.is_live(now=now):
        return None
    member = tx.staff.get(session.staff)
    return SignedInStaff(member, session) if member is not None and member.active else None


def new_staff_session(randomness: Randomness, *, now: datetime) -> NewStaffSession:
    """What a session is made from: an id, which is no secret, and a 256-bit token in hex."""
    row = StaffSessionId(sortable_id(now=now, entropy=randomness.token(10)))
    return NewStaffSession(id=row, token=randomness.token(32).hex())


def accept(
    tx: Transaction, keyring: Keyring, challenge: bytes, purpose: str, *, now: datetime, ref: str
) -> bool:
    """Whether a challenge is ours, for this purpose, not expired, and answered for the first time; it is used up now.

    `ref`: another one for each answer, also if the same one comes twice.
    """
    if not is_ours(keyring, challenge, purpose, now=now):
        return False
    return tx.limits.acquire(bucket_of(challenge), ANSWERED, now=now, ref=ref) is None


def tell_staff(
    tx: Transaction, event: StaffEvent, member: StaffMember, line: AuditLine, *, detail: str = ""
) -> None:
    """Email a member, and every owner, about the member's access."""
    to = {member.id: member} | {
        other.id: other for other in tx.staff.all() if other.role is Role.OWNER and other.active
    }
    for reader in to.values():
        about = "" if reader.id == member.id else mask(member.email)
        send_email(
            tx, StaffNotice(event.value, about, detail), key=outbox_keys.staff_notice(line.id, reader.id),
            kind=MailKind.NOTICE, to=reader.email, now=line.at,
        )  # fmt: skip


def count_refused(tx: Transaction, keyring: Keyring, visitor: StaffVisitor, *, now: datetime) -> None:
    """Somebody was not let in: counted for the audit log (`domain.usecases.link_audit`), by network and hour.

    By a wide network: an IPv6 /48 has 65,536 of those that limits are counted by, and each would be a line an hour.
    """
    tx.refused_sign_ins.count(keyring.bucket("network", widest_network(visitor.network)), hour_of(now))


def counting_refusals(
    work: Callable[[Transaction], SignedIn | WhyNotIn],
    keyring: Keyring,
    visitor: StaffVisitor,
    *,
    now: datetime,
) -> Callable[[Transaction], SignedIn | WhyNotIn]:
    """The same work, which counts it if it does not let its visitor in."""

    def counted(tx: Transaction) -> SignedIn | WhyNotIn:
        outcome = work(tx)
        if isinstance(outcome, WhyNotIn):
            count_refused(tx, keyring, visitor, now=now)
        return outcome

    return counted


def is_last_owner(tx: ReadTransaction, member: StaffMember, *, actor: Actor) -> bool:
    """Whether no owner who can sign in would remain without this one.

    An owner who was invited counts once they have a passkey. On the shop's machine they count before: links are made
    there at any time.
    """
    owners = [one.id for one in tx.staff.all() if one.role is Role.OWNER and one.active]
    if member.id not in owners:
        return False
    others = [one for one in owners if one != member.id]
    if actor.on_the_host:
        return not others
    able = actor.staff == member.id or tx.passkeys.of(member.id)  # the actor is signed in, if only by a link
    return bool(able) and not any(tx.passkeys.of(one) for one in others)
