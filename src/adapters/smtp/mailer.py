"""The mailer port on SMTP, through aiosmtplib."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from domain.mail import Envelope
from domain.ports import MailNotSent, MailRefused, MailUnknown
from domain.redacting import redacted_start, words_of
from domain.sender import Sender, quoted_name
from domain.values import as_line

_CONNECTS_WITHIN: Final = 60.0
_TIMEOUT: Final = 300.0
"""For an answer to a command (RFC 5321 §4.5.3.2.1 to .3)."""
_FINAL_DOT: Final = 660.0
"""For the answer to a message: ten minutes (RFC 5321 §4.5.3.2.6), since a server that gets no thanks for a message it
has accepted is given it again; and a minute for the way."""
_CHECKS_WITHIN: Final = 30.0
_POLICY: Final = SMTP.clone(max_line_length=76)
"""Lines of quoted-printable text have at most 76 characters (RFC 2045 §6.7)."""
_LONGEST_LINE: Final = 66
"""Of a header's text: with the header's name it stays below the 78 characters of RFC 5322 §2.1.1."""
_ENCODED_BYTES: Final = 36
"""In one encoded word: with its frame and a header's name, it stays below the 76 characters of RFC 2047 §2."""
_ACCEPTED: Final = 2
_NOT_NOW: Final = 4
_NEVER: Final = 5
"""The first digits of a server's answer (RFC 5321 §4.2.1)."""
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_CONGESTED: Final = re.compile(r"[45]\.4\.5\b")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")


class SmtpMailer:
    """A connection a mail. SMTP knows no idempotency keys: the Message-ID is made from ours, and always the same."""

    def __init__(self, *, url: str, sender: str) -> None:
        """`url`: smtp://user:password@host:587 (STARTTLS where offered), or smtps://…:465."""
        parts = urlsplit(url)
        self._sender = Sender.parse(sender)
        self._host = parts.hostname or "localhost"
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, envelope: Envelope) -> None:
        """See Mailer."""
        message = _built(envelope, sender=self._sender)
        client = self._client()
        try:
            await self._sign_in(client)
            with _nothing_sent_yet():
                await client.mail(self._sender.address)
                await client.rcpt(envelope.to.canonical)
            await _give(client, message)
        finally:
            client.close()

    async def check(self) -> None:
        """Connect and sign in, to learn whether host and password are good. Raises as `send` does."""
        client = self._client()
        try:
            async with asyncio.timeout(_CHECKS_WITHIN):
                await self._sign_in(client)
        except TimeoutError as error:
            raise MailNotSent(f"the mail server does not answer within {_CHECKS_WITHIN:.0f} s") from error
        finally:
            client.close()

    async def sender_found(self) -> tuple[bool, str]:
        """What SMTP cannot say: whether the world believes the sender."""
        return True, (
            f"SMTP cannot say whether {self._sender.domain} may send through {self._host}: see that its SPF, DKIM and "
            "DMARC records name it"
        )

    async def close(self) -> None:
        """Nothing is held."""

    async def _sign_in(self, client: aiosmtplib.SMTP) -> None:
        """Connect, with TLS where it is offered, and sign in. Raises MailNotSent or MailRefused.

        An answer with a code is about the server or the account, not about an email: it may pass, unless user and
        password are wrong.
        """
        with _nothing_sent_yet():
            try:
                await client.connect(timeout=_CONNECTS_WITHIN)
                self._check_privacy(client)
                if self._username is not None:
                    await client.login(self._username, self._password or "")
            except aiosmtplib.SMTPAuthenticationError as error:
                raise _not_signed_in(error.code, error.message) from error
            except aiosmtplib.SMTPResponseException as error:
                raise MailNotSent(f"the mail server cannot be used now ({_said(error)})") from error

    def _check_privacy(self, client: aiosmtplib.SMTP) -> None:
        """Raises MailRefused if user and password could be read on the way: nobody else is on a loopback."""
        encrypted = client.get_transport_info("sslcontext") is not None
        if self._username is not None and not encrypted and not _is_loopback(self._host):
            raise MailRefused(
                f"{self._host} offers no TLS on port {self._port}, so user and password would be sent in clear text: "
                "have SMTP_URL begin with smtps://, or name a port with STARTTLS"
            )

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._tls,
            timeout=_TIMEOUT,
        )


@contextmanager
def _nothing_sent_yet() -> Iterator[None]:
    """Errors before the message is given: it was certainly not sent. Raises MailNotSent or MailRefused."""
    try:
        yield
    except (MailNotSent, MailRefused):
        raise
    except aiosmtplib.SMTPResponseException as error:
        raise _answered(error) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        words = f"{type(error).__name__}: {error}".rstrip(": ")
        raise MailNotSent(f"the mail server cannot be reached ({words})") from error
    except Exception as error:
        raise MailRefused(f"it cannot be given to the mail server: {words_of(error)}") from error


async def _give(client: aiosmtplib.SMTP, message: bytes) -> None:
    """The message itself. Raises as `send` does."""
    try:
        await client.data(message, timeout=_FINAL_DOT)
    except aiosmtplib.SMTPResponseException as error:
        if error.code // 100 != _ACCEPTED:
            raise _answered(error) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailUnknown(f"the line broke while a mail was given ({type(error).__name__})") from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _built(envelope: Envelope, *, sender: Sender) -> bytes:
    """The message. Raises MailRefused if none can be made: it could not be made tomorrow, either."""
    try:
        return message_of(envelope, sender=sender)
    except MailRefused:
        raise
    except Exception as error:
        raise MailRefused(f"no message can be made of it: {words_of(error)}") from error


def message_of(envelope: Envelope, *, sender: Sender) -> bytes:
    """The message, the same bytes for the same envelope: its date is when it was queued, its boundary is not random.

    The headers that hold data are written here: Python's own decode `=?…?=` in a value and, before 3.11.10 and
    3.12.5, write what comes out as it is (CVE-2024-6923). Raises MailRefused if one is not printable ASCII.
    """
    digest = hashlib.sha256(envelope.idempotency_key.encode()).hexdigest()
    headers = {
        "From": f"{_phrase(sender.name)} <{sender.address}>" if sender.name else sender.address,
        "To": envelope.to.canonical,
        "Subject": _encoded(envelope.subject),
        "Date": format_datetime(envelope.written_at),
        "Message-ID": f"<{digest[:40]}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
    }
    if envelope.no_more_url:  # RFC 8058: one click, no page in between
        headers["List-Unsubscribe"] = f"<{envelope.no_more_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    body = EmailMessage(policy=_POLICY)
    body.set_content(envelope.text, cte="quoted-printable")
    body.add_alternative(envelope.html, subtype="html", cte="quoted-printable")
    body.set_boundary(f"={digest[:32]}=")
    return b"".join(_header(name, value) for name, value in headers.items()) + body.as_bytes()


def _header(name: str, value: str) -> bytes:
    """A header field; the only line breaks in it are those between our encoded words."""
    if not all(_PRINTABLE.fullmatch(line) for line in value.split("\r\n ")):
        raise MailRefused(f"the header {name} would not be printable ASCII: {value[:100]!r}")
    return f"{name}: {value}\r\n".encode("ascii")


def _encoded(text: str) -> str:
    """A text as a header's value: as it is, or as encoded words (RFC 2047), one a line."""
    if _PRINTABLE.fullmatch(text) and "=?" not in text and len(text) <= _LONGEST_LINE:
        return text
    words, word = [], b""
    for char in as_line(text):
        encoded = char.encode()
        if len(word) + len(encoded) > _ENCODED_BYTES:
            words.append(word)
            word = b""
        word += encoded
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in (*words, word))


def _phrase(name: str) -> str:
    """The display name of an address."""
    encoded = _encoded(name)
    return quoted_name(name) if encoded == name else encoded


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code}: {redacted_start(error.message)[:200]}"


def _answered(error: aiosmtplib.SMTPResponseException) -> Exception:
    """RFC 5321 §4.2.1: 4yz may pass, 5yz will not, and of another answer nothing is known.

    X.4.5 may pass whatever stands before it (RFC 3463 §3.5, congestion): some servers answer so at a daily quota.
    """
    told = f"the mail server answered {_said(error)}"
    if error.code // 100 == _NOT_NOW or _CONGESTED.match(error.message):
        return MailNotSent(told)
    return MailRefused(told) if error.code // 100 == _NEVER else MailUnknown(told)


def _not_signed_in(code: int, words: str) -> Exception:
    """4yz at AUTH (RFC 4954 §4.7.3: 454, 432) is of the moment: the same password may be good in a minute.

    Of the server's words only the enhanced status code is kept: what was sent to it was a password.
    """
    found = _STATUS.match(words)
    told = f"{code} {found[0]}" if found else str(code)
    if code // 100 == _NOT_NOW:
        return MailNotSent(f"the mail server takes no user and password now ({told})")
    return MailRefused(f"the mail server refused user or password ({told})")
