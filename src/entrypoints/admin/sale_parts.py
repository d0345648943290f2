"""The parts of the page of a sale: what it contains, its keys, its money, and its ids."""

from __future__ import annotations

from collections import defaultdict
from datetime import tzinfo

from domain.access import Holding
from domain.product import CatalogueEdition
from domain.purchase import order_number
from domain.records import Download
from domain.refund import RefundState
from domain.sale_list import sale_state
from domain.usecases.show_sale import SaleShown
from domain.values import Money, ProductId
from entrypoints.admin.sale_filter import AT
from entrypoints.admin.sale_words import (
    dashboard,
    masked_key,
    movement_name,
    short_moment,
    state_name,
    status_words,
)
from entrypoints.http.page import filesize
from entrypoints.http.sentences import N_, _

_REQUESTS = {
    RefundState.REQUESTED: N_("requested; Stripe has not confirmed it yet"),
    RefundState.REFUSED: N_("refused by Stripe"),
    RefundState.DISMISSED: N_("refused by Stripe"),
}


def contents(sale: SaleShown, edition: CatalogueEdition, zone: tzinfo) -> list[dict[str, object]]:
    """Each product that it opens with its files, and how often each was fetched; files that are gone come last."""
    fetched: dict[ProductId, dict[str, Download]] = defaultdict(dict)
    for download in sale.downloads:
        fetched[download.product][download.name] = download
    purchase, found = sale.held.purchase, []
    for product in purchase.products:
        known, counts = edition.products.get(product), fetched[product]
        files = [] if known is None else [(one.name, filesize(one.size)) for one in known.files]
        named = {name for name, _size in files}
        files += [(name, "") for name in counts if name not in named]
        name = purchase.product_name if product == purchase.product else edition.name_of(product)
        rows = [_file(name, size, counts.get(name), zone, sale) for name, size in files]
        present = known is not None and known.present
        found.append({"id": product, "name": name, "known": present, "files": rows})
    return found


def _file(name: str, size: str, counted: Download | None, zone: tzinfo, sale: SaleShown) -> dict[str, object]:
    last = "" if counted is None else short_moment(counted.last_at, zone, now=sale.now)
    return {"name": name, "size": size, "times": 0 if counted is None else counted.times, "last": last}


def keys(sale: SaleShown, edition: CatalogueEdition, *, masked: bool) -> list[dict[str, str]]:
    """The licence keys, with the name of their product where the sale is of several."""
    purchase = sale.held.purchase
    return [
        {
            "of": edition.name_of(one.product) if len(purchase.products) > 1 else "",
            "key": masked_key(one.key) if masked else one.key,
        }
        for one in purchase.licences
    ]


def money(sale: SaleShown) -> list[tuple[str, str]]:
    """What was paid and how it is made up, and what is left of it: names and amounts."""
    told, currency = sale.money, sale.held.purchase.paid.currency

    def row(name: str, amount: int) -> tuple[str, str]:
        return name, str(Money(amount, currency))

    rows = []
    if told.discount or (told.tax and told.tax_on_top):
        rows.append(row(_("Price"), sale.held.purchase.price.amount))
    if told.discount:
        rows.append((_("Discount"), f"\N{MINUS SIGN}{Money(told.discount, currency)}"))
    if told.tax and told.tax_on_top:
        rows.append(row(_("Tax"), told.tax))
    rows.append(row(_("Paid"), told.paid))
    if told.tax and not told.tax_on_top:
        rows.append(row(_("of which tax"), told.tax))
    if told.refunded:
        rows.append((_("Refunded"), f"\N{MINUS SIGN}{Money(told.refunded, currency)}"))
    if told.charged_back:
        rows.append((_("Charged back"), f"\N{MINUS SIGN}{Money(told.charged_back, currency)}"))
    if told.refunded or told.charged_back:
        rows.append(row(_("Left"), told.net))
    return rows


def movements(sale: SaleShown, zone: tzinfo) -> list[dict[str, str]]:
    """Refunds and disputes, the oldest first; then refunds that were requested and are no fact (yet)."""
    purchase = sale.held.purchase
    rows = [
        {
            "when": short_moment(fact.moment, zone, now=sale.now),
            "what": movement_name(fact, Money(fact.amount, purchase.paid.currency)),
            "state": status_words(fact),
            "ref": fact.object_id,
            "at": dashboard(fact.object_id, livemode=purchase.livemode),
        }
        for fact in sale.money.movements
    ]
    answered = {fact.request for fact in sale.money.movements}
    rows += [
        {
            "when": short_moment(request.at, zone, now=sale.now),
            "what": _("Refund of %(amount)s", amount=request.amount),
            "state": _(_REQUESTS[request.state]),
            "ref": "",
            "at": "",
        }
        for request in sale.requests
        if request.state in _REQUESTS and request.id not in answered
    ]
    return rows


def ids(sale: SaleShown) -> list[tuple[str, str, str]]:
    """What the sale is called: a name, the id, and where Stripe's dashboard shows it ("" for nowhere)."""
    purchase = sale.held.purchase
    found = [
        (_("Order"), order_number(purchase.checkout), ""),
        (_("Payment at Stripe"), purchase.payment or "", "at"),
        (_("Session at Stripe"), purchase.provider_ref or "", "at"),
        (_("Invoice at Stripe"), purchase.invoice, "at"),
        (_("Taxed in"), purchase.tax_country, ""),
        (_("Tax number"), purchase.tax_number, ""),
        (_("Promotion code"), "" if sale.checkout is None else sale.checkout.promotion, "at"),
    ]
    return [
        (name, ref, dashboard(ref, livemode=purchase.livemode) if linked else "")
        for name, ref, linked in found
        if ref
    ]


def other(held: Holding, sale: SaleShown, zone: tzinfo) -> dict[str, str]:
    """Another purchase of the same customer."""
    return {
        "at": f"{AT}/{held.purchase.checkout}",
        "when": short_moment(held.purchase.booked_at, zone, now=sale.now),
        "product": held.purchase.product_name,
        "state": state_name(sale_state(held)),
        "paid": str(held.purchase.paid),
    }
