"""`coatcheck withdrawals`: list what was withdrawn from, and accept or refuse it."""

from __future__ import annotations

import click

from domain.purchase import order_number
from domain.rights import NotAllowed
from domain.usecases.list_withdrawals import WithdrawalSeen
from domain.usecases.refund_outcomes import NotRefunded
from domain.usecases.withdrawal_outcomes import DecidedOn, DecidingOnWithdrawal, WhyUndecided
from domain.withdrawal import WithdrawalState, days_left
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.cli_words import NOT_ALLOWED, counted, minute
from entrypoints.container import Container
from entrypoints.refund_lines import not_refunded_line
from entrypoints.safe_output import say

_UNDECIDED = {
    WhyUndecided.NO_SUCH_WITHDRAWAL: "there is no such withdrawal",
    WhyUndecided.DECIDED_BEFORE: "it was decided before",
    WhyUndecided.NO_REASON: "--reason is needed, at most 500 characters: the customer is emailed it",
    WhyUndecided.NO_PURCHASE: "it matches no order, so there is nothing to refund",
    WhyUndecided.NOT_PROVED: "the customer has not confirmed that it is theirs",
}


@click.command()
@click.option(
    "--accept", metavar="ID", help="Refund what is left of its order, end access, and email the customer."
)
@click.option("--refuse", metavar="ID", help="Refuse it; the customer is emailed --reason.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is refused.")
def withdrawals(accept: str | None, refuse: str | None, reason: str) -> None:
    """Show the withdrawals that wait for you, with the days that are left to pay back.

    With --accept or --refuse, decide about one. Exits with 1, and says why, if nothing was decided.
    """
    if accept and refuse:
        raise Refusal("--accept and --refuse: choose one of them")
    if accept is None and refuse is None:
        for line in beside(_waiting):
            say(line)
        return

    async def work(container: Container) -> DecidingOnWithdrawal:
        decide, form = container.decide_withdrawal(), new_form(container.randomness())
        if accept is not None:
            return await decide.accept(accept, actor=actor_here(), form=form)
        return await decide.refuse(refuse or "", actor=actor_here(), form=form, reason=reason)

    outcome = beside(work, acts=True)
    if isinstance(outcome, NotAllowed):
        raise NothingDone(NOT_ALLOWED)
    if isinstance(outcome, NotRefunded):
        raise NothingDone(not_refunded_line(outcome, accept or ""))
    if not isinstance(outcome, DecidedOn):
        raise NothingDone(_UNDECIDED[outcome.why])
    refunded = f"; {outcome.refund} is being refunded" if outcome.refund is not None else ""
    say(f"{outcome.withdrawal.state.value}{refunded}; the customer is emailed")


async def _waiting(container: Container) -> list[str]:
    listing, shop = container.list_withdrawals(), container.catalogue().current().shop
    now = container.clock().now()
    found = [one for matched in (True, False) for one in await listing(matched=matched)]
    waiting = [one for one in found if one.withdrawal.state is WithdrawalState.OPEN]
    if not waiting:
        return ["No withdrawal waits for you."]

    def line(one: WithdrawalSeen) -> str:
        held, said = one.withdrawal, f"  {one.withdrawal.id}  received {minute(one.withdrawal.received_at)}: "
        if one.held is None:
            return f"{said}matches no order ({held.contract})"
        left = days_left(held, now=now, zone=shop.zone)
        proof = "confirmed" if held.proved_at is not None else "not confirmed"
        deadline = counted(left, "day") + " left" if left >= 0 else "overdue"
        return f"{said}order {order_number(one.held.purchase.checkout)}, {deadline}, {proof} by the customer"

    return ["Withdrawals that wait for you (coatcheck withdrawals --accept ID, or --refuse ID --reason TEXT):",
            *map(line, waiting)]  # fmt: skip
