"""The public pages: shop, product, covers, the merchant's own pages, sitemap, feed, static files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import HttpMethod, post, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.ports import Clock
from domain.product import CatalogueEdition, Product, Status
from domain.usecases.check_stock import CheckStock
from domain.usecases.choose_language import ChooseLanguage
from domain.usecases.code_links import CodeLinks
from domain.usecases.list_pending import ListPending
from domain.values import ProductId
from entrypoints.http.caching import FOREVER, PUBLIC, kept_as, public
from entrypoints.http.for_crawlers import FEED, atom_feed, sitemap
from entrypoints.http.page import PERSONAL, AnyRequest, PageFrame, see_other
from entrypoints.http.prepared import Prepared
from entrypoints.http.product_context import NO_CODE, Carried, carried_by, product_context
from entrypoints.http.rendered import GuestsKey, Rendered, holds_until
from entrypoints.http.request_body import form_of
from entrypoints.http.responses import Header, RawResponse
from entrypoints.http.sentences import LANGUAGE
from entrypoints.http.speech import ROOT, way_back
from entrypoints.http.theme import theme_digest, theme_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from litestar.handlers import HTTPRouteHandler

PAGE: Final = [HttpMethod.GET, HttpMethod.HEAD]
_MOST_OWNERS: Final = 500
_MOST_BYTES: Final = 16_000_000
"""Of the pages for guests in all languages, before they are compressed."""
_NOTHING_YET: Final = Rendered()
_BY_LANGUAGE: Final[Sequence[Header]] = (PERSONAL, ("vary", "Accept-Language, Cookie"))
_NO_SCRIPT: Final = ("content-security-policy", "default-src 'none'; sandbox")


class ShopPages:
    """Pages that need no session. Guests get pages rendered once."""

    def __init__(
        self,
        *,
        frame: PageFrame,
        sold_out: CheckStock,
        list_pending: ListPending,
        code_links: CodeLinks,
        choose_language: ChooseLanguage,
        clock: Clock,
    ) -> None:
        self._front = frame
        self._sold_out = sold_out
        self._list_pending = list_pending
        self._code_links = code_links
        self._choose_language = choose_language
        self._clock = clock
        self._rendered: dict[str, Rendered] = {}
        self._assets = {
            (name, kept): Prepared(body, media_type=media_type, headers=[kept])
            for kept in (FOREVER, PUBLIC)
            for name, (body, media_type) in frame.pages.assets.items()
        }

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/", http_method=PAGE, status_code=200)(self.home),
            route("/products/{pid:str}", http_method=PAGE, status_code=200)(self.product),
            route("/covers/{pid:str}/{name:str}", http_method=PAGE, status_code=200)(self.cover),
            route("/pages/{slug:str}", http_method=PAGE, status_code=200)(self.page),
            route("/static/{name:str}", http_method=PAGE, status_code=200)(self.static),
            route("/logo", http_method=PAGE, status_code=200)(self.logo),
            route("/theme.css", http_method=PAGE, status_code=200)(self.theme),
            route("/favicon.ico", http_method=PAGE, status_code=200)(self.favicon),
            route("/robots.txt", http_method=PAGE, status_code=200)(self.robots),
            post("/currency", status_code=303)(self.choose_currency),
            post("/language", status_code=303)(self.choose_language),
            route("/sitemap.xml", http_method=PAGE, status_code=200)(self.sitemap),
            route("/feed.atom", http_method=PAGE, status_code=200)(self.feed),
        ]

    async def home(self, request: AnyRequest) -> RawResponse:
        """The shop, with the visitor's purchases marked."""
        edition = self._front.catalogue.current()
        led = self._front.speech.led_to(request.scope)
        if led:
            return RawResponse(
                status=302, headers=[("location", led), *_BY_LANGUAGE], media_type="text/plain"
            )
        currency = self._front.currency(request, edition)
        sold_out = await self._sold_out(self._of(edition).limited)
        if self._front.cookies.is_guest(request):
            key = ("/", currency, sold_out)
            return self._for_guests(key, edition, lambda: self._render_home(edition, currency, sold_out))
        viewer = await self._front.viewer(request)
        said = self._front.cookies.said(request)
        owners = self._of(edition).owners
        whose = (viewer.owned, sold_out, viewer.session is not None, viewer.signed_in, viewer.holds, currency)
        found = None if said else owners.get(whose)
        if found is None:
            shelves = self._shelves(edition, viewer.owned, sold_out, currency)
            found = self._front.html(
                request,
                "shop.html",
                viewer=viewer,
                shelves=shelves,
                currency=currency,
                currencies=edition.currencies,
            )
            if not said and len(owners) < _MOST_OWNERS:
                owners[whose] = found
        return found

    def _render_home(self, edition: CatalogueEdition, currency: str, sold_out: frozenset[ProductId]) -> bytes:
        shelves = self._shelves(edition, frozenset(), sold_out, currency)
        return self._front.render(
            "shop.html", edition, shelves=shelves, currency=currency, currencies=edition.currencies
        )

    async def product(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """One product: description, price and contents."""
        return await self.product_page(request, pid)

    async def product_page(self, request: AnyRequest, pid: str) -> RawResponse:
        """The page of a product; GET /buy shows the same."""
        edition = self._front.catalogue.current()
        product = edition.products.get(ProductId(pid))
        if product is None or not product.public:
            viewer = await self._front.viewer(request)
            if product is None or product.id not in viewer.owned:
                raise NotFoundException
        path, currency = f"/products/{pid}", self._front.currency(request, edition)
        carried = carried_by(request.query_params.get("code"), product, currency, code_links=self._code_links)
        sold_out = await self._is_sold_out(product)
        if self._front.cookies.is_guest(request):
            return self._for_guests(
                (f"{path}{carried.key}", currency, frozenset({product.id} if sold_out else ())),
                edition,
                lambda: self._front.render(
                    "product.html",
                    edition,
                    path=path,
                    noindex=product.status is Status.UNLISTED,
                    owned=False,
                    sold_out=sold_out,
                    **self._context(product, edition, currency, carried),
                ),
            )
        viewer = await self._front.viewer(request)
        return self._front.html(
            request,
            "product.html",
            viewer=viewer,
            noindex=not product.public or product.status is Status.UNLISTED,
            owned=product.id in viewer.owned,
            pending=[p for p in await self._list_pending(viewer) if product.id in p.products],
            sold_out=sold_out,
            **self._context(product, edition, currency, carried),
        )

    def _context(
        self, product: Product, edition: CatalogueEdition, currency: str, carried: Carried = NO_CODE
    ) -> dict[str, Any]:
        waiting = self._of(edition).waiting
        return product_context(
            product, edition, currency, now=self._clock.now(), waiting=waiting, carried=carried
        )

    def _of(self, edition: CatalogueEdition) -> Rendered:
        held = self._rendered.get(code := LANGUAGE.get().code, _NOTHING_YET)
        if held.version != edition.version or (held.until is not None and held.until <= self._clock.now()):
            now = self._clock.now()
            shelf = (product for product in edition.products.values() if product.on_shelf)
            limited = tuple(product for product in shelf if product.stock is not None)
            held = self._rendered[code] = Rendered(
                version=edition.version,
                until=holds_until(edition, now=now),
                waiting=edition.waiting(now=now),
                limited=limited,
            )
        return held

    def _shelves(
        self,
        edition: CatalogueEdition,
        owned: frozenset[ProductId],
        sold_out: frozenset[ProductId],
        currency: str,
    ) -> list[tuple[str, list[str]]]:
        """The products as HTML, one card each: by section, then those that are in none."""
        rendered, sections = self._of(edition), edition.shop.sections
        cards = rendered.cards
        places = {pid: place for place, section in enumerate(sections) for pid in section.products}
        shelves: list[list[str]] = [[] for _ in range(len(sections) + 1)]
        for product in edition.products.values():
            if not product.on_shelf and product.id not in owned:
                continue
            key = (product.id, product.id in owned, product.id in sold_out, currency)
            card = cards.get(key)
            if card is None:
                card = self._front.pages.render(
                    "card.html",
                    shop=edition.shop,
                    product=product,
                    level=3 if sections else 2,
                    price=product.price_in(currency),
                    chosen=currency,
                    version=edition.version[:8],
                    owned=key[1],
                    sold_out=key[2],
                    opens=product.available_from if product.id in rendered.waiting else None,
                ).decode()
                cards[key] = card
            shelves[places.get(product.id, len(sections))].append(card)
        titles = (*(section.title for section in sections), "")
        return [(title, shelf) for title, shelf in zip(titles, shelves, strict=True) if shelf]

    def _for_guests(self, key: GuestsKey, edition: CatalogueEdition, render: Callable[[], bytes]) -> Prepared:
        held = self._of(edition)
        found = held.pages.get(key)
        if found is None:
            body, several = render(), len(edition.shop.languages) > 1
            # A shared cache must not serve this to a visitor with a session, nor to one who is led to another language.
            vary = ("Accept-Language", "Cookie") if several and key[0] == "/" else ("Cookie",)
            found = public(body, "text/html", vary=vary, more=[self._front.pages.speculation])
            held.keep(key, found, most=_MOST_BYTES // len(edition.shop.languages))
        return found

    async def _is_sold_out(self, product: Product) -> bool:
        return product.id in await self._sold_out((product,))

    async def cover(self, request: AnyRequest, pid: FromPath[str], name: FromPath[str]) -> RawResponse:
        """A product's cover, or another of its pictures; of a draft, for its owners only."""
        edition = self._front.catalogue.current()
        product = edition.products.get(ProductId(pid))
        if product is None or not product.shows(name):
            raise NotFoundException
        if product.public:
            return self.picture((product.id, name), kept_as(request, edition.version[:8]))
        viewer = await self._front.viewer(request)
        if product.id not in viewer.owned:
            raise NotFoundException
        return self.picture((product.id, name), PERSONAL)

    def picture(self, key: tuple[ProductId, str] | None, *headers: Header) -> Prepared:
        """A product's picture, or the logo. An SVG opened directly cannot run scripts: its own policy is a sandbox."""
        catalogue = self._front.catalogue
        pictures = self._of(catalogue.current()).pictures
        found = pictures.get((key, headers))
        if found is None:
            held = catalogue.logo() if key is None else self._picture_of(*key)
            if held is None:
                raise NotFoundException
            found = pictures[key, headers] = Prepared(*held, headers=[*headers, _NO_SCRIPT])
        return found

    def _picture_of(self, pid: ProductId, name: str) -> tuple[bytes, str] | None:
        catalogue = self._front.catalogue
        product = catalogue.current().products[pid]
        return catalogue.cover(pid) if product.cover == name else catalogue.picture(pid, name)

    async def page(self, request: AnyRequest, slug: FromPath[str]) -> RawResponse:
        """One of the merchant's own pages."""
        edition = self._front.catalogue.current()
        page = edition.pages.get(slug)
        if page is None:
            raise NotFoundException
        if self._front.cookies.is_guest(request):
            path = f"/pages/{slug}"
            return self._for_guests(
                (path, "", frozenset()),
                edition,
                lambda: self._front.render("page.html", edition, path=path, page=page),
            )
        viewer = await self._front.viewer(request)
        return self._front.html(request, "page.html", viewer=viewer, page=page)

    async def choose_currency(self, request: AnyRequest) -> RawResponse:
        """Show prices in another currency from now on; `back` is a product's id, or nothing for the shop."""
        fields = await form_of(request)
        edition = self._front.catalogue.current()
        product = edition.shown(ProductId(fields.get("back", "")))
        code = self._code_links.find(fields.get("code", ""))
        carried = f"?code={code.code}" if code else ""
        url = f"{ROOT.get()}/" if product is None else f"{ROOT.get()}/products/{product.id}{carried}"
        chosen = fields.get("currency", "")
        if chosen not in edition.currencies:
            return see_other(url)
        return see_other(url, self._front.cookies.in_currency(chosen))

    async def choose_language(self, request: AnyRequest) -> RawResponse:
        """Show pages in another language from now on; `back` is the path of the page."""
        fields = await form_of(request)
        codes = self._front.catalogue.current().shop.languages
        chosen, back = fields.get("language", ""), fields.get("back", "")
        if chosen not in codes:
            return see_other(way_back(back, LANGUAGE.get().code, codes))
        if self._front.cookies.has_session(request):
            await self._choose_language(self._front.visitor(request), chosen)
        return see_other(way_back(back, chosen, codes), self._front.cookies.in_language(chosen))

    async def static(self, request: AnyRequest, name: FromPath[str]) -> RawResponse:
        """Stylesheet, script and pictures of the shop's frame, from memory."""
        version = self._front.pages.versions.get(name)
        if version is None:
            raise NotFoundException
        return self._assets[name, kept_as(request, version)]

    async def logo(self, request: AnyRequest) -> RawResponse:
        """The shop's logo."""
        return self.picture(None, kept_as(request, self._front.catalogue.current().version[:8]))

    async def theme(self, request: AnyRequest) -> RawResponse:
        """The merchant's look."""
        edition = self._front.catalogue.current()
        kept = kept_as(request, theme_digest(edition.shop))
        pages, key = self._of(edition).pages, (f"/theme.css {kept[1]}", "", frozenset[ProductId]())
        if key not in pages:
            sheet = Prepared(theme_of(edition.shop), "text/css", headers=[kept])
            return self._of(edition).keep(key, sheet, most=_MOST_BYTES)
        return pages[key]

    async def favicon(self, request: AnyRequest) -> RawResponse:
        """Browsers request this name whatever icon the page declares."""
        return await self.static(request, "favicon.svg")

    async def robots(self) -> RawResponse:
        """Crawlers may index the shop; all other pages are private to the buyer.

        `/view/` is not disallowed. Without proof of a purchase its pages have `noindex`, which a crawler sees only
        if it may fetch them (https://developers.google.com/search/docs/crawling-indexing/block-indexing).
        """
        text = (
            "User-agent: *\nDisallow: /login/\nDisallow: /library\nDisallow: /sessions\n"
            f"Disallow: /request-login\nDisallow: /files/\nDisallow: /media/\n"
            f"Sitemap: {self._front.base_url}/sitemap.xml\n"
        )
        return public(text.encode(), "text/plain")

    async def sitemap(self) -> RawResponse:
        """https://www.sitemaps.org/protocol.html"""
        return self._for_programs("/sitemap.xml", sitemap, "application/xml")

    async def feed(self) -> RawResponse:
        """The products, for feed readers."""
        return self._for_programs("/feed.atom", atom_feed, FEED)

    def _for_programs(self, path: str, write: Callable[..., bytes], media_type: str) -> Prepared:
        edition = self._front.catalogue.current()
        held, key = self._of(edition), (path, "", frozenset[ProductId]())
        if key not in held.pages:
            body = write(edition, waiting=held.waiting, base_url=self._front.base_url)
            return held.keep(key, public(body, media_type), most=_MOST_BYTES)
        return held.pages[key]
