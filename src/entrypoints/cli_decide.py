"""`coatcheck revoke` and `coatcheck reopen`: the merchant's own decision about a purchase."""

from __future__ import annotations

import click

from domain.rights import NotAllowed
from domain.usecases.decision_outcomes import Decided, Deciding, Unchanged
from domain.usecases.find_order import SeveralOrders
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_customer import list_and_refuse
from entrypoints.cli_running import NothingDone, beside
from entrypoints.container import Container
from entrypoints.decision_lines import reopened_lines, revoked_lines, unchanged_line
from entrypoints.safe_output import say


@click.command()
@click.argument("order")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
@click.option("--quietly", is_flag=True, help="Do not email the customer.")
def revoke(order: str, reason: str, *, quietly: bool) -> None:
    """Close ORDER: it opens nothing any more. Its customer is emailed, without the reason.

    No money moves. `coatcheck reopen` undoes it. Exits with 1, and says why, if nothing was done.
    """

    async def work(container: Container) -> Deciding:
        form = new_form(container.randomness())
        return await container.revoke_purchase()(
            order, actor=actor_here(), form=form, reason=reason, tell=not quietly
        )

    for line in revoked_lines(_decided(beside(work, acts=True), order)):
        say(line)


@click.command()
@click.argument("order")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
@click.option("--quietly", is_flag=True, help="Do not email the customer.")
def reopen(order: str, reason: str, *, quietly: bool) -> None:
    """Undo `coatcheck revoke` for ORDER, and email its customer if it is open then.

    What was refunded, charged back or is in dispute stays closed. Exits with 1, and says why, if nothing was done.
    """

    async def work(container: Container) -> Deciding:
        form = new_form(container.randomness())
        return await container.restore_purchase()(
            order, actor=actor_here(), form=form, reason=reason, tell=not quietly
        )

    for line in reopened_lines(_decided(beside(work, acts=True), order)):
        say(line)


def _decided(found: Deciding, wanted: str) -> Decided:
    """What was decided. Raises Refusal for the rest."""
    if isinstance(found, SeveralOrders):
        list_and_refuse(found, wanted)
    if isinstance(found, Unchanged | NotAllowed):
        raise NothingDone(unchanged_line(found, wanted))
    return found
