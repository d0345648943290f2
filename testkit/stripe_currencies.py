"""What https://docs.stripe.com/currencies says, in its own notation: the oracle for the shop's table and the sandbox's."""

from __future__ import annotations

from typing import Final

_PRESENTMENT: Final = """
USD AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JPY
KES KGS KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY
TTD TWD TZS UAH UGX UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
"""
_THREE_DECIMAL: Final = "BHD JOD KWD OMR TND"
LISTED: Final = frozenset(f"{_PRESENTMENT} {_THREE_DECIMAL} BGN".lower().split())
LEAST: Final = {
    "usd": "0.50", "aed": "2.00", "ars": "0.50", "aud": "0.50", "bgn": "1.00", "brl": "0.50", "cad": "0.50", "chf": "0.50",
    "cop": "0.50", "czk": "15.00", "dkk": "2.50", "eur": "0.50", "gbp": "0.30", "hkd": "4.00", "huf": "175.00",
    "idr": "0.50", "ils": "0.50", "inr": "0.50", "jpy": "50", "krw": "50", "mxn": "10", "myr": "2.00", "nok": "3.00",
    "nzd": "0.50", "php": "0.50", "pln": "2.00", "ron": "2.00", "rub": "0.50", "sek": "3.00", "sgd": "0.50", "thb": "10",
    "zar": "0.50",
}  # fmt: skip
"""Minimum charge amounts, in units of the currency."""
MOST: Final = {"idr": 999_999_999_999, "cop": 9_999_999_999, "inr": 999_999_999}
"""Maximum charge amounts of payment methods other than cards, where they are not 99,999,999."""
