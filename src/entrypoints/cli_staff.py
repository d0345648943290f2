"""`coatcheck staff`: who may sign in to the back office. Run on the shop's machine, it needs no passkey."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import click

from domain.rights import NotAllowed
from domain.staff import Actor, Role, StaffId
from domain.usecases.invite_staff import Invited, Inviting, WhyNotInvited
from domain.usecases.manage_staff import ManageStaff, StaffChange
from domain.usecases.request_login import NotAnAddress
from domain.values import EmailAddress, InvalidEmail
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.cli_words import NOT_ALLOWED, counted, minute
from entrypoints.container import Container
from entrypoints.safe_output import say

_NOT_INVITED = {
    WhyNotInvited.DISABLED: "they were disabled: run `coatcheck staff enable` first",
    WhyNotInvited.OTHER_ROLE: "they are a member with another role: run `coatcheck staff role` first",
    WhyNotInvited.OWNER: "they are an owner: run `coatcheck staff link`",
    WhyNotInvited.NOBODY: "there is no such member: invite them with `coatcheck staff invite`",
}
_NOT_CHANGED = {
    StaffChange.SAME: "nothing changed: it was like that already",
    StaffChange.LAST_OWNER: "this is the only owner: make another member an owner first",
    StaffChange.NOBODY: "there is no such member: `coatcheck staff` lists them",
}
_ROLES = click.Choice([role.value for role in Role])


@click.group(invoke_without_command=True)
@click.pass_context
def staff(context: click.Context) -> None:
    """List who may sign in to the back office; invite people, change their roles, let somebody in again.

    The first owner is invited here: coatcheck staff invite me@example.com --role owner
    """
    if context.invoked_subcommand is None:
        for line in beside(_listed):
            say(line)


@staff.command()
@click.argument("address")
@click.option("--role", required=True, type=_ROLES, help="What they may do.")
def invite(address: str, role: str) -> None:
    """Print a link with which ADDRESS adds a passkey. It works once, within 15 minutes.

    To let somebody in who lost their passkeys, invite them again.
    """

    async def work(container: Container) -> Inviting:
        return await container.invite_staff()(
            address, Role(role), actor=actor_here(), form=new_form(container.randomness())
        )

    _show(work)


@staff.command(short_help="Print a link that signs ADDRESS in without a passkey.")
@click.argument("address")
def link(address: str) -> None:
    """Print a link that signs ADDRESS in without a passkey, for when it is lost. It works once, within 10 minutes.

    The session lasts an hour. All owners are notified by email.
    """

    async def work(container: Container) -> Inviting:
        return await container.invite_staff().entry(
            address, actor=actor_here(), form=new_form(container.randomness())
        )

    _show(work)


@staff.command("role")
@click.argument("address")
@click.argument("role", type=_ROLES)
def change_role(address: str, role: str) -> None:
    """Give ADDRESS the role ROLE, effective immediately."""

    def to_role(manage: ManageStaff) -> _Change:
        return lambda who, /, *, actor, form: manage.set_role(who, Role(role), actor=actor, form=form)

    _change(address, to_role)


@staff.command()
@click.argument("address")
def disable(address: str) -> None:
    """Sign ADDRESS out everywhere and stop them from signing in."""
    _change(address, lambda manage: manage.disable)


@staff.command()
@click.argument("address")
def enable(address: str) -> None:
    """Let ADDRESS sign in again, with the passkeys they have."""
    _change(address, lambda manage: manage.enable)


async def _listed(container: Container) -> list[str]:
    rows = await container.list_staff()()
    if not rows:
        return ["Nobody yet. Invite yourself: coatcheck staff invite me@example.com --role owner"]
    return [
        f"{row.member.email}  {row.member.role.value}"
        f"{'' if row.member.active else ' (disabled)'}  {counted(len(row.passkeys), 'passkey')}"
        for row in rows
    ]


def _show(work: Callable[[Container], Awaitable[Inviting]]) -> None:
    """Print the link that was made. Raises Refusal."""

    async def with_url(container: Container) -> tuple[Inviting, str]:
        return await work(container), container.settings().admin_url

    found, url = beside(with_url, acts=True)
    match found:
        case Invited():
            say(f"For {found.member.email}, once, until {minute(found.expires_at)}:")
            say(f"{url}/admin/join/{found.token}")
        case NotAnAddress(problem):
            raise Refusal(f"that is not an address that can be emailed: {problem.value}")
        case WhyNotInvited():
            raise NothingDone(_NOT_INVITED[found])
        case NotAllowed():
            raise NothingDone(NOT_ALLOWED)


class _Change(Protocol):
    def __call__(
        self, member: StaffId, /, *, actor: Actor, form: str
    ) -> Awaitable[StaffChange | NotAllowed]: ...


def _change(address: str, change: Callable[[ManageStaff], _Change]) -> None:
    """Change a member. Raises Refusal."""
    try:
        email = EmailAddress.parse(address)
    except InvalidEmail as error:
        raise Refusal(f"that is not an address that can be emailed: {error}") from error

    async def work(container: Container) -> StaffChange | NotAllowed:
        rows = await container.list_staff()()
        who = next((row.member.id for row in rows if row.member.email == email), None)
        if who is None:
            return StaffChange.NOBODY
        form = new_form(container.randomness())
        return await change(container.manage_staff())(who, actor=actor_here(), form=form)

    found = beside(work, acts=True)
    match found:
        case StaffChange.DONE:
            say("Done. They and all owners are notified by email.")
        case NotAllowed():
            raise NothingDone(NOT_ALLOWED)
        case _:
            raise NothingDone(_NOT_CHANGED[found])
