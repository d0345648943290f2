"""The buyer's own pages: purchases and active sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litestar import post, route

from domain.access import Holding, waits
from domain.ports import Clock
from domain.product import CatalogueEdition, GoodsFile, Product
from domain.purchase import PurchaseState, Source
from domain.usecases.list_bounced_emails import ListBouncedEmails
from domain.usecases.list_pending import ListPending
from domain.usecases.payment_address import ListPaymentAddresses
from domain.usecases.sign_out import OwnSessions, SignOut
from domain.values import EmailAddress, Money, ProductId, SessionId
from entrypoints.http.dates import day, moment
from entrypoints.http.page import AnyRequest, PageFrame, closing_reason, see_other
from entrypoints.http.product_context import format_of
from entrypoints.http.purchase_page import NOT_HERE, not_here_reason
from entrypoints.http.request_body import form_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.said import Said
from entrypoints.http.sentences import LANGUAGE, N_, _, money
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from datetime import datetime

    from litestar.handlers import HTTPRouteHandler


_MOST_LIBRARIES: Final = 500
_FEW_FILES: Final = 3


@dataclass(frozen=True, slots=True)
class _Row:
    """A purchase in the library."""

    product: ProductId
    name: str
    url: str
    known: str
    """When it was bought, for how much, and what of that is gone."""
    order: str
    stamp: str
    """Why it cannot be opened, in a word; "" if it can."""
    reason: str
    contents: tuple[ProductId, ...]
    """What was in the bundle that was bought."""


_LibraryKey = tuple[
    str,
    str,
    EmailAddress | None,
    tuple[_Row, ...],
    frozenset[str],
    tuple[tuple[str, EmailAddress], ...],
    tuple[tuple[str, str], ...],
    tuple[tuple[str, str, str], ...],
]
STAMPS: Final = {
    PurchaseState.LIVE: None,
    PurchaseState.REFUNDED: N_("Refunded"),
    PurchaseState.CHARGED_BACK: N_("Charged back"),
    PurchaseState.SUSPENDED: N_("In dispute"),
    PurchaseState.REVOKED: N_("Closed by the seller"),
}
"""What a library entry says of its state; None for one that is open."""


def _row_of(held: Holding, edition: CatalogueEdition, now: datetime) -> _Row:
    purchase, found = held.purchase, held.standing
    paid = money(purchase.paid) if purchase.paid.amount else _("free")
    if purchase.source is Source.GRANT:
        paid = _("given to you")
    stamp = STAMPS[found.state]
    reason = "" if found.state is PurchaseState.LIVE else closing_reason(found, edition.shop.zone)
    if stamp is None and purchase.product not in edition.products:
        stamp, reason = NOT_HERE, not_here_reason(purchase.product_name)
    if stamp is None and purchase.opens_at is not None and waits(purchase, now=now):
        opens = moment(purchase.opens_at, edition.shop.zone)
        stamp, reason = (
            N_("Opens later"),
            _("It opens on %(moment)s: you did not waive your right of withdrawal.", moment=opens),
        )
    url = f"/view/{purchase.product}"
    known = " · ".join([day(purchase.booked_at, edition.shop.zone), paid, *_gone(held)])
    return _Row(
        product=purchase.product,
        name=purchase.product_name,
        url=url,
        known=known,
        order=purchase.checkout,
        stamp="" if stamp is None else _(stamp),
        reason=reason,
        contents=purchase.contents,
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """A row with what the catalogue says of its product."""

    row: _Row
    product: Product | None
    contents: list[Product]
    """What came with it, if it is a bundle."""
    downloads: list[tuple[GoodsFile, str]]
    """Few files of which each has a format of its own are downloaded from here; more are on the product's page."""


def _shown(row: _Row, edition: CatalogueEdition) -> _Shown:
    product = edition.products.get(row.product)
    inner = [item for pid in row.contents if (item := edition.products.get(pid)) is not None]
    files = product.files if product is not None else ()
    formats = [format_of(file) for file in files]
    told_apart = len(files) == 1 or (all(formats) and len(set(formats)) == len(files) <= _FEW_FILES)
    return _Shown(row, product, inner, list(zip(files, formats, strict=True)) if told_apart else [])


def _gone(held: Holding) -> list[str]:
    """What of the payment is gone, for the buyer."""
    currency, said = held.purchase.paid.currency, []
    if held.refunded:
        said.append(_("%(amount)s refunded", amount=Money(held.refunded, currency)))
    if held.charged_back:
        said.append(_("%(amount)s taken back by your bank", amount=Money(held.charged_back, currency)))
    return said


@dataclass(frozen=True, slots=True)
class LibraryPages:
    """library, sessions."""

    frame: PageFrame
    list_bounced_emails: ListBouncedEmails
    list_payment_addresses: ListPaymentAddresses
    list_pending: ListPending
    sign_out: SignOut
    clock: Clock
    libraries: dict[_LibraryKey, RawResponse] = field(default_factory=dict)
    """Recently rendered libraries; an unchanged one is not rendered again."""

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/library", http_method=PAGE, status_code=200)(self.library),
            route("/sessions", http_method=PAGE, status_code=200)(self.sessions),
            post("/sessions", status_code=303)(self.end),
        ]

    async def library(self, request: AnyRequest) -> RawResponse:
        """Everything this browser may open, newest first; without a session, the sign-in page."""
        edition = self.frame.catalogue.current()
        viewer = await self.frame.viewer(request)
        if viewer.session is None:
            return see_other("/request-login")
        now = self.clock.now()
        holdings = sorted(viewer.holdings, key=lambda held: held.purchase.booked_at, reverse=True)
        rows = tuple(_row_of(held, edition, now) for held in holdings)
        returned = await self.list_bounced_emails(viewer)
        paid_with = await self.list_payment_addresses(viewer)
        without_owner = tuple(
            (held.purchase.checkout, held.purchase.product_name)
            for held in sorted(viewer.without_owner, key=lambda held: held.purchase.checkout)
        )
        pending = tuple(
            (checkout.product_name, day(checkout.started_at, edition.shop.zone), money(checkout.price))
            for checkout in await self.list_pending(viewer)
        )
        # The key covers everything on the page, so no buyer ever sees another's library.
        typed = tuple(sorted(paid_with.items(), key=lambda item: item[0]))
        key = (
            edition.version,
            LANGUAGE.get().code,
            viewer.session.mailbox,
            rows,
            returned,
            typed,
            without_owner,
            pending,
        )
        said = self.frame.cookies.said(request)
        found = None if said else self.libraries.get(key)
        if found is None:
            found = self.frame.html(
                request,
                "library.html",
                viewer=viewer,
                noindex=True,
                mailbox=viewer.session.mailbox,
                rows=[_shown(row, edition) for row in rows],
                returned=sorted(returned),
                paid_with=paid_with,
                without_owner=without_owner,
                pending=pending,
            )
            if said:
                return found
            if len(self.libraries) >= _MOST_LIBRARIES:
                self.libraries.clear()
            self.libraries[key] = found
        return found

    async def sessions(self, request: AnyRequest) -> RawResponse:
        """List the buyer's sessions."""
        own = await self.sign_out.list(self.frame.visitor(request))
        if own is None:
            return see_other("/request-login")
        viewer = await self.frame.viewer(request)
        return self.frame.html(
            request,
            "sessions.html",
            viewer=viewer,
            noindex=True,
            sessions=own.all,
            holders=own.holders,
            current=own.current,
        )

    async def end(self, request: AnyRequest) -> RawResponse:
        """End one of the buyer's sessions (`end` is its id), or all of them (`end` is `all`)."""
        wish = (await form_of(request)).get("end", "")
        visitor, cookies = self.frame.visitor(request), self.frame.cookies
        own = await self.sign_out.list(visitor)
        if wish == "all":
            await self.sign_out.everywhere(visitor)
            several = own is not None and own.current.mailbox is not None
            said = cookies.say(Said.SIGNED_OUT_EVERYWHERE if several else Said.SIGNED_OUT)
            return see_other(
                "/", cookies.no_session(), cookies.no_form(), *cookies.no_checkouts(request), said
            )
        if not await self.sign_out.one(visitor, SessionId(wish)) or own is None:
            return see_other("/sessions")
        return see_other("/sessions", cookies.say(_what_ended(own, SessionId(wish))))


def _what_ended(own: OwnSessions, ended: SessionId) -> Said:
    """The confirmation for one of these sessions, or for a browser that verified nothing."""
    if ended == own.current.id:
        return Said.SIGNED_OUT
    return Said.BROWSER_SIGNED_OUT if any(s.id == ended for s in own.all) else Said.ACCESS_ENDED
