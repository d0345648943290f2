"""Sign in to the back office with a passkey, and use it again before what moves money or changes rights."""

from __future__ import annotations

from collections.abc import Callable

from domain.audit import AuditAction, AuditLine, AuditResult, ByHand
from domain.challenge import RANDOM_BYTES, SIGN_IN, as_text, from_text, new_challenge
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import STAFF_PER_ACCOUNT, STAFF_PER_NETWORK, Limit
from domain.ports import Ceremonies, Clock, PasskeyRefused, PasskeyUse, Randomness, Store
from domain.staff import NewStaffSession, Passkey, StaffEvent, StaffMember, StaffVisitor
from domain.transaction import Transaction
from domain.usecases.authorise import write_down
from domain.usecases.staff_access import (
    SignedIn,
    SignedInStaff,
    WhyNotIn,
    accept,
    count_refused,
    counting_refusals,
    new_staff_session,
    staff_here,
    tell_staff,
)


@frozen
class Ask:
    """What a page asks an authenticator."""

    options: str
    """JSON."""
    challenge: str


@frozen
class SignInStaff:
    """A passkey is the whole sign-in: possession of the authenticator, and its user verified by it."""

    store: Store
    ceremonies: Ceremonies
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    def ask(self) -> Ask:
        """For a page that signs somebody in, whoever it may be. Nothing is stored."""
        challenge = self._challenge(SIGN_IN)
        return Ask(self.ceremonies.assertion(challenge), as_text(challenge))

    async def ask_again(self, here: SignedInStaff) -> Ask:
        """For a page on which a member proves again who they are, with a passkey of theirs. Raises StoreUnavailable."""
        held = await self.store.read(lambda tx: tx.passkeys.of(here.member.id))
        challenge = self._challenge(_again(here))
        return Ask(self.ceremonies.assertion(challenge, held), as_text(challenge))

    async def __call__(self, challenge: str, answer: str, *, visitor: StaffVisitor) -> SignedIn | WhyNotIn:
        """Sign a browser in; a session that it had ends. Raises StoreUnavailable."""

        def enter(tx: Transaction, member: StaffMember, fresh: NewStaffSession, line: AuditLine) -> SignedIn:
            known = any(session.label == visitor.label for session in tx.staff_sessions.of(member.id))
            former = staff_here(tx, visitor, now=line.at)
            if former is not None:
                tx.staff_sessions.end(former.session.id)
            tx.staff_sessions.add(fresh.begin(member, label=visitor.label, now=line.at))
            write_down(tx, line)
            if not known:
                tell_staff(tx, StaffEvent.NEW_BROWSER, member, line, detail=visitor.label)
            return SignedIn(fresh.token, member)

        return await self._use(SIGN_IN, challenge, answer, visitor, enter)

    async def again(
        self, here: SignedInStaff, challenge: str, answer: str, *, visitor: StaffVisitor
    ) -> SignedIn | WhyNotIn:
        """The same member used a passkey again: the session goes on under a new token. Raises StoreUnavailable."""

        def go_on(
            tx: Transaction, member: StaffMember, fresh: NewStaffSession, line: AuditLine
        ) -> SignedIn | WhyNotIn:
            if member.id != here.member.id:
                return WhyNotIn.WRONG
            if not tx.staff_sessions.prove(here.session.id, token_hash=fresh.token_hash, at=line.at):
                return WhyNotIn.WRONG
            return SignedIn(fresh.token, member)

        return await self._use(_again(here), challenge, answer, visitor, go_on)

    async def _use(
        self,
        purpose: str,
        challenge: str,
        answer: str,
        visitor: StaffVisitor,
        let_in: Callable[[Transaction, StaffMember, NewStaffSession, AuditLine], SignedIn | WhyNotIn],
    ) -> SignedIn | WhyNotIn:
        now, asked_for = self.clock.now(), from_text(challenge)
        place = await self._place(STAFF_PER_NETWORK, visitor.network, visitor)
        if place is None:
            return WhyNotIn.TOO_OFTEN
        passkey = await self._named_in(answer)
        used = self._verified(asked_for, answer, passkey)
        # Only wrong answers count: whoever knows the id of a passkey could lock its member out otherwise.
        wrong_for = None if passkey is None or used is not None else passkey.staff
        if wrong_for is not None and await self._place(STAFF_PER_ACCOUNT, wrong_for, visitor) is None:
            return WhyNotIn.TOO_OFTEN
        fresh, entropy = new_staff_session(self.randomness, now=now), self.randomness.token(10)

        def work(tx: Transaction) -> SignedIn | WhyNotIn:
            if not accept(tx, self.keyring, asked_for, purpose, now=now, ref=fresh.id):
                return WhyNotIn.TOO_LATE
            held = None if passkey is None else tx.passkeys.get(passkey.id)
            member = None if held is None else tx.staff.get(held.staff)
            if used is None or held is None or member is None or not member.active:
                return WhyNotIn.WRONG
            actor = fresh.begin(member, label=visitor.label, now=now).acts_as(member, now=now)
            asked = ByHand.asked(actor, form=f"answer:{challenge[:22]}", now=now, entropy=entropy)
            if held.is_copied(used.counter):
                _end(tx, held, member, asked)
                return WhyNotIn.WRONG
            tx.passkeys.note_use(held.id, counter=used.counter, synced=used.synced, at=now)
            outcome = let_in(tx, member, fresh, asked.line(AuditAction.SIGN_IN, member.id))
            if isinstance(outcome, SignedIn):  # colleagues behind one address do not lock each other out
                tx.limits.release(place)
            return outcome

        return await self.store.transact(counting_refusals(work, self.keyring, visitor, now=now))

    def _challenge(self, purpose: str) -> bytes:
        entropy = self.randomness.token(RANDOM_BYTES)
        return new_challenge(self.keyring, purpose, now=self.clock.now(), entropy=entropy)

    async def _named_in(self, answer: str) -> Passkey | None:
        named = self.ceremonies.credential_of(answer)
        return await self.store.read(lambda tx: tx.passkeys.get(named)) if named else None

    def _verified(self, challenge: bytes, answer: str, passkey: Passkey | None) -> PasskeyUse | None:
        if passkey is None:
            return None
        try:
            return self.ceremonies.verify(challenge, answer, passkey)
        except PasskeyRefused:
            return None

    async def _place(self, limit: Limit, who: str, visitor: StaffVisitor) -> str | None:
        """The place of a try under a limit; None if there is none left, which is counted as a refusal."""
        bucket, ref, now = (
            self.keyring.bucket(limit.kind, who),
            self.randomness.token(16).hex(),
            self.clock.now(),
        )

        def work(tx: Transaction) -> str | None:
            if tx.limits.acquire(bucket, limit, now=now, ref=ref) is None:
                return ref
            count_refused(tx, self.keyring, visitor, now=now)
            return None

        return await self.store.transact(work)


def _again(here: SignedInStaff) -> str:
    return f"again:{here.session.id}"


def _end(tx: Transaction, passkey: Passkey, member: StaffMember, asked: ByHand) -> None:
    """A passkey whose counter fell was copied (WebAuthn §6.1.1): it is removed, and whoever used it is signed out."""
    tx.passkeys.remove(passkey.id)
    tx.staff_sessions.end_of(member.id)
    line = asked.line(AuditAction.SIGN_IN, member.id, result=AuditResult.ENDED)
    write_down(tx, line)
    tell_staff(tx, StaffEvent.PASSKEY_COPIED, member, line, detail=passkey.label)
