"""Add a passkey to one's own, or remove one."""

from __future__ import annotations

from enum import Enum

from domain.audit import AuditAction, ByHand
from domain.challenge import RANDOM_BYTES, as_text, from_text, is_ours, new_challenge
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Ceremonies, Clock, PasskeyRefused, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Passkey, StaffEvent, StaffVisitor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.sign_in_staff import Ask
from domain.usecases.staff_access import (
    SignedInStaff,
    WhyNotIn,
    accept,
    staff_here,
    tell_staff,
)


class PasskeyChange(Enum):
    """What became of a change."""

    DONE = "done"
    LAST = "last"
    """It is their only one: without it they could not sign in any more."""
    GONE = "gone"
    """They have no such passkey."""
    SIGNED_OUT = "signed-out"
    """The session has ended meanwhile."""


@frozen
class ManagePasskeys:
    """Both ask for a fresh use of a passkey, and both are told to the member and all owners."""

    store: Store
    ceremonies: Ceremonies
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def ask(self, here: SignedInStaff) -> Ask:
        """For a page that adds one, on an authenticator that has none of theirs. Raises StoreUnavailable."""
        held = await self.store.read(lambda tx: tx.passkeys.of(here.member.id))
        entropy = self.randomness.token(RANDOM_BYTES)
        challenge = new_challenge(self.keyring, _purpose(here), now=self.clock.now(), entropy=entropy)
        return Ask(self.ceremonies.registration(here.member, held, challenge), as_text(challenge))

    async def add(
        self, here: SignedInStaff, challenge: str, answer: str, *, visitor: StaffVisitor, form: str
    ) -> PasskeyChange | WhyNotIn | NotAllowed:
        """Add the passkey that an authenticator created. Raises StoreUnavailable."""
        now, asked_for = self.clock.now(), from_text(challenge)
        if not is_ours(self.keyring, asked_for, _purpose(here), now=now):
            return WhyNotIn.TOO_LATE
        try:
            made = self.ceremonies.register(asked_for, answer)
        except PasskeyRefused:
            return WhyNotIn.WRONG
        passkey = Passkey(
            id=made.id, staff=here.member.id, public_key=made.public_key, counter=made.counter, synced=made.synced,
            label=visitor.label, added_at=now,
        )  # fmt: skip
        entropy = self.randomness.token(10)

        def work(tx: Transaction) -> PasskeyChange | WhyNotIn | NotAllowed:
            still = staff_here(tx, visitor, now=now)
            if still is None or still.member.id != here.member.id:
                return PasskeyChange.SIGNED_OUT
            asked = ByHand.asked(still.actor(now=now), form=form, now=now, entropy=entropy)
            refused = refusal(tx, AuditAction.ADD_PASSKEY, still.member.id, asked=asked)
            if refused is not None:
                return refused
            if tx.audit.by_form(form) is not None:
                return PasskeyChange.DONE
            if not accept(tx, self.keyring, asked_for, _purpose(here), now=now, ref=asked.id):
                return WhyNotIn.TOO_LATE
            if not tx.passkeys.add(passkey):
                return WhyNotIn.TAKEN
            line = asked.line(AuditAction.ADD_PASSKEY, still.member.id)
            write_down(tx, line)
            tell_staff(tx, StaffEvent.PASSKEY_ADDED, still.member, line, detail=visitor.label)
            return PasskeyChange.DONE

        return await self.store.transact(work)

    async def remove(self, visitor: StaffVisitor, passkey: str, *, form: str) -> PasskeyChange | NotAllowed:
        """Remove one of their own, but not the last. Raises StoreUnavailable."""
        now, entropy = self.clock.now(), self.randomness.token(10)

        def work(tx: Transaction) -> PasskeyChange | NotAllowed:
            here = staff_here(tx, visitor, now=now)
            if here is None:
                return PasskeyChange.SIGNED_OUT
            asked = ByHand.asked(here.actor(now=now), form=form, now=now, entropy=entropy)
            refused = refusal(tx, AuditAction.REMOVE_PASSKEY, here.member.id, asked=asked)
            if refused is not None:
                return refused
            if tx.audit.by_form(form) is not None:
                return PasskeyChange.DONE
            held = {one.id: one for one in tx.passkeys.of(here.member.id)}
            if passkey not in held:
                return PasskeyChange.GONE
            if len(held) == 1:
                return PasskeyChange.LAST
            tx.passkeys.remove(passkey)
            line = asked.line(AuditAction.REMOVE_PASSKEY, here.member.id)
            write_down(tx, line)
            tell_staff(tx, StaffEvent.PASSKEY_REMOVED, here.member, line, detail=held[passkey].label)
            return PasskeyChange.DONE

        return await self.store.transact(work)


def _purpose(here: SignedInStaff) -> str:
    return f"add:{here.session.id}"
