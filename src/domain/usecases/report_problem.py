"""Note what does not work until the merchant mends it, and notify them of each cause."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.emails import ProviderProblem
from domain.product import ShopInfo
from domain.records import ProblemKind
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant

_EMAILS_A_DAY: Final = 3


def report_problem(
    tx: Transaction, kind: ProblemKind, *, subject: str = "", detail: str, shop: ShopInfo, now: datetime
) -> None:
    """Note it, with the provider's words, and email the merchant when it begins, and when its cause is another.

    What is refused for one subject in the words that are open for another already has one cause: no second email. One
    subject is one email a day for each cause, and three a day at most.
    """
    known = any(problem.kind is kind and problem.detail == detail for problem in tx.problems.open())
    tx.problems.report(kind, subject, detail=detail, at=now)
    if known:
        return
    email = ProviderProblem(kind=kind.name, about=subject, detail=detail)
    for number in range(1, _EMAILS_A_DAY + 1):
        key = outbox_keys.problem(kind.value, subject, now, number=number)
        before = tx.outbox.get(key)
        if before is None:
            notify_merchant(tx, email, key=key, shop=shop, now=now)
        if before is None or before.email == email:
            return


def works_again(tx: Transaction) -> None:
    """The provider opens payment pages in every currency on sale: what it refused to open before is over."""
    for problem in tx.problems.open():
        if problem.kind is ProblemKind.CHECKOUT_REFUSED:
            tx.problems.resolve(problem.kind, problem.subject)
