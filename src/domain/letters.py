"""What each mail says."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from domain.mail import CODE_SLOT, LINK_SLOT, Letter, opt_out_slot
from domain.mail_layout import Block, Button, Code, Note, Paragraph, lay_out
from domain.product import CatalogueEdition, GoodsFile, ShopInfo
from domain.purchase import Checkout, LicenceKey, Purchase
from domain.values import EmailAddress, Money, ProductId, UserId

_ORDER_SLOT: Final = "{{coatcheck:order}}"


def _letter(subject: str, *blocks: Block, shop: ShopInfo) -> Letter:
    text, html = lay_out(blocks, title=subject, shop=shop.name, support=shop.support.canonical)
    return Letter(subject=subject, text=text, html=html)


def order_number(purchase: Purchase | Checkout) -> str:
    """What an order is called between people: the first twelve characters of its checkout's id."""
    return (purchase.checkout if isinstance(purchase, Purchase) else purchase.id)[:12]


# ---------------------------------------------------------------------------------------------- tickets and logins


def ticket_letter(purchase: Purchase, *, edition: CatalogueEdition) -> Letter:
    """The ticket: what was bought, and the link that brings the buyer back. Never a code."""
    shop = edition.shop
    if purchase.licences:
        return _ticket_with_licences(purchase, edition=edition)
    letter = _ticket(purchase.product_name, _price(purchase.paid), shop)
    order = order_number(purchase)
    return Letter(
        subject=letter.subject,
        text=letter.text.replace(_ORDER_SLOT, order),
        html=letter.html.replace(_ORDER_SLOT, order),
    )


@lru_cache(maxsize=256)
def _ticket(product_name: str, paid: str, shop: ShopInfo) -> Letter:
    """Alike for every buyer of a product but for the order's number, so it is laid out once."""
    return _letter(
        f"Your ticket: {product_name}", *_opening(product_name, paid), _closing(_ORDER_SLOT), shop=shop
    )


def _ticket_with_licences(purchase: Purchase, *, edition: CatalogueEdition) -> Letter:
    name = purchase.product_name
    keys = [Paragraph(_licence_line(item, purchase, edition=edition)) for item in purchase.licences]
    return _letter(
        f"Your ticket: {name}",
        *_opening(name, _price(purchase.paid)),
        *keys,
        _closing(order_number(purchase)),
        shop=edition.shop,
    )


def _opening(name: str, paid: str) -> tuple[Block, ...]:
    return (
        Paragraph(f"Thank you for {'buying' if paid else 'choosing'} {name}{f' ({paid})' if paid else ''}."),
        Paragraph("This is your ticket. It opens what you bought, on any device:"),
        Button(label=f"Open {name}", url=LINK_SLOT),
        Note(
            "The button works once, for 24 hours. After that, or on another device, ask for a new one at the shop "
            "with this e-mail address. There is no password."
        ),
    )


def _closing(order: str) -> Note:
    return Note(f"Order {order}.")


def _price(paid: Money) -> str:
    return str(paid) if paid.amount else ""


def _licence_line(licence: LicenceKey, purchase: Purchase, *, edition: CatalogueEdition) -> str:
    of = "" if licence.product == purchase.product else f" of {edition.name_of(licence.product)}"
    return f"Your licence key{of}: {licence.key}"


def login_letter(*, shop: ShopInfo) -> Letter:
    """The mail somebody asked for at the door: link and code, what they do, and whom to tell them: nobody."""
    return _letter(
        f"Come in to {shop.name}",
        Paragraph(f"Somebody, we hope you, asked to come in to {shop.name} with this e-mail address."),
        Button(label="Come in", url=LINK_SLOT),
        *_code(),
        Note(
            "Link and code sign you in and open everything you bought here. They work once, for 15 minutes; the code "
            "only in the browser that asked."
        ),
        _KEEP_TO_YOURSELF,
        shop=shop,
    )


_KEEP_TO_YOURSELF: Final = Note(
    "Never read the code to anyone. We will never ask you for it. If you did not ask, do nothing."
)


def _code() -> tuple[Block, ...]:
    return (Paragraph("Or type this code on the page where you asked:"), Code(CODE_SLOT))


def order_letter(product_name: str, *, shop: ShopInfo) -> Letter:
    """Something free was ordered with this address: it is theirs once they prove that the mailbox is."""
    return _letter(
        f"Confirm your order: {product_name}",
        Paragraph(f"Somebody, we hope you, ordered {product_name} with this e-mail address. It is free."),
        Button(label=f"Yes, open {product_name}", url=LINK_SLOT),
        *_code(),
        Note("Link and code complete the order and sign you in. They work once, for 15 minutes."),
        _KEEP_TO_YOURSELF,
        shop=shop,
    )


# ---------------------------------------------------------------------------------------------- after the sale


def payment_failed_letter(checkout: Checkout, *, base_url: str, shop: ShopInfo) -> Letter:
    """The bank turned a delayed payment down."""
    name = checkout.product_name
    return _letter(
        f"Your payment did not go through: {name}",
        Paragraph(f"Your bank turned down the payment of {checkout.price} for {name}. Nothing was charged."),
        Paragraph("You can try again, perhaps in another way:"),
        Button(label=f"Back to {name}", url=f"{base_url}/products/{checkout.product}"),
        _closing(order_number(checkout)),
        shop=shop,
    )


def refunded_letter(
    purchase: Purchase, *, refunded: Money, in_all: Money, closed: bool, shop: ShopInfo
) -> Letter:
    """Money went back: all of it, and the purchase is closed; or a part, and it stays open."""
    name = purchase.product_name
    if closed:
        words = f"{name} is closed now. Thank you for having been here."
    elif in_all.amount > refunded.amount:
        words = f"That makes {in_all} of the {purchase.paid} that you paid. {name} stays open for you."
    else:
        words = f"You had paid {purchase.paid}. {name} stays open for you."
    return _letter(
        f"Your refund: {name}",
        Paragraph(f"We sent {refunded} back to you for {name}. Banks take up to ten days to show it."),
        Paragraph(words),
        _closing(order_number(purchase)),
        shop=shop,
    )


def open_again_letter(purchase: Purchase, *, base_url: str, shop: ShopInfo) -> Letter:
    """A refund failed, or a dispute ended well: what was closed opens again."""
    name = purchase.product_name
    return _letter(
        f"Open again: {name}",
        Paragraph(f"{name} is open for you again: what stood against it is settled."),
        Button(label=f"Open {name}", url=f"{base_url}/view/{purchase.product}"),
        Note("If the shop asks who you are, use this e-mail address."),
        _closing(order_number(purchase)),
        shop=shop,
    )


def licence_letter(purchase: Purchase, licence: LicenceKey, *, edition: CatalogueEdition) -> Letter:
    """The licence key that was missing when the ticket was sent."""
    return _letter(
        f"Your licence key: {purchase.product_name}",
        Paragraph(_licence_line(licence, purchase, edition=edition)),
        Paragraph("It is in your library, too. Thank you for waiting."),
        _closing(order_number(purchase)),
        shop=edition.shop,
    )


def news_letter(
    *,
    product: ProductId,
    name: str,
    files: tuple[GoodsFile, ...],
    user: UserId,
    base_url: str,
    shop: ShopInfo,
) -> Letter:
    """A new version of something one owns, and the way to hear no more of that."""
    listed = tuple(Paragraph(f"{file.title} ({file.name})") for file in files)
    return _letter(
        f"A new version: {name}",
        Paragraph(f"There is a new version of {name}, which you own. You can download it whenever you like:"),
        *listed,
        Button(label=f"Open {name}", url=f"{base_url}/view/{product}"),
        Note(f"No more mails like this: {opt_out_slot(user)}"),
        shop=shop,
    )


# ---------------------------------------------------------------------------------------------- whose address it is


def prove_address_letter(
    *, shop: ShopInfo, what: str, to: EmailAddress, here_only: bool, merges: bool
) -> Letter:
    """To a new address: what would move to it, and how to confirm that.

    `here_only`: a change of a whole account completes only in the browser that asked; elsewhere its link shows a code.
    """
    asked = f"{shop.name} was asked to move {what} to this address, {to}."
    if merges:
        asked += f" {to} has purchases of its own: both would be in one account."
    if here_only:
        how = "If you asked for this, type the code in the browser where you asked, or open the link there."
        warning = (
            "Never pass the code on: it signs the browser that asked in to your account. We will never ask you for it. "
            "If you did not ask, do nothing."
        )
    else:
        how = (
            "If this is right, confirm it. The purchase then belongs to this address. The browser that paid can open "
            "it until a day after the payment."
        )
        warning = (
            "Never pass the code on: it signs the browser that asked in to your account. We will never ask you for it. "
            "If you know nothing of this order, do nothing."
        )
    return _letter(
        "Confirm your new address" if here_only else "Is this your order?",
        Paragraph(asked),
        Paragraph(how),
        Button(label="Confirm the new address", url=LINK_SLOT),
        *_code(),
        Note("Link and code work once, for 15 minutes. Until then nothing moves."),
        Note(warning),
        shop=shop,
    )


def address_notice_letter(*, shop: ShopInfo, what: str) -> Letter:
    """To the old address: what was asked for, and how to undo it. It does not name the new one."""
    return _letter(
        "Your address is to be changed",
        Paragraph(f"{shop.name} was asked to use another e-mail address than this one for {what}."),
        Paragraph("If you asked for it, there is nothing to do. If you did not, undo it:"),
        Button(label="Undo it", url=LINK_SLOT),
        Note(
            "The button works once, for 72 hours. It signs you in, puts everything back as it was, and signs out every "
            "browser that the change signed in."
        ),
        shop=shop,
    )


# ---------------------------------------------------------------------------------------------- to the merchant


def notice_letter(*, subject: str, lines: tuple[str, ...], shop: ShopInfo) -> Letter:
    """A word to the merchant: the first of its kind that waits for them."""
    return _letter(subject, *(Paragraph(line) for line in lines), shop=shop)
