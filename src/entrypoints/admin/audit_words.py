"""A line of the audit log in words: who did what to what, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.audit import AuditAction, AuditLine
from domain.purchase import order_number
from domain.values import CheckoutId
from entrypoints.admin.words import RESULTS, action_words
from entrypoints.http.sentences import _

_OF_AN_ORDER: Final = frozenset(
    {
        AuditAction.GRANT, AuditAction.REVOKE, AuditAction.RESTORE, AuditAction.REFUND, AuditAction.DISMISS_REFUND,
        AuditAction.RESEND, AuditAction.SEND_LINK, AuditAction.CORRECT_ADDRESS, AuditAction.MERGE_CUSTOMERS,
        AuditAction.REPLACE_KEY, AuditAction.WRITE_NOTE, AuditAction.SIGN_OUT_CUSTOMER, AuditAction.ERASE_CUSTOMER,
        AuditAction.HAND_OVER_DATA, AuditAction.BOOK_PAYMENT,
    }
)  # fmt: skip
"""Their object is an order, or where nothing was found, what was asked for."""
_CHECKOUT: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the page."""

    line: AuditLine
    who: str
    action: str
    """Goes on a sentence that begins with `who`."""
    about: str
    """An order by its number, a member of staff by address, anything else by its id."""
    at: str
    """The page of it, or ""."""
    result: str


def row_of(line: AuditLine, names: Mapping[str, str]) -> Row:
    """`names`: of members of staff, by the actor's name in the audit log."""
    about, at = names.get(f"staff:{line.object_id}", line.object_id), ""
    if line.action in _OF_AN_ORDER and _CHECKOUT.fullmatch(line.object_id):
        about, at = order_number(CheckoutId(line.object_id)), f"/admin/sales/{line.object_id}"
    return Row(
        line, names.get(line.actor, line.actor), action_words(line.action), about, at, _(RESULTS[line.result])
    )
