"""Show the merchant one sale: its state and the reason, its money, what it opens, and what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from domain import outbox_keys
from domain.access import Holding
from domain.fact import Fact, FactKind
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.mail import Mail, MailKind
from domain.note import Note
from domain.ports import Clock, Store
from domain.purchase import Checkout, PurchaseState
from domain.records import Download, User
from domain.refund import RefundRequest, refundable
from domain.sale_list import SaleState, sale_state
from domain.timeline import Entry, Happened, is_about_sale, timeline
from domain.transaction import ReadTransaction
from domain.usecases.waiver_proofs import proof_of
from domain.values import CheckoutId
from domain.waiver_proof import WaiverProof


@frozen
class StateReason:
    """Why a sale is in its state."""

    state: SaleState
    since: datetime | None
    """The provider's second of the fact that decided it; None for what was never anything else."""
    decided_by: Fact | None
    opens_by: Holding | None
    """It is closed, and yet its owner opens the product: by this other purchase."""


@frozen
class SaleMoney:
    """What was paid and what went back, in minor units of the sale's currency."""

    paid: int
    discount: int
    tax: int
    tax_on_top: bool
    refunded: int
    charged_back: int
    movements: Sequence[Fact]
    """Every refund and dispute, whatever came of it, the oldest first."""

    @property
    def net(self) -> int:
        """What is left."""
        return self.paid - self.refunded - self.charged_back


@frozen
class SaleShown:
    """One sale, as of `now`."""

    now: datetime
    held: Holding
    checkout: Checkout | None
    user: User | None
    """Its customer; None if it has no address, or its buyer was erased."""
    erased_at: datetime | None
    """When its buyer was erased."""
    counts: bool
    """False for a test purchase of a shop that has gone live: it opens nothing, and is in no sum."""
    reason: StateReason
    money: SaleMoney
    others: Sequence[Holding]
    """The other purchases of its customer, the newest first."""
    downloads: Sequence[Download]
    timeline: Sequence[Entry]
    requests: Sequence[RefundRequest]
    """The refunds that were asked for here, the oldest first, whatever came of them."""
    refundable: int
    """What can still be refunded, in minor units."""
    access_mail: Mail | None
    """The latest email that its customer gets in by; None if there is none."""
    note: Note | None
    """The internal note."""
    waiver: WaiverProof | None = None
    """Of the right of withdrawal; None if nothing was waived."""

    @property
    def erased(self) -> bool:
        """Whether its buyer was erased."""
        return self.erased_at is not None


@frozen
class ShowSale:
    """The page of one sale. Reads only, one committed state, beside the customers (`Store.survey`)."""

    store: Store
    clock: Clock

    async def __call__(self, checkout: CheckoutId) -> SaleShown | None:
        """None if there is no such sale. Raises StoreUnavailable."""
        now = self.clock.now()
        return await self.store.survey(lambda tx: _show(tx, checkout, now))


def _show(tx: ReadTransaction, checkout: CheckoutId, now: datetime) -> SaleShown | None:
    held = tx.purchases.with_facts(checkout)
    if held is None:
        return None
    purchase = held.purchase
    mailbox = purchase.mailbox
    others = (
        [] if mailbox is None else [h for h in tx.purchases.of_address(mailbox) if h.purchase != purchase]
    )
    downloads = tx.downloads.of_purchase(checkout)
    begun, requests = tx.checkouts.get(checkout), tx.refund_requests.of_purchase(checkout)
    happened = _happened(tx, held, begun, downloads)
    return SaleShown(
        now=now,
        held=held,
        checkout=begun,
        user=None if mailbox is None else tx.users.by_address(mailbox),
        erased_at=tx.erasures.erased_at([checkout]).get(checkout),
        counts=purchase.livemode is not False or tx.shop.cursor(STARTED_LIVE) is None,
        reason=reason_of(held, others),
        money=money_of(held),
        others=others[::-1],
        downloads=downloads,
        timeline=timeline(happened),
        requests=requests,
        refundable=refundable(held, requests),
        access_mail=_latest_access(happened.mails),
        note=tx.notes.get(checkout),
        waiver=proof_of(tx, purchase),
    )


def _latest_access(mails: Sequence[Mail]) -> Mail | None:
    access = [mail for mail in mails if mail.kind is MailKind.ACCESS]
    return max(access, key=lambda mail: (mail.queued_at, mail.key), default=None)


def _happened(
    tx: ReadTransaction, held: Holding, begun: Checkout | None, downloads: Sequence[Download]
) -> Happened:
    purchase = held.purchase
    access = tx.outbox.get(outbox_keys.access(purchase.checkout))
    changes = [tx.address_changes.correction_of(purchase.checkout)]
    mails = [] if access is None else [access]
    links = tx.links.used_for(purchase.checkout, purchase.mailbox)
    if purchase.mailbox is not None:
        to_them = tx.outbox.to_address(purchase.mailbox)
        mails += [mail for mail in to_them if is_about_sale(mail, purchase) and mail not in mails]
        changes += [
            move
            for move in tx.address_changes.of_address(purchase.mailbox)
            if purchase.checkout in move.checkouts and move not in changes
        ]
    return Happened(
        checkouts=[] if begun is None else [begun],
        holdings=[held],
        mails=mails,
        links=[link for link in links if link.product in (None, *purchase.products)],
        downloads=downloads,
        changes=[move for move in changes if move is not None],
        lines=tx.audit.about([purchase.checkout, *(mail.key for mail in mails)]),
    )


def reason_of(held: Holding, others: Sequence[Holding]) -> StateReason:
    """The state of a sale, with the fact that decided it, among the other purchases of its customer."""
    standing = held.standing
    decisive = [f for f in held.facts if (f.gone or f.suspends) and f.as_of == standing.since]
    closed = standing.state is not PurchaseState.LIVE
    opening = [
        other
        for other in others
        if other.standing.state is PurchaseState.LIVE and held.purchase.product in other.purchase.products
    ]
    return StateReason(
        state=sale_state(held),
        since=None if standing.since is None else datetime.fromtimestamp(standing.since, UTC),
        decided_by=max(decisive, key=lambda fact: fact.weight) if decisive else None,
        opens_by=opening[-1] if closed and opening else None,
    )


def money_of(held: Holding) -> SaleMoney:
    """What was paid for a purchase, and what went back."""
    purchase = held.purchase
    movements = [fact for fact in held.facts if fact.kind in (FactKind.REFUND, FactKind.DISPUTE)]
    return SaleMoney(
        paid=purchase.paid.amount,
        discount=purchase.breakdown.discount,
        tax=purchase.breakdown.tax,
        tax_on_top=purchase.breakdown.tax_on_top,
        refunded=held.refunded,
        charged_back=held.charged_back,
        movements=sorted(movements, key=lambda fact: (fact.as_of, fact.object_id)),
    )
