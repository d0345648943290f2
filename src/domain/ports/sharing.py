"""The pictures that social networks show with a link."""

from __future__ import annotations

from typing import Final, Protocol

from domain.frozen import frozen

WIDTH: Final = 1200
HEIGHT: Final = 630
"""The size of every share picture, in pixels: the one that https://ogp.me pictures are commonly made for."""


@frozen
class ShareCard:
    """What a share picture shows."""

    name: str
    """The product's, or the shop's."""
    below: str
    """What stands below the name: the shop's name, or its tagline."""
    accent: str
    """The shop's colour (`#11aa66`)."""
    cover: tuple[bytes, str] | None
    """The bytes of the product's cover, or of the shop's logo, and their media type; None if it has none."""
    of_shop: bool = False
    """Whether it is the shop's own picture."""
    paper: str = "#f6efe2"
    """The colour behind everything. These three are those of the shop's pages, in their light form."""
    ink: str = "#1f2430"
    """The colour of the name."""
    soft: str = "#5d574c"
    """The colour of what stands below it."""


@frozen
class SharePicture:
    """A PNG of WIDTH × HEIGHT."""

    png: bytes
    whole: bool
    """Whether the cover is in it, if there is one."""


class SharePainter(Protocol):
    """Draws share pictures."""

    async def paint(self, card: ShareCard) -> SharePicture | None:
        """The picture of a card; without its cover if that cannot be drawn, and None if nothing can be.

        A cover is foreign input: whatever is in it, drawing reads no file and no network, ends within bounds of time
        and memory, and does not hold up the event loop. Does not raise.
        """
