"""Note that all visitors share the rate limits of one, until they do not any more."""

from __future__ import annotations

from datetime import datetime

from domain.frozen import frozen
from domain.records import ProblemKind
from domain.transaction import Transaction


@frozen
class SharedBy:
    """Why all visitors share one address, and that address: the proxy's."""

    why: str
    address: str


def note_shared_limits(tx: Transaction, found: SharedBy | None, *, now: datetime) -> None:
    """`found`: None once the shop can tell visitors apart. Sends no email, because no sale is lost."""
    for problem in tx.problems.open():
        if problem.kind is ProblemKind.LIMITS_SHARED and (found is None or problem.subject != found.why):
            tx.problems.resolve(problem.kind, problem.subject)
    if found is not None:
        tx.problems.report(ProblemKind.LIMITS_SHARED, found.why, detail=found.address, at=now)
