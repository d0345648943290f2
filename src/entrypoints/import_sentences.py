"""What the command line and the back office say of other shops' files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.csv_rows import CsvProblem
from domain.import_plan import Field
from domain.imports import Reason
from entrypoints.http.sentences import N_

REASONS: Final[Mapping[Reason, str]] = {
    Reason.TOO_MANY_CELLS: N_(
        "More cells than the header has: a cell with a separator in it must be in quotation marks"
    ),
    Reason.NO_ID: N_("No id of the sale, or one of more than 500 characters"),
    Reason.NO_ADDRESS: N_("No email address that can be emailed"),
    Reason.UNKNOWN_PRODUCT: N_("A product that this shop does not have"),
    Reason.UNKNOWN_CURRENCY: N_("A currency that Stripe does not charge"),
    Reason.BAD_AMOUNT: N_(
        "An amount that is missing or cannot be read, such as 1,000 (write 1000 or 1,000.00)"
    ),
    Reason.BAD_DATE: N_("A date that cannot be read, is before 1990, or is in the future (write 2026-01-31)"),
    Reason.BAD_KEY: N_("A licence key of more than 200 characters, or with unprintable ones"),
    Reason.NO_PAYMENT: N_("No payment intent (pi_…): export the payments with the column “PaymentIntent ID”"),
    Reason.REFUNDED: N_("Refunded in full"),
    Reason.CHARGED_BACK: N_("Disputed by the buyer"),
    Reason.REVOKED: N_("Access was revoked"),
    Reason.NOT_PAID: N_("Not paid"),
    Reason.TEST: N_("A test payment"),
    Reason.OURS: N_("A sale of this shop that is not booked: run “coatcheck reconcile”"),
    Reason.ERASED: N_("The buyer deleted their account here"),
}
"""Why rows are refused."""

PROBLEMS: Final[Mapping[CsvProblem, str]] = {
    CsvProblem.EMPTY: N_("The file is empty."),
    CsvProblem.TOO_LARGE: N_("The file is larger than 100 MB. Split it; each part needs the header."),
    CsvProblem.NOT_TEXT: N_("This is not a text file. Export or save it as CSV (UTF-8)."),
    CsvProblem.NOT_UTF8: N_("The file is not encoded in UTF-8. Save it as “CSV UTF-8”."),
    CsvProblem.LINE_TOO_LONG: N_(
        "A line is longer than 65,536 characters, so this is not a CSV file of sales."
    ),
    CsvProblem.TOO_MANY_COLUMNS: N_("A row has more than 500 cells, so this is not a CSV file of sales."),
    CsvProblem.OPEN_QUOTE: N_("A quotation mark is never closed, or stands where none may."),
}
"""Why a file cannot be read."""

FIELDS: Final[Mapping[Field, str]] = {
    Field.ID: N_("Id of the sale"),
    Field.ADDRESS: N_("Email address of the owner"),
    Field.PRODUCT: N_("Product"),
    Field.CURRENCY: N_("Currency"),
    Field.PAID: N_("Amount paid"),
    Field.AT: N_("Date of the sale"),
    Field.LICENCE_KEY: N_("Licence key"),
}
"""What a column can be."""


def lines_text(lines: Sequence[int], count: int) -> str:
    """`line 5`, `lines 5, 7 and 9`, `lines 5, 7, … (312 in all)`."""
    numbers = [f"{line}" for line in lines]
    if count > len(lines):
        return f"lines {', '.join(numbers)}, … ({count:,} in all)"
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"lines {', '.join(numbers[:-1])} and {numbers[-1]}"
