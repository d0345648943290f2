"""`coatcheck refund`: money goes back, by a request of our own that survives a crash."""

from __future__ import annotations

import click

from domain.refund import RefundCause
from domain.usecases.find_order import SeveralOrders
from domain.usecases.refund_outcomes import AskingForRefund, RefundAsked
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_customer import list_and_refuse
from entrypoints.cli_running import NothingDone, beside
from entrypoints.container import Container
from entrypoints.refund_lines import asked_lines, not_refunded_line
from entrypoints.safe_output import say


@click.command()
@click.argument("order")
@click.argument("amount", default="")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why, for the audit log. Stripe does not get it."
)
@click.option("--close", is_flag=True, help="End access, too, even if only a part is refunded.")
@click.option("--quietly", is_flag=True, help="Do not email the customer.")
@click.option(
    "--cause",
    type=click.Choice([cause.value for cause in RefundCause]),
    default=RefundCause.REQUESTED.value,
    show_default=True,
    help="The cause that Stripe gets. With `fraudulent`, it blocks the card from then on.",
)
def refund(order: str, amount: str, reason: str, *, close: bool, quietly: bool, cause: str) -> None:
    """Refund AMOUNT of ORDER, or all that is left of it.

    AMOUNT is in major units, such as 4.50. A running shop sends the request to Stripe, once and only once, whatever
    crashes meanwhile, and emails the customer when Stripe confirms it. A full refund ends access; a partial one does so
    only with --close. Exits with 1, and says why, if nothing was asked for.
    """

    async def work(container: Container) -> AskingForRefund:
        form = new_form(container.randomness())
        return await container.request_refund()(
            order, amount, actor=actor_here(), form=form, reason=reason, close=close, tell=not quietly,
            cause=RefundCause(cause),
        )  # fmt: skip

    found = beside(work, acts=True)
    if isinstance(found, SeveralOrders):
        list_and_refuse(found, order)
    if not isinstance(found, RefundAsked):
        raise NothingDone(not_refunded_line(found, order))
    for line in asked_lines(found):
        say(line)
