"""Passkeys in a real Chromium, by its virtual authenticator: https://www.w3.org/TR/webauthn-3/#sctn-automation"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page, expect

from testkit.browsing import Device
from testkit.servers import ShopServer


@dataclass
class Authenticator:
    """A device that holds passkeys, as the browser sees it."""

    cdp: CDPSession
    id: str

    @classmethod
    def on(cls, page: Page, *, verified: bool = True) -> Authenticator:
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": verified, "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(cdp, made["authenticatorId"])

    def verifies(self, *, verified: bool) -> None:
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": verified})

    def remove(self) -> None:
        self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})

    def passkeys(self) -> list[dict[str, Any]]:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def hold(self, passkey: dict[str, Any], *, counter: int) -> None:
        """Have a copy of a passkey, whose signature counter stands there."""
        self.cdp.send(
            "WebAuthn.addCredential",
            {"authenticatorId": self.id, "credential": passkey | {"signCount": counter}},
        )


def a_link(shop: ShopServer, *command: str) -> str:
    """The link that a command prints."""
    done = shop.cli("staff", *command)
    found = re.search(r"http\S+/admin/join/\S+", done.stdout)
    assert found is not None, done
    return found[0]


def come_in(
    shop: ShopServer, device: Device, *, role: str = "owner", email: str = "anna@example.com"
) -> Authenticator:
    """Invited on the host, with a passkey of this device."""
    authenticator = Authenticator.on(device.page)
    device.page.goto(a_link(shop, "invite", email, "--role", role))
    device.page.get_by_role("button", name="Add a passkey").click()
    expect(device.page.locator("h1")).to_have_text("Home")
    return authenticator


def sign_out(page: Page) -> None:
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")
