"""What every adapter of passkeys promises, as tests. A subclass says how to make one, and an authenticator to go with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contracts.samples import ANNA, NOW

from domain.ports import Ceremonies, NewCredential, PasskeyRefused
from domain.staff import Passkey, Role, StaffId, StaffMember

ORIGIN = "https://admin.example.com"
MEMBER = StaffMember(id=StaffId("s1"), email=ANNA, role=Role.OWNER, since=NOW)
FIRST, SECOND = b"a challenge of fifty-six bytes" * 2, b"another challenge"


class CeremoniesContract:
    """Each method is a promise of `domain.ports.Ceremonies`."""

    def ceremonies(self) -> Ceremonies:
        """For ORIGIN."""
        raise NotImplementedError

    def authenticator(self, *, origin: str = ORIGIN, synced: bool = False) -> Any:
        raise NotImplementedError

    def _registered(self, device: Any) -> tuple[Ceremonies, Passkey]:
        ceremonies = self.ceremonies()
        made = ceremonies.register(FIRST, device.create(ceremonies.registration(MEMBER, [], FIRST)))
        return ceremonies, _kept(made)

    def test_a_passkey_is_created_and_answers_another_challenge(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        answer = device.get(ceremonies.assertion(SECOND))
        assert ceremonies.credential_of(answer) == passkey.id
        used = ceremonies.verify(SECOND, answer, passkey)
        assert (used.counter, used.synced) == (passkey.counter + 1, False)

    def test_a_synced_passkey_says_so_and_counts_nothing(self) -> None:
        device = self.authenticator(synced=True)
        ceremonies, passkey = self._registered(device)
        assert (passkey.synced, passkey.counter) == (True, 0)
        used = ceremonies.verify(SECOND, device.get(ceremonies.assertion(SECOND)), passkey)
        assert (used.counter, used.synced) == (0, True)

    def test_an_authenticator_that_has_one_makes_no_second_and_only_those_that_are_held_answer(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        with pytest.raises(ValueError, match="already"):
            device.create(ceremonies.registration(MEMBER, [passkey], SECOND))
        with pytest.raises(ValueError, match="none"):
            self.authenticator().get(ceremonies.assertion(SECOND, [passkey]))
        ceremonies.verify(SECOND, device.get(ceremonies.assertion(SECOND, [passkey])), passkey)

    def test_the_answer_to_another_challenge_is_refused(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        answer = device.get(ceremonies.assertion(SECOND))
        with pytest.raises(PasskeyRefused):
            ceremonies.verify(FIRST, answer, passkey)
        with pytest.raises(PasskeyRefused):
            ceremonies.register(SECOND, device.create(ceremonies.registration(MEMBER, [], FIRST)))

    def test_what_was_answered_at_another_origin_is_refused(self) -> None:
        ceremonies = self.ceremonies()
        for origin in (
            "https://evil.example",
            "https://sub.admin.example.com",
            "https://admin.example.com:8443",
        ):
            device = self.authenticator(origin=origin)
            with pytest.raises(PasskeyRefused):
                ceremonies.register(FIRST, device.create(ceremonies.registration(MEMBER, [], FIRST)))
            here = self.authenticator()
            _, passkey = self._registered(here)
            device.keys = here.keys
            with pytest.raises(PasskeyRefused):
                ceremonies.verify(SECOND, device.get(ceremonies.assertion(SECOND)), passkey)

    def test_an_authenticator_that_did_not_verify_its_user_is_refused(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        device.verifies = False
        with pytest.raises(PasskeyRefused):
            ceremonies.verify(SECOND, device.get(ceremonies.assertion(SECOND)), passkey)
        with pytest.raises(PasskeyRefused):
            ceremonies.register(FIRST, device.create(ceremonies.registration(MEMBER, [], FIRST)))

    def test_the_answer_of_another_passkey_is_refused(self) -> None:
        device, other = self.authenticator(), self.authenticator()
        ceremonies, passkey = self._registered(device)
        self._registered(other)
        with pytest.raises(PasskeyRefused):
            ceremonies.verify(SECOND, other.get(ceremonies.assertion(SECOND)), passkey)

    def test_an_answer_that_names_another_user_is_refused(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        device.user = "s2"
        with pytest.raises(PasskeyRefused):
            ceremonies.verify(SECOND, device.get(ceremonies.assertion(SECOND)), passkey)
        device.user = "s1"
        ceremonies.verify(SECOND, device.get(ceremonies.assertion(SECOND)), passkey)

    def test_an_answer_out_of_a_frame_on_another_site_is_refused(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        device.framed = True
        with pytest.raises(PasskeyRefused):
            ceremonies.verify(SECOND, device.get(ceremonies.assertion(SECOND)), passkey)
        with pytest.raises(PasskeyRefused):
            ceremonies.register(FIRST, device.create(ceremonies.registration(MEMBER, [], FIRST)))

    def test_one_answer_does_not_stand_for_the_other_ceremony(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        with pytest.raises(PasskeyRefused):
            ceremonies.register(SECOND, device.get(ceremonies.assertion(SECOND)))
        with pytest.raises(PasskeyRefused):
            ceremonies.verify(FIRST, device.create(ceremonies.registration(MEMBER, [], FIRST)), passkey)

    @pytest.mark.parametrize(
        "answer", ["", "{", "[]", "null", "7", '"x"', "{}", '{"rawId": 7}', "x" * 100_000, '{"response": {}}']
    )
    def test_what_is_no_answer_is_refused(self, answer: str) -> None:
        ceremonies, passkey = self._registered(self.authenticator())
        assert ceremonies.credential_of(answer) == ""
        with pytest.raises(PasskeyRefused):
            ceremonies.register(FIRST, answer)
        with pytest.raises(PasskeyRefused):
            ceremonies.verify(FIRST, answer, passkey)

    def test_an_answer_that_was_changed_is_refused(self) -> None:
        device = self.authenticator()
        ceremonies, passkey = self._registered(device)
        told = json.loads(device.get(ceremonies.assertion(SECOND)))
        for change in ({"signature": ""}, {"counter": 99}, {"authenticatorData": ""}, {"signature": "AAAA"}):
            changed = told | change
            if isinstance(told.get("response"), dict):
                changed = told | {"response": told["response"] | change}
                if "counter" in change:
                    continue  # it is in the authenticator's data
            with pytest.raises(PasskeyRefused):
                ceremonies.verify(SECOND, json.dumps(changed), passkey)


def _kept(made: NewCredential) -> Passkey:
    return Passkey(
        id=made.id, staff=MEMBER.id, public_key=made.public_key, counter=made.counter, synced=made.synced, label="",
        added_at=NOW,
    )  # fmt: skip
