"""A language with a catalogue: its sentences by gettext, its amounts and dates by Babel."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations
from typing import IO, Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, get_decimal_symbol

from domain.values import Money, decimal_text


class Translated(GNUTranslations):
    """See Language."""

    def __init__(self, code: str, compiled: IO[Any]) -> None:
        """`compiled`: the catalogue as a .mo file."""
        super().__init__(compiled)
        self._locale = Locale.parse(code)
        self._point = get_decimal_symbol(self._locale)
        # Pages and emails show few amounts and days, each many times.
        self.money = lru_cache(maxsize=4096)(self._money)
        self.day = lru_cache(maxsize=1024)(self._day)

    @property
    def code(self) -> str:
        """See Language."""
        return str(self._locale)

    @property
    def name(self) -> str:
        """See Language."""
        called = str(self._locale.get_display_name(self._locale))
        return called[:1].upper() + called[1:]

    def decimal(self, plain: str) -> str:
        """See Language."""
        return plain.replace(".", self._point)

    def _money(self, price: Money) -> str:
        """With as many decimal digits as in English."""
        plain = Decimal(decimal_text(price.amount, price.currency))
        digits = -int(plain.as_tuple().exponent)
        exact = self._locale.currency_formats["standard"].pattern.replace(
            "0.00", f"0.{'0' * digits}".rstrip(".")
        )
        return format_currency(
            plain, price.currency.upper(), exact, locale=self._locale, currency_digits=False
        )

    def _day(self, day: date) -> str:
        return format_date(day, "long", locale=self._locale)
