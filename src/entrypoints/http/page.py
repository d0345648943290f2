"""What every family of pages needs: who is there, and a page in the shop's frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from litestar import Request

from domain.ports import Catalogue
from domain.product import CatalogueEdition
from domain.session import Visitor
from domain.usecases.identify_viewer import ANONYMOUS, IdentifyViewer, Viewer
from entrypoints.http.cookies import Cookies
from entrypoints.http.rendering import Pages
from entrypoints.http.responses import Header, RawResponse

if TYPE_CHECKING:
    from collections.abc import Sequence


AnyRequest = Request[Any, Any, Any]
PERSONAL: Final[Header] = ("cache-control", "no-store")


def see_other(url: str, *cookies: Header) -> RawResponse:
    """303: the browser goes on with a GET, and "back" does not send the form again."""
    return RawResponse(status=303, headers=[("location", url), PERSONAL, *cookies], media_type="text/plain")


@dataclass(frozen=True, slots=True)
class Banner:
    """A line above every page; with an address, also a link."""

    words: str
    url: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class PageFrame:
    """Renders pages in the shop's frame, for a visitor or for a stranger."""

    pages: Pages
    catalogue: Catalogue
    cookies: Cookies
    identify_viewer: IdentifyViewer
    base_url: str
    banner: Banner | None
    footers: dict[str, str] = field(default_factory=dict)

    def visitor(self, request: AnyRequest) -> Visitor:
        """What came along with the request."""
        return self.cookies.visitor(request)

    async def viewer(self, request: AnyRequest) -> Viewer:
        """Who is there; nobody is looked up for a request without a cookie."""
        if not self.cookies.has_session(request):
            return ANONYMOUS
        return await self.identify_viewer(self.cookies.visitor(request))

    def currency(self, request: AnyRequest, edition: CatalogueEdition) -> str:
        """The currency prices are shown in: the one chosen in this browser if anything is sold in it."""
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
        """A page, by default one that nobody may store.

        Without a greeting no session was read, so the page says nothing about who is there; where there is a cookie, it
        offers to sign out, as every page does.
        """
        edition = self.catalogue.current()
        body = self.render(
            template,
            edition,
            viewer=viewer or ANONYMOUS,
            unread=viewer is None and self.cookies.has_session(request),
            path=request.scope["path"],
            request_id=request.scope["request_id"],  # type: ignore[typeddict-item]  # the gate put it there
            **context,
        )
        return RawResponse(body, status=status, headers=headers, media_type="text/html")

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
            canonical=self.base_url + path,
            version=edition.version[:8],
            **context,
        )

    def _footer_links(self, edition: CatalogueEdition) -> str:
        """The same on every page of an edition, so rendered once."""
        held = self.footers.get(edition.version)
        if held is None:
            self.footers.clear()
            held = self.pages.render("footer_links.html", pages=tuple(edition.pages.values())).decode()
            self.footers[edition.version] = held
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
        """A page with one thing to say, and one to do next."""
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
        action_label: str = "Back to the shop",
        retry_after: int | None = None,
    ) -> RawResponse:
        """A page that says what went wrong, and what to do next."""
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
            action_label=action_label,
        )


def seconds_until(moment: datetime, *, now: datetime) -> int:
    """Whole seconds to wait, at least one: for Retry-After and for the sentence that says when."""
    return max(1, int((moment - now).total_seconds()) + 1)


def in_words(seconds: int) -> str:
    """`40 seconds`, `12 minutes`, `3 hours`: how long to wait, rounded up."""
    for size, name in ((3600, "hour"), (60, "minute")):
        if seconds > size:
            number = -(-seconds // size)
            return f"{number} {name}{'s' if number > 1 else ''}"
    return f"{seconds} second{'s' if seconds > 1 else ''}"
