"""Controls beyond the APIs of Stripe and Resend: pay without a browser, settle debits, inject faults, inspect state.

/_sandbox/… for tests and benchmarks: JSON in, JSON out.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from litestar import HttpMethod, Request, get, post, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.faults import FAULTS, MAIL_FAULTS, REFUND_FAULTS
from entrypoints.sandbox.mail.reports import KINDS, MailReports
from entrypoints.sandbox.pages.hosted import asks_address
from entrypoints.sandbox.stripe.deliveries import Deliveries, body_of, sign
from entrypoints.sandbox.stripe.disputes import close_dispute, open_dispute, update_dispute
from entrypoints.sandbox.stripe.objects import Refusal, Told
from entrypoints.sandbox.stripe.payments import NO_ADDRESS
from entrypoints.sandbox.stripe.permissions import PERMISSIONS
from entrypoints.sandbox.stripe.promotions import apply_code
from entrypoints.sandbox.stripe.refunds import create_refund, settle_refund
from entrypoints.sandbox.stripe.sessions import bank_says, completed, settle_session, takes_debits
from entrypoints.sandbox.stripe.warnings import warn_of
from entrypoints.sandbox.world import Json, Manners, World

AnyRequest = Request[Any, Any, Any]
_SOMEWHERE: Final = {**NO_ADDRESS, "country": "DE", "postal_code": "10115"}


class Control:
    """Lets tests change and inspect the world."""

    def __init__(self, world: World, deliveries: Deliveries, reports: MailReports) -> None:
        self._world = world
        self._deliveries = deliveries
        self._reports = reports

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers."""
        return [
            post("/_sandbox/sessions/{cs:str}/pay", status_code=200)(self.pay),
            post("/_sandbox/sessions/{cs:str}/bank", status_code=200)(self.bank),
            post("/_sandbox/sessions/{cs:str}/refund", status_code=200)(self.refund),
            post("/_sandbox/sessions/{cs:str}/dispute", status_code=200)(self.dispute),
            post("/_sandbox/sessions/{cs:str}/warn", status_code=200)(self.warn),
            post("/_sandbox/refunds/{refund:str}/settle", status_code=200)(self.settle),
            post("/_sandbox/disputes/{dispute:str}/update", status_code=200)(self.update),
            post("/_sandbox/disputes/{dispute:str}/close", status_code=200)(self.close),
            post("/_sandbox/mails/{mail:str}/report", status_code=200)(self.report),
            route("/_sandbox/sessions", http_method=[HttpMethod.GET], status_code=200)(self.sessions),
            get("/_sandbox/mails", status_code=200)(self.mails),
            get("/_sandbox/calls", status_code=200)(self.calls),
            get("/_sandbox/attempts", status_code=200)(self.attempts),
            post("/_sandbox/sign", status_code=200)(self.sign),
            post("/_sandbox/behave", status_code=200)(self.behave),
        ]

    # ------------------------------------------------------------------ a sale

    async def pay(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """Pay: {"email", "delayed", "promotion_code", "copies", "delay", "wait"}.

        Answers with the signed event and the return URL.
        """
        told: Json = json.loads(await request.body() or b"{}")
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return _no("no open session of that id")
        email = session["customer_email"] or told.get("email", "shopper@example.com")
        delayed = bool(told.get("delayed"))
        if delayed and not takes_debits(session):
            return _no("this session takes no debits")
        if told.get("promotion_code"):
            try:
                apply_code(self._world, session, told["promotion_code"])
            except Refusal as refusal:
                return _no(str(refusal))
        address = _SOMEWHERE if asks_address(session) else None
        settle_session(self._world, cs, email=email, name="", delayed=delayed, address=address)
        session.update(told.get("change") or {})
        event = completed(self._world, session)
        manners = Manners(
            copies=int(told.get("copies", 0)),
            delay=float(told.get("delay", 0)),
            before_redirect=bool(told.get("wait", True)),
        )
        await self._deliveries.send([event], manners)
        back = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", cs)
        return _json({**self._signed(event), "back": back})

    async def bank(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """The bank's answer to a debit: {"succeeds", "copies", "created"}."""
        told: Json = json.loads(await request.body() or b"{}")
        session = self._world.sessions.get(cs)
        if session is None or not session["payment_intent"]:
            return _no("no debit of that id")
        succeeds = bool(told.get("succeeds", True))
        event = bank_says(self._world, cs, succeeds=succeeds, created=told.get("created"))
        await self._deliveries.send([event], Manners(copies=int(told.get("copies", 1))))
        return _json(self._signed(event))

    def _signed(self, event: Json) -> Json:
        body = body_of(event)
        return {
            "event": event["id"],
            "body": body.decode(),
            "signature": sign(body, self._world.webhook_secret),
        }

    # ------------------------------------------------------------------ after the sale

    async def refund(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """{"amount": null for the rest, "status", "copies", "wait", "created"}."""
        told: Json = json.loads(await request.body() or b"{}")
        charge = self._charge_of(cs)
        if charge is None:
            return _no("no paid session of that id")
        return await self._told("refund", told, lambda: create_refund(
            self._world, charge, amount=told.get("amount"), status=told.get("status", "succeeded"),
            created=told.get("created"),
        ))  # fmt: skip

    async def settle(self, request: AnyRequest, refund: FromPath[str]) -> ASGIResponse:
        """{"status": "succeeded" | "failed" | "canceled", "copies", "wait", "created"}."""
        told: Json = json.loads(await request.body() or b"{}")
        found = self._world.refunds.get(refund)
        if found is None:
            return _no("no refund of that id")
        return await self._told("refund", told, lambda: settle_refund(
            self._world, found, told.get("status", "succeeded"), created=told.get("created")
        ))  # fmt: skip

    async def dispute(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """{"status", "amount": null for the whole charge, "reason", "copies", "wait", "created"}."""
        told: Json = json.loads(await request.body() or b"{}")
        charge = self._charge_of(cs)
        if charge is None:
            return _no("no paid session of that id")
        return await self._told("dispute", told, lambda: open_dispute(
            self._world, charge, status=told.get("status", "needs_response"), amount=told.get("amount"),
            reason=told.get("reason", "fraudulent"), created=told.get("created"),
        ))  # fmt: skip

    async def warn(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """An early fraud warning: {"copies", "wait", "created"}."""
        told: Json = json.loads(await request.body() or b"{}")
        charge = self._charge_of(cs)
        if charge is None:
            return _no("no paid session of that id")
        return await self._told(
            "warning", told, lambda: warn_of(self._world, charge, created=told.get("created"))
        )

    async def update(self, request: AnyRequest, dispute: FromPath[str]) -> ASGIResponse:
        """{"status": "under_review", or "needs_response" for an inquiry that grew, "copies", "wait", "created"}."""
        return await self._of_dispute(request, dispute, update_dispute, "under_review")

    async def close(self, request: AnyRequest, dispute: FromPath[str]) -> ASGIResponse:
        """{"status": "won" | "lost" | "warning_closed", "copies", "wait", "created"}."""
        return await self._of_dispute(request, dispute, close_dispute, "lost")

    async def _of_dispute(self, request: AnyRequest, dispute: str, what: Any, usual: str) -> ASGIResponse:
        told: Json = json.loads(await request.body() or b"{}")
        found = self._world.disputes.get(dispute)
        if found is None:
            return _no("no dispute of that id")
        return await self._told("dispute", told, lambda: what(
            self._world, found, told.get("status", usual), created=told.get("created")
        ))  # fmt: skip

    def _charge_of(self, cs: str) -> Json | None:
        session = self._world.sessions.get(cs)
        intent = self._world.intents.get(session["payment_intent"]) if session else None
        return None if intent is None else self._world.charges.get(intent["latest_charge"])

    async def _told(self, name: str, told: Json, work: Any) -> ASGIResponse:
        """Do the work, deliver its events as requested, and answer with the signed events."""
        try:
            done: Told = work()
        except Refusal as refusal:
            return _no(str(refusal))
        thing, events = done
        manners = Manners(copies=int(told.get("copies", 1)), before_redirect=bool(told.get("wait", True)))
        await self._deliveries.send(events, manners)
        signed = [{**self._signed(event), "type": event["type"]} for event in events]
        return _json({name: thing, "events": signed})

    async def report(self, request: AnyRequest, mail: FromPath[str]) -> ASGIResponse:
        """Report on a mail: {"type", "bounce": {…}, "copies", "wait"}. Answers with the signed delivery."""
        told: Json = json.loads(await request.body() or b"{}")
        found, kind = self._world.mails_by_id.get(mail), told.get("type", "email.bounced")
        if found is None:
            return _no("no mail of that id")
        if kind not in KINDS:
            return _no(f"Resend sends no {kind}")
        manners = Manners(copies=int(told.get("copies", 1)), before_redirect=bool(told.get("wait", True)))
        sent = await self._reports.report(found, kind, manners, told)
        if sent is None:
            return _no("there is no secret to sign mail webhooks with")
        body, headers = sent
        return _json({"body": body.decode(), "headers": headers})

    # ------------------------------------------------------------------ inspection and faults

    async def sign(self, request: AnyRequest) -> ASGIResponse:
        """The signature header for a body; `?at=` signs for another second than now."""
        at = request.query_params.get("at")
        header = sign(await request.body(), self._world.webhook_secret, at=int(at) if at else None)
        return _json({"signature": header})

    async def sessions(self) -> ASGIResponse:
        """Every session."""
        return _json(list(self._world.sessions.values()))

    async def mails(self, request: AnyRequest) -> ASGIResponse:
        """Every accepted mail, with its number of submissions; `?to=`: those to one address."""
        to = request.query_params.get("to")
        mails = self._world.mails.values()
        return _json([asdict(mail) for mail in mails if to is None or to in mail.fields["to"]])

    async def calls(self) -> ASGIResponse:
        """The last calls of the Stripe API."""
        return _json(self._world.calls)

    async def attempts(self) -> ASGIResponse:
        """The last deliveries."""
        return _json([asdict(attempt) for attempt in self._world.attempts])

    async def behave(self, request: AnyRequest) -> ASGIResponse:
        """{"stripe": one of `faults.FAULTS`, "refund": one of `faults.REFUND_FAULTS`, "mail":
        one of `faults.MAIL_FAULTS`, "copies", "delay", "before_redirect",
        "webhook_url", "mail_webhook_url"}; and of the account: {"permissions": of a restricted key, null for all,
        "business_name", "head_office"}."""
        told: Json = json.loads(await request.body())
        for side, faults in (("stripe", FAULTS), ("refund", REFUND_FAULTS), ("mail", MAIL_FAULTS)):
            if told.get(side, "") not in faults:
                return _json({"error": f"{side}: one of {sorted(faults)}"}, status=400)
        unknown = sorted(set(told.get("permissions") or ()) - PERMISSIONS)
        if unknown:
            return _json({"error": f"no permissions of a key: {', '.join(unknown)}"}, status=400)
        if "permissions" in told:
            held_by_key = told["permissions"]
            self._world.permissions = None if held_by_key is None else frozenset(held_by_key)
        self._world.business_name = told.get("business_name", self._world.business_name)
        self._world.head_office = told.get("head_office", self._world.head_office)
        self._world.stripe_fault = told.get("stripe", self._world.stripe_fault)
        self._world.refund_fault = told.get("refund", self._world.refund_fault)
        self._world.mail_fault = told.get("mail", self._world.mail_fault)
        self._world.webhook_url = told.get("webhook_url", self._world.webhook_url)
        self._world.mail_webhook_url = told.get("mail_webhook_url", self._world.mail_webhook_url)
        held = self._world.manners
        self._world.manners = Manners(
            copies=told.get("copies", held.copies),
            delay=told.get("delay", held.delay),
            before_redirect=told.get("before_redirect", held.before_redirect),
        )
        return _json({"ok": True})


def _json(body: object, *, status: int = 200) -> ASGIResponse:
    return ASGIResponse(body=json.dumps(body).encode(), status_code=status, media_type="application/json")


def _no(words: str) -> ASGIResponse:
    """The refusal of an action that is no longer possible."""
    return _json({"error": words}, status=409)
