"""Passkeys (WebAuthn), checked by Yubico's fido2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from domain.ports import NewCredential, PasskeyUse
from domain.staff import Passkey, StaffMember

if TYPE_CHECKING:
    from adapters.fido2.ceremonies import Fido2Ceremonies


class LazyCeremonies:
    """`Fido2Ceremonies`, imported at first use: it takes 70 ms, and a shop without staff never needs it."""

    def __init__(self, *, origin: str, name: str) -> None:
        """`origin`: scheme, host and port of the back office. `name`: what browsers call it."""
        self._origin, self._name = origin, name

    @cached_property
    def _made(self) -> Fido2Ceremonies:
        from adapters.fido2.ceremonies import Fido2Ceremonies  # noqa: PLC0415 - see the class

        return Fido2Ceremonies(origin=self._origin, name=self._name)

    def registration(self, member: StaffMember, held: Sequence[Passkey], challenge: bytes) -> str:
        """See the port."""
        return self._made.registration(member, held, challenge)

    def assertion(self, challenge: bytes, held: Sequence[Passkey] = ()) -> str:
        """See the port."""
        return self._made.assertion(challenge, held)

    def register(self, challenge: bytes, answer: str) -> NewCredential:
        """See the port."""
        return self._made.register(challenge, answer)

    def credential_of(self, answer: str) -> str:
        """See the port."""
        return self._made.credential_of(answer)

    def verify(self, challenge: bytes, answer: str, passkey: Passkey) -> PasskeyUse:
        """See the port."""
        return self._made.verify(challenge, answer, passkey)
