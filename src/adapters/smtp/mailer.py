"""The mailer port on SMTP, through aiosmtplib."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from domain.mail import Envelope
from domain.ports import MailNotSent, MailRefused, MailUnknown
from domain.redacting import redacted

_TIMEOUT: Final = 12.0
_POLICY: Final = SMTP.clone(max_line_length=998)


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
            await client.send_message(
                message, sender=parseaddr(self._sender)[1], recipients=[envelope.to.canonical]
            )
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


def message_of(envelope: Envelope, *, sender: str) -> EmailMessage:
    """The message, the same bytes for the same envelope: no date (the server adds one), no random boundary."""
    digest = hashlib.sha256(envelope.idempotency_key.encode()).hexdigest()
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = envelope.to.canonical
    message["Subject"] = envelope.subject
    message["Message-ID"] = f"<{digest[:40]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if envelope.no_more_url:  # RFC 8058: one click, no page in between
        message["List-Unsubscribe"] = f"<{envelope.no_more_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(envelope.text, cte="quoted-printable")
    message.add_alternative(envelope.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"={digest[:32]}=")
    return message


def _answered(code: int, words: str) -> Exception:
    """RFC 5321 §4.2.1: 4yz may pass, 5yz will not."""
    told = f"the mail server answered {code}: {redacted(words)[:200]}"
    return MailNotSent(told) if 400 <= code < 500 else MailRefused(told)
