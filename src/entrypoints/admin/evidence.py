"""What the shop knows of a disputed sale, as one text to copy into the answer to the bank.

Stripe asks for proof that the customer received and used what they bought, as `access_activity_log`:
https://docs.stripe.com/api/disputes/evidence_object
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from domain.fact import FactKind
from domain.mail import Delivery
from domain.product import CatalogueEdition
from domain.purchase import order_number
from domain.records import Download
from domain.usecases.show_sale import SaleShown
from domain.values import Money
from entrypoints.http.sentences import _


def evidence(sale: SaleShown, edition: CatalogueEdition) -> str:
    """A line for each thing that is certain: times to the second, in the shop's time zone."""
    return "\n".join(_lines(sale, edition))


def _lines(sale: SaleShown, edition: CatalogueEdition) -> Iterator[str]:
    purchase, zone = sale.held.purchase, edition.shop.zone
    yield _("Order %(order)s at %(shop)s: %(product)s", order=order_number(purchase.checkout), shop=edition.shop.name,
            product=purchase.product_name)  # fmt: skip
    if sale.checkout is not None:
        yield _("Checkout started: %(at)s", at=_at(sale.checkout.started_at, zone))
    yield _("Paid: %(amount)s, recorded %(at)s (payment %(payment)s)", amount=purchase.paid,
            at=_at(purchase.booked_at, zone), payment=purchase.payment or "–")  # fmt: skip
    if purchase.paid_email is not None:
        yield _("Address given at the payment: %(address)s", address=purchase.paid_email)
    yield from _emailed(sale, zone)
    if sale.user is not None and sale.user.proved_at is not None:
        yield _("Address verified, by a link or code that the shop emailed to it: %(address)s, %(at)s",
                address=sale.user.mailbox, at=_at(sale.user.proved_at, zone))  # fmt: skip
    yield from _waived(sale, zone)
    if purchase.opened_at is not None:
        yield _("Opened for the first time: %(at)s", at=_at(purchase.opened_at, zone))
    for download in sorted(sale.downloads, key=lambda one: (one.last_at, one.name)):
        yield _downloaded(download, zone)
    yield from _given_back(sale, zone)


def _emailed(sale: SaleShown, zone: tzinfo) -> Iterator[str]:
    """That the provider reported a delivery is certain; when, it does not say."""
    mail = sale.access_mail
    if mail is None or mail.sent_at is None:
        return
    words = _("Access email sent: to %(address)s, %(at)s", address=mail.to, at=_at(mail.sent_at, zone))
    delivered = mail.delivery in (Delivery.DELIVERED, Delivery.COMPLAINED)
    yield _("%(sent)s; its mail server accepted it", sent=words) if delivered else words


def _waived(sale: SaleShown, zone: tzinfo) -> Iterator[str]:
    proof = sale.waiver
    if proof is None:
        return
    words = _("Right of withdrawal waived: %(at)s", at=_at(proof.waiver.given_at, zone))
    if proof.confirmed_at is not None:
        words = _("%(waived)s, confirmed by email %(at)s", waived=words, at=_at(proof.confirmed_at, zone))
    yield words


def _downloaded(download: Download, zone: tzinfo) -> str:
    file, last, first = download.name, _at(download.last_at, zone), download.first_at
    if download.times == 1:
        return _("Downloaded: %(file)s, %(last)s", file=file, last=last)
    since = "" if first is None else _at(first, zone)
    if not since:
        return _(
            "Downloaded on %(number)s days: %(file)s, last %(last)s",
            number=download.times,
            file=file,
            last=last,
        )
    return _("Downloaded on %(number)s days: %(file)s, first %(first)s, last %(last)s", number=download.times,
             file=file, first=since, last=last)  # fmt: skip


def _given_back(sale: SaleShown, zone: tzinfo) -> Iterator[str]:
    for fact in sale.money.movements:
        if fact.kind is FactKind.REFUND and fact.refunded:
            amount = Money(fact.refunded, sale.held.purchase.paid.currency)
            yield _("Refunded: %(amount)s, %(at)s", amount=amount, at=_at(fact.moment, zone))


def _at(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(" ", timespec="seconds")
