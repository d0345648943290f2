"""The part of Resend's API that a shop uses, and a mailbox that shows the mails."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from email.utils import parseaddr
from itertools import islice
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.faults import cut, stumble
from entrypoints.sandbox.mail.reports import KINDS, MailReports, recipients
from entrypoints.sandbox.pages.rendering import SandboxPages, see_other
from entrypoints.sandbox.stripe.forms import fields_of
from entrypoints.sandbox.world import Json, Manners, SentMail, World, moment

AnyRequest = Request[Any, Any, Any]
_SHOWN: Final = 200
_QUOTAS: Final = {
    "daily-quota": ("daily_quota_exceeded", "You have reached your daily email sending quota."),
    "monthly-quota": ("monthly_quota_exceeded", "You have reached your monthly email sending quota."),
}
_OF_A_PROXY: Final = {"408": (408, "Request Time-out"), "429-html": (429, "Too Many Requests")}
_OWN_DOMAIN: Final = "cloakroom.example"


class MailApi:
    """POST /emails, GET /domains; and the mailbox pages."""

    def __init__(self, world: World, pages: SandboxPages, reports: MailReports) -> None:
        self._world = world
        self._pages = pages
        self._reports = reports

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers."""
        return [
            post("/emails", status_code=200)(self.send),
            get("/domains", status_code=200)(self.domains),
            get("/mailbox", status_code=200)(self.mailbox),
            get("/mailbox/{mail:str}", status_code=200)(self.read),
            post("/mailbox/{mail:str}", status_code=303)(self.report),
            get("/mailbox/{mail:str}/html", status_code=200)(self.body),
        ]

    async def send(self, request: AnyRequest) -> ASGIResponse:
        """https://resend.com/docs/api-reference/emails/send-email, with its idempotency keys."""
        refused = await self._refused(request)
        return refused or self._answer(*await self._accept(request))

    async def _accept(self, request: AnyRequest) -> tuple[int, Json]:
        try:
            fields: Json = json.loads(await request.body())
        except ValueError:
            return _error(400, "validation_error", "The body is not JSON.")
        for name in ("from", "to", "subject"):
            if not fields.get(name):
                return _error(422, "missing_required_field", f"Missing `{name}` field.")
        key = request.headers.get("idempotency-key") or str(uuid.uuid4())
        held = self._world.mails.get(key)
        if held is not None:
            if held.fields != fields:
                words = "Same idempotency key used with a different request payload."
                return _error(409, "invalid_idempotent_request", words)
            held.handed += 1
            return 200, {"id": held.id}
        mail = SentMail(id=str(uuid.uuid4()), key=key, fields=fields, at=moment())
        self._world.mails[key] = self._world.mails_by_id[mail.id] = mail
        await self._reports.accepted(mail)
        return 200, {"id": mail.id}

    async def domains(self, request: AnyRequest) -> ASGIResponse:
        """https://resend.com/docs/api-reference/domains/list-domains: every sender's domain is verified."""
        refused = await self._refused(request)
        if refused is not None:
            return refused
        last = next(reversed(self._world.mails.values()), None)
        sender = parseaddr(last.fields["from"])[1] if last is not None else ""
        name = sender.rpartition("@")[2].lower() or _OWN_DOMAIN
        domain = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), "name": name, "status": "verified",
            "created_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(sep=" "), "region": "eu-west-1",
            "capabilities": {"sending": "enabled", "receiving": "disabled"},
        }  # fmt: skip
        return self._answer(200, {"object": "list", "has_more": False, "data": [domain]})

    async def _refused(self, request: AnyRequest) -> ASGIResponse | None:
        """The API's answer under a fault, or without a key."""
        status = await stumble(self._world.mail_fault, request.scope["client"])
        if status == 429:
            words = "Too many requests. Please limit the number of requests per second."
            return self._answer(*_error(429, "rate_limit_exceeded", words), headers=[("retry-after", "1")])
        if (quota := _QUOTAS.get(self._world.mail_fault)) is not None:
            return self._answer(*_error(429, *quota))
        if (proxy := _OF_A_PROXY.get(self._world.mail_fault)) is not None:
            page = f"<html><body><h1>{proxy[1]}</h1></body></html>"
            return ASGIResponse(body=page.encode(), status_code=proxy[0], media_type="text/html")
        if status is not None:
            return self._answer(*_error(status, "application_error", "Told to be down."))
        if not request.headers.get("authorization", "").startswith("Bearer re_"):
            return self._answer(
                *_error(401, "missing_api_key", "Missing API key in the authorization header.")
            )
        return None

    def _answer(
        self, status: int, body: Json, *, headers: list[tuple[str, str]] | None = None
    ) -> ASGIResponse:
        return ASGIResponse(
            body=cut(json.dumps(body).encode(), self._world.mail_fault), status_code=status,
            media_type="application/json", headers=headers or [],
        )  # fmt: skip

    async def mailbox(self) -> ASGIResponse:
        """The last mails, newest first."""
        shown = [
            {"id": m.id, "to": ", ".join(recipients(m)), "subject": m.fields["subject"], "at": m.at}
            for m in islice(reversed(self._world.mails.values()), _SHOWN)
        ]
        return self._pages.html("mailbox.html", mails=shown, shop_url=self._world.shop_url)

    async def read(self, mail: FromPath[str]) -> ASGIResponse:
        """One mail, as HTML and as text."""
        found = self._world.mails_by_id.get(mail)
        if found is None:
            return self._pages.over("no such mail", self._world.shop_url, status=404)
        fields = found.fields
        pieces = [
            {"text": piece, "link": piece.startswith("http")}
            for piece in re.split(r"(https?://\S*[^\s.,;:])", str(fields.get("text", "")))
            if piece
        ]
        return self._pages.html(
            "mail.html", mail={"id": found.id, "key": found.key, "at": found.at, "subject": fields["subject"]},
            sender=fields["from"], to=", ".join(recipients(found)), pieces=pieces,
            headers=list((fields.get("headers") or {}).items()), tags=fields.get("tags") or [],
            reports=self._world.reports.get(found.id, []), tells=bool(self._world.mail_webhook_secret),
        )  # fmt: skip

    async def report(self, request: AnyRequest, mail: FromPath[str]) -> ASGIResponse:
        """A button of the mail's page: send a delivery report."""
        found = self._world.mails_by_id.get(mail)
        kind = (await fields_of(request)).get("report")
        if found is not None and kind in KINDS:
            await self._reports.report(found, kind, Manners())
        return see_other(f"{self._world.path}/mailbox" + (f"/{mail}" if found is not None else ""))

    async def body(self, mail: FromPath[str]) -> ASGIResponse:
        """The HTML part alone, for the frame of the page above. Links open in the whole window."""
        found = self._world.mails_by_id.get(mail)
        html = "" if found is None else str(found.fields.get("html", ""))
        html = html.replace("<head>", '<head><base target="_top">', 1)
        policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: {self._world.shop_url}"
        return ASGIResponse(
            body=html.encode(), media_type="text/html", headers=[("content-security-policy", policy)]
        )


def _error(status: int, name: str, message: str) -> tuple[int, Json]:
    return status, {"statusCode": status, "name": name, "message": message}
