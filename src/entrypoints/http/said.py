"""What the page after an action confirms: one of a few fixed sentences, carried over the redirect by a cookie.

The cookie holds a word of `Said`, never text, and any other value is ignored. So an attacker who plants the cookie in a
browser can make one page show one of these sentences, and nothing else.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from entrypoints.http.sentences import N_, _


class Said(Enum):
    """An action that was done; the value is what the cookie holds."""

    SIGNED_IN = "signed-in"
    ADDRESS_CONFIRMED = "address-confirmed"
    CHANGE_UNDONE = "change-undone"
    WITHDRAWAL_CONFIRMED = "withdrawal-confirmed"
    SIGNED_OUT = "signed-out"
    SIGNED_OUT_EVERYWHERE = "signed-out-everywhere"
    BROWSER_SIGNED_OUT = "browser-signed-out"
    ACCESS_ENDED = "access-ended"
    RELEASE_EMAILS_ON = "release-emails-on"
    RELEASE_EMAILS_OFF = "release-emails-off"


BY_VALUE: Final = {said.value.encode(): said for said in Said}
"""By the bytes of the cookie."""

_SENTENCES: Final = {
    Said.SIGNED_IN: N_("You are signed in."),
    Said.ADDRESS_CONFIRMED: N_("Your address is confirmed. You are signed in."),
    Said.CHANGE_UNDONE: N_("The change is undone. You are signed in."),
    Said.WITHDRAWAL_CONFIRMED: N_("Thank you: the withdrawal is yours. The seller answers you by email."),
    Said.SIGNED_OUT: N_("You are signed out."),
    Said.SIGNED_OUT_EVERYWHERE: N_("You are signed out on all devices."),
    Said.BROWSER_SIGNED_OUT: N_("That browser is signed out."),
    Said.ACCESS_ENDED: N_("That browser no longer has access to your purchases."),
    Said.RELEASE_EMAILS_ON: N_("You will get an email when there is a new version of something you own."),
    Said.RELEASE_EMAILS_OFF: N_("You will get no more emails about new versions."),
}


def sentence_of(said: Said | None) -> str:
    """The confirmation in the language of the request; "" if there is nothing to confirm."""
    return "" if said is None else _(_SENTENCES[said])
