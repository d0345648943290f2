"""`coatcheck grant`: give somebody a product."""

from __future__ import annotations

import click

from domain.usecases.grant_outcomes import Granted, Granting
from domain.usecases.request_login import NotAnAddress
from domain.values import ProductId
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.container import Container
from entrypoints.grant_lines import granted_lines, not_granted_line
from entrypoints.safe_output import say


@click.command()
@click.argument("product")
@click.argument("address")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
@click.option("--again", is_flag=True, help="Give it although they have it already, in another order.")
def grant(product: str, address: str, reason: str, again: bool) -> None:
    """Give PRODUCT to ADDRESS: a purchase for which nothing is paid, with its licence keys and an access email.

    It is no sale in the figures. Somebody who has the product already is given it only with --again. Exits with 1, and
    says why, if nothing was given.
    """

    async def work(container: Container) -> Granting:
        await container.supply_licences()()  # as the server does whenever the catalogue changes
        form = new_form(container.randomness())
        return await container.grant_product()(
            ProductId(product), address, actor=actor_here(), form=form, reason=reason, again=again
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
