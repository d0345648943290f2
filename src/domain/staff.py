"""Who works in the back office: members, their roles and passkeys, the links that let them in, and their sessions."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NewType

from domain.frozen import frozen
from domain.values import Digest, EmailAddress, digest_of

StaffId = NewType("StaffId", str)
"""Our own id of a member of staff (`sortable_id`). Audit lines name people by it."""
StaffSessionId = NewType("StaffSessionId", str)

# OWASP ASVS 5.0, 7.3.1 and 7.3.2: an inactivity and an absolute timeout, both enforced on the server.
ABSOLUTE_LIFETIME: Final = timedelta(hours=12)
ABSOLUTE_LIFETIME_BY_LINK: Final = timedelta(hours=1)
IDLE_LIFETIME: Final = timedelta(hours=1)
SEEN_EVERY: Final = timedelta(minutes=1)
FRESH: Final = timedelta(minutes=5)
"""How long a use of a passkey counts for what moves money or changes rights (OWASP ASVS 5.0, 7.5.3)."""
FRESH_BY_LINK: Final = timedelta(minutes=15)
"""The same for an entry link: without a passkey it cannot be proved again."""
CHALLENGE_LIFETIME: Final = timedelta(minutes=5)
"""How long a passkey may take to answer."""
WANTED_PASSKEYS: Final = 2
"""Whoever has fewer is asked for another one, unless the one they have is synced: then it is not lost with a device."""


class Role(Enum):
    """What somebody may do in the back office: `domain.rights`. The values are stored."""

    OWNER = "owner"
    """Everything. One owner who can sign in remains, at least."""
    SUPPORT = "support"
    """Customers and sales; no money above a limit, no settings."""
    VIEWER = "viewer"
    """Sees, and changes nothing."""


@frozen
class Actor:
    """Who does something to the shop, or to a customer's purchase, by hand."""

    name: str
    """As the audit log names them: `staff:<id>`, or `cli:<user>`, the user being that of the operating system."""
    role: Role
    fresh: bool
    """Whether they proved with a passkey just now who they are."""
    staff: StaffId | None = None
    """None for whoever runs a command on the shop's machine."""
    session: StaffSessionId | None = None
    """In which they act; it is looked up again by the transaction that does something (`authorise.refusal`)."""

    @classmethod
    def on_host(cls, user: str) -> Actor:
        """Whoever runs a command on the shop's machine, with an owner's rights: they hold its secrets anyway."""
        return cls(name=f"cli:{user}", role=Role.OWNER, fresh=True)

    @property
    def on_the_host(self) -> bool:
        """Whether they run a command on the shop's machine."""
        return self.staff is None


@frozen
class StaffMember:
    """Somebody who may sign in to the back office with a passkey of theirs."""

    id: StaffId
    email: EmailAddress
    """Where notices about their access are sent. It signs nobody in."""
    role: Role
    since: datetime
    disabled_at: datetime | None = None
    """Since when they may not sign in any more."""

    @property
    def active(self) -> bool:
        """Whether they may sign in."""
        return self.disabled_at is None


@frozen
class Passkey:
    """A credential of WebAuthn (https://www.w3.org/TR/webauthn-3/): what the shop keeps of it opens nothing."""

    id: str
    """The credential's id, base64url without padding."""
    staff: StaffId
    public_key: bytes
    """COSE_Key (RFC 9052 §7), as the authenticator gave it."""
    counter: int
    """The signature counter of its latest use. A synced passkey has none: always 0."""
    synced: bool
    """Whether it is backed up beyond the device (flag BS), so that it is not lost with it."""
    label: str
    """What lists call it, such as "Firefox on Linux"."""
    added_at: datetime
    used_at: datetime | None = None

    def is_copied(self, counter: int) -> bool:
        """Whether a use with this counter says that the key was copied (WebAuthn §6.1.1). Zero is no counter."""
        return bool(counter or self.counter) and counter <= self.counter


class StaffLinkKind(Enum):
    """What a link for staff does. The values are stored."""

    INVITE = "invite"
    """Adds a passkey to its member, and signs them in."""
    ENTRY = "entry"
    """Signs its member in without a passkey. Made on the shop's machine only."""

    @property
    def made_by_owner_lives(self) -> timedelta:
        """How long an owner's link of this kind can be used."""
        return timedelta(hours=24)

    @property
    def made_on_host_lives(self) -> timedelta:
        """How long a link that was made on the shop's machine can be used."""
        return timedelta(minutes=15 if self is StaffLinkKind.INVITE else 10)


@frozen
class StaffLink:
    """A link that lets a member of staff in, once. Only the hash of its token is kept."""

    token_hash: Digest
    kind: StaffLinkKind
    staff: StaffId
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def is_open(self, *, now: datetime) -> bool:
        """Whether it still lets somebody in."""
        return self.used_at is None and now < self.expires_at


@frozen
class StaffSession:
    """One browser in which a member of staff is signed in. A customer's session is another thing altogether."""

    id: StaffSessionId
    token_hash: Digest
    staff: StaffId
    started_at: datetime
    seen_at: datetime
    proved_at: datetime
    """When a passkey was last used in it; of a session without one, when its link was."""
    label: str
    """What lists call it, such as "Firefox on Linux"."""
    by_link: bool = False
    """Whether an entry link began it, without a passkey."""

    def expires_at(self) -> datetime:
        """When it ends if it is not seen again."""
        longest = ABSOLUTE_LIFETIME_BY_LINK if self.by_link else ABSOLUTE_LIFETIME
        return min(self.started_at + longest, self.seen_at + IDLE_LIFETIME)

    def is_live(self, *, now: datetime) -> bool:
        """Whether its cookie still counts."""
        return now < self.expires_at()

    def is_fresh(self, *, now: datetime) -> bool:
        """Whether its member proved just now who they are."""
        return now - self.proved_at < (FRESH_BY_LINK if self.by_link else FRESH)

    def wants_seen(self, *, now: datetime) -> bool:
        """Whether "last seen" is old enough to be written again."""
        return now - self.seen_at >= SEEN_EVERY

    def acts_as(self, member: StaffMember, *, now: datetime) -> Actor:
        """Who acts in this session."""
        return Actor(
            f"staff:{member.id}",
            role=member.role,
            fresh=self.is_fresh(now=now),
            staff=member.id,
            session=self.id,
        )


@frozen
class NewStaffSession:
    """Randomness for a session that may have to be made: its id, and the token its browser will carry."""

    id: StaffSessionId
    token: str

    @property
    def token_hash(self) -> Digest:
        """What is stored of the token."""
        return digest_of(self.token.encode())

    def begin(self, member: StaffMember, *, label: str, now: datetime, by_link: bool = False) -> StaffSession:
        """The session of a member who proved just now who they are."""
        return StaffSession(
            id=self.id, token_hash=self.token_hash, staff=member.id, started_at=now, seen_at=now, proved_at=now,
            label=label, by_link=by_link,
        )  # fmt: skip


@frozen
class StaffVisitor:
    """What came along with one request to the back office, none of it believed yet."""

    token_hash: Digest | None
    network: str
    """What its limits are counted by: `domain.limits.network_of` of the peer."""
    label: str


class StaffEvent(Enum):
    """What a member and all owners are told of by email. The values stand in stored emails."""

    INVITED = "invited"
    JOINED = "joined"
    """An invitation was used."""
    LINK_MADE = "link-made"
    """An entry link was made on the shop's machine."""
    LINK_USED = "link-used"
    NEW_BROWSER = "new-browser"
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"
    PASSKEY_COPIED = "passkey-copied"
    ROLE_CHANGED = "role-changed"
    DISABLED = "disabled"
    ENABLED = "enabled"


def wants_passkey(passkeys: int, *, synced: bool) -> bool:
    """Whether somebody is to be asked for another passkey. `synced`: whether one of theirs is."""
    return passkeys < WANTED_PASSKEYS and not synced
