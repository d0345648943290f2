"""The currencies that Stripe charges, and the amounts it accepts in each.

Source: https://docs.stripe.com/currencies, sections "Supported presentment currencies", "Zero-decimal currencies",
"Special cases" and "Minimum and maximum charge amounts". The three-decimal currencies and the rule for their last
digit stand in earlier versions of that page and still apply to the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain.frozen import frozen


@frozen
class Currency:
    """What Stripe accepts in one currency. Amounts are in its minor unit as Stripe counts it."""

    code: str
    digits: int
    """Decimal digits of the minor unit: 0, 2 or 3."""
    step: int
    """Every amount is a multiple of this: 10 where the last of three digits must be 0, 100 where it must be "00"."""
    least: int
    """The smallest charge that Stripe documents; where it documents none, `step`."""
    most: int
    """The greatest charge that every payment method takes."""

    @property
    def whole(self) -> bool:
        """Whether fractions of a unit cannot be charged."""
        return self.step == int(10**self.digits)


_TWO_DECIMAL: Final = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc
cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd
kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr
pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx uyu uzs wst xcd
xcg yer zar zmw
"""
# UGX is in this list of the page, too, but its "special cases" want it in hundredths, as ISK.
_ZERO_DECIMAL: Final = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMAL: Final = "bhd jod kwd omr tnd"
# "The decimal amount is always 00."
_ALWAYS_WHOLE: Final = frozenset({"isk", "ugx"})
# In minor units. BGN left the page when Bulgaria adopted the euro; the API still lists it.
_LEAST: Final = {
    "usd": 50, "aed": 200, "ars": 50, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "cop": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "idr": 50, "ils": 50, "inr": 50, "jpy": 50, "krw": 50,
    "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "php": 50, "pln": 200, "ron": 200, "rub": 50, "sek": 300, "sgd": 50,
    "thb": 1000, "zar": 50,
}  # fmt: skip
# Most cards take twelve digits in every currency; these are the limits of all other payment methods.
_MOST: Final = {"idr": 999_999_999_999, "cop": 9_999_999_999, "inr": 999_999_999}
_EIGHT_DIGITS: Final = 99_999_999


def _step(code: str, digits: int) -> int:
    if code in _ALWAYS_WHOLE:
        return 100
    return 10 if digits == 3 else 1


def _most(code: str, digits: int) -> int:
    most = _MOST.get(code, _EIGHT_DIGITS)
    return most - most % _step(code, digits)


def _table() -> Mapping[str, Currency]:
    digits = {
        **dict.fromkeys(_TWO_DECIMAL.split(), 2),
        **dict.fromkeys(_ZERO_DECIMAL.split(), 0),
        **dict.fromkeys(_THREE_DECIMAL.split(), 3),
    }
    return MappingProxyType(
        {
            code: Currency(
                code=code,
                digits=count,
                step=_step(code, count),
                least=_LEAST.get(code, _step(code, count)),
                most=_most(code, count),
            )
            for code, count in digits.items()
        }
    )


CURRENCIES: Final = _table()
"""By ISO 4217 code in lower case. Whatever is not here cannot be charged."""


def currency_digits(currency: str) -> int:
    """How many decimal digits an amount has; two where the currency is not known (an old sale, a foreign session)."""
    found = CURRENCIES.get(currency)
    return 2 if found is None else found.digits
