"""Whether somebody may do something, asked before anything else is looked at; a refusal is written down."""

from __future__ import annotations

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed, Verdict, verdict
from domain.staff import Actor
from domain.usecases.authorise import refusal


@frozen
class AskRight:
    """For pages, which would otherwise show why something cannot be done to somebody who may not do it."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, action: AuditAction, object_id: str, *, actor: Actor, form: str
    ) -> NotAllowed | None:
        """None if they may. The use case of the action asks again. Raises StoreUnavailable."""
        if verdict(actor, action) is Verdict.MAY:
            return None
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        return await self.store.transact(lambda tx: refusal(tx, action, object_id, asked=asked))
