"""Records about the people of the back office. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.staff import (
    Passkey,
    Role,
    StaffId,
    StaffLink,
    StaffMember,
    StaffSession,
    StaffSessionId,
)
from domain.values import Digest, EmailAddress


class ReadStaff(Protocol):
    """Members of staff, and the links that let them in. Reading only."""

    def get(self, member: StaffId) -> StaffMember | None:
        """The member of that id, disabled or not."""

    def by_address(self, email: EmailAddress) -> StaffMember | None:
        """The member of that address, disabled or not."""

    def all(self) -> Sequence[StaffMember]:
        """Every member, disabled ones too, in order of id: those who came first, first."""

    def link(self, token_hash: Digest) -> StaffLink | None:
        """The link whose token has this hash, open or not."""

    def has_open_link(self, *, now: datetime) -> bool:
        """Whether any link lets an active member in now."""


class Staff(ReadStaff, Protocol):
    """Members of staff, and the links that let them in."""

    def add(self, member: StaffMember) -> bool:
        """A new member, unless somebody has the address; whether we wrote. The id is fresh randomness."""

    def set_role(self, member: StaffId, role: Role) -> bool:
        """Give a member a role; whether it is another one than before."""

    def disable(self, member: StaffId, *, at: datetime) -> bool:
        """Let a member in no more; whether they were active. Their passkeys stay."""

    def enable(self, member: StaffId) -> bool:
        """Let a member in again; whether they were disabled."""

    def add_link(self, link: StaffLink) -> None:
        """A new link. Its token is fresh randomness."""

    def use_link(self, token_hash: Digest, *, at: datetime) -> bool:
        """Use a link up: True for exactly one caller, ever. Says nothing of expiry: look at the link first."""

    def end_links(self, member: StaffId, *, at: datetime) -> int:
        """Use up every link of a member that is not used; how many."""


class ReadPasskeys(Protocol):
    """The passkeys of staff. Reading only."""

    def get(self, passkey: str) -> Passkey | None:
        """The passkey of that credential id."""

    def of(self, member: StaffId) -> Sequence[Passkey]:
        """A member's passkeys, in the order in which they were added."""

    def any_active(self) -> bool:
        """Whether an active member has a passkey."""


class Passkeys(ReadPasskeys, Protocol):
    """The passkeys of staff."""

    def add(self, passkey: Passkey) -> bool:
        """A new passkey, unless its id is taken; whether we wrote."""

    def note_use(self, passkey: str, *, counter: int, synced: bool, at: datetime) -> None:
        """Keep the counter and the backup state that a use of it told."""

    def remove(self, passkey: str) -> bool:
        """Forget a passkey: it signs nobody in from now on. Whether there was one."""


class ReadStaffSessions(Protocol):
    """In which browsers staff is signed in. Reading only."""

    def by_token(self, token_hash: Digest) -> StaffSession | None:
        """The session whose cookie has this hash, live or not; None if there is none or it was ended."""

    def of(self, member: StaffId) -> Sequence[StaffSession]:
        """A member's sessions, live or not, newest first."""


class StaffSessions(ReadStaffSessions, Protocol):
    """In which browsers staff is signed in."""

    def add(self, session: StaffSession) -> None:
        """A new session. Its id and token hash are fresh randomness."""

    def touch(self, session: StaffSessionId, *, at: datetime) -> None:
        """Note that a session was seen. Never moves `seen_at` back; nothing if it was ended."""

    def prove(self, session: StaffSessionId, *, token_hash: Digest, at: datetime) -> bool:
        """Note that a passkey was used in a session, and give it a new token; whether there is one.

        The old token is dead. `proved_at` and `seen_at` become `at`; when it began stays.
        """

    def end(self, session: StaffSessionId) -> bool:
        """End one session; its cookie means nothing from now on. Whether there was one."""

    def end_of(self, member: StaffId) -> int:
        """End every session of a member; how many."""
