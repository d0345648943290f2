"""The mailer port on Resend, through its SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx
import resend
from resend.exceptions import NoContentError, ResendError
from resend.http_client_async import AsyncHTTPClient

from adapters.resend.reports import MAIL_TAG, tag_of
from domain.mail import Envelope
from domain.ports import MailNotSent, MailRefused, MailSentBefore, MailUnknown
from domain.redacting import words_of
from domain.sender import Sender
from domain.values import InvalidEmail

_TIMEOUT: Final = 12.0
_NOT_CONNECTED: Final = "not_connected"
_NO_ANSWER: Final = "no_answer"
_NOT_BUILT: Final = "not_built"
_NOT_JSON: Final = "application_error"
"""What the SDK says of an answer that is not JSON; of Resend itself it comes with 500 only."""
_KEY_USED: Final = "invalid_idempotent_request"
_UNDER_WAY: Final = "concurrent_idempotent_requests"
_TRY_LATER: Final = frozenset({425, 429})
_MAY_HAVE_WORKED: Final = frozenset({408})
_BROKEN: Final = 500


class ResendMailer:
    """One mail a call. The SDK keeps its settings in module globals, so a process has one of these."""

    def __init__(self, *, api_key: str, sender: str, api_url: str | None) -> None:
        self._sender = Sender.parse(sender)
        self._http = _Connections()
        resend.api_key = api_key
        if api_url is not None:
            resend.api_url = api_url
        resend.default_async_http_client = self._http

    async def send(self, envelope: Envelope) -> None:
        """See Mailer. https://resend.com/docs/api-reference/emails/send-email"""
        params: resend.Emails.SendParams = {
            "from": str(self._sender),
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
        except NoContentError as error:
            raise MailUnknown("Resend's answer was empty") from error

    async def check(self) -> None:
        """Ask for something small, to learn whether the key is good. Raises as `send` does.

        Resend answers a key that may only send with an error of its own, which proves the key, too.
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
        domain = self._sender.domain
        try:
            listed = await resend.Domains.list_async()
        except ResendError as error:
            if error.error_type == "restricted_api_key":
                return True, f"the key may only send: see in Resend's dashboard that {domain} is verified"
            raise _in_our_words(error) from error
        found = next((one for one in listed["data"] if _same_domain(one["name"], domain)), None)
        if found is None:
            return False, f"Resend does not know {domain}: add it there (Domains), or change EMAIL_FROM"
        if found["status"] != "verified":
            return (
                False,
                f"{domain} is {found['status']} at Resend: set the DNS records that its page there names",
            )
        return True, f"{domain} is verified at Resend"

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _same_domain(listed: str, ours: str) -> bool:
    """Whether a domain that Resend lists, in any of its forms, is the sender's."""
    try:
        return Sender.parse(f"x@{listed}").domain == ours
    except InvalidEmail:
        return False


def _in_our_words(error: ResendError) -> Exception:
    """https://resend.com/docs/api-reference/errors

    What may pass is tried again: limits and quotas (429, whatever the body says), a timeout on the way (408), errors
    of the server. An answer that is not JSON comes from something before Resend's API: it says nothing of the email.
    """
    code = int(error.code) if str(error.code).isdigit() else _BROKEN
    told = f"Resend ({code} {error.error_type}): {error.message}"
    if error.error_type == _NOT_BUILT:
        return MailRefused(error.message)
    if error.error_type == _KEY_USED:
        return MailSentBefore(told)
    if error.error_type == _NOT_CONNECTED:
        return MailNotSent(f"Resend: {error.message}")
    if code in _MAY_HAVE_WORKED or code >= _BROKEN or error.error_type == _UNDER_WAY:
        return MailUnknown(told)
    if code in _TRY_LATER or error.error_type == _NOT_JSON:
        return MailNotSent(told)
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
            request = self._client.build_request(method, url, headers=headers, json=json)
        except Exception as error:  # such as a text that is not Unicode
            raise _failure(_NOT_BUILT, f"no request can be made of it: {words_of(error)}") from error
        try:
            answer = await _sent(self._client, request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _failure(_NOT_CONNECTED, "it cannot be reached") from error
        except httpx.HTTPError as error:
            raise _failure(_NO_ANSWER, f"no answer came ({type(error).__name__})") from error
        if answer.is_redirect or answer.is_informational:  # the SDK takes every status below 400 for a yes
            raise _failure(_NO_ANSWER, f"it was sent elsewhere ({answer.status_code})")
        return answer.content, answer.status_code, answer.headers

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


async def _sent(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send it; once more if it only reads, and met a connection that the server had closed meanwhile."""
    try:
        return await client.send(request)
    except httpx.RemoteProtocolError:
        if request.method != "GET":
            raise
        return await client.send(request)


def _failure(kind: str, message: str) -> ResendError:
    return ResendError(code=500, error_type=kind, message=message, suggested_action="Try again.")
