"""Replace a licence key by hand: the old one is not valid any more, the new one is emailed, and one audit line."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from domain import outbox_keys
from domain.access import Holding
from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.emails import LicenceArrived
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import KEYS_BY_SUPPORT
from domain.mail import MailKind
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.product import CatalogueEdition
from domain.purchase import LicenceKey, Purchase, PurchaseState, order_number
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.daily_limit import over_limit
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.send_email import licence_line, send_email
from domain.values import CheckoutId, ProductId


class WhyNotReplaced(Enum):
    """Why no licence key was replaced."""

    NO_REASON = auto()
    """It is empty, or too long."""
    NO_SUCH_ORDER = auto()
    NO_KEY = auto()
    """The purchase has no key of that product."""
    WHICH = auto()
    """It has keys of several products, and none was named."""
    NOT_OPEN = auto()
    """The purchase is closed or in dispute, so its keys are not shown to its customer either."""
    NO_KEYS = auto()
    """The list of the product is used up."""


@frozen
class NotReplaced:
    """The key stays. `order`: the one that the reason is about."""

    why: WhyNotReplaced
    order: Purchase | None = None


@frozen
class KeyReplaced:
    """The purchase has another key, now or since the same form was submitted before."""

    order: Purchase
    told: bool
    """Whether the customer is emailed."""


Replacing = KeyReplaced | NotReplaced | NotAllowed | SeveralOrders


@frozen
class ReplaceKey:
    """`coatcheck replace-key`. Of a list, the next free key; of a product whose keys are generated, a new one."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, order: str, product: ProductId | None = None, *, actor: Actor, form: str, reason: str
    ) -> Replacing:
        """`order`: see `find_order`. `product`: of a bundle, whose key; None if there is one key only.

        Raises StoreUnavailable.
        """
        now, why, edition = self.clock.now(), reason_of(reason), self.catalogue.current()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> Replacing:
            before = _replaced_before(tx, form)
            if before is not None:
                return before
            held = find_order(tx, order)
            if held is None or isinstance(held, SeveralOrders):
                return held or NotReplaced(WhyNotReplaced.NO_SUCH_ORDER)
            purchase, key = held.purchase, _key_of(held, product)
            if why is None:
                return NotReplaced(WhyNotReplaced.NO_REASON, purchase)
            if isinstance(key, WhyNotReplaced):
                return NotReplaced(key, purchase)
            action, listed = AuditAction.REPLACE_KEY, _is_listed(edition, key.product)
            not_allowed = refusal(tx, action, purchase.checkout, asked=asked)
            if not_allowed is None and listed and not tx.licences.any_free(key.product):
                return NotReplaced(WhyNotReplaced.NO_KEYS, purchase)
            not_allowed = not_allowed or over_limit(
                tx, KEYS_BY_SUPPORT, action, purchase.checkout, asked=asked, keyring=self.keyring
            )
            if not_allowed is not None:
                return not_allowed
            fresh = self._replace(tx, purchase, key, listed=listed, now=now)
            write_down(tx, asked.line(action, purchase.checkout, reason=why))
            mail_key = outbox_keys.licence_replaced(purchase.checkout, fresh.product, asked.id)
            told = _tell(tx, purchase, fresh, key=mail_key, edition=edition, now=now)
            return KeyReplaced(tx.purchases.get(purchase.checkout) or purchase, told)

        return await self.store.transact(work)

    def _replace(
        self, tx: Transaction, purchase: Purchase, key: LicenceKey, *, listed: bool, now: datetime
    ) -> LicenceKey:
        replaced = [one for one in tx.licences.replaced_of(purchase.checkout) if one.product == key.product]
        signing = self.keyring.signing
        generated = signing.licence_of(purchase.checkout, key.product, replaced=len(replaced) + 1)
        fresh = tx.licences.replace(
            key.product, checkout=purchase.checkout, at=now, generated=None if listed else generated
        )
        if fresh is None:
            raise AssertionError(f"purchase {purchase.checkout} has a key, and one is free")
        return fresh


def _is_listed(edition: CatalogueEdition, product: ProductId) -> bool:
    """Whether a product's keys stand in a list of the merchant's."""
    sold = edition.products.get(product)
    return sold is not None and sold.licences is not None and sold.licences.listed is not None


def _replaced_before(tx: ReadTransaction, form: str) -> KeyReplaced | None:
    done = tx.audit.by_form(form)
    purchase = None if done is None else tx.purchases.get(CheckoutId(done.object_id))
    if done is None or purchase is None:
        return None
    keys = [
        outbox_keys.licence_replaced(purchase.checkout, item.product, done.id) for item in purchase.licences
    ]
    return KeyReplaced(purchase, any(tx.outbox.get(key) is not None for key in keys))


def _key_of(held: Holding, product: ProductId | None) -> LicenceKey | WhyNotReplaced:
    keys = [item for item in held.purchase.licences if product in (None, item.product)]
    if not keys:
        return WhyNotReplaced.NO_KEY
    if held.standing.state is not PurchaseState.LIVE:
        return WhyNotReplaced.NOT_OPEN
    return keys[0] if len(keys) == 1 else WhyNotReplaced.WHICH


def _tell(
    tx: Transaction, purchase: Purchase, fresh: LicenceKey, *, key: str, edition: CatalogueEdition, now: datetime
) -> bool:  # fmt: skip
    if purchase.mailbox is None:
        return False
    email = LicenceArrived(
        product_name=purchase.product_name, licence=licence_line(fresh, purchase, edition=edition),
        order=order_number(purchase.checkout), replaces=True,
    )  # fmt: skip
    return send_email(tx, email, key=key, kind=MailKind.UPDATE, to=purchase.mailbox, now=now)
