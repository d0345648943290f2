"""The audit log on its page and on the command line: names and words, and no raw id where there is a name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.audit import AuditAction, AuditLine, AuditResult
from entrypoints.admin.audit_words import row_of
from entrypoints.cli_audit import audit_line

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORDER = "01a1deea877e850d8a6da40fc20b0bcd"
ADA, BEN = "01a22efcbd4f0edb1f53392b02555454", "01a22efcbd4f0edb1f53392b02555455"
NAMES = {f"staff:{ADA}": "ada@example.com", f"staff:{BEN}": "ben@example.com"}
DONE, REFUSED = AuditResult.DONE, AuditResult.REFUSED


def line(actor: str, action: AuditAction, about: str, result: AuditResult = DONE) -> AuditLine:
    return AuditLine("l1", "f1", NOW, actor, action, about, result, "")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (line(f"staff:{ADA}", AuditAction.REVOKE, ORDER),
         ("ada@example.com", "revoked access to a purchase", "01a1deea877e850d", f"/admin/sales/{ORDER}", "done")),
        (line("cli:root", AuditAction.DISABLE_STAFF, BEN),
         ("cli:root", "disabled a member of staff", "ben@example.com", "", "done")),
        (line(f"staff:{BEN}", AuditAction.REFUND, ORDER, REFUSED),
         ("ben@example.com", "asked for a refund", ORDER, "", "refused")),
        (line(f"staff:{ADA}", AuditAction.REFUND, "ffff", REFUSED),
         ("ada@example.com", "asked for a refund", "ffff", "", "refused")),
        (line(f"staff:{ADA}", AuditAction.IMPORT, ORDER),
         ("ada@example.com", "imported a file", ORDER, "", "done")),
    ],
)  # fmt: skip
def test_the_page_says_who_did_what_and_leads_to_the_sale(written: AuditLine, shown: tuple[str, ...]) -> None:
    row = row_of(written, NAMES)
    assert (row.who, row.action, row.about, row.at, row.result) == shown


def test_the_command_names_staff_by_address_and_orders_by_id() -> None:
    written = line(f"staff:{ADA}", AuditAction.REVOKE, ORDER)
    assert audit_line(written, NAMES) == f"2026-03-01 12:00 UTC  ada@example.com  revoke {ORDER}  done"
    written = line(f"staff:{ADA}", AuditAction.INVITE_STAFF, BEN)
    assert audit_line(written, NAMES).endswith("ada@example.com  invite-staff ben@example.com  done")
