"""Error messages for invalid form input."""

from __future__ import annotations

from typing import Final

from domain.product import AmountProblem, BadAmount
from domain.values import EmailProblem
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
    AmountProblem.NOT_A_NUMBER: N_("Please write the amount in digits, such as 12 or 12.50."),
    AmountProblem.BELOW_PRICE: N_("The least we take for this is %(least)s."),
    AmountProblem.BELOW_SMALLEST_CHARGE: N_("A payment has to be at least %(least)s, or nothing at all."),
}


def email_error(problem: EmailProblem) -> str:
    """Why the input is not an email address."""
    return _(_EMAIL[problem])


def amount_error(bad: BadAmount) -> str:
    """Why the price entered cannot be charged, and which prices can."""
    return _(_AMOUNT[bad.problem], least=bad.least)
