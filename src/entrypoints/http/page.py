"""The frame of every page: templates, the viewer, and the headers of the answer."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from zlib import crc32

from litestar import HttpMethod, Request
from minijinja import Environment, safe

from domain.currencies import currency_digits
from domain.ports import AS_WRITTEN, Catalogue, Language
from domain.product import CatalogueEdition, Product, ShopInfo
from domain.purchase import PurchaseState, Standing, order_number
from domain.session import Visitor
from domain.usecases.identify_viewer import ANONYMOUS, IdentifyViewer, Viewer
from domain.values import Money, decimal_text
from entrypoints.http.cookies import Cookies
from entrypoints.http.dates import day, in_shop, moment, opening
from entrypoints.http.responses import Header, RawResponse
from entrypoints.http.said import sentence_of
from entrypoints.http.sentences import LANGUAGE, _, money, ngettext, translated
from entrypoints.http.speech import ROOT, Speech
from entrypoints.http.theme import theme_address, theme_of

if TYPE_CHECKING:
    from collections.abc import Sequence


_TYPES: Final = {".woff2": "font/woff2", ".json": "application/speculationrules+json"}
"""Media types that systems know under no or another name."""
_HERE: Final = Path(__file__).parent
_KILO: Final = 1000
_LOOKS: Final = 6
_CENTS: Final = 2
"""Decimal digits of most currencies."""


class Pages:
    """Renders templates by name, and holds their static files."""

    def __init__(self, folder: Path = _HERE, *, at: str = "/static/") -> None:
        """`folder` has `templates` and `static`; the latter are served below `at`."""
        self._sources = {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted((folder / "templates").glob("*.html"))
        }
        # Static files and their media types, by name.
        self.assets = {
            path.name: (
                path.read_bytes(),
                _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "",
            )
            for path in sorted((folder / "static").iterdir())
        }
        self.versions = {
            name: hashlib.sha256(content).hexdigest()[:10] for name, (content, _) in self.assets.items()
        }
        self._addresses = {name: safe(f"{at}{name}?v={version}") for name, version in self.versions.items()}
        # Variables that only some callers of a template set.
        self._defaults: dict[str, object] = {
            "noindex": False,
            "holds": False,
            "unread": False,
            "ordered": None,
            "back": "/request-login",
            "moving": False,
            "naming": None,
            "without_owner": (),
            "emailed": True,
            "pending": (),
            "preview": None,
            "pictures_at": "",
            "said": "",
            "alternates": (),
            "choices": (),
        }
        self._environments: dict[Language, Environment] = {AS_WRITTEN: self._in_language(AS_WRITTEN)}

    def _in_language(self, language: Language) -> Environment:
        """The templates with their sentences in one language."""
        return Environment(
            templates={name: translated(source, language.gettext) for name, source in self._sources.items()},
            filters={
                "money": money, "price_value": price_value, "day": in_shop(day), "moment": in_shop(moment),
                "opening": in_shop(opening),
                "filesize": filesize, "asset": self.asset, "order_number": order_number, "url": url,
                "price": price_words, "theme_address": theme_address, "look": look_of,
            },
            undefined_behavior="strict",
            trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    def render(self, name: str, **context: object) -> bytes:
        """The page as UTF-8, in the language of the request.

        An undefined name in a template is an error, never an empty string.
        """
        language = LANGUAGE.get()
        environment = self._environments.get(language)
        if environment is None:
            environment = self._environments[language] = self._in_language(language)
        return environment.render_template(
            name, **self._defaults | {"lang": language.code, "root": safe(ROOT.get())} | context
        ).encode()

    @property
    def speculation(self) -> Header:
        """The header of guests' pages: which pages a browser may fetch when a link to one is pointed at.

        https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Speculation-Rules
        """
        return "speculation-rules", f'"{self._addresses["speculation.json"]}"'

    def style_sheets(self, shop: ShopInfo) -> tuple[str, str]:
        """The text of the style sheets of a shop's pages, in their order: a later one takes precedence."""
        return self.assets["shop.css"][0].decode(), theme_of(shop).decode()

    def asset(self, name: str) -> str:
        """The URL of a static file, which changes with its content, so it may be cached forever."""
        return self._addresses[name]


def url(address: str) -> str:
    """A URL, escaped for an attribute but still readable: minijinja's own escaping also escapes slashes."""
    return safe(escape(address))


def look_of(product: str) -> int:
    """Which of the patterns in shop.css stands in for a cover: always the same one for a product."""
    return crc32(product.encode()) % _LOOKS


def price_value(price: Money) -> str:
    """`19.99`: the number alone, as structured data and forms require it."""
    return decimal_text(price.amount, price.currency)


def amount_words(price: Money) -> str:
    """`19.99`, as the language of the request writes it: the number alone, for a field that takes it back.

    Three decimal digits keep the point, since a comma before them is ambiguous (`typed_amount`).
    """
    plain = price_value(price)
    return plain if currency_digits(price.currency) > _CENTS else LANGUAGE.get().decimal(plain)


def price_words(price: Money, product: Product) -> str:
    """The displayed price: `Free`, `$9.00`, or `from $5.00` where the buyer chooses it."""
    if product.pay_what_you_want:
        return _("from %(price)s", price=price) if price.amount else _("Your price")
    return money(price) if price.amount else _("Free")


def closing_reason(found: Standing, zone: tzinfo) -> str:
    """Why a purchase is closed, as a sentence for the buyer."""
    when = None if found.since is None else day(datetime.fromtimestamp(found.since, tz=UTC), zone)
    match found.state, when:
        case PurchaseState.REFUNDED, None:
            return _("This purchase was refunded.")
        case PurchaseState.REFUNDED, _:
            return _("This purchase was refunded on %(day)s.", day=when)
        case PurchaseState.CHARGED_BACK, None:
            return _("Your bank took the payment back.")
        case PurchaseState.CHARGED_BACK, _:
            return _("Your bank took the payment back on %(day)s.", day=when)
        case PurchaseState.SUSPENDED, None:
            return _("The payment has been in dispute.")
        case PurchaseState.SUSPENDED, _:
            return _("The payment has been in dispute since %(day)s.", day=when)
        case PurchaseState.REVOKED, None:
            return _("The seller closed this purchase.")
        case PurchaseState.REVOKED, _:
            return _("The seller closed this purchase on %(day)s.", day=when)
        case PurchaseState.LIVE, _:
            return _("This purchase is open.")


def filesize(size: int) -> str:
    """`4.2 MB`: decimal units, as shops and phones count. Number and unit stay on one line."""
    if size < _KILO:
        return ngettext("%(number)d byte", "%(number)d bytes", size)
    scaled, units = float(size), ("kB", "MB", "GB", "TB")
    for unit in units:
        scaled /= _KILO
        if scaled < _KILO or unit == units[-1]:
            return f"{LANGUAGE.get().decimal(f'{scaled:.1f}')}\N{NO-BREAK SPACE}{unit}"
    raise AssertionError("unreachable")


AnyRequest = Request[Any, Any, Any]
PERSONAL: Final[Header] = ("cache-control", "no-store")
_IN_ADDRESSES: Final = ":/?#[]@!$&'()*+,;=%"
"""Reserved characters and the percent sign: https://www.rfc-editor.org/rfc/rfc3986#section-2.2"""


def see_other(url: str, *cookies: Header) -> RawResponse:
    """303: the browser goes on with a GET, and "back" does not send the form again.

    What a header cannot hold is written as an address has it: parts of it may come from the request.
    """
    at = url if url.isascii() and url.isprintable() else quote(url, safe=_IN_ADDRESSES)
    return RawResponse(status=303, headers=[("location", at), PERSONAL, *cookies], media_type="text/plain")


def same_form(url: str, *cookies: Header) -> RawResponse:
    """307: the browser submits the same form there (RFC 9110 §15.4.8)."""
    return RawResponse(status=307, headers=[("location", url), PERSONAL, *cookies], media_type="text/plain")


@dataclass(frozen=True, slots=True)
class Banner:
    """A banner above every page: payments here are not real."""

    mailbox: str = ""
    """URL of a demo's mailbox. Without it, the shop is in test mode."""


@dataclass(frozen=True, slots=True)
class PageFrame:
    """Renders pages in the shop's frame, for a visitor with or without a session."""

    pages: Pages
    catalogue: Catalogue
    cookies: Cookies
    identify_viewer: IdentifyViewer
    base_url: str
    banner: Banner | None
    speech: Speech
    footers: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def zone(self) -> tzinfo:
        """The shop's time zone."""
        return self.catalogue.current().shop.zone

    def visitor(self, request: AnyRequest) -> Visitor:
        """The visitor described by the request's cookies and headers."""
        return self.cookies.visitor(request)

    async def viewer(self, request: AnyRequest) -> Viewer:
        """The viewer of a page; without a cookie, there is no lookup."""
        if not self.cookies.has_session(request):
            return ANONYMOUS
        return await self.identify_viewer(self.cookies.visitor(request))

    def currency(self, request: AnyRequest, edition: CatalogueEdition) -> str:
        """The currency prices are shown in: the one chosen in this browser if the shop sells anything in it."""
        chosen = self.cookies.currency(request)
        return chosen if chosen and chosen in edition.currencies else edition.shop.currency

    def html(
        self,
        request: AnyRequest,
        template: str,
        *,
        viewer: Viewer | None = None,
        status: int = 200,
        headers: Sequence[Header] = (PERSONAL,),
        **context: object,
    ) -> RawResponse:
        """A page, by default one that no cache may store.

        Without a viewer no session was read, so the page does not name a user; if the request has a session cookie, it
        offers to sign out, and the library, where guests can sign in.

        It confirms the action that led to it, once: such a page must not be kept for another request. A HEAD shows
        nothing, so it leaves the confirmation for the GET after it.
        """
        edition = self.catalogue.current()
        said = self.cookies.said(request)
        body = self.render(
            template,
            edition,
            viewer=viewer or ANONYMOUS,
            holds=viewer is not None and viewer.holds,
            unread=viewer is None and self.cookies.has_session(request),
            said=sentence_of(said),
            path=request.scope["path"],
            request_id=request.scope["request_id"],  # type: ignore[typeddict-item]  # the middleware put it there
            **context,
        )
        answer = RawResponse(body, status=status, headers=headers, media_type="text/html")
        if said is not None and request.method != HttpMethod.HEAD:
            answer.add(*self.cookies.no_said())
        return answer

    def render(
        self,
        template: str,
        edition: CatalogueEdition,
        *,
        viewer: Viewer = ANONYMOUS,
        path: str = "/",
        request_id: str = "",
        **context: object,
    ) -> bytes:
        """The bytes of a page."""
        return self.pages.render(
            template,
            shop=edition.shop,
            footer_links=self._footer_links(edition),
            viewer=viewer.session,
            banner=self.banner,
            request_id=request_id,
            base_url=self.base_url,
            version=edition.version[:8],
            **self.speech.context(path, edition, base_url=self.base_url),
            **context,
        )

    def _footer_links(self, edition: CatalogueEdition) -> str:
        """The same on every page of an edition, so rendered once."""
        key = edition.version, LANGUAGE.get().code
        held = self.footers.get(key)
        if held is None:
            if any(version != edition.version for version, _ in self.footers):
                self.footers.clear()
            held = self.pages.render(
                "footer_links.html", pages=tuple(edition.pages.values()), links=edition.shop.links
            ).decode()
            self.footers[key] = held
        return held

    def notice(
        self,
        request: AnyRequest,
        title: str,
        message: str,
        *,
        status: int = 200,
        action_url: str,
        action_label: str,
    ) -> RawResponse:
        """A page with one message and one next step."""
        return self.html(
            request,
            "notice.html",
            status=status,
            noindex=True,
            title=title,
            message=message,
            action_url=action_url,
            action_label=action_label,
        )

    def problem(
        self,
        request: AnyRequest,
        status: int,
        title: str,
        message: str,
        *,
        action_url: str = "/",
        action_label: str = "",
        retry_after: int | None = None,
    ) -> RawResponse:
        """A page that explains a problem and the next step."""
        headers = [PERSONAL]
        if retry_after is not None:
            headers.append(("retry-after", str(retry_after)))
        return self.html(
            request,
            "problem.html",
            status=status,
            headers=headers,
            noindex=True,
            status_code=status,
            title=title,
            message=message,
            action_url=action_url,
            action_label=action_label or _("Back to the shop"),
        )


def seconds_until(moment: datetime, *, now: datetime) -> int:
    """Whole seconds to wait, at least one: for Retry-After and for the page's sentence."""
    return max(1, int((moment - now).total_seconds()) + 1)


def in_words(seconds: int) -> str:
    """`40 seconds`, `12 minutes`, `3 hours`: how long to wait, rounded up."""
    hours, minutes = -(-seconds // 3600), -(-seconds // 60)
    if seconds > 3600:
        return ngettext("%(number)d hour", "%(number)d hours", hours)
    if seconds > 60:
        return ngettext("%(number)d minute", "%(number)d minutes", minutes)
    return ngettext("%(number)d second", "%(number)d seconds", seconds)
