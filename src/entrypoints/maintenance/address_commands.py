"""The work of `coatcheck confirm-address`, and its final messages."""

from __future__ import annotations

from typing import Final

from domain.usecases.own_address import NoCopy
from entrypoints.acting import asked_here
from entrypoints.container import Container
from entrypoints.run.opening import WrongShop

_NO_COPY: Final = {
    NoCopy.SAME_SECRET: "SESSION_SECRET still holds a secret of the shop that this database was copied from, so links "
    "of one would open the other: set a new one, and run this again",
    NoCopy.SAME_ID: "shop.toml declares the id of the shop that this database was copied from: give it another one "
    "or take it out, and run this again",
}


async def confirmed_lines(container: Container) -> list[str]:
    """The shop moved to BASE_URL; the next steps."""
    here = container.settings().base_url
    former = await container.address_watch().confirm(
        asked=asked_here(container.clock(), container.randomness())
    )
    if former == here:
        return [f"Nothing is left to do: this database is served at {here} already."]
    if former is None:
        return [f"This database is served at {here} from now on. It was not served before."]
    return [
        (
            f"This database was served at {former}, and is served at {here} from now on. A running server notices "
            "within a second."
        ),
        (
            f"Run `coatcheck stripe-setup`: Stripe is to report to {here}/webhook. Customers have links to {former} in "
            "their mailboxes, and payments in progress return there: let it redirect here, with path and query."
        ),
        f"A server that still runs with BASE_URL={former} on this database only shows its pages now.",
    ]


async def copied_lines(container: Container) -> list[str]:
    """The database becomes another shop's; the next steps. Raises WrongShop."""
    here, watch = container.settings().base_url, container.address_watch()
    if watch.elsewhere is None:
        raise WrongShop(
            f"this database was served at {here} or nowhere, so it cannot be told from the original: set BASE_URL to "
            "the address of the copy, and run this again"
        )
    former = watch.elsewhere.there
    made = await container.become_copy()(asked=asked_here(container.clock(), container.randomness()))
    if isinstance(made, NoCopy):
        raise WrongShop(_NO_COPY[made])
    return [
        f"This database is a copy of the shop at {former}. It is shop {made} at {here} from now on.",
        (
            "Nothing that was in progress there is continued here: open checkouts and sign-ins ended, and emails that "
            "were not sent yet are dropped. Now start `coatcheck serve`; stop and start it if it is running."
        ),
        "It still holds the personal data of that shop's customers: see docs/privacy.md.",
    ]
