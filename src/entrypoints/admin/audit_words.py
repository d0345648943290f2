"""A line of the audit log in words: who did what to what, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.audit import AuditLine
from domain.purchase import order_number
from domain.values import CheckoutId
from entrypoints.admin.words import RESULTS, action_words, sale_of_line
from entrypoints.http.sentences import _


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
    if order := sale_of_line(line):
        about, at = order_number(CheckoutId(order)), f"/admin/sales/{order}"
    return Row(
        line, names.get(line.actor, line.actor), action_words(line.action), about, at, _(RESULTS[line.result])
    )
