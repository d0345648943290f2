"""The mailer port on SMTP, through aiosmtplib."""

from __future__ import annotations

import base64
import hashlib
import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr, quote
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from domain.mail import Envelope
from domain.ports import MailNotSent, MailRefused, MailUnknown
from domain.redacting import redacted_start
from domain.values import EmailAddress, as_line

_TIMEOUT: Final = 12.0
_POLICY: Final = SMTP.clone(max_line_length=998)
_LONGEST_LINE: Final = 200
_ENCODED_BYTES: Final = 36
"""In one encoded word: with its frame and a header's name, it stays below the 76 characters of RFC 2047 §2."""
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")


class SmtpMailer:
    """A connection a mail. SMTP knows no idempotency keys: the Message-ID is made from ours, and always the same."""

    def __init__(self, *, url: str, sender: str) -> None:
        """`url`: smtp://user:password@host:587 (STARTTLS where offered), or smtps://…:465."""
        parts = urlsplit(url)
        self._sender = sender
        self._host = parts.hostname or "localhost"
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, envelope: Envelope) -> None:
        """See Mailer."""
        message = message_of(envelope, sender=self._sender)
        client = self._client()
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailRefused(f"the mail server refused user or password ({error.code})") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailNotSent(f"the mail server cannot be reached ({type(error).__name__})") from error
        try:
            await client.sendmail(_parts(self._sender)[1], [envelope.to.canonical], message)
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(error.code, error.message) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise _answered(first.code, first.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailUnknown(f"the line broke while a mail was given ({type(error).__name__})") from error
        finally:
            client.close()

    async def check(self) -> None:
        """Connect and sign in, to learn whether host and password are good. Raises as `send` does."""
        client = self._client()
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailRefused(f"the mail server refused user or password ({error.code})") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailNotSent(f"the mail server cannot be reached ({type(error).__name__})") from error
        finally:
            client.close()

    async def sender_found(self) -> tuple[bool, str]:
        """What SMTP cannot say: whether the world believes the sender."""
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        return True, (
            f"SMTP cannot say whether {domain} may send through {self._host}: see that its SPF, DKIM and DMARC "
            "records name it"
        )

    async def close(self) -> None:
        """Nothing is held."""

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._tls,
            timeout=_TIMEOUT,
        )


def message_of(envelope: Envelope, *, sender: str) -> bytes:
    """The message, the same bytes for the same envelope: no date (the server adds one), no random boundary.

    The headers that hold data are written here: Python's own decode `=?…?=` in a value and, before 3.11.10 and
    3.12.5, write what comes out as it is (CVE-2024-6923). Raises MailRefused if one is not printable ASCII.
    """
    digest = hashlib.sha256(envelope.idempotency_key.encode()).hexdigest()
    name, address = _parts(sender)
    headers = {
        "From": f"{_phrase(name)} <{address}>" if name else address,
        "To": envelope.to.canonical,
        "Subject": _encoded(envelope.subject),
        "Message-ID": f"<{digest[:40]}@{address.rpartition('@')[2]}>",
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


def _parts(sender: str) -> tuple[str, str]:
    """Display name and address, in ASCII."""
    name, address = parseaddr(as_line(sender))
    return name, address if address.isascii() else EmailAddress.parse(address).canonical


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
    return f'"{quote(name)}"' if encoded == name else encoded


def _answered(code: int, words: str) -> Exception:
    """RFC 5321 §4.2.1: 4yz may pass, 5yz will not."""
    told = f"the mail server answered {code}: {redacted_start(words)[:200]}"
    return MailNotSent(told) if 400 <= code < 500 else MailRefused(told)
