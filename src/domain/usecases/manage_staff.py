"""Change what other members of staff may do, and sign browsers out."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from domain.audit import ENTROPY, AuditAction, AuditLine, AuditResult, ByHand
from domain.frozen import frozen
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Actor, Role, StaffEvent, StaffId, StaffMember, StaffSessionId, StaffVisitor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.staff_access import is_last_owner, staff_here, tell_staff


class StaffChange(Enum):
    """What became of a change."""

    DONE = "done"
    SAME = "same"
    """It was so already."""
    LAST_OWNER = "last-owner"
    """No owner who can sign in would remain."""
    NOBODY = "nobody"
    """There is no such member."""


_MAKES_LINK: Final = (AuditAction.INVITE_STAFF, AuditAction.LINK_STAFF)


@frozen
class ManageStaff:
    """For owners, in the back office and on the shop's machine. The last owner who can sign in stays one."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def set_role(
        self, member: StaffId, role: Role, *, actor: Actor, form: str
    ) -> StaffChange | NotAllowed:
        """Give a member a role. Raises StoreUnavailable."""

        def change(tx: Transaction, held: StaffMember, line: AuditLine) -> StaffEvent | None:
            if not tx.staff.set_role(held.id, role):
                return None
            if role is not Role.OWNER:
                _end_invitations_of(tx, held, line)
            return StaffEvent.ROLE_CHANGED

        costs_owner = role is not Role.OWNER
        return await self._change(
            member, AuditAction.CHANGE_ROLE, change, actor, form, costs_owner=costs_owner, detail=role.value
        )

    async def disable(self, member: StaffId, *, actor: Actor, form: str) -> StaffChange | NotAllowed:
        """Sign a member out everywhere and let them in no more; links for them, and by them, are no good either."""

        def change(tx: Transaction, held: StaffMember, line: AuditLine) -> StaffEvent | None:
            if not tx.staff.disable(held.id, at=line.at):
                return None
            tx.staff.end_links(held.id, at=line.at)
            tx.staff_sessions.end_of(held.id)
            _end_invitations_of(tx, held, line)
            return StaffEvent.DISABLED

        return await self._change(member, AuditAction.DISABLE_STAFF, change, actor, form, costs_owner=True)

    async def enable(self, member: StaffId, *, actor: Actor, form: str) -> StaffChange | NotAllowed:
        """Let a member in again, with the passkeys they have."""

        def change(tx: Transaction, held: StaffMember, line: AuditLine) -> StaffEvent | None:
            return StaffEvent.ENABLED if tx.staff.enable(held.id) else None

        return await self._change(member, AuditAction.ENABLE_STAFF, change, actor, form, costs_owner=False)

    async def _change(
        self,
        member: StaffId,
        action: AuditAction,
        change: Callable[[Transaction, StaffMember, AuditLine], StaffEvent | None],
        actor: Actor,
        form: str,
        *,
        costs_owner: bool,
        detail: str = "",
    ) -> StaffChange | NotAllowed:
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> StaffChange | NotAllowed:
            refused = refusal(tx, action, member, asked=asked)
            if refused is not None:
                return refused
            if tx.audit.by_form(form) is not None:
                return StaffChange.DONE
            held = tx.staff.get(member)
            if held is None:
                return StaffChange.NOBODY
            if costs_owner and is_last_owner(tx, held, actor=actor):
                return StaffChange.LAST_OWNER
            line = asked.line(action, member)
            event = change(tx, held, line)
            if event is None:
                return StaffChange.SAME
            write_down(tx, line)
            tell_staff(tx, event, held, line, detail=detail)
            return StaffChange.DONE

        return await self.store.transact(work)


def _end_invitations_of(tx: Transaction, gone: StaffMember, line: AuditLine) -> None:
    """They may have kept the links that they made for others, to come in again under another name."""
    for other in tx.staff.all():
        links = [
            one
            for one in tx.audit.about([other.id])
            if one.action in _MAKES_LINK and one.result is AuditResult.DONE
        ]
        if links and links[-1].actor == f"staff:{gone.id}":
            tx.staff.end_links(other.id, at=line.at)


@frozen
class SignOutStaff:
    """End one's own sessions."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(self, visitor: StaffVisitor) -> bool:
        """End the session of this browser; whether there was one. Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: Transaction) -> bool:
            here = staff_here(tx, visitor, now=now)
            return here is not None and tx.staff_sessions.end(here.session.id)

        return await self.store.transact(work)

    async def one(self, visitor: StaffVisitor, session: StaffSessionId, *, form: str) -> bool:
        """End one of one's own sessions; whether there was one. Raises StoreUnavailable."""
        return await self._end(visitor, form, lambda row, _: row == session) > 0

    async def others(self, visitor: StaffVisitor, *, form: str) -> int:
        """End all of one's own sessions but this one; how many. Raises StoreUnavailable."""
        return await self._end(visitor, form, lambda row, own: row != own)

    async def _end(
        self, visitor: StaffVisitor, form: str, ends: Callable[[StaffSessionId, StaffSessionId], bool]
    ) -> int:
        now, entropy = self.clock.now(), self.randomness.token(10)

        def work(tx: Transaction) -> int:
            here = staff_here(tx, visitor, now=now)
            if here is None:
                return 0
            own = [s.id for s in tx.staff_sessions.of(here.member.id)]
            ended = sum(tx.staff_sessions.end(row) for row in own if ends(row, here.session.id))
            asked = ByHand.asked(here.actor(now=now), form=form, now=now, entropy=entropy)
            if ended:
                write_down(tx, asked.line(AuditAction.END_STAFF_SESSIONS, here.member.id))
            return ended

        return await self.store.transact(work)
