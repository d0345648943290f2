"""What `doctor` says of the audit log."""

from __future__ import annotations

from domain.usecases.check_audit import CheckAudit
from entrypoints.audit_lines import broken_line, unknown_line, whole_line
from entrypoints.maintenance.checks.finding import Finding


async def audit_findings(check: CheckAudit) -> list[Finding]:
    """Whether it is whole. Says nothing while nothing was ever done by hand. Raises StoreUnavailable."""
    found = await check()
    about = "audit log"
    if not found.is_whole:
        return [Finding(about, False, broken_line(found))]
    if found.newest is None and not found.unlinked:
        return []
    unknown = [Finding(about, True, unknown_line(found), warns=True)] if found.unknown else []
    return [Finding(about, True, whole_line(found)), *unknown]
