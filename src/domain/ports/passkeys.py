"""Passkeys: what a browser is asked to do with an authenticator, and whether its answer is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.frozen import frozen
from domain.staff import Passkey, StaffMember


class PasskeyRefused(Exception):
    """The answer of an authenticator is not right; why, for the log. The person is only told that it did not work."""


@frozen
class NewCredential:
    """A passkey as its authenticator describes it."""

    id: str
    """The credential's id, base64url without padding."""
    public_key: bytes
    """COSE_Key (RFC 9052 §7)."""
    counter: int
    synced: bool
    """Whether it is backed up beyond the device (flag BS)."""


@frozen
class PasskeyUse:
    """What a right answer tells of the passkey."""

    counter: int
    synced: bool


class Ceremonies(Protocol):
    """WebAuthn's two ceremonies (https://www.w3.org/TR/webauthn-3/), for one origin.

    Answers are JSON (`PublicKeyCredential.toJSON()`, WebAuthn §5.1), and right only if the authenticator verified its
    user, the page was in no frame on another site, and the user that is named, if one is, is the passkey's.
    Nothing here is remembered: whether a challenge is ours and new is the caller's business.
    """

    def registration(self, member: StaffMember, held: Sequence[Passkey], challenge: bytes) -> str:
        """What a browser needs to create a passkey, as JSON; on an authenticator that has none of `held`."""

    def assertion(self, challenge: bytes, held: Sequence[Passkey] = ()) -> str:
        """What a browser needs to use one of `held`, or any that it knows for this origin, as JSON."""

    def register(self, challenge: bytes, answer: str) -> NewCredential:
        """The passkey that was created. Raises PasskeyRefused."""

    def credential_of(self, answer: str) -> str:
        """The id of the passkey that an answer says it used; "" if it says nothing of the kind."""

    def verify(self, challenge: bytes, answer: str, passkey: Passkey) -> PasskeyUse:
        """That this passkey answered this challenge. Raises PasskeyRefused."""
