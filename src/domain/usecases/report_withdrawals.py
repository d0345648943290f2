"""Notify the merchant of withdrawals, at most once an hour, and accept those that shop.toml lets be accepted."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from domain import outbox_keys
from domain.frozen import frozen
from domain.ports import Catalogue, Clock, Store
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.decide_withdrawal import DecideWithdrawal
from domain.usecases.send_email import notify_merchant
from domain.usecases.waiver_proofs import proof_of
from domain.usecases.withdrawal_outcomes import DecidedOn
from domain.withdrawal import Withdrawal, in_time, is_payers
from domain.withdrawal_emails import WithdrawalsNoted

_REPORTED: Final = "withdrawals reported"
"""The cursor of the moment of the last email."""
_EVERY: Final = timedelta(hours=1)
_AT_ONCE: Final = 200
_SHOP: Final = Actor.on_host("shop.toml")
"""Whoever wrote `[law]` there decided it."""


@frozen
class ReportWithdrawals:
    """Run by a timer, any number of times and on any number of nodes."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    decide: DecideWithdrawal

    async def __call__(self) -> int:
        """How many withdrawals were accepted. Raises StoreUnavailable."""
        now, shop = self.clock.now(), self.catalogue.current().shop

        def report(tx: Transaction) -> None:
            last = tx.shop.cursor(_REPORTED)
            if last is not None and now - last < _EVERY:
                return
            matched, unmatched = tx.withdrawals.take_unreported()
            if matched or unmatched:
                email = WithdrawalsNoted(str(matched or ""), str(unmatched or ""))
                notify_merchant(tx, email, key=outbox_keys.withdrawals(now), shop=shop, now=now)
                tx.shop.advance_cursor(_REPORTED, to=now)

        await self.store.transact(report)
        return await self._accept() if shop.law.refunds_at_once else 0

    async def _accept(self) -> int:
        accepted = 0
        for one in await self.store.read(self._certain):
            form = hashlib.sha256(f"withdrawal {one.id}".encode()).hexdigest()[:32]
            accepted += isinstance(await self.decide.accept(one.id, actor=_SHOP, form=form), DecidedOn)
        return accepted

    def _certain(self, tx: ReadTransaction) -> list[Withdrawal]:
        """Those that came in time, are confirmed by who paid, and are not about what was waived and opened."""
        zone = self.catalogue.current().shop.zone
        found = []
        for one in tx.withdrawals.open(limit=_AT_ONCE):
            held = None if one.checkout is None else tx.purchases.with_facts(one.checkout)
            if held is None or one.proved_at is None or not is_payers(held):
                continue
            proof = proof_of(tx, held.purchase)
            if in_time(held.purchase, one.received_at, zone) and not (proof is not None and proof.holds):
                found.append(one)
        return found
