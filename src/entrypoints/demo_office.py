"""The way into a demo's back office: an address that works for as long as the demo runs, for whoever knows it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.staff import Actor, Role
from domain.usecases.invite_staff import Invited, InviteStaff

_DEMO = Actor.on_host("demo")
_OWNER = "owner@example.com"


@dataclass(frozen=True, slots=True)
class DemoOffice:
    """Each time its address is opened, there is a new link for the demo's owner, which is good once like any other."""

    invite: Callable[[], InviteStaff]
    """Asked for when it is needed: the shop is not open before."""
    path: str = field(default_factory=lambda: f"/admin/demo/{secrets.token_urlsafe(16)}")

    async def link(self) -> str:
        """The path of a new link. The owner has no passkey: whoever likes adds one. Raises StoreUnavailable."""
        invite = self.invite()
        made = await invite.entry(_OWNER, actor=_DEMO, form=secrets.token_hex(16))
        if not isinstance(made, Invited):
            await invite(_OWNER, Role.OWNER, actor=_DEMO, form=secrets.token_hex(16))
            made = await invite.entry(_OWNER, actor=_DEMO, form=secrets.token_hex(16))
        assert isinstance(made, Invited), made
        return f"/admin/join/{made.token}"
