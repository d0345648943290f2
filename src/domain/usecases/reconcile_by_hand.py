"""The merchant has the payment provider asked now, instead of waiting for the timer."""

from __future__ import annotations

from collections.abc import Callable

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.reconcile import Reconcile
from domain.usecases.reconcile_outcome import Reconciled


@frozen
class ReconcileByHand:
    """`coatcheck reconcile`: the same sweep, with its audit line. Sweeping again does nothing twice."""

    store: Store
    reconcile: Reconcile
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, *, actor: Actor, form: str, look: Callable[[Reconciled], None] = lambda found: None
    ) -> Reconciled | NotAllowed:
        """Raises as `Reconcile` does; the line is written before."""
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> NotAllowed | None:
            shop = tx.shop.id() or ""
            refused = refusal(tx, AuditAction.RECONCILE, shop, asked=asked)
            if refused is None:
                write_down(tx, asked.line(AuditAction.RECONCILE, shop))
            return refused

        return await self.store.transact(work) or await self.reconcile(look=look)
