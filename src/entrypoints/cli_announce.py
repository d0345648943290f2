"""What `coatcheck announce` does before it emails anybody: counts, shows the email, and sends a test."""

from __future__ import annotations

from domain.rights import NotAllowed
from domain.usecases.look_at_release import ReleaseSeen
from domain.values import EmailAddress, InvalidEmail, ProductId
from entrypoints.acting import actor_here, new_form
from entrypoints.cli_running import NothingDone, Refusal
from entrypoints.cli_words import NO_SUCH_PRODUCT, NOT_ALLOWED, counted
from entrypoints.container import Container


def no_product(product: str) -> Refusal:
    """The catalogue lacks it."""
    return Refusal(NO_SUCH_PRODUCT.format(product=product))


async def trial_lines(container: Container, product: ProductId, test: str | None) -> list[str]:
    """Send a test to an address if one is given; otherwise who would be emailed, and what the email says.

    Raises Refusal for a product that is not there and for what is no address.
    """
    if test is None:
        seen = await container.look_at_release()(product)
        if seen is None:
            raise no_product(product)
        return _seen_lines(seen)
    try:
        to = EmailAddress.parse(test)
    except InvalidEmail as error:
        raise Refusal(f"that is not an address that can be emailed: {error.problem.value}") from None
    form = new_form(container.randomness())
    found = await container.try_announcement()(product, to, actor=actor_here(), form=form)
    if found is None:
        raise no_product(product)
    if isinstance(found, NotAllowed):
        raise NothingDone(NOT_ALLOWED)
    return [f"A test to {to} is queued. A running shop sends it within a second."]


def _seen_lines(seen: ReleaseSeen) -> list[str]:
    at_least = "" if seen.complete else "at least "
    would = f"{at_least}{counted(seen.wanted, 'owner')} would be notified"
    line = f"{would}; {seen.known} were notified before, {seen.left_out} skipped"
    if seen.letter is None:
        return [line, "The template of the email fails; the catalogue says why."]
    return [line, "", f"Subject: {seen.letter.subject}", "", *seen.letter.text.splitlines()]
