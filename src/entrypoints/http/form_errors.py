"""Error messages for invalid form input."""

from __future__ import annotations

from typing import Final

from domain.amounts import AmountProblem
from domain.currencies import CURRENCIES
from domain.product import BadAmount
from domain.values import EmailProblem, Money
from entrypoints.http.page import amount_words
from entrypoints.http.sentences import N_, _

_EMAIL: Final = {
    EmailProblem.EMPTY: N_("Please enter your email address."),
    EmailProblem.TOO_LONG: N_("That is too long for an email address (254 characters at most)."),
    EmailProblem.HAS_SPACES: N_("An email address has no spaces or line breaks in it."),
    EmailProblem.NOT_ONE_AT: N_("An email address has exactly one @, with something on both sides of it."),
    EmailProblem.LOCAL_PART_NOT_ASCII: N_(
        "We can only mail addresses whose part before the @ is plain ASCII letters."
    ),
    EmailProblem.LOCAL_PART_REFUSED: N_(
        "The part before the @ has a character or a length that mail servers refuse."
    ),
    EmailProblem.NO_DOMAIN: N_("The part after the @ is not a domain name such as example.com."),
}
_AMOUNT: Final = {
    AmountProblem.NOT_A_NUMBER: N_("Please write the amount in digits, for example %(example)s."),
    AmountProblem.AMBIGUOUS: N_(
        "That amount is ambiguous. Please write it without a thousands separator, for example %(example)s."
    ),
    AmountProblem.OTHER_CURRENCY: N_(
        "The price is in %(currency)s. Please write the amount in that currency, for example %(example)s."
    ),
    AmountProblem.UNKNOWN_CURRENCY: N_("This cannot be paid in %(currency)s. Nothing was charged."),
    AmountProblem.NOT_OFFERED: N_(
        "The price is no longer offered in the currency you saw. This is the current one. Nothing was charged."
    ),
    AmountProblem.TOO_FINE: N_(
        "Amounts in %(currency)s must be multiples of %(step)s. Please write an amount such as %(example)s."
    ),
    AmountProblem.BELOW_PRICE: N_("The minimum is %(least)s."),
    AmountProblem.BELOW_SMALLEST_CHARGE: N_("The minimum is %(least)s, or nothing at all."),
    AmountProblem.ABOVE_GREATEST_CHARGE: N_("The maximum is %(most)s."),
}


def email_error(problem: EmailProblem) -> str:
    """Why the input is not an email address."""
    return _(_EMAIL[problem])


def amount_error(bad: BadAmount) -> str:
    """Why the price entered cannot be charged, and which prices can."""
    example, rules = bad.example, CURRENCIES[bad.example.currency]
    return _(
        _AMOUNT[bad.problem],
        least=bad.least,
        most=bad.most,
        currency=rules.code.upper(),
        step=amount_words(Money(rules.step, rules.code)),
        example=amount_words(example),
    )
