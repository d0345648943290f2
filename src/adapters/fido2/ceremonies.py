"""WebAuthn with Yubico's fido2: https://developers.yubico.com/python-fido2/"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from domain.challenge import as_text, from_text
from domain.ports import NewCredential, PasskeyRefused, PasskeyUse
from domain.staff import CHALLENGE_LIFETIME, Passkey, StaffMember

_LONGEST_ANSWER: Final = 20_000
"""Characters. An answer without certificates has under two thousand."""
_VERIFIED: Final = UserVerificationRequirement.REQUIRED


class Fido2Ceremonies:
    """For the back office at one origin."""

    def __init__(self, *, origin: str, name: str) -> None:
        """See `LazyCeremonies`."""
        party = PublicKeyCredentialRpEntity(id=urlsplit(origin).hostname, name=name)
        self._server = Fido2Server(party, verify_origin=lambda asked: asked == origin)
        milliseconds = int(CHALLENGE_LIFETIME.total_seconds() * 1000)
        self._server.timeout = milliseconds  # type: ignore[assignment]  # the library declares None alone

    def registration(self, member: StaffMember, held: Sequence[Passkey], challenge: bytes) -> str:
        """See the port."""
        name = member.email.canonical
        options, _ = self._server.register_begin(
            PublicKeyCredentialUserEntity(id=member.id.encode(), name=name, display_name=name),
            [_descriptor(passkey) for passkey in held],
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=_VERIFIED,
            challenge=challenge,
        )
        return json.dumps(dict(options.public_key))

    def assertion(self, challenge: bytes, held: Sequence[Passkey] = ()) -> str:
        """See the port."""
        options, _ = self._server.authenticate_begin(
            [_descriptor(passkey) for passkey in held] or None, _VERIFIED, challenge=challenge
        )
        return json.dumps(dict(options.public_key))

    def register(self, challenge: bytes, answer: str) -> NewCredential:
        """See the port."""
        try:
            told = RegistrationResponse.from_dict(_parsed(answer))
            _refuse_framed(told.response.client_data)
            data = self._server.register_complete(_state(challenge), told)
        except Exception as error:
            _refuse(error)
        made = data.credential_data
        if made is None:
            raise PasskeyRefused("no credential in it")
        return NewCredential(
            id=as_text(made.credential_id),
            public_key=cbor.encode(dict(made.public_key)),
            counter=data.counter,
            synced=_is_synced(data),
        )

    def credential_of(self, answer: str) -> str:
        """See the port."""
        try:
            return as_text(AuthenticationResponse.from_dict(_parsed(answer)).raw_id)
        except Exception:  # a malformed answer can raise anything in the library
            return ""

    def verify(self, challenge: bytes, answer: str, passkey: Passkey) -> PasskeyUse:
        """See the port."""
        try:
            told = AuthenticationResponse.from_dict(_parsed(answer))
            _refuse_framed(told.response.client_data)
            _refuse_other(told.response.user_handle, passkey)
            self._server.authenticate_complete(_state(challenge), [_attested(passkey)], told)
        except Exception as error:
            _refuse(error)
        data = told.response.authenticator_data
        return PasskeyUse(counter=data.counter, synced=_is_synced(data))


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > _LONGEST_ANSWER:
        raise PasskeyRefused("too long")
    parsed = json.loads(answer)
    if not isinstance(parsed, dict):
        raise PasskeyRefused("no object")
    return parsed


def _refuse(error: Exception) -> NoReturn:
    """A malformed answer can raise anything in the library; each time it is a refusal."""
    raise PasskeyRefused(str(error) or type(error).__name__) from error


def _refuse_framed(client: CollectedClientData) -> None:
    """The back office is in no frame (WebAuthn §7.1 and §7.2, on crossOrigin); the library does not look."""
    if client.cross_origin:
        raise PasskeyRefused("from a frame on another site")


def _refuse_other(handle: bytes | None, passkey: Passkey) -> None:
    """An authenticator names the user for whom it made the passkey, if it knows (WebAuthn §7.2 step 6)."""
    if handle and handle != passkey.staff.encode():
        raise PasskeyRefused("another user's")


def _state(challenge: bytes) -> dict[str, str]:
    """What the library wants to have remembered: the challenge, and that the user must be verified."""
    return {"challenge": as_text(challenge), "user_verification": _VERIFIED}


def _is_synced(data: AuthenticatorData) -> bool:
    return bool(data.flags & AuthenticatorData.FLAG.BS)


def _attested(passkey: Passkey) -> AttestedCredentialData:
    key = CoseKey.parse(cbor.decode(passkey.public_key))  # type: ignore[arg-type]  # a map, as we encoded it
    return AttestedCredentialData.create(Aaguid.NONE, from_text(passkey.id), key)


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=from_text(passkey.id))
