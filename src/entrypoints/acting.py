"""Who acts when a command is run, and the form that names the request: each run of a command is one of its own."""

from __future__ import annotations

import os
import pwd

from domain.audit import ENTROPY, ByHand
from domain.ports import Clock, Randomness
from domain.staff import Actor
from entrypoints.container import Container


def actor_here() -> Actor:
    """The user that runs this process, according to the operating system: anybody can set an environment variable."""
    try:
        return Actor.on_host(pwd.getpwuid(os.getuid()).pw_name)
    except KeyError:  # a container may run as a user without a name
        return Actor.on_host(str(os.getuid()))


def asked_here(clock: Clock, randomness: Randomness) -> ByHand:
    """Something that this command does, for the audit log."""
    form = new_form(randomness)
    return ByHand.asked(actor_here(), form=form, now=clock.now(), entropy=randomness.token(ENTROPY))


async def staff_names(container: Container) -> dict[str, str]:
    """The addresses of members of staff, by the actor's name in the audit log. Raises StoreUnavailable."""
    return {f"staff:{row.member.id}": row.member.email.canonical for row in await container.list_staff()()}


def new_form(randomness: Randomness) -> str:
    """128 bits, unique in the audit log."""
    return randomness.token(16).hex()
