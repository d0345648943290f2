"""The hosted payment page: what a shopper sees between the shop's Buy and the way back."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.cards import CardAnswer, bank_of, card_problems
from entrypoints.sandbox.deliveries import Deliveries
from entrypoints.sandbox.objects import make_event, settle_session
from entrypoints.sandbox.pages import SandboxPages, see_other
from entrypoints.sandbox.stripe_api import StripeApi
from entrypoints.sandbox.world import Json, Manners, World

AnyRequest = Request[Any, Any, Any]
MANNERS: Final[dict[str, tuple[str, Manners]]] = {
    "before": ("before you are sent back (Stripe's usual way)", Manners()),
    "after": ("three seconds after you are back", Manners(delay=3.0, before_redirect=False)),
    "twice": ("twice at once, while you are sent back", Manners(copies=2, before_redirect=False)),
    "five": ("five times at once, while you are sent back", Manners(copies=5, before_redirect=False)),
    "late": ("a minute late", Manners(delay=60.0, before_redirect=False)),
    "never": ("never", Manners(copies=0)),
}


async def fields_of(request: AnyRequest) -> dict[str, str]:
    """The fields of a form."""
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


class HostedPages:
    """GET and POST /c/pay/{cs}, and the 3-D Secure page between."""

    def __init__(self, world: World, api: StripeApi, deliveries: Deliveries, pages: SandboxPages) -> None:
        self._world = world
        self._api = api
        self._deliveries = deliveries
        self._pages = pages

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers."""
        return [
            get("/c/pay/{cs:str}", status_code=200)(self.show),
            post("/c/pay/{cs:str}", status_code=303)(self.pay),
            post("/c/pay/{cs:str}/3ds", status_code=303)(self.confirm),
        ]

    async def show(self, cs: FromPath[str]) -> ASGIResponse:
        """The form."""
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return self._over(session)
        return self._form(session, {}, {})

    async def pay(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """The shopper pressed Pay."""
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return self._over(session)
        fields = await fields_of(request)
        email = session["customer_email"] or fields.get("email", "").strip()
        problems = {} if "@" in email else {"email": "Your email is incomplete."}
        delayed = fields.get("method") == "debit"
        if not delayed:
            problems |= card_problems(
                fields.get("number", ""), fields.get("expiry", ""), fields.get("cvc", "")
            )
        if problems:
            return self._form(session, fields, problems, status=400)
        answer = CardAnswer.PAYS if delayed else bank_of(fields.get("number", ""))
        if answer is CardAnswer.DECLINES:
            words = {"number": "Your card was declined. Please try a different card."}
            return self._form(session, fields, words, status=402)
        if answer is CardAnswer.ASKS:
            return self._pages.html("three_d_secure.html", session=session, lines=self._lines(session), email=email,
                                    name=fields.get("name", ""), webhook=fields.get("webhook", "before"))  # fmt: skip
        return await self._finish(session, email, fields, delayed=delayed)

    async def confirm(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """The shopper answered their bank."""
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return self._over(session)
        fields = await fields_of(request)
        if fields.get("answer") != "complete":
            words = {
                "number": "We are unable to authenticate your payment method. Please choose a different one."
            }
            return self._form(session, fields, words, status=402)
        return await self._finish(session, fields.get("email", ""), fields, delayed=False)

    async def _finish(
        self, session: Json, email: str, fields: dict[str, str], *, delayed: bool
    ) -> ASGIResponse:
        back = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
        settle_session(self._world, session["id"], email=email, name=fields.get("name", ""), delayed=delayed)
        chosen = MANNERS.get(fields.get("webhook", ""))
        manners = self._world.manners if chosen is None or fields.get("webhook") == "before" else chosen[1]
        event = make_event(self._world, "checkout.session.completed", session)
        await self._deliveries.send([event], manners)
        return see_other(back)

    def _lines(self, session: Json) -> list[Json]:
        return self._world.lines[session["id"]]

    def _form(
        self, session: Json, fields: dict[str, str], problems: dict[str, str], *, status: int = 200
    ) -> ASGIResponse:
        given = {
            name: fields.get(name, "") for name in ("email", "number", "expiry", "cvc", "name", "method")
        }
        return self._pages.html(
            "pay.html", status=status, session=session, lines=self._lines(session), given=given, problems=problems,
            manners=[(name, words) for name, (words, _) in MANNERS.items()],
            webhook=fields.get("webhook", "before"),
        )  # fmt: skip

    def _over(self, session: Json | None) -> ASGIResponse:
        status = 404 if session is None else 410
        words = "no such page" if session is None else session["status"]
        return self._pages.html("over.html", status=status, words=words, shop_url=self._world.shop_url)
