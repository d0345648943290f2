"""What a check of the audit log says, on the command line and in `doctor`."""

from __future__ import annotations

from typing import Final

from domain.audit_chain import AuditLink, Flaw
from domain.usecases.check_audit import AuditCheck
from entrypoints.cli_words import counted, minute

_FLAWS: Final = {
    Flaw.CHANGED: "line {n}{at} is not as it was written",
    Flaw.MISSING: "line {n} is missing",
    Flaw.REASON: "the reason of line {n}{at} is not the one that was given",
    Flaw.CHECKPOINT: "the note about the lines up to {n}, which were pruned, is not as it was written",
    Flaw.UNKNOWN_KEY: (
        "line {n}{at} was signed with a secret that SESSION_SECRET does not hold, although earlier ones were not: "
        "if you took that secret out, add it at the end again"
    ),
}


def whole_line(found: AuditCheck) -> str:
    """One sentence about a log that is whole."""
    waiting = f"{counted(found.unlinked, 'line')} not yet linked"
    if found.since is None:
        return f"no line can be checked yet, {waiting}"
    return f"{counted(found.lines, 'line')} unbroken since {minute(found.since)}, {waiting}"


def broken_line(found: AuditCheck) -> str:
    """One sentence about a log that is not whole."""
    if found.broken is None:
        return "the line of that link is missing or was changed: newer lines were cut off, or an older backup restored"
    at = "" if found.broken.at is None else f" ({minute(found.broken.at)})"
    what = _FLAWS[found.broken.flaw].format(n=found.broken.sequence, at=at)
    return f"{what}: somebody changed the database past the shop; compare the audit log of a backup"


def unknown_line(found: AuditCheck) -> str:
    """One sentence about the lines that nobody can check; "" if there are none."""
    if not found.unknown:
        return ""
    return f"{counted(found.unknown, 'older line')} signed with a secret that SESSION_SECRET no longer holds"


def check_lines(found: AuditCheck, *, asked: AuditLink | None) -> list[str]:
    """All that is to be said of a log that is whole."""
    lines = [f"The audit log is whole: {whole_line(found)}."]
    if found.unknown:
        lines.append(f"Not checked: {unknown_line(found)}.")
    if asked is not None:
        lines.append(
            "The link is in it." if found.has_kept else "The line of that link was pruned, two years on."
        )
    if found.newest is not None:
        lines.append(f"Newest link: {found.newest}")
    return lines
