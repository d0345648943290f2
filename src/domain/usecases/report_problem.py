"""Note what does not work until the merchant mends it, and notify them once."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.emails import ProviderProblem
from domain.product import ShopInfo
from domain.records import ProblemKind
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant


def report_problem(
    tx: Transaction, kind: ProblemKind, *, subject: str = "", detail: str, shop: ShopInfo, now: datetime
) -> None:
    """Note it, with the provider's words, and email the merchant when it begins: at most once a day.

    What is refused for one subject in the words that are open for another already has one cause: no second email.
    """
    known = any(problem.kind is kind and problem.detail == detail for problem in tx.problems.open())
    if tx.problems.report(kind, subject, detail=detail, at=now) and not known:
        email = ProviderProblem(kind=kind.name, about=subject, detail=detail)
        notify_merchant(tx, email, key=outbox_keys.problem(kind.value, subject, now), shop=shop, now=now)
