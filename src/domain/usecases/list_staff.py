"""Who works in the back office, with what, and where."""

from __future__ import annotations

from collections.abc import Sequence

from domain.frozen import frozen
from domain.ports import Clock, Store
from domain.staff import Passkey, StaffMember, StaffSession, wants_passkey
from domain.transaction import ReadTransaction


@frozen
class StaffRow:
    """A member with their passkeys and live sessions."""

    member: StaffMember
    passkeys: Sequence[Passkey]
    sessions: Sequence[StaffSession]

    @property
    def wants_passkey(self) -> bool:
        """Whether they are to be asked for another passkey."""
        return wants_passkey(len(self.passkeys), synced=any(passkey.synced for passkey in self.passkeys))


@frozen
class ListStaff:
    """Staff is few, so there are no pages."""

    store: Store
    clock: Clock

    async def __call__(self) -> Sequence[StaffRow]:
        """Everybody, those who came first, first. Raises StoreUnavailable."""
        now = self.clock.now()

        def row_of(tx: ReadTransaction, member: StaffMember) -> StaffRow:
            sessions = [one for one in tx.staff_sessions.of(member.id) if one.is_live(now=now)]
            return StaffRow(member, tx.passkeys.of(member.id), sessions)

        return await self.store.read(lambda tx: [row_of(tx, member) for member in tx.staff.all()])
