"""What every store promises of the audit log's chain. Part of the store contract."""

from __future__ import annotations

from contracts.audit import a_line
from contracts.samples import DAY, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.audit_chain import AuditLink, Checkpoint, LinkedLine, SignInRefusals

HOUR = 60 * 60 * SECOND


class AuditChainContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _write(self, *rows: str) -> None:
        for row in rows:
            self.do(lambda tx, row=row: tx.audit.append(a_line(row, form=f"f{row}")))

    def test_a_line_waits_until_it_is_linked_once(self) -> None:
        assert self.see(lambda tx: tx.audit_chain.newest()) is None
        self._write("a2", "a1", "a3")
        waiting = self.see(lambda tx: tx.audit_chain.unlinked(limit=2))
        assert [line.id for line in waiting] == ["a1", "a2"]
        assert self.see(lambda tx: tx.audit_chain.count_unlinked()) == 3
        one, two = AuditLink(1, "k.aa"), AuditLink(2, "k.bb")
        assert self.do(lambda tx: tx.audit_chain.link("a2", one)) is True
        assert self.do(lambda tx: tx.audit_chain.link("a2", two)) is False
        assert self.do(lambda tx: tx.audit_chain.link("a9", two)) is False, "there is no such line"
        assert self.do(lambda tx: tx.audit_chain.link("a1", two)) is True
        assert self.see(lambda tx: tx.audit_chain.count_unlinked()) == 1
        assert self.see(lambda tx: tx.audit_chain.newest()) == two

    def test_linked_lines_come_in_the_order_of_the_chain(self) -> None:
        self._write("a1", "a2", "a3")
        links = {"a3": AuditLink(1, "k.aa"), "a1": AuditLink(2, "k.bb"), "a2": AuditLink(3, "k.cc")}
        for row, link in links.items():
            self.do(lambda tx, row=row, link=link: tx.audit_chain.link(row, link))
        found = list(self.see(lambda tx: tx.audit_chain.after(0, limit=9)))
        assert found == [LinkedLine(a_line(row, form=f"f{row}"), link) for row, link in links.items()]
        assert [one.line.id for one in self.see(lambda tx: tx.audit_chain.after(1, limit=1))] == ["a1"]
        assert list(self.see(lambda tx: tx.audit_chain.after(3, limit=9))) == []

    def test_pruning_leaves_a_checkpoint_and_what_is_not_linked(self) -> None:
        self._write("a1", "a2", "a3", "a4")
        for number, row in enumerate(("a1", "a2", "a3"), 1):
            link = AuditLink(number, f"k.{row}")
            self.do(lambda tx, row=row, link=link: tx.audit_chain.link(row, link))
        assert self.see(lambda tx: tx.audit_chain.checkpoint()) is None
        for number, gone in ((1, 1), (3, 2)):
            kept = Checkpoint(AuditLink(number, f"k.a{number}"), at=NOW + number * DAY, signature="k.ff")
            assert self.do(lambda tx, kept=kept: tx.audit_chain.prune(kept)) == gone
            assert self.see(lambda tx: tx.audit_chain.checkpoint()) == kept
        assert [line.id for line in self.see(lambda tx: tx.audit.page_after("", limit=9))] == ["a4"]
        assert self.see(lambda tx: tx.audit_chain.newest()) == AuditLink(3, "k.a3"), "numbers go on"
        assert self.do(lambda tx: tx.audit.append(a_line("a1", form="fa1"))), "nothing is left of it"

    def test_refused_sign_ins_are_counted_by_network_and_hour_and_taken_once(self) -> None:
        for network, hour in (("n1", NOW), ("n1", NOW), ("n2", NOW), ("n1", NOW + HOUR)):
            self.do(lambda tx, n=network, h=hour: tx.refused_sign_ins.count(n, h))
        assert list(self.do(lambda tx: tx.refused_sign_ins.take_before(NOW, limit=9))) == []
        taken = [self.do(lambda tx: tx.refused_sign_ins.take_before(NOW + HOUR, limit=1)) for _ in range(3)]
        assert [list(some) for some in taken] == [
            [SignInRefusals("n1", NOW, 2)],
            [SignInRefusals("n2", NOW, 1)],
            [],
        ]
        [rest] = self.do(lambda tx: tx.refused_sign_ins.take_before(NOW + 9 * HOUR, limit=9))
        assert rest == SignInRefusals("n1", NOW + HOUR, 1)
