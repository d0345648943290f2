"""`coatcheck grant` and `coatcheck audit`: what the merchant does by hand, and the log of it."""

from __future__ import annotations

import os
import pwd

import click
import msgspec

from domain.audit import AuditLine
from domain.staff import Actor
from domain.usecases.grant_outcomes import Granted, Granting
from domain.usecases.request_login import NotAnAddress
from domain.values import ProductId
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.cli_words import minute
from entrypoints.container import Container
from entrypoints.grant_lines import granted_lines, not_granted_line
from entrypoints.maintenance.export_format import record_fields
from entrypoints.safe_output import say


@click.command()
@click.argument("product")
@click.argument("address")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
def grant(product: str, address: str, reason: str) -> None:
    """Give PRODUCT to ADDRESS: a purchase for which nothing is paid, with its licence keys and an access email.

    It can be given to one person once, and is no sale in the figures. Exits with 1, and says why, if nothing was given.
    """

    async def work(container: Container) -> Granting:
        await container.supply_licences()()  # as the server does whenever the catalogue changes
        form = container.randomness().token(16).hex()
        return await container.grant_product()(
            ProductId(product), address, actor=_actor(), form=form, reason=reason
        )

    found = beside(work, acts=True)
    match found:
        case NotAnAddress(problem):
            raise Refusal(f"that is not an address that can be emailed: {problem.value}")
        case Granted():
            for line in granted_lines(found):
                say(line)
        case _:
            raise NothingDone(not_granted_line(found))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines, as in `coatcheck export`.")
def audit(*, as_json: bool) -> None:
    """Show what was done by hand, newest last: when, by whom, to what, and why.

    Lines are kept for two years. The reason is deleted with the account that the action was about.
    """

    async def work(container: Container) -> bool:
        shown = False
        async for line in container.list_audit()():
            say(msgspec.json.encode(record_fields(line)).decode() if as_json else _line(line))
            shown = True
        return shown

    if not beside(work) and not as_json:
        say("Nothing was done by hand yet.")


def _line(line: AuditLine) -> str:
    reason = line.reason or "(reason deleted with the account)"
    return f"{minute(line.at)}  {line.actor}  {line.action.value} {line.object_id}  {line.result.value}: {reason}"


def _actor() -> Actor:
    """Whoever runs this process. The environment is not asked: it says what it is told."""
    try:
        return Actor.on_host(pwd.getpwuid(os.getuid()).pw_name)
    except KeyError:  # a container may run as a user without a name
        return Actor.on_host(str(os.getuid()))
