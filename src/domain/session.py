"""What one browser has proved, and for how long we believe it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from domain.frozen import frozen
from domain.values import ChangeId, CheckoutId, Digest, EmailAddress, SessionId, digest_of

# OWASP ASVS 5.0, 7.3.1 and 7.3.2: an inactivity and an absolute timeout, both enforced on the server.
ABSOLUTE_LIFETIME: Final = timedelta(days=30)
IDLE_LIFETIME: Final = timedelta(days=14)
SEEN_EVERY: Final = timedelta(days=1)
VERIFIED_LATELY: Final = timedelta(hours=1)
"""What cannot be taken back needs a verification no older than this (OWASP ASVS 5.0, 7.5.1)."""


@frozen
class Session:
    """One browser: the checkouts name its row, its cookie only the token's hash. `mailbox` once proved."""

    id: SessionId
    token_hash: Digest
    mailbox: EmailAddress | None
    started_at: datetime
    """When the token was made: at the first checkout, and again when a mailbox is proved."""
    seen_at: datetime
    label: str
    """What the list of sessions calls it, such as "Firefox on Linux"."""
    change: ChangeId | None = None
    """The change of address that carried this session to its mailbox: undoing the change ends the session."""
    former: SessionId | None = None
    """The session this browser had before it verified another mailbox. Nothing is inherited from it."""

    @property
    def signed_in(self) -> bool:
        """Whether it proved a mailbox; a paid checkout alone does not sign anybody in."""
        return self.mailbox is not None

    def expires_at(self) -> datetime:
        """When we stop believing it if it is not seen again."""
        return min(self.started_at + ABSOLUTE_LIFETIME, self.seen_at + IDLE_LIFETIME)

    def is_live(self, *, now: datetime) -> bool:
        """Whether its cookie still counts."""
        return now < self.expires_at()

    def verified_lately(self, *, now: datetime) -> bool:
        """Whether its mailbox was verified within the last hour: changing or deleting an account asks for that."""
        return self.signed_in and now - self.started_at < VERIFIED_LATELY

    def wants_seen(self, *, now: datetime) -> bool:
        """Whether "last seen" is old enough to be written again: at most once a day."""
        return now - self.seen_at >= SEEN_EVERY


@frozen
class NewSession:
    """Randomness for a session that may have to be made: its id, and the token its browser will carry."""

    id: SessionId
    token: str

    @property
    def token_hash(self) -> Digest:
        """What is stored of the token."""
        return digest_of(self.token.encode())

    def begin(
        self,
        visitor: Visitor,
        *,
        now: datetime,
        mailbox: EmailAddress | None = None,
        former: SessionId | None = None,
    ) -> Session:
        """The session that this visitor's browser begins now."""
        return Session(
            id=self.id,
            token_hash=self.token_hash,
            mailbox=mailbox,
            started_at=now,
            seen_at=now,
            label=visitor.label,
            former=former,
        )


@lru_cache(maxsize=1024)
def label_of(user_agent: str) -> str:
    """A short name for a browser from its User-Agent; nothing else of that header is kept."""
    browsers = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
                ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
               ("CrOS", "ChromeOS"), ("Mac OS X", "Mac"), ("Linux", "Linux"))  # fmt: skip
    browser = next((name for mark, name in browsers if mark in user_agent), "A browser")
    system = next((name for mark, name in systems if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


@frozen
class Visitor:
    """What came along with one request, none of it believed yet."""

    token_hash: Digest | None
    network: str
    """What its limits are counted by: `domain.limits.network_of` of the peer."""
    label: str
    device: str | None
    """The tag of a browser that once proved a mailbox (`domain.keys.Keyring.device_tag`)."""
    form: Digest | None = None
    """The hash of the random cookie that a link's page left in this browser: it recognises a repeated submit."""
    checkouts: tuple[tuple[CheckoutId, Digest], ...] = ()
    """The cookies of checkouts that came along, as hashes: see `domain.keys.Keyring.began_checkout`."""
