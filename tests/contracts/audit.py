"""What every store promises of the audit log. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import product

import pytest
from contracts.samples import ANNA, DAY, NOW, a_checkout, a_session
from contracts.under_test import StoreUnderTest

from domain.audit import AuditAction, AuditLine, AuditResult, hash_of_reason
from domain.records import ErasedAddress
from domain.transaction import Transaction
from domain.values import CheckoutId


def a_line(row: str = "a1", *, form: str = "f1", about: str = "c1", at: datetime = NOW) -> AuditLine:
    return AuditLine(
        id=row, form=form, at=at, actor="cli:anna", action=AuditAction.GRANT, object_id=about,
        result=AuditResult.DONE, reason=f"why {row}", salt="5a", reason_hash=hash_of_reason("5a", f"why {row}"),
    )  # fmt: skip


class AuditContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _append(self, line: AuditLine) -> bool:
        return self.do(lambda tx: tx.audit.append(line))

    def _lines(self, *, after: str = "", limit: int = 9) -> list[AuditLine]:
        return list(self.see(lambda tx: tx.audit.page_after(after, limit=limit)))

    def test_of_twenty_submits_of_one_form_one_is_written(self) -> None:
        lines = [a_line(f"a{n:02}") for n in range(20)]
        works = [partial(self.store.transact, lambda tx, line=line: tx.audit.append(line)) for line in lines]
        answers = self.together(*works)
        assert sorted(answer is True for answer in answers) == [False] * 19 + [True]
        [kept] = self._lines()
        assert kept == lines[answers.index(True)]
        assert self.see(lambda tx: tx.audit.by_form("f1")) == kept
        assert self.see(lambda tx: tx.audit.by_form("f2")) is None

    def test_a_line_comes_back_as_it_was_written_with_or_without_a_reason(self) -> None:
        kinds = list(product(AuditAction, AuditResult, ("why", "")))
        lines = [
            replace(
                a_line(f"a{n:03}", form=f"f{n}"),
                action=action,
                result=result,
                reason=reason,
                salt="5a" if reason else "",
            )
            for n, (action, result, reason) in enumerate(kinds)
        ]
        assert all(map(self._append, lines))
        assert self._lines(limit=999) == lines
        assert [self.see(lambda tx, form=line.form: tx.audit.by_form(form)) for line in lines] == lines

    def test_a_line_is_written_with_the_act_or_not_at_all(self) -> None:
        def fails(tx: Transaction) -> None:
            tx.audit.append(a_line())
            raise ValueError

        with pytest.raises(ValueError):
            self.do(fails)
        assert self._lines() == []

    def test_lines_are_listed_in_order_of_id_a_page_at_a_time(self) -> None:
        lines = [a_line(f"a{n}", form=f"f{9 - n}") for n in range(4)]
        for line in reversed(lines):
            assert self._append(line)
        assert self._lines() == lines
        assert self._lines(after="a1", limit=1) == [lines[2]]
        assert list(self.see(lambda tx: tx.audit.page_before("", limit=2))) == [lines[3], lines[2]]
        assert list(self.see(lambda tx: tx.audit.page_before("a2", limit=9))) == [lines[1], lines[0]]
        assert self._lines(after="a3") == []

    def test_the_reason_goes_with_the_person_and_the_line_stays(self) -> None:
        self._sell("c1", "c2")
        for number, row in enumerate(("c1", "c2", "c1")):
            self._append(a_line(f"a{number}", form=f"f{number}", about=row))
        self.do(lambda tx: tx.erasures.erase_order(CheckoutId("c1"), at=NOW))
        assert [line.reason for line in self._lines()] == ["", "why a1", ""]
        assert self._lines()[0] == replace(a_line("a0", form="f0"), reason="", salt="")
        self.do(lambda tx: tx.users.mark_verified(ANNA, at=NOW))
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        assert [line.reason for line in self._lines()] == ["", "", ""]
        assert self._append(a_line("a9", form="f0")) is False, "the form stays used"

    def test_the_reason_about_a_payment_in_quarantine_goes_with_whoever_began_its_checkout(self) -> None:
        """Signed in at the time, or verified later in the same browser; of anybody else nobody knows whose it is."""
        for row, mailbox in (("c1", ANNA), ("c2", None), ("c3", None)):
            begun = a_checkout(row, ref=f"cs_test_{row}", session=row, mailbox=mailbox)
            self.do(lambda tx, row=row: tx.sessions.add(a_session(row, mailbox=None, token=row)))
            self.do(lambda tx, begun=begun: tx.checkouts.add(begun))
            self._append(a_line(row, form=row, about=f"cs_test_{row}"))
        self._verify("c2", ANNA)
        self.do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
        assert [line.reason for line in self._lines()] == ["", "", "why c3"]

    def test_an_erased_address_is_found_by_its_tag(self) -> None:
        for at in (NOW, NOW + DAY):
            self.do(lambda tx, at=at: tx.erasures.note_address(ErasedAddress(tag="x", at=at)))
        assert self.see(lambda tx: tx.erasures.address_erased_at("x")) == NOW + DAY
        assert self.see(lambda tx: tx.erasures.address_erased_at("y")) is None
