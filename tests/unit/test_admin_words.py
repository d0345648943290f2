"""The tables of words of the back office: a new member of an enumeration has its word on every page that shows it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest

from domain.audit import AuditAction, AuditLine, AuditResult
from domain.fact import Fact, FactKind
from domain.usecases.list_news import News
from domain.values import Money
from entrypoints import admin
from entrypoints.admin import words
from entrypoints.admin.provider import foreign_words
from entrypoints.admin.sale_words import movement_name, status_words

LACKING = {
    "act_words._AMOUNT": "UNKNOWN_CURRENCY NOT_OFFERED BELOW_PRICE BELOW_SMALLEST_CHARGE",
    "emails._OUTCOMES": "QUEUED",
    "imports._CHANGES": "DONE",
    "sale_parts._REQUESTS": "DONE FAILED",
    "sale_sheets._NOT_REFUNDED": "NO_REASON NO_SUCH_ORDER NOTHING_LEFT NOTHING_ASKED TOO_MUCH",
    "sale_words._STATUSES": "SESSION MERCHANT",
    "timeline_words._ACTIONS": "DISMISS_PAYMENT IMPORT ANNOUNCE TRY_ANNOUNCEMENT RECONCILE MOVE CONFIRM_ADDRESS "
    "ERASE_AGAIN EXPORT EXPORT_WITH_ADDRESSES READ_AGAIN INVITE_STAFF LINK_STAFF CHANGE_ROLE DISABLE_STAFF ENABLE_STAFF JOIN SIGN_IN "
    "ENTER_BY_LINK ADD_PASSKEY REMOVE_PASSKEY END_STAFF_SESSIONS UNKNOWN",
    "timeline_words._RESULTS": "DONE ENDED UNKNOWN",
}
"""What a table leaves out: it never comes to that page, or is handled beside the table."""


def tables() -> Iterator[tuple[str, Mapping[Enum, Any]]]:
    for found in pkgutil.iter_modules(admin.__path__):
        module = importlib.import_module(f"{admin.__name__}.{found.name}")
        for name, value in vars(module).items():
            kinds = {type(key) for key in value} if isinstance(value, dict) else set()
            if len(kinds) == 1 and issubclass(kinds.pop(), Enum):
                yield f"{found.name}.{name}", value


TABLES = {name: table for name, table in tables() if not name.endswith((".RIGHTS", ".FIELDS"))}


@pytest.mark.parametrize("name", TABLES)
def test_every_member_has_a_word_or_a_reason_to_have_none(name: str) -> None:
    table = TABLES[name]
    missing = [one.name for one in type(next(iter(table))) if one not in table]
    assert missing == LACKING.get(name, "").split()


def test_there_are_tables_and_none_is_excused_that_is_gone() -> None:
    assert len(TABLES) > 15
    assert set(LACKING) <= set(TABLES)


WARNED = Fact(
    object_id="issfr_1", kind=FactKind.WARNING, payment="pi_1", as_of=1, status="actionable", amount=0
)


def test_a_fraud_warning_is_called_one_and_no_dispute() -> None:
    assert movement_name(WARNED, Money(0, "usd")) == "Fraud warning"
    assert status_words(WARNED) == "a refund in full prevents a dispute"
    told = words.news(News(at=datetime(2026, 3, 1, tzinfo=UTC), about=WARNED, held=None), {})
    assert told == "Fraud warning: a refund in full prevents a dispute"


def test_payments_of_other_programs_are_counted_apart_and_not_listed() -> None:
    assert foreign_words(0) == ""
    assert foreign_words(1).startswith("Not listed: 1 payment of another program on the same Stripe account")
    assert foreign_words(7).startswith("Not listed: 7 payments of other programs on the same Stripe account")


def test_the_audit_log_has_words_for_what_was_done() -> None:
    assert words.action_words(AuditAction.REVOKE) == "revoked access to a purchase"
    assert words.action_words(AuditAction.RESTORE) == "restored access to a purchase"
    assert words.RESULTS[AuditResult.REFUSED] == "refused"


@pytest.mark.parametrize(
    ("action", "about", "result", "order"),
    [
        (AuditAction.REFUND, "0a1b", AuditResult.DONE, "0a1b"),
        (AuditAction.CORRECT_ADDRESS, "0a1b", AuditResult.DONE, "0a1b"),
        (AuditAction.SEND_AGAIN, "access:0a1b", AuditResult.DONE, "0a1b"),
        (AuditAction.REFUND, "0a1b", AuditResult.REFUSED, ""),
        (AuditAction.IMPORT, "0a1b", AuditResult.DONE, ""),
        (AuditAction.EXPORT, "sales", AuditResult.DONE, ""),
        (AuditAction.JOIN, "s1", AuditResult.DONE, ""),
    ],
)
def test_the_audit_log_leads_to_the_order_of_what_was_done(
    action: AuditAction, about: str, result: AuditResult, order: str
) -> None:
    line = AuditLine("l1", "f1", datetime(2026, 1, 1, tzinfo=UTC), "staff:1", action, about, result, "")
    assert words.sale_of_line(line) == order
