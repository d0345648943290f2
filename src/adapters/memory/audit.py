"""The audit log. Lines are only ever added; their reasons go with the person."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.memory.tables import Record, page
from domain.audit import AuditLine


class Audit(Record):
    def by_form(self, form: str) -> AuditLine | None:
        return next((line for line in self._t.audit.values() if line.form == form), None)

    def page_after(self, line: str, *, limit: int) -> Sequence[AuditLine]:
        return page(self._t.audit.items(), line, limit)

    def page_before(self, line: str, *, limit: int) -> Sequence[AuditLine]:
        older = [self._t.audit[key] for key in sorted(self._t.audit, reverse=True) if not line or key < line]
        return older[:limit]

    def about(self, objects: Sequence[str]) -> Sequence[AuditLine]:
        found = [line for line in self._t.audit.values() if line.object_id in objects]
        return sorted(found, key=lambda line: line.id)

    def append(self, line: AuditLine) -> bool:
        if self.by_form(line.form) is not None:
            return False
        self._t.audit[line.id] = line
        return True
