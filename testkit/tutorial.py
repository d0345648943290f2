"""The tutorial's way, as negative controls: a bench that does not catch these proves nothing."""

from __future__ import annotations

from dataclasses import replace

from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Mail, MailKind
from domain.purchase import Purchase, Source
from domain.transaction import Transaction
from domain.usecases.send_email import access_email
from domain.values import CheckoutId, EmailAddress, LinkId, UserId
from entrypoints.testing import Browser, Shop
from testkit.races import ANNA, Begin
from testkit.stepping import pause


def _sale(shop: Shop, ref: str, row: str, user: UserId) -> Purchase:
    checkout = next(c for c in shop.memory.tables.checkouts.values() if c.provider_ref == ref)
    return Purchase(
        checkout=CheckoutId(row), provider_ref=checkout.provider_ref, payment=None, user=user,  # type: ignore[arg-type]
        mailbox=EmailAddress(ANNA), paid_email=None, product=checkout.product, product_name=checkout.product_name,
        paid=checkout.price, livemode=False, session=checkout.session, booked_at=shop.clock.now(), source=Source.SALE,
    )  # fmt: skip


async def _check(shop: Shop, ref: str) -> bool:
    """`next(buys.rows_where("sess_id = ?", [s.id]), None)`: a look, and then others have their turn."""
    found = any(p.provider_ref == ref for p in shop.memory.tables.purchases.values())
    await pause("checked")
    return found


async def _insert(shop: Shop, ref: str, *, unique: bool) -> None:
    row = ref if unique else shop.randomness.token(8).hex()
    users = [u.id for u in shop.memory.tables.users.values()] or [UserId("user")]
    sale = _sale(shop, ref, row, users[0])

    def work(tx: Transaction) -> None:
        user = tx.users.get_or_add(EmailAddress(ANNA), new_id=users[0], now=shop.clock.now())
        tx.purchases.book(replace(sale, user=user))

    await shop.store.transact(work)


async def _mail(shop: Shop, ref: str) -> None:
    link = LinkId(shop.randomness.token(16).hex())
    key = shop.keyring.signing.name
    now = shop.clock.now()
    sale = next(p for p in shop.memory.tables.purchases.values() if p.provider_ref == ref)

    def work(tx: Transaction) -> None:
        tx.links.add(MagicLink(id=link, key=key, purpose=LinkPurpose.ACCESS, mailbox=EmailAddress(ANNA),
                                 asked_by=None, product=None, made_at=now))  # fmt: skip
        tx.outbox.queue(Mail(key=f"access:{link}", kind=MailKind.ACCESS, to=EmailAddress(ANNA),
                         email=access_email(sale, sale.licences, edition=shop.edition), link=link, key_name=key,
                         queued_at=now, due_at=now))  # fmt: skip

    await shop.store.transact(work)


def check_then_insert(shop: Shop, browser: Browser, ref: str, number: int) -> tuple[Begin, Begin]:
    """Both sides look whether the sale is there, and insert it if not. No uniqueness in the schema."""

    async def redirect() -> None:
        if not await _check(shop, ref):
            await _insert(shop, ref, unique=False)

    async def webhook() -> None:
        if not await _check(shop, ref):
            await _insert(shop, ref, unique=False)
            await _mail(shop, ref)

    return redirect, webhook


def mail_hangs_on_the_webhook(shop: Shop, browser: Browser, ref: str, number: int) -> tuple[Begin, Begin]:
    """The same with a unique sale: but the mail is sent only by a webhook that came first."""

    async def redirect() -> None:
        if not await _check(shop, ref):
            await _insert(shop, ref, unique=True)

    async def webhook() -> None:
        if not await _check(shop, ref):
            await _insert(shop, ref, unique=True)
            await _mail(shop, ref)

    return redirect, webhook
