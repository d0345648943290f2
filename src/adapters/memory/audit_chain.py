"""The chain of the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.memory.tables import Record, page
from domain.audit import AuditLine
from domain.audit_chain import AuditLink, Checkpoint, LinkedLine


class AuditChain(Record):
    def unlinked(self, *, limit: int) -> Sequence[AuditLine]:
        return page(((k, one) for k, one in self._t.audit.items() if k not in self._t.audit_links), "", limit)

    def count_unlinked(self) -> int:
        return len(self._t.audit.keys() - self._t.audit_links.keys())

    def newest(self) -> AuditLink | None:
        links = [*self._t.audit_links.values(), *(one.link for one in self._t.audit_checkpoint.values())]
        return max(links, key=lambda link: link.sequence, default=None)

    def after(self, sequence: int, *, limit: int) -> Sequence[LinkedLine]:
        links = sorted(self._t.audit_links.items(), key=lambda pair: pair[1].sequence)
        later = [LinkedLine(self._t.audit[key], link) for key, link in links if link.sequence > sequence]
        return later[:limit]

    def checkpoint(self) -> Checkpoint | None:
        return self._t.audit_checkpoint.get(1)

    def link(self, line: str, link: AuditLink) -> bool:
        if line not in self._t.audit or line in self._t.audit_links:
            return False
        self._t.audit_links[line] = link
        return True

    def prune(self, checkpoint: Checkpoint) -> int:
        self._t.audit_checkpoint[1] = checkpoint
        old = [k for k, link in self._t.audit_links.items() if link.sequence <= checkpoint.link.sequence]
        for key in old:
            del self._t.audit[key], self._t.audit_links[key]
        return len(old)
