"""The buyer's account: its address, what it wants to hear, what is held about it, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import post, route
from litestar.params import FromPath

from domain.mail import Mail
from domain.ports import Clock
from domain.records import Download
from domain.session import Session
from domain.usecases.change_address import MoveAddress
from domain.usecases.email_preferences import ChooseNews
from domain.usecases.erase_me import Erased, EraseMe
from domain.usecases.identify_viewer import STRANGER
from domain.usecases.own_data import OwnData, ShowOwnData
from entrypoints.http.forms import field_of
from entrypoints.http.orders import asked_to_move, verify_again
from entrypoints.http.page import PERSONAL, AnyRequest, Front, see_other
from entrypoints.http.responses import Answer
from entrypoints.http.shop import PAGE
from entrypoints.maintenance.export_format import purchase_fields

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class AccountPages:
    """/account, and /no-more for those who come from a mail."""

    front: Front
    own_data: ShowOwnData
    move_address: MoveAddress
    choose_news: ChooseNews
    erase_me: EraseMe
    clock: Clock

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/account", http_method=PAGE, status_code=200)(self.show),
            post("/account/email", status_code=200)(self.change_email),
            post("/account/news", status_code=303)(self.news),
            route("/account/data", http_method=PAGE, status_code=200)(self.data),
            route("/account/erase", http_method=PAGE, status_code=200)(self.ask_erase),
            post("/account/erase", status_code=200)(self.erase),
            route("/no-more/{token:str}", http_method=PAGE, status_code=200)(self.ask_no_more),
            post("/no-more/{token:str}", status_code=200)(self.no_more),
        ]

    async def show(self, request: AnyRequest) -> Answer:
        """What one can do here; only for those who proved a mailbox."""
        own = await self.own_data(self.front.visitor(request))
        if own is None:
            return see_other("/request-login")
        return self.front.html(
            request,
            "account.html",
            greeting=await self.front.greeting(request),
            noindex=True,
            mailbox=own.mailbox,
            wants_news=own.user is not None and own.user.wants_news,
            is_buyer=own.user is not None,
        )

    async def change_email(self, request: AnyRequest) -> Answer:
        """Ask for the proof of a new address."""
        typed = await field_of(request, "email")
        asked = await self.move_address.change(self.front.visitor(request), typed)
        back = ("/account", "Back to your account")
        return await asked_to_move(self.front, request, asked, back=back, clock=self.clock)

    async def news(self, request: AnyRequest) -> Answer:
        """Whether to be told of new versions."""
        wanted = await field_of(request, "wanted") == "yes"
        await self.choose_news.here(self.front.visitor(request), wanted=wanted)
        return see_other("/account")

    async def data(self, request: AnyRequest) -> Answer:
        """Everything that is held about one, as a file."""
        own = await self.own_data(self.front.visitor(request))
        if own is None:
            return see_other("/request-login")
        body = msgspec.json.format(msgspec.json.encode(_fields(own)), indent=2)
        headers = [PERSONAL, ("content-disposition", 'attachment; filename="my-data.json"')]
        return Answer(body, media_type="application/json", headers=headers)

    async def ask_erase(self, request: AnyRequest) -> Answer:
        """Says what erasing means, and asks."""
        own = await self.own_data(self.front.visitor(request))
        if own is None:
            return see_other("/request-login")
        return await self._erase_form(request, own, error="")

    async def _erase_form(self, request: AnyRequest, own: OwnData, *, error: str) -> Answer:
        return self.front.html(
            request,
            "erase.html",
            greeting=await self.front.greeting(request),
            status=400 if error else 200,
            noindex=True,
            mailbox=own.mailbox,
            names=sorted({held.purchase.product_name for held in own.holdings}),
            error=error,
        )

    async def erase(self, request: AnyRequest) -> Answer:
        """Erase the person, for good."""
        visitor = self.front.visitor(request)
        if await field_of(request, "sure") != "yes":
            own = await self.own_data(visitor)
            if own is None:
                return see_other("/request-login")
            return await self._erase_form(request, own, error="Please tick the box if you are sure.")
        match await self.erase_me(visitor):
            case Erased.NOT_SIGNED_IN:
                return see_other("/request-login")
            case Erased.PROVE_AGAIN:
                return verify_again(self.front, request)
            case Erased.TOO_SOON:
                words = (
                    "Your address was changed less than three days ago, and the old one may still undo that. "
                    "You can be erased after that."
                )
                return self.front.notice(
                    request,
                    "Not just now",
                    words,
                    status=409,
                    action_url="/account",
                    action_label="Your account",
                )
            case Erased.DONE:
                return self._erased(request)

    def _erased(self, request: AnyRequest) -> Answer:
        answer = self.front.html(request, "erased.html", greeting=STRANGER, noindex=True)
        answer.add(*self.front.cookies.no_session())
        answer.add(*self.front.cookies.no_device())
        answer.add(*self.front.cookies.no_form())
        return answer

    async def ask_no_more(self, request: AnyRequest, token: FromPath[str]) -> Answer:
        """The link of a mail: a button, since scanners open links."""
        if not self.choose_news.knows(token):
            return self._not_a_link(request)
        return self.front.html(request, "no_more.html", noindex=True, token=token)

    async def no_more(self, request: AnyRequest, token: FromPath[str]) -> Answer:
        """No more news. A mail program posts here by itself when its own button is pressed (RFC 8058)."""
        if not self.choose_news.knows(token):
            return self._not_a_link(request)
        await self.choose_news.no_more(token)
        words = "You get no more mails about new versions. Tickets and sign-in mails still come when you ask for them."
        return self.front.notice(request, "No more news", words, action_url="/", action_label="To the shop")

    def _not_a_link(self, request: AnyRequest) -> Answer:
        words = "It may be incomplete, or very old. You can also say so in your account."
        return self.front.problem(request, 404, "This is not a link of ours", words)


def _fields(own: OwnData) -> dict[str, Any]:
    """Everything, in words that need no explaining. Instants are RFC 3339, amounts minor units."""
    return {
        "email": own.mailbox.canonical,
        "customer_since": None if own.user is None else own.user.since,
        "wants_news": None if own.user is None else own.user.wants_news,
        "purchases": [purchase_fields(held) for held in own.holdings],
        "downloads": [_download_fields(download) for download in own.downloads],
        "browsers": [_session_fields(session) for session in own.sessions],
        "mails": [_mail_fields(mail) for mail in own.mails],
    }


def _download_fields(download: Download) -> dict[str, Any]:
    return {
        "order": download.checkout,
        "product": download.product,
        "file": download.name,
        "times": download.times,
        "last_at": download.last_at,
    }


def _session_fields(session: Session) -> dict[str, Any]:
    return {"name": session.label, "since": session.started_at, "last_seen": session.seen_at}


def _mail_fields(mail: Mail) -> dict[str, Any]:
    return {
        "subject": mail.letter.subject,
        "queued_at": mail.queued_at,
        "sent_at": mail.sent_at,
        "state": mail.state.value,
        "delivery": None if mail.delivery is None else mail.delivery.value,
    }
