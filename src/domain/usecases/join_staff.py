"""Use a link for staff: an invitation adds a passkey, an entry link needs none. Both sign the browser in."""

from __future__ import annotations

from domain.audit import ENTROPY, AuditAction, AuditLine, ByHand
from domain.challenge import RANDOM_BYTES, as_text, from_text, is_ours, new_challenge
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import STAFF_PER_NETWORK
from domain.ports import Ceremonies, Clock, PasskeyRefused, Randomness, Store
from domain.staff import (
    NewStaffSession,
    Passkey,
    StaffEvent,
    StaffLink,
    StaffLinkKind,
    StaffMember,
    StaffVisitor,
)
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import write_down
from domain.usecases.staff_access import (
    SignedIn,
    WhyNotIn,
    accept,
    count_refused,
    counting_refusals,
    new_staff_session,
    staff_here,
    tell_staff,
)
from domain.values import digest_of


@frozen
class OpenLink:
    """A link that lets its member in."""

    member: StaffMember
    kind: StaffLinkKind
    options: str
    """For an invitation: what the browser needs to create a passkey, as JSON."""
    challenge: str


@frozen
class JoinStaff:
    """Looking at a link changes nothing; a form uses it up."""

    store: Store
    ceremonies: Ceremonies
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def look(self, token: str) -> OpenLink | None:
        """The link, if it is still good; for an invitation with a new challenge. Raises StoreUnavailable."""
        now = self.clock.now()
        found = await self.store.read(lambda tx: _found(tx, token))
        if found is None or not found[0].is_open(now=now):
            return None
        link, member, held = found
        if link.kind is StaffLinkKind.ENTRY:
            return OpenLink(member, link.kind, options="", challenge="")
        entropy = self.randomness.token(RANDOM_BYTES)
        challenge = new_challenge(self.keyring, _purpose(link), now=now, entropy=entropy)
        options = self.ceremonies.registration(member, held, challenge)
        return OpenLink(member, link.kind, options, as_text(challenge))

    async def __call__(
        self, token: str, challenge: str, answer: str, *, visitor: StaffVisitor
    ) -> SignedIn | WhyNotIn:
        """Use a link. `answer`: of the authenticator, as JSON; "" for an entry link. Raises StoreUnavailable."""
        now, asked_for = self.clock.now(), from_text(challenge)
        found = await self.store.read(lambda tx: _found(tx, token))
        if found is None or not found[0].is_open(now=now):
            return await self._count(visitor, WhyNotIn.NO_LINK)
        link, member, _ = found
        passkey = None
        if link.kind is StaffLinkKind.INVITE:
            if not is_ours(self.keyring, asked_for, _purpose(link), now=now):
                return await self._count(visitor, WhyNotIn.TOO_LATE)
            try:
                made = self.ceremonies.register(asked_for, answer)
            except PasskeyRefused:
                return await self._count(visitor, WhyNotIn.WRONG)
            passkey = Passkey(
                id=made.id, staff=member.id, public_key=made.public_key, counter=made.counter, synced=made.synced,
                label=visitor.label, added_at=now,
            )  # fmt: skip
        fresh = new_staff_session(self.randomness, now=now)
        action = AuditAction.ENTER_BY_LINK if passkey is None else AuditAction.JOIN
        actor = fresh.begin(member, label=visitor.label, now=now).acts_as(member, now=now)
        asked = ByHand.asked(
            actor, form=f"link:{link.token_hash}", now=now, entropy=self.randomness.token(ENTROPY)
        )
        line = asked.line(action, member.id)

        def work(tx: Transaction) -> SignedIn | WhyNotIn:
            again = _found(tx, token)
            if again is None or not again[0].is_open(now=now):
                return WhyNotIn.NO_LINK
            if passkey is not None:
                if not accept(tx, self.keyring, asked_for, _purpose(link), now=now, ref=fresh.id):
                    return WhyNotIn.TOO_LATE
                if not tx.passkeys.add(passkey):
                    return WhyNotIn.TAKEN
            return _let_in(tx, link, again[1], fresh, line, visitor)

        return await self.store.transact(counting_refusals(work, self.keyring, visitor, now=now))

    async def _count(self, visitor: StaffVisitor, answer: WhyNotIn) -> WhyNotIn:
        """A wrong try: too many of them from one network, and none is looked at for a while."""
        bucket = self.keyring.bucket(STAFF_PER_NETWORK.kind, visitor.network)
        ref, now = self.randomness.token(16).hex(), self.clock.now()

        def work(tx: Transaction) -> WhyNotIn:
            count_refused(tx, self.keyring, visitor, now=now)
            until = tx.limits.acquire(bucket, STAFF_PER_NETWORK, now=now, ref=ref)
            return answer if until is None else WhyNotIn.TOO_OFTEN

        return await self.store.transact(work)


def _found(tx: ReadTransaction, token: str) -> tuple[StaffLink, StaffMember, list[Passkey]] | None:
    link = tx.staff.link(digest_of(token.encode()))
    member = None if link is None else tx.staff.get(link.staff)
    if link is None or member is None or not member.active:
        return None
    return link, member, list(tx.passkeys.of(member.id))


def _let_in(
    tx: Transaction,
    link: StaffLink,
    member: StaffMember,
    fresh: NewStaffSession,
    line: AuditLine,
    visitor: StaffVisitor,
) -> SignedIn:
    by_link = link.kind is StaffLinkKind.ENTRY
    tx.staff.use_link(link.token_hash, at=line.at)
    former = staff_here(tx, visitor, now=line.at)
    if former is not None:
        tx.staff_sessions.end(former.session.id)
    tx.staff_sessions.add(fresh.begin(member, label=visitor.label, now=line.at, by_link=by_link))
    write_down(tx, line)
    event = StaffEvent.LINK_USED if by_link else StaffEvent.JOINED
    tell_staff(tx, event, member, line, detail=visitor.label)
    return SignedIn(fresh.token, member)


def _purpose(link: StaffLink) -> str:
    return f"join:{link.token_hash}"
