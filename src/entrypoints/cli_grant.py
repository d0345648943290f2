"""`coatcheck grant` and `coatcheck audit`: what the merchant does by hand, and the log of it."""

from __future__ import annotations

import click
import msgspec

from domain.audit import ASKS_REASON, AuditLine
from domain.usecases.grant_outcomes import Granted, Granting
from domain.usecases.request_login import NotAnAddress
from domain.values import ProductId
from entrypoints.acting import actor_here, new_form
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
        form = new_form(container.randomness())
        return await container.grant_product()(
            ProductId(product), address, actor=actor_here(), form=form, reason=reason
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

    Orders are named by their ids, emails by their keys, and nobody by address. What costs somebody something has
    a reason, which is deleted with the account that the action was about. Lines are kept for two years.
    """

    async def work(container: Container) -> bool:
        shown = False
        async for line in container.list_audit()():
            say(msgspec.json.encode(record_fields(line)).decode() if as_json else audit_line(line))
            shown = True
        return shown

    if not beside(work) and not as_json:
        say("Nothing was done by hand yet.")


def audit_line(line: AuditLine) -> str:
    """One line; a missing reason is explained where one was asked for."""
    deleted = "(reason deleted with the account)" if line.action in ASKS_REASON else ""
    reason = line.reason or deleted
    done = f"{line.result.value}: {reason}" if reason else line.result.value
    return f"{minute(line.at)}  {line.actor}  {line.action.value} {line.object_id}  {done}"
