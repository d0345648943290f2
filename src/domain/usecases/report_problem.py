"""Note what does not work until the merchant mends it, and notify them of each cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.emails import ProviderProblem
from domain.payment_account import CheckoutTrial, shown_to_work
from domain.product import CatalogueEdition, ShopInfo
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


def works_again(tx: Transaction, *, edition: CatalogueEdition, opened: Sequence[CheckoutTrial]) -> None:
    """The provider opened these payment pages: what it refused before is over where they show it.

    A cause is one problem for all its products (`Problems.resolve`), so it goes on while one that is on sale is not
    shown to work.
    """
    works = shown_to_work(edition, opened)
    refused = [problem for problem in tx.problems.open() if problem.kind is ProblemKind.CHECKOUT_REFUSED]
    sold = {product.id for product in edition.products.values() if product.on_sale}
    lasting = {problem.detail for problem in refused if problem.subject in sold - works}
    for problem in refused:
        if problem.subject in works and problem.detail not in lasting:
            tx.problems.resolve(problem.kind, problem.subject)
