"""The languages that pages and emails can be in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Protocol

from domain.values import Money

SOURCE: Final = "en"
"""What the sentences are written in."""


class Language(Protocol):
    """Sentences, amounts and dates as readers of one language expect them."""

    @property
    def code(self) -> str:
        """`de`, as in the `lang` of a page (BCP 47)."""

    @property
    def name(self) -> str:
        """What its speakers call it: `Deutsch`."""

    def gettext(self, message: str, /) -> str:
        """The sentence in this language; itself where there is no translation."""

    def ngettext(self, one: str, many: str, number: int, /) -> str:
        """The form of a sentence that goes with a number."""

    def money(self, price: Money, /) -> str:
        """`1.234,50 €`."""

    def decimal(self, plain: str, /) -> str:
        """A decimal number below a thousand, given as `4.2`: `4,2`."""

    def day(self, day: date, /) -> str:
        """`24. November 2026`."""


class Languages(Protocol):
    """Those that the shop ships with."""

    @property
    def offered(self) -> Sequence[str]:
        """The codes of those that a shop can be in: every sentence is translated. SOURCE is the first."""

    def language(self, code: str, /) -> Language:
        """One of those offered; SOURCE for any other code. The same object each time."""

    def missing(self) -> Mapping[str, tuple[str, ...]]:
        """The sentences that have no translation, for each language that is not finished."""


class SourceLanguage:
    """The language that the sentences are written in: each stays as it is."""

    @property
    def code(self) -> str:
        """See Language, as for all below."""
        return SOURCE

    @property
    def name(self) -> str:
        """In itself."""
        return "English"

    def gettext(self, message: str, /) -> str:
        """Itself."""
        return message

    def ngettext(self, one: str, many: str, number: int, /) -> str:
        """One of the two."""
        return one if number == 1 else many

    def money(self, price: Money, /) -> str:
        """`$1,234.50`."""
        return str(price)

    def decimal(self, plain: str, /) -> str:
        """Itself."""
        return plain

    def day(self, day: date, /) -> str:
        """`24 November 2026`."""
        return f"{day.day} {day:%B %Y}"


AS_WRITTEN: Final = SourceLanguage()
