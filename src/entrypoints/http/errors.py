"""Exceptions to pages: the one table that maps exceptions to status codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from litestar import Response
from litestar.exceptions import HTTPException

from domain.ports import GoodsUnavailable, PaymentsRefused, PaymentsUnreachable, StoreUnavailable
from entrypoints.http.office import is_office
from entrypoints.http.page import PageFrame
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _, speaking
from entrypoints.http.speech import Speech
from entrypoints.run.logs import log_exception

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from litestar.types import Receive, Scope, Send

    from entrypoints.http.page import AnyRequest

    OfficeFinds = Callable[[AnyRequest], Awaitable[RawResponse | None]]


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of an error page; translated when a page is made."""

    title: str
    message: str


WORDS: Final[Mapping[int, Words]] = {
    400: Words(
        N_("That did not work"),
        N_("Your browser sent something we could not read. Please go back and try again."),
    ),
    403: Words(
        N_("That came from somewhere else"),
        N_(
            "For your safety we only take forms from this shop's own pages. Please open the shop and try again."
        ),
    ),
    404: Words(N_("There is nothing here"), N_("The page you asked for does not exist, or no longer does.")),
    405: Words(
        N_("Not like this"),
        N_("This address cannot be used in that way. Please begin at the shop's first page."),
    ),
    408: Words(
        N_("That took too long"), N_("What your browser sent did not arrive in full. Please try again.")
    ),
    410: Words(N_("This page was removed"), N_("It existed once and does not any more.")),
    413: Words(N_("That is too much"), N_("Your browser sent more than we can take. Please send less.")),
    414: Words(
        N_("That address is too long"),
        N_("No address of this shop is that long. Please begin at the shop's first page."),
    ),
    429: Words(N_("A moment, please"), N_("Too much was asked in a short time. Please try again later.")),
    500: Words(
        N_("Something broke on our side"),
        N_(
            "It is not your fault. If you have paid, there is no need to pay again: your purchase is recorded "
            "all the same. Please try again."
        ),
    ),
    502: Words(
        N_("The payment page did not open"),
        N_(
            "The payment service declined our request, so the payment page could not be opened. Nothing was charged."
        ),
    ),
    503: Words(
        N_("Back in a moment"),
        N_(
            "We cannot do this right now. If you have paid, there is no need to pay again: your purchase is recorded "
            "as soon as this works again. Please try again in a minute."
        ),
    ),
}
PAYMENTS_AWAY: Final = Words(
    N_("The payment page cannot be reached"),
    N_("The payment service does not answer right now. Nothing was charged. Please try again in a minute."),
)
GOODS_AWAY: Final = Words(
    N_("This file cannot be reached"),
    N_(
        "The place where our files are kept does not answer right now. It is still yours: please try again in a minute."
    ),
)
NOT_HERE: Final = Words(
    N_("Not open at this address yet"),
    N_("Nothing can be bought here, and nobody can sign in, until the merchant confirms this address."),
)
_RETRY_AFTER: Final = 10


class Finished(Response[bytes]):
    """A finished page, in the wrapper that Litestar requires from an exception handler."""

    def __init__(self, page: RawResponse) -> None:
        super().__init__(b"")
        self._page = page

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> RawResponse:
        """The page as it is."""
        return self._page


class OfficePage(RawResponse):
    """The back office's own page for a member who is signed in; for all others the shop's, which says nothing of it."""

    def __init__(self, request: AnyRequest, *, theirs: OfficeFinds, ours: RawResponse) -> None:
        super().__init__()
        self._request, self._theirs, self._ours = request, theirs, ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See who asks, and send head and body."""
        page = await self._theirs(self._request) or self._ours
        await page(scope, receive, send)


class ErrorPages:
    """The exception handlers."""

    def __init__(
        self,
        frame: PageFrame,
        *,
        give_back: Callable[[AnyRequest], RawResponse | None] = lambda _: None,
        lost: OfficeFinds,
        speech: Speech,
    ) -> None:
        """`give_back`: a page with the form of a request that the store was too busy for, if it has one.

        `lost`: what a member of staff sees at an address that the back office does not have; None for anybody else.
        """
        self._front = frame
        self._give_back = give_back
        self._lost = lost
        self._speech = speech

    def handlers(self) -> dict[int | type[Exception], object]:
        """The handlers to register with Litestar; the most specific class wins."""
        return {HTTPException: self.on_http, Exception: self.on_any}

    def on_http(self, request: AnyRequest, error: HTTPException) -> Finished:
        """Litestar's own refusals: no such route, method, size, form."""
        status = (
            error.status_code if error.status_code in WORDS else (400 if error.status_code < 500 else 500)
        )
        if status == 500:
            log_exception(request, error)
        if status in (404, 405) and is_office(request.scope["path"]):  # a 405 would say that the page exists
            with speaking(self._speech.of_shop):
                ours = self.page(request, 404)
            return Finished(OfficePage(request, theirs=self._lost, ours=ours))
        response = self.page(request, status)
        for name, value in (error.headers or {}).items():
            if name.lower() == "allow":
                response.add(name, value)
        return Finished(response)

    def on_any(self, request: AnyRequest, error: Exception) -> Finished:
        """Any other exception: always logged, and shown as a helpful page."""
        log_exception(request, error)
        match error:
            case StoreUnavailable():
                given_back = self._give_back(request)
                return Finished(given_back or self.page(request, 503, retry_after=_RETRY_AFTER))
            case PaymentsUnreachable():
                return Finished(self.page(request, 503, words=PAYMENTS_AWAY, retry_after=60))
            case GoodsUnavailable():
                return Finished(self.page(request, 503, words=GOODS_AWAY, retry_after=60))
            case PaymentsRefused():
                return Finished(self.page(request, 502))
            case _:
                return Finished(self.page(request, 500))

    def page(
        self, request: AnyRequest, status: int, *, words: Words | None = None, retry_after: int | None = None
    ) -> RawResponse:
        """The page of a status."""
        found = words or WORDS[status]
        return self._front.problem(request, status, _(found.title), _(found.message), retry_after=retry_after)

    def refusal(self, status: int, request_id: str) -> bytes:
        """The page for requests that the middleware refuses before Litestar sees them."""
        return self._plain(status, WORDS[status], request_id)

    def away(self, request_id: str) -> bytes:
        """The page for whatever would sell, book, email or sign in under an address that nobody confirmed (503)."""
        return self._plain(503, NOT_HERE, request_id)

    def _plain(self, status: int, words: Words, request_id: str) -> bytes:
        with speaking(self._speech.of_shop):  # at an address of the back office, too
            return self._front.render(
                "problem.html",
                self._front.catalogue.current(),
                request_id=request_id,
                noindex=True,
                status_code=status,
                title=_(words.title),
                message=_(words.message),
                action_url=self._front.base_url + "/",
                action_label=_("Open the shop"),
            )
