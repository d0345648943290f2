"""Put an email into the outbox, in the transaction that caused it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.access import waits
from domain.emails import AccessLink, Email, LicenceLine, WaiverLine
from domain.frozen import maker
from domain.magic_link import LinkPurpose, MagicLink, tries_so_far
from domain.mail import Mail, MailKind, Urgency, urgency_of
from domain.product import CatalogueEdition, ShopInfo
from domain.purchase import LicenceKey, Purchase, Source, order_number
from domain.transaction import ReadTransaction, Transaction
from domain.values import EmailAddress, Money, ProductId
from domain.waiver import Waiver

_mail = maker(Mail)
_access_link = maker(AccessLink)
_KIND_OF: Final = {
    LinkPurpose.ACCESS: MailKind.ACCESS,
    LinkPurpose.LOGIN: MailKind.LOGIN,
    LinkPurpose.ORDER: MailKind.ORDER,
    LinkPurpose.MOVE: MailKind.ADDRESS,
    LinkPurpose.UNDO: MailKind.ADDRESS,
    LinkPurpose.OWNER: MailKind.ORDER,
    LinkPurpose.WITHDRAWAL: MailKind.WITHDRAWAL,
}


def send_email(
    tx: Transaction,
    email: Email,
    *,
    key: str,
    kind: MailKind,
    to: EmailAddress,
    now: datetime,
    key_name: str | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Queue an email without a link under a key of `domain.outbox_keys`; whether it was not there yet.

    `key_name`: which secret fills its slots; None for an email without any. `due_at`: not before; None for at once.
    """
    return tx.outbox.queue(
        Mail(
            key=key,
            kind=kind,
            to=to,
            email=email,
            link=None,
            key_name=key_name,
            queued_at=now,
            due_at=due_at or now,
            urgency=urgency_of(kind),
            language="" if kind is MailKind.NOTICE else language_of(tx, to),
        )
    )


def language_of(tx: ReadTransaction, mailbox: EmailAddress) -> str:
    """What emails to an address are in; "" for the shop's first language."""
    user = tx.users.by_address(mailbox)
    return "" if user is None else user.language


def send_link(
    tx: Transaction,
    link: MagicLink,
    email: Email,
    *,
    urgency: Urgency,
    key: str | None = None,
    language: str | None = None,
) -> None:
    """Write a link, and queue the email that carries it to the address it verifies. Codes of a browser share tries.

    `key`: None for an email that was asked for and is about no sale; its link is another each time. `language`: None
    for that of the user with this address.
    """
    if link.asked_by is not None:
        link = replace(link, code_tries=tries_so_far(tx.links.with_code(link.asked_by), now=link.made_at))
    tx.links.add(link)
    tx.outbox.queue(
        _mail(
            key=key or outbox_keys.of_link(link),
            kind=_KIND_OF[link.purpose],
            to=link.mailbox,
            email=email,
            link=link.id,
            key_name=link.key,
            queued_at=link.made_at,
            due_at=link.made_at,
            urgency=urgency,
            language=language_of(tx, link.mailbox) if language is None else language,
        )
    )


def access_email(
    purchase: Purchase,
    licences: tuple[LicenceKey, ...],
    *,
    edition: CatalogueEdition,
    now: datetime | None = None,
) -> AccessLink:
    """The access email of a purchase: the same whenever and from wherever it is queued. `licences`: those to show.

    `now`: of one that is sent again, which does not say when the purchase opens once it does.
    """
    waiting = purchase.opens_at if now is None or waits(purchase, now=now) else None
    of, currency = purchase.breakdown, purchase.paid.currency
    return _access_link(
        product_name=purchase.product_name,
        paid=purchase.paid,
        order=order_number(purchase.checkout),
        licences=tuple(licence_line(item, purchase, edition=edition) for item in licences),
        # Of drafts, and of what the catalogue has no more, nobody gets a picture.
        product=ProductId("") if edition.shown(purchase.product) is None else purchase.product,
        price=purchase.price if of else None,
        discount=Money(of.discount, currency) if of.discount else None,
        tax=Money(of.tax, currency) if of.tax else None,
        tax_on_top=of.tax_on_top,
        granted=purchase.source is Source.GRANT,
        waiver=None if purchase.waiver is None else waiver_line(purchase.waiver, edition=edition),
        opens_at="" if waiting is None else waiting.isoformat(),
    )


def waiver_line(waiver: Waiver, *, edition: CatalogueEdition) -> WaiverLine | None:
    """A waiver in full; None if a newer version of the shop asked for it, whose text this one does not know."""
    text = edition.shop.law.text_of(waiver.text)
    if text is None:
        return None
    given_at = waiver.given_at.isoformat()
    return WaiverLine(given_at, waiver.language, sentences=text.sentences, text=waiver.text)


def licence_line(licence: LicenceKey, purchase: Purchase, *, edition: CatalogueEdition) -> LicenceLine:
    """A licence key, with the name of its product if that is another than the one that was bought."""
    of = "" if licence.product == purchase.product else edition.name_of(licence.product)
    return LicenceLine(key=licence.key, of=of)


def notify_merchant(tx: Transaction, email: Email, *, key: str, shop: ShopInfo, now: datetime) -> None:
    """An email to the shop's support address, once for each key."""
    send_email(tx, email, key=key, kind=MailKind.NOTICE, to=shop.support, now=now)
