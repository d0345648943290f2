"""`coatcheck correct | merge | sign-out | erase | replace-key | note | book`: what the back office does, without it."""

from __future__ import annotations

from typing import NoReturn

import click

from domain.rights import NotAllowed
from domain.usecases.book_payment import BookingPayment, PaymentBooked
from domain.usecases.erase_customer import CustomerErased, ErasingByHand
from domain.usecases.find_order import SeveralOrders
from domain.usecases.replace_key import KeyReplaced, Replacing
from domain.usecases.request_login import NotAnAddress
from domain.usecases.sign_out_customer import NoSuchCustomer, SigningOut
from domain.usecases.staff_change import ChangeAsked, Changing
from domain.usecases.write_note import Noted, Noting
from domain.values import ProductId
from entrypoints.acting import actor_here, new_form
from entrypoints.by_hand_lines import (
    booked_line,
    change_lines,
    not_booked_line,
    not_changed_line,
    not_erased_line,
    not_noted_line,
    not_replaced_line,
    noted_line,
    replaced_line,
)
from entrypoints.cli_customer import list_and_refuse
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.cli_words import NOT_ALLOWED
from entrypoints.container import Container
from entrypoints.safe_output import say


@click.command()
@click.argument("wanted", metavar="ADDRESS|ORDER")
@click.argument("new", metavar="NEW_ADDRESS")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
def correct(wanted: str, new: str, reason: str) -> None:
    """Correct the address of a customer, or of one ORDER, to NEW_ADDRESS.

    NEW_ADDRESS is emailed a link that confirms it within a day; until then nothing changes. The old address is emailed
    a link that undoes it for 72 hours. Exits with 1, and says why, if nothing was asked for.
    """

    async def work(container: Container) -> Changing:
        form, actor = new_form(container.randomness()), actor_here()
        by = container.correct_address()
        ask = by.customer if "@" in wanted else by.order
        return await ask(wanted, new, actor=actor, form=form, reason=reason)

    _say_change(beside(work, acts=True), wanted)


@click.command()
@click.argument("address")
@click.argument("into", metavar="INTO_ADDRESS")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
def merge(address: str, into: str, reason: str) -> None:
    """Move everything that ADDRESS bought to another customer, INTO_ADDRESS.

    INTO_ADDRESS is emailed a link that confirms it within a day; until then nothing changes. ADDRESS is emailed a link
    that undoes it for 72 hours. Exits with 1, and says why, if nothing was asked for.
    """

    async def work(container: Container) -> Changing:
        form = new_form(container.randomness())
        return await container.merge_customers()(address, into, actor=actor_here(), form=form, reason=reason)

    _say_change(beside(work, acts=True), address)


@click.command("replace-key")
@click.argument("order")
@click.option("--product", metavar="ID", help="Whose key, if the order has several.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
def replace_key(order: str, product: str | None, reason: str) -> None:
    """Replace the licence key of ORDER with the next of the list or a new one, and email it to its customer.

    The old key is not valid any more. Exits with 1, and says why, if nothing was replaced.
    """

    async def work(container: Container) -> Replacing:
        await container.supply_licences()()  # as the server does whenever the catalogue changes
        form, which = new_form(container.randomness()), None if product is None else ProductId(product)
        return await container.replace_key()(order, which, actor=actor_here(), form=form, reason=reason)

    found = beside(work, acts=True)
    if isinstance(found, SeveralOrders | NotAllowed):
        _refuse(found, order)
    if not isinstance(found, KeyReplaced):
        raise NothingDone(not_replaced_line(found))
    say(replaced_line(found))


@click.command()
@click.argument("order")
@click.argument("text")
def note(order: str, text: str) -> None:
    """Write the internal note of ORDER, which no customer sees; an empty TEXT deletes it.

    It replaces the note that the order had, and is deleted with the customer's account. Exits with 1, and says why, if
    nothing was noted.
    """

    async def work(container: Container) -> Noting:
        form = new_form(container.randomness())
        return await container.write_note()(order, text, actor=actor_here(), form=form)

    found = beside(work, acts=True)
    if isinstance(found, SeveralOrders | NotAllowed):
        _refuse(found, order)
    if not isinstance(found, Noted):
        raise NothingDone(not_noted_line(found))
    say(noted_line(found))


@click.command("sign-out")
@click.argument("address")
def sign_out(address: str) -> None:
    """Sign a customer out of every browser. They keep what they bought, and sign in again by email.

    Exits with 1 if there is no such customer.
    """

    async def work(container: Container) -> SigningOut:
        form = new_form(container.randomness())
        return await container.sign_out_customer()(address, actor=actor_here(), form=form)

    found = beside(work, acts=True)
    if isinstance(found, NotAllowed):
        _refuse(found, address)
    if isinstance(found, NoSuchCustomer):
        raise NothingDone("nobody was signed out: there is no customer with that address")
    say("They are signed out everywhere.")


@click.command()
@click.argument("address")
@click.option("--reason", required=True, metavar="TEXT", help="Why. It is deleted with them.")
@click.confirmation_option(
    "--yes", prompt="Everything that names this customer is deleted, and it cannot be undone. Delete it?"
)
def erase(address: str, reason: str) -> None:
    """Delete everything that names the customer ADDRESS. Their sales stay in the books, without them.

    They get a last email. Exits with 1, and says why, if nothing was deleted.
    """

    async def work(container: Container) -> ErasingByHand:
        form = new_form(container.randomness())
        return await container.erase_customer()(address, actor=actor_here(), form=form, reason=reason)

    found = beside(work, acts=True)
    if isinstance(found, NotAllowed):
        _refuse(found, address)
    if not isinstance(found, CustomerErased):
        raise NothingDone(not_erased_line(found))
    say("Their data is deleted. A running shop sends them a last email.")


@click.command()
@click.argument("session", metavar="CS_ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit log.")
def book(session: str, reason: str) -> None:
    """Book a quarantined payment whose amount, currency or discount differs from what was asked for.

    Its customer gets the product, and the access email. Exits with 1, and says why, if nothing was booked.
    """

    async def work(container: Container) -> BookingPayment:
        form = new_form(container.randomness())
        return await container.book_payment()(session, actor=actor_here(), form=form, reason=reason)

    found = beside(work, acts=True)
    if isinstance(found, NotAllowed):
        _refuse(found, session)
    if not isinstance(found, PaymentBooked):
        raise NothingDone(not_booked_line(found))
    say(booked_line(found))


def _say_change(found: Changing, wanted: str) -> None:
    if isinstance(found, SeveralOrders | NotAllowed):
        _refuse(found, wanted)
    if isinstance(found, NotAnAddress):
        raise Refusal(f"that is not an address that can be emailed: {found.problem.value}")
    if not isinstance(found, ChangeAsked):
        raise NothingDone(not_changed_line(found))
    for line in change_lines(found):
        say(line)


def _refuse(found: SeveralOrders | NotAllowed, wanted: str) -> NoReturn:
    if isinstance(found, SeveralOrders):
        list_and_refuse(found, wanted)
    raise NothingDone(NOT_ALLOWED)
