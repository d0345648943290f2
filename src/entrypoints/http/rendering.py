"""Templates to bytes: minijinja with strict undefined, and the few filters that pages need."""

from __future__ import annotations

import hashlib
import mimetypes
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Final

from minijinja import Environment, safe

from domain.product import Product
from domain.values import Money, decimal_text

_HERE: Final = Path(__file__).parent
_KILO: Final = 1000


class Pages:
    """Renders a template by name, and holds the static files that go with them."""

    def __init__(self) -> None:
        folder = _HERE / "templates"
        self._environment = Environment(
            templates={path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))},
            undefined_behavior="strict",
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Static files and their media types, by name.
        self.assets = {
            path.name: (path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream")
            for path in sorted((_HERE / "static").iterdir())
        }
        self._addresses = {
            name: safe(f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:10]}")
            for name, (content, _) in self.assets.items()
        }
        for name, function in (
            ("money", str), ("price_value", price_value), ("day", day), ("moment", moment),
            ("filesize", filesize), ("asset", self.asset), ("url", url), ("price", price_words), ("minus", minus),
        ):  # fmt: skip
            self._environment.add_filter(name, function)
        # What only some of those who render a template have to say.
        self._defaults: dict[str, object] = {
            "noindex": False,
            "unread": False,
            "ordered": None,
            "moving": False,
        }

    def render(self, name: str, **context: object) -> bytes:
        """The page as UTF-8. A name the template does not know is an error, never an empty string."""
        return self._environment.render_template(name, **self._defaults | context).encode()

    def asset(self, name: str) -> str:
        """The address of a static file, which changes with its content: so it may be cached for ever."""
        return self._addresses[name]


def url(address: str) -> str:
    """An address, escaped for an attribute but still to be read: minijinja's own escaping also hides slashes."""
    return safe(escape(address))


def price_value(price: Money) -> str:
    """`19.99`: the number alone, as structured data and forms want it."""
    return decimal_text(price.amount, price.currency)


def price_words(price: Money, product: Product) -> str:
    """What stands where a price is expected: `Free`, `$9.00`, or `from $5.00` where the buyer names it."""
    if product.pay_what_you_want:
        return f"from {price}" if price.amount else "Your price"
    return str(price) if price.amount else "Free"


def minus(paid: Money, refunded: Money | None) -> str:
    """What is left of a payment, written as money."""
    left = paid.amount - (0 if refunded is None else refunded.amount)
    return str(Money(max(left, 0), paid.currency))


@lru_cache(maxsize=1024)
def day(at: datetime) -> str:
    """`24 November 2026`, in UTC."""
    return f"{at.day} {at:%B %Y}"


def moment(at: datetime) -> str:
    """`24 November 2026, 09:05 UTC`."""
    return f"{day(at)}, {at:%H:%M} UTC"


def filesize(size: int) -> str:
    """`4.2 MB`: decimal units, as shops and phones count."""
    if size < _KILO:
        return f"{size} bytes"
    scaled, units = float(size), ("kB", "MB", "GB", "TB")
    for unit in units:
        scaled /= _KILO
        if scaled < _KILO or unit == units[-1]:
            return f"{scaled:.1f} {unit}"
    raise AssertionError("unreachable")
