"""List withdrawals for the merchant, and show one with its purchase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.access import Holding
from domain.frozen import frozen
from domain.ports import Store
from domain.refund import refundable
from domain.transaction import ReadTransaction
from domain.usecases.waiver_proofs import proof_of
from domain.values import Money
from domain.waiver_proof import WaiverProof
from domain.withdrawal import Withdrawal

PAGE: Final = 50


@frozen
class WithdrawalSeen:
    """One withdrawal, and the purchase that it is about. `left`: what can still be refunded of that."""

    withdrawal: Withdrawal
    held: Holding | None
    left: Money | None = None
    waiver: WaiverProof | None = None
    """What is known of its waiver, if it has one."""

    @property
    def waived(self) -> bool:
        """Whether the right of withdrawal was lost: the merchant need not accept."""
        return self.waiver is not None and self.waiver.holds


@frozen
class ListWithdrawals:
    """The page "Withdrawals". Reads only, beside the customers (`Store.survey`). Raises StoreUnavailable."""

    store: Store

    async def __call__(self, *, matched: bool, before: str = "") -> Sequence[WithdrawalSeen]:
        """Fifty-one, the newest first, before the one of this id: the last says that there are more."""

        def work(tx: ReadTransaction) -> Sequence[WithdrawalSeen]:
            found = tx.withdrawals.page_before(before, matched=matched, limit=PAGE + 1)
            return [_seen(tx, one) for one in found]

        return await self.store.survey(work)

    async def one(self, withdrawal: str) -> WithdrawalSeen | None:
        """The one of that id."""

        def work(tx: ReadTransaction) -> WithdrawalSeen | None:
            found = tx.withdrawals.get(withdrawal)
            return None if found is None else _seen(tx, found)

        return await self.store.survey(work)


def _seen(tx: ReadTransaction, one: Withdrawal) -> WithdrawalSeen:
    held = None if one.checkout is None else tx.purchases.with_facts(one.checkout)
    if held is None:
        return WithdrawalSeen(one, None)
    left = refundable(held, tx.refund_requests.of_purchase(held.purchase.checkout))
    return WithdrawalSeen(one, held, Money(left, held.purchase.paid.currency), proof_of(tx, held.purchase))
