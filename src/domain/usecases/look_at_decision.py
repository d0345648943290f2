"""Before a purchase is closed or restored by hand: what its customer will be told."""

from __future__ import annotations

from datetime import datetime

from domain.access import Holding
from domain.decision import decided, merchant_object
from domain.emails import Email
from domain.fact import MerchantStatus
from domain.frozen import frozen
from domain.mail import Letter
from domain.ports import Catalogue, Clock, EmailNotRendered, EmailTemplates, Store
from domain.purchase import Standing, is_revoking
from domain.transaction import ReadTransaction
from domain.usecases.restore_purchase import opening_email
from domain.usecases.revoke_purchase import closing_email, with_decision
from domain.values import CheckoutId, EmailAddress


@frozen
class DecisionSeen:
    """What a decision would come to now."""

    standing: Standing
    """What the purchase would be: the customer reads why on its page."""
    to: EmailAddress | None
    """Who would be emailed; None for nobody."""
    letter: Letter | None
    """What the email says; None without one, or if its template fails."""


@frozen
class LookAtDecision:
    """Reads only."""

    store: Store
    catalogue: Catalogue
    templates: EmailTemplates
    clock: Clock
    base_url: str

    async def __call__(self, order: CheckoutId, status: MerchantStatus) -> DecisionSeen | None:
        """None if there is no such sale. Raises StoreUnavailable."""
        now = self.clock.now()
        found = await self.store.read(lambda tx: _told(tx, order, status, now=now))
        if found is None:
            return None
        after, email = found
        if email is None:
            return DecisionSeen(standing=after.standing, to=None, letter=None)
        shop = self.catalogue.current().shop
        try:
            letter = self.templates.render(email, language="", shop=shop, base_url=self.base_url)
        except EmailNotRendered:
            letter = None
        return DecisionSeen(standing=after.standing, to=after.purchase.mailbox, letter=letter)


def _told(
    tx: ReadTransaction, order: CheckoutId, status: MerchantStatus, *, now: datetime
) -> tuple[Holding, Email | None] | None:
    """The purchase with the decision, and the email about it."""
    held = tx.purchases.with_facts(order)
    if held is None:
        return None
    before = next((fact for fact in held.facts if fact.object_id == merchant_object(order)), None)
    after = with_decision(held, decided(before, order, status, now=now, facts=held.facts))
    revoked = [fact for fact in held.facts if is_revoking(fact, held.facts)]
    if status is MerchantStatus.RESTORED:
        return after, opening_email(after) if revoked else None
    if any(not fact.request for fact in revoked):
        return after, None
    mailbox = held.purchase.mailbox
    theirs = [] if mailbox is None else tx.purchases.of_address(mailbox)
    return after, closing_email(held, [one for one in theirs if one.purchase.checkout != order])
