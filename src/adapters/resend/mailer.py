"""The mailer port on Resend, through its SDK."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, Final

import httpx
import resend
from resend.exceptions import ResendError
from resend.http_client_async import AsyncHTTPClient

from adapters.resend.reports import MAIL_TAG, tag_of
from domain.mail import Envelope
from domain.ports import MailNotSent, MailRefused, MailUnknown

_TIMEOUT: Final = 12.0
_NOT_CONNECTED: Final = "not_connected"
_NO_ANSWER: Final = "no_answer"
_TRY_LATER: Final = frozenset({"rate_limit_exceeded"})
_UNDER_WAY: Final = frozenset({"concurrent_idempotent_requests"})


class ResendMailer:
    """One mail a call. The SDK keeps its settings in module globals, so a process has one of these."""

    def __init__(self, *, api_key: str, sender: str, api_url: str | None) -> None:
        self._sender = sender
        self._http = _Connections()
        resend.api_key = api_key
        if api_url is not None:
            resend.api_url = api_url
        resend.default_async_http_client = self._http

    async def send(self, envelope: Envelope) -> None:
        """See Mailer. https://resend.com/docs/api-reference/emails/send-email"""
        params: resend.Emails.SendParams = {
            "from": self._sender,
            "to": [envelope.to.canonical],
            "subject": envelope.subject,
            "html": envelope.html,
            "text": envelope.text,
            "tags": [{"name": MAIL_TAG, "value": tag_of(envelope.idempotency_key)}],
        }
        if envelope.no_more_url:
            params["headers"] = {
                "List-Unsubscribe": f"<{envelope.no_more_url}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        try:
            await resend.Emails.send_async(params, {"idempotency_key": envelope.idempotency_key})
        except ResendError as error:
            raise _in_our_words(error) from error

    async def check(self) -> None:
        """Ask for something small, to learn whether the key is good. Raises as `send` does.

        A key that may only send is told so, which proves it, too.
        """
        try:
            await resend.Domains.list_async()
        except ResendError as error:
            if error.error_type != "restricted_api_key":
                raise _in_our_words(error) from error

    async def sender_found(self) -> tuple[bool, str]:
        """Whether mail may come from the sender's domain, and what to do if not. Raises as `send` does.

        https://resend.com/docs/api-reference/domains/list-domains
        """
        domain = parseaddr(self._sender)[1].rpartition("@")[2].lower()
        try:
            listed = await resend.Domains.list_async()
        except ResendError as error:
            if error.error_type == "restricted_api_key":
                return True, f"the key may only send: see in Resend's dashboard that {domain} is verified"
            raise _in_our_words(error) from error
        found = next((one for one in listed["data"] if one["name"].lower() == domain), None)
        if found is None:
            return False, f"Resend does not know {domain}: add it there (Domains), or change EMAIL_FROM"
        if found["status"] != "verified":
            return (
                False,
                f"{domain} is {found['status']} at Resend: set the DNS records that its page there names",
            )
        return True, f"{domain} is verified at Resend"

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close()


def _in_our_words(error: ResendError) -> Exception:
    """https://resend.com/docs/api-reference/errors; only what may pass is tried again."""
    code = int(error.code) if str(error.code).isdigit() else 500
    if error.error_type == _NOT_CONNECTED or error.error_type in _TRY_LATER:
        return MailNotSent(f"Resend: {error.message}")
    if error.error_type == _NO_ANSWER or error.error_type in _UNDER_WAY or code >= 500:
        return MailUnknown(f"Resend ({code}): {error.message}")
    return MailRefused(f"Resend said no ({code} {error.error_type}): {error.message}")


class _Connections(AsyncHTTPClient):
    """Keeps connections open between emails, and distinguishes "never connected" from "no answer"."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request, as the SDK asks for it."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT)
        try:
            answer = await self._client.request(method, url, headers=headers, json=json)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _failure(_NOT_CONNECTED, "it cannot be reached") from error
        except httpx.HTTPError as error:
            raise _failure(_NO_ANSWER, f"no answer came ({type(error).__name__})") from error
        return answer.content, answer.status_code, answer.headers

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _failure(kind: str, message: str) -> ResendError:
    return ResendError(code=500, error_type=kind, message=message, suggested_action="Try again.")
