"""The audit log a page at a time: by somebody, of one kind, and never more than a bounded look back."""

from __future__ import annotations

import pytest

from domain.audit import AuditAction, AuditLine, AuditResult
from domain.transaction import Transaction
from domain.usecases.list_audit import AuditFilter, AuditPage, ListAudit
from entrypoints.testing import Shop
from testkit.stepping import run

GRANT, SIGN_IN = AuditAction.GRANT, AuditAction.SIGN_IN


def a_log(*lines: tuple[str, AuditAction]) -> ListAudit:
    shop = Shop()

    def fill(tx: Transaction) -> None:
        for n, (actor, action) in enumerate(lines):
            line = AuditLine(f"{n:06}", f"f{n}", shop.clock.now(), actor, action, "o", AuditResult.DONE, "")
            assert tx.audit.append(line)

    run(shop.store.transact(fill))
    return ListAudit(shop.store)


def ids(page: AuditPage) -> list[int]:
    return [int(line.id) for line in page.lines]


LOG = (
    ("staff:1", GRANT), ("staff:12", GRANT), ("cli:root", GRANT), ("staff:1", SIGN_IN), ("cli:ada", SIGN_IN),
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(), [4, 3, 2, 1, 0]),
        (AuditFilter(actor="staff:1"), [3, 0]),
        (AuditFilter(actor="cli:"), [4, 2]),
        (AuditFilter(action=GRANT), [2, 1, 0]),
        (AuditFilter(actor="cli:", action=GRANT), [2]),
        (AuditFilter(actor="staff:9"), []),
    ],
)
def test_the_log_of_somebody_or_of_one_kind(wanted: AuditFilter, found: list[int]) -> None:
    page = run(a_log(*LOG).newest(wanted, before="", limit=9))
    assert (ids(page), page.older) == (found, "")


@pytest.mark.parametrize("wanted", [AuditFilter(), AuditFilter(action=GRANT)])
def test_a_page_leads_to_the_next_one_until_there_is_none(wanted: AuditFilter) -> None:
    log = a_log(*[("staff:1", GRANT)] * 7)
    seen: list[list[int]] = []
    before = ""
    while True:
        page = run(log.newest(wanted, before=before, limit=3))
        seen.append(ids(page))
        before = page.older
        if not before:
            break
    assert seen == [[6, 5, 4], [3, 2, 1], [0]]


def test_no_page_looks_at_more_than_5000_lines() -> None:
    log = a_log(("staff:1", GRANT), *[("staff:1", SIGN_IN)] * 5_000)
    page = run(log.newest(AuditFilter(action=GRANT), before="", limit=9))
    assert (ids(page), page.older) == ([], "000001")
    assert ids(run(log.newest(AuditFilter(action=GRANT), before=page.older, limit=9))) == [0]
