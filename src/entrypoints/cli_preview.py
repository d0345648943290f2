"""`coatcheck preview`: a link to the page of a product that is not public, or not on sale yet."""

from __future__ import annotations

import click

from domain.usecases.preview_product import PreviewLink
from domain.values import ProductId
from entrypoints.cli_running import Refusal, beside
from entrypoints.cli_words import NO_SUCH_PRODUCT, minute
from entrypoints.container import Container
from entrypoints.safe_output import say


@click.command()
@click.argument("product")
def preview(product: str) -> None:
    """Print a link that shows the page of PRODUCT, without Buy, to everybody who has the link, for a week.

    It shows drafts, too, and always the current state of the catalogue. Nothing is stored, so a link cannot be revoked,
    except by removing the secret that signed it from SESSION_SECRET. Only the link goes to stdout.
    """

    async def work(container: Container) -> PreviewLink | None:
        return container.preview_product().link(ProductId(product))

    link = beside(work)
    if link is None:
        raise Refusal(NO_SUCH_PRODUCT.format(product=product))
    say(link.url)
    say(f"The link works until {minute(link.until)}.", err=True)
