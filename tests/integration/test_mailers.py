"""The mailers on the wire: Resend's HTTP, real SMTP, a terminal, and the one of docs/adapters.md."""

from __future__ import annotations

import asyncio
import email
import email.header
import email.policy
import email.utils
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from contracts.mailer import ENVELOPE, MailerContract

from adapters.console.mailer import ConsoleMailer
from adapters.memory.mailer import MemoryMailer
from adapters.resend.mailer import ResendMailer
from adapters.smtp.mailer import SmtpMailer, message_of
from domain.ports import MailNotSent, MailRefused, MailUnknown
from domain.values import line_problem
from testkit.documented import run_blocks
from testkit.servers import Sandbox, free_port

SENDER = "The Shop <tickets@shop.example>"


class TestMemory(MailerContract):
    @pytest.fixture(autouse=True)
    def opened(self) -> None:
        self.mailer: MemoryMailer = MemoryMailer()

    def arrived(self) -> list[tuple[str, str, str]]:
        return [(str(e.to), e.subject, e.text) for e in self.mailer.mailbox.values()]

    def break_the_line(self) -> None:
        self.mailer.failing = MailNotSent("told to fail")

    def refuse(self) -> None:
        self.mailer.failing = MailRefused("told to refuse it")


class TestResend(MailerContract):
    @pytest.fixture(autouse=True)
    def opened(self, tmp_path: Path) -> Iterator[None]:
        self.sandbox = Sandbox(tmp_path, "http://localhost:1")
        self.sandbox.start()
        self.mailer = ResendMailer(api_key="re_good", sender=SENDER, api_url=self.sandbox.url)
        yield
        self.sandbox.stop()

    def arrived(self) -> list[tuple[str, str, str]]:
        return [
            (m["fields"]["to"][0], m["fields"]["subject"], m["fields"]["text"]) for m in self.sandbox.mails
        ]

    def break_the_line(self) -> None:
        self.sandbox.process.kill()

    def refuse(self) -> None:
        self.mailer = ResendMailer(api_key="wrong", sender=SENDER, api_url=self.sandbox.url)

    def test_a_server_error_leaves_the_outcome_unknown(self) -> None:
        self.sandbox.behave(mail="down")
        with pytest.raises(MailUnknown, match="503"):
            self.send(ENVELOPE)

    def test_another_body_under_the_same_key_is_refused(self) -> None:
        self.send(ENVELOPE)
        with pytest.raises(MailRefused, match="409"):
            self.send(replace(ENVELOPE, subject="Another"))

    def test_never_connected_is_surely_not_sent(self) -> None:
        self.mailer = ResendMailer(
            api_key="re_good", sender=SENDER, api_url=f"http://127.0.0.1:{free_port()}"
        )
        with pytest.raises(MailNotSent):
            self.send(ENVELOPE)


class _Inbox:
    """A mail server's handler that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: dict[str, Any] = {}
        self.answer = ""
        self.raw: list[bytes] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.raw.append(envelope.content)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.setdefault(message["Message-ID"], message)
        return "250 accepted"


class TestSmtp(MailerContract):
    @pytest.fixture(autouse=True)
    def opened(self) -> Iterator[None]:
        self.inbox = _Inbox()
        self.server = Controller(self.inbox, hostname="127.0.0.1", port=free_port())
        self.server.start()
        self.mailer = SmtpMailer(url=f"smtp://127.0.0.1:{self.server.port}", sender=SENDER)
        yield
        self.server.stop(no_assert=True)

    def arrived(self) -> list[tuple[str, str, str]]:
        """Deduplicated by Message-ID, as mailboxes do."""
        return [
            (m["To"], m["Subject"], m.get_body(("plain",)).get_content())
            for m in self.inbox.messages.values()
        ]

    def break_the_line(self) -> None:
        self.mailer = SmtpMailer(url=f"smtp://127.0.0.1:{free_port()}", sender=SENDER)

    def refuse(self) -> None:
        self.inbox.answer = "550 no such mailbox"

    def test_every_try_is_the_same_bytes(self) -> None:
        self.send(ENVELOPE)
        self.send(ENVELOPE)
        assert len(set(self.inbox.raw)) == 1
        assert bytes(message_of(ENVELOPE, sender=SENDER)) == bytes(message_of(ENVELOPE, sender=SENDER))

    def test_a_no_for_now_is_tried_again(self) -> None:
        self.inbox.answer = "451 greylisted"
        with pytest.raises(MailNotSent, match="451"):
            self.send(ENVELOPE)

    def test_a_link_is_not_cut_in_two(self) -> None:
        """Quoted-printable wraps lines, but it puts them together again."""
        self.send(ENVELOPE)
        [message] = self.inbox.messages.values()
        assert "https://shop.example/login/" + "A" * 64 in message.get_body(("html",)).get_content()


INJECTED = "=?utf-8?q?=0ABcc:=20thief@example.com=0D=0A=0D=0AAn=20invoice?="
HOSTILE = [
    INJECTED,
    f"Your purchase: {INJECTED} and more",
    "Your purchase\nBcc: thief@example.com",
    "Your purchase\r\n\r\nAn invoice",
    "Your purchase\u2028Bcc: thief@example.com\x85\x0b\x00",
    "=?us-ascii?b?Cg==?=" * 30,
    "“Émile” " * 40,
    "x" * 2000,
    "",
]
EXPECTED = ["From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("where", ["subject", "sender"])
def test_no_text_becomes_a_header_of_its_own_or_a_body_on_smtp(hostile: str, where: str) -> None:
    """What a receiver reads in the raw bytes, and after decoding, is one line under the header's own name."""
    inbox = _Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    sender = f'"{email.utils.quote(hostile)}" <tickets@shop.example>' if where == "sender" else SENDER
    subject = hostile if where == "subject" else ENVELOPE.subject
    try:
        mailer = SmtpMailer(url=f"smtp://127.0.0.1:{server.port}", sender=sender)
        asyncio.run(mailer.send(replace(ENVELOPE, subject=subject)))
    finally:
        server.stop(no_assert=True)
    [raw] = inbox.raw
    head, _, body = raw.partition(b"\r\n\r\n")
    assert [
        line.split(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"
    ] == EXPECTED
    assert max(len(line) for line in head.split(b"\r\n")) < 998
    assert body.lstrip().startswith(b"--=")
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    assert email.utils.parseaddr(message["From"])[1] == "tickets@shop.example"
    for name in ("Subject", "From"):
        decoded = str(email.header.make_header(email.header.decode_header(message[name].replace("\r\n", ""))))
        assert line_problem(decoded) is None, decoded
    if where == "subject" and line_problem(hostile) is None:
        decoded = email.header.decode_header(message["Subject"].replace("\r\n", ""))
        assert str(email.header.make_header(decoded)) == hostile


def test_a_terminal_prints_each_mail_once() -> None:
    stream = io.StringIO()
    mailer = ConsoleMailer(stream)
    for _ in range(2):
        asyncio.run(mailer.send(ENVELOPE))
    asyncio.run(mailer.check())
    assert asyncio.run(mailer.sender_found())[0]
    asyncio.run(mailer.close())
    assert stream.getvalue().count("To: anna@example.com") == 1
    assert "https://shop.example/login/" in stream.getvalue()


class TestTheMailerOfTheDocs(MailerContract):
    @pytest.fixture(autouse=True)
    def opened(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "maildir"
        self.kind = run_blocks()["MaildirMailer"]
        self.mailer = self.kind(folder=self.folder, sender=SENDER)

    def arrived(self) -> list[tuple[str, str, str]]:
        files = sorted((self.folder / "new").iterdir())
        messages = [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]
        return [(m["To"], m["Subject"], m.get_body(("plain",)).get_content()) for m in messages]  # type: ignore[union-attr]

    def break_the_line(self) -> None:
        self.mailer = self.kind(folder=Path("/proc/nothing/here"), sender=SENDER)

    def refuse(self) -> None:
        self.folder.write_text("not a folder")
