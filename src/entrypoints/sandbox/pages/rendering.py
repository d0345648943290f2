"""The stand-in's own pages in a frame that cannot be mistaken for the shop's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from litestar.response.base import ASGIResponse
from minijinja import Environment

from entrypoints.sandbox.stripe.money import money
from entrypoints.sandbox.world import World

_HERE: Final = Path(__file__).parent / "templates"


def clock(at: float) -> str:
    """Day and time: a demo begins with weeks of sales."""
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


class SandboxPages:
    """Renders templates. Where customers' pages are apart, they do not link to the others."""

    def __init__(self, world: World) -> None:
        self._environment = Environment(
            templates={path.name: path.read_text(encoding="utf-8") for path in sorted(_HERE.glob("*.html"))},
            undefined_behavior="strict",
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.add_filter("money", money)
        self._environment.add_filter("clock", clock)
        self._environment.add_global("home", world.path)
        self._environment.add_global("apart", world.pay_url != world.own_url)

    def html(self, template: str, *, status: int = 200, **context: Any) -> ASGIResponse:
        """A page."""
        body = self._environment.render_template(template, **context)
        return ASGIResponse(
            body=body.encode(),
            status_code=status,
            media_type="text/html",
            headers=[("cache-control", "no-store")],
        )

    def over(
        self, words: str, shop_url: str, *, status: int, heading: str = "There is nothing here", why: str = ""
    ) -> ASGIResponse:
        """The page for missing or expired content."""
        return self.html("over.html", status=status, words=words, shop_url=shop_url, heading=heading, why=why)


def see_other(url: str) -> ASGIResponse:
    """303."""
    return ASGIResponse(status_code=303, headers=[("location", url)], media_type="text/plain")
