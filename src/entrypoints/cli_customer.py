"""`coatcheck customer` and `coatcheck resend`: what a merchant needs to answer a customer's email."""

from __future__ import annotations

from typing import NoReturn

import click

from domain.rights import NotAllowed
from domain.usecases.find_order import SeveralOrders
from domain.usecases.request_login import NotAnAddress
from domain.usecases.resend_outcomes import NotSent, Resending
from domain.usecases.show_customer import Customer
from entrypoints.acting import actor_here, new_form, staff_names
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.cli_words import NOT_ALLOWED
from entrypoints.container import Container
from entrypoints.customer_lines import customer_lines, several_lines
from entrypoints.resend_lines import no_such_order, not_sent_line, queued_lines
from entrypoints.safe_output import say


@click.command()
@click.argument("wanted", metavar="ADDRESS|ORDER")
def customer(wanted: str) -> None:
    """Show a customer's history: orders, refunds, emails, downloads, devices, address changes.

    ORDER is an order number, or the first characters of it (at least 4). Exits with 1 if nothing is known, and with 2
    if several orders start with ORDER.
    """

    async def work(
        container: Container,
    ) -> tuple[Customer | SeveralOrders | NotAnAddress | None, dict[str, str]]:
        return await container.show_customer()(wanted), await staff_names(container)

    found, names = beside(work)
    match found:
        case NotAnAddress():
            _refuse(found)
        case SeveralOrders():
            list_and_refuse(found, wanted)
        case None:
            raise NothingDone(f"nothing is known of {wanted}" if "@" in wanted else no_such_order(wanted))
        case _:
            for line in customer_lines(found, names):
                say(line)


@click.command()
@click.argument("wanted", metavar="ORDER|ADDRESS")
def resend(wanted: str) -> None:
    """Email the access link of an order again, with a new link, to the address that the order belongs to.

    With ADDRESS: one email about the newest order that is open. Its link signs the customer in, so it opens the others,
    too. At most three an hour to one address. Exits with 1, and says why, if nothing was sent.
    """

    async def work(container: Container) -> Resending:
        form = new_form(container.randomness())
        return await container.resend_to_customer()(wanted, actor=actor_here(), form=form)

    found = beside(work, acts=True)
    match found:
        case NotAnAddress():
            _refuse(found)
        case SeveralOrders():
            list_and_refuse(found, wanted)
        case NotSent():
            raise NothingDone(not_sent_line(found, wanted))
        case NotAllowed():
            raise NothingDone(NOT_ALLOWED)
        case _:
            for line in queued_lines(found):
                say(line)


def _refuse(found: NotAnAddress) -> NoReturn:
    raise Refusal(f"that is not an address that can be emailed: {found.problem.value}")


def list_and_refuse(found: SeveralOrders, wanted: str) -> NoReturn:
    """Print the orders that begin alike. Raises Refusal."""
    for line in several_lines(found):
        say(line)
    raise Refusal(f"several orders begin with {wanted!r}: give more of the number")
