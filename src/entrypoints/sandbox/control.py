"""What Stripe and Resend have no API for: pay without a browser, let a bank answer, break things, look inside."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from litestar import HttpMethod, Request, get, post, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.deliveries import Deliveries, sign
from entrypoints.sandbox.hosted import fields_of
from entrypoints.sandbox.objects import make_event, settle_session
from entrypoints.sandbox.pages import SandboxPages, see_other
from entrypoints.sandbox.stripe_api import StripeApi
from entrypoints.sandbox.world import Json, Manners, World

AnyRequest = Request[Any, Any, Any]


class Control:
    """/ for people, /_sandbox/… for tests and benchmarks."""

    def __init__(self, world: World, api: StripeApi, deliveries: Deliveries, pages: SandboxPages) -> None:
        self._world = world
        self._api = api
        self._deliveries = deliveries
        self._pages = pages

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers."""
        return [
            get("/", status_code=200)(self.home),
            post("/sessions/{cs:str}", status_code=303)(self.act),
            post("/_sandbox/sessions/{cs:str}/pay", status_code=200)(self.pay),
            post("/_sandbox/sessions/{cs:str}/bank", status_code=200)(self.bank),
            route("/_sandbox/sessions", http_method=[HttpMethod.GET], status_code=200)(self.sessions),
            get("/_sandbox/mails", status_code=200)(self.mails),
            get("/_sandbox/calls", status_code=200)(self.calls),
            get("/_sandbox/attempts", status_code=200)(self.attempts),
            post("/_sandbox/sign", status_code=200)(self.sign),
            post("/_sandbox/behave", status_code=200)(self.behave),
        ]

    async def home(self) -> ASGIResponse:
        """What is going on, for somebody who watches the race."""
        newest = sorted(self._world.sessions.values(), key=lambda s: -s["created"])[:50]
        sessions = [
            {"id": s["id"], "status": s["status"], "paid": s["payment_status"], "amount": s["amount_total"],
             "currency": s["currency"], "created": s["created"], "name": self._world.lines[s["id"]][0]["name"],
             "url": s["url"]}
            for s in newest
        ]  # fmt: skip
        attempts = list(reversed(self._world.attempts))[:50]
        return self._pages.html(
            "home.html", sessions=sessions, attempts=attempts, shop_url=self._world.shop_url
        )

    async def act(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """A button of the page: let the bank pay or bounce, expire, or send the event again."""
        wish = (await fields_of(request)).get("wish")
        session = self._world.sessions.get(cs)
        manners = Manners(before_redirect=True)
        if session is not None and wish == "expire" and session["status"] == "open":
            await self._api.expire(cs)
        elif session is not None and wish in ("succeed", "bounce") and session["payment_intent"]:
            await self._deliveries.send([self._api.bank_says(cs, succeeds=wish == "succeed")], manners)
        elif session is not None and wish == "again" and session["status"] == "complete":
            event = make_event(self._world, "checkout.session.completed", session)
            await self._deliveries.send([event], manners)
        return see_other("/")

    async def pay(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """Pay: {"email", "delayed", "copies", "delay", "wait"}. Answers with the event, signed, and the way back."""
        told: Json = json.loads(await request.body() or b"{}")
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return _json({"error": "no open session of that id"}, status=409)
        email = session["customer_email"] or told.get("email", "shopper@example.com")
        delayed = bool(told.get("delayed"))
        settle_session(self._world, cs, email=email, name="", delayed=delayed)
        session.update(told.get("change") or {})
        event = make_event(self._world, "checkout.session.completed", session)
        manners = Manners(
            copies=int(told.get("copies", 0)),
            delay=float(told.get("delay", 0)),
            before_redirect=bool(told.get("wait", True)),
        )
        await self._deliveries.send([event], manners)
        back = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", cs)
        return _json({**self._signed(event), "back": back})

    async def bank(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """The bank's answer to a debit: {"succeeds", "copies"}."""
        told: Json = json.loads(await request.body() or b"{}")
        event = self._api.bank_says(cs, succeeds=bool(told.get("succeeds", True)))
        await self._deliveries.send([event], Manners(copies=int(told.get("copies", 1))))
        return _json(self._signed(event))

    def _signed(self, event: Json) -> Json:
        body = json.dumps(event, indent=2)
        return {
            "event": event["id"],
            "body": body,
            "signature": sign(body.encode(), self._world.webhook_secret),
        }

    async def sign(self, request: AnyRequest) -> ASGIResponse:
        """The signature header of any body; `?at=` for another second than now."""
        at = request.query_params.get("at")
        header = sign(await request.body(), self._world.webhook_secret, at=int(at) if at else None)
        return _json({"signature": header})

    async def sessions(self) -> ASGIResponse:
        """Every session."""
        return _json(list(self._world.sessions.values()))

    async def mails(self) -> ASGIResponse:
        """Every mail that was accepted, and how often it was handed over."""
        return _json([asdict(mail) for mail in self._world.mails.values()])

    async def calls(self) -> ASGIResponse:
        """The last calls of the Stripe side."""
        return _json(self._world.calls)

    async def attempts(self) -> ASGIResponse:
        """The last deliveries."""
        return _json([asdict(attempt) for attempt in self._world.attempts])

    async def behave(self, request: AnyRequest) -> ASGIResponse:
        """{"stripe": "" | "down" | "hang", "mail": the same, "copies", "delay", "before_redirect", "webhook_url"}."""
        told: Json = json.loads(await request.body())
        self._world.stripe_fault = told.get("stripe", self._world.stripe_fault)
        self._world.mail_fault = told.get("mail", self._world.mail_fault)
        self._world.webhook_url = told.get("webhook_url", self._world.webhook_url)
        held = self._world.manners
        self._world.manners = Manners(
            copies=told.get("copies", held.copies),
            delay=told.get("delay", held.delay),
            before_redirect=told.get("before_redirect", held.before_redirect),
        )
        return _json({"ok": True})


def _json(body: object, *, status: int = 200) -> ASGIResponse:
    return ASGIResponse(body=json.dumps(body).encode(), status_code=status, media_type="application/json")
