"""The mailer that speaks SMTP, to real servers on loopback: what it sends, and how it judges their answers."""

from __future__ import annotations

import asyncio
import email
import email.header
import email.policy
import email.utils
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from contracts.mailer import ENVELOPE, NAMES, SENDER, MailerContract

from adapters.smtp.mailer import SmtpMailer, message_of
from domain.mail import MailState
from domain.ports import MailNotSent, MailRefused, MailUnknown
from domain.sender import Sender
from domain.values import line_problem
from entrypoints.testing import Browser, Shop, a_product, an_edition
from testkit.leaping import LeapingLoop
from testkit.scripted_smtp import Script, a_scripted_server, a_server_with
from testkit.servers import free_port


class _Inbox:
    """A mail server's handler that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: dict[str, Any] = {}
        self.answer = ""
        self.after_data = "250 accepted"
        self.raw: list[bytes] = []
        self.senders: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.raw.append(envelope.content)
        self.senders.append(envelope.mail_from)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.setdefault(message["Message-ID"], message)
        return self.after_data


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
        sender = Sender.parse(SENDER)
        assert message_of(ENVELOPE, sender=sender) == message_of(ENVELOPE, sender=sender)

    def test_a_message_has_a_date_and_lines_that_every_server_takes(self) -> None:
        """RFC 5322 §3.6 (a date is required) and §2.1.1; RFC 2045 §6.7 for quoted-printable."""
        html = (
            f'<p>{"Zwölf Boxkämpfer = 12 " * 100}</p><a href="https://shop.example/login/{"A" * 300}">it</a>'
        )
        self.send(replace(ENVELOPE, html=html, text="=" * 500 + " \n.\nFrom here", subject="Zwölf " * 30))
        [raw] = self.inbox.raw
        head, _, body = raw.partition(b"\r\n\r\n")
        assert max(len(line) for line in head.split(b"\r\n")) <= 78
        assert max(len(line) for line in body.split(b"\r\n")) <= 76
        [message] = self.inbox.messages.values()
        assert message["Date"].datetime == ENVELOPE.written_at
        assert message.get_body(("html",)).get_content().strip() == html
        assert message.get_body(("plain",)).get_content().splitlines() == ["=" * 500 + " ", ".", "From here"]

    @pytest.mark.parametrize(("written", "name"), NAMES)
    def test_a_display_name_is_one_name_whatever_characters_it_has(self, written: str, name: str) -> None:
        self.mailer = SmtpMailer(
            url=f"smtp://127.0.0.1:{self.server.port}", sender=f"{written} <t@shop.example>"
        )
        self.send(ENVELOPE)
        [message] = self.inbox.messages.values()
        [sender] = message["From"].addresses
        assert (sender.display_name, sender.addr_spec) == (name, "t@shop.example")
        assert message["From"].groups[0].display_name is None
        assert self.inbox.senders == ["t@shop.example"]

    def test_the_domain_of_the_sender_is_written_in_ascii(self) -> None:
        sender = "Bücher <Kasse@BÜCHER.example>"
        self.mailer = SmtpMailer(url=f"smtp://127.0.0.1:{self.server.port}", sender=sender)
        self.send(ENVELOPE)
        assert self.inbox.senders == ["Kasse@xn--bcher-kva.example"]
        [message] = self.inbox.messages.values()
        assert message["From"].addresses[0].addr_spec == "Kasse@xn--bcher-kva.example"
        assert message["Message-ID"].endswith("@xn--bcher-kva.example>")
        fine, words = self.run(self.mailer.sender_found())
        assert (fine, "xn--bcher-kva.example may send" in words) == (True, True)

    @pytest.mark.parametrize("offers", [("AUTH PLAIN LOGIN",), ("AUTH PLAIN LOGIN", "STARTTLS")])
    def test_a_password_is_never_sent_in_clear_text_over_a_network(self, offers: tuple[str, ...]) -> None:
        """0.0.0.0 reaches this machine, and is no loopback address. The second server does not keep what it offers."""
        script = Script(offers=offers)
        with a_server_with(script, host="0.0.0.0") as port:
            self.mailer = SmtpMailer(url=f"smtp://user:secret@0.0.0.0:{port}", sender=SENDER)
            kind, words = (
                (MailNotSent, "250") if "STARTTLS" in offers else (MailRefused, "offers no TLS on port")
            )
            for work in (lambda: self.mailer.send(ENVELOPE), self.mailer.check):
                with pytest.raises(kind, match=words):
                    self.run(work())
        assert {line.split(" ")[0] for line in script.heard} <= {"EHLO", "STARTTLS"}

    def test_a_password_is_sent_in_clear_text_on_this_machine(self) -> None:
        script = Script(offers=("AUTH PLAIN",))
        with a_server_with(script) as port:
            self.mailer = SmtpMailer(url=f"smtp://user:secret@127.0.0.1:{port}", sender=SENDER)
            self.send(ENVELOPE)
        assert [line.split(" ")[0] for line in script.heard] == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA"]

    def test_without_a_password_a_server_without_tls_is_used(self) -> None:
        script = Script()
        with a_server_with(script, host="0.0.0.0") as port:
            self.mailer = SmtpMailer(url=f"smtp://0.0.0.0:{port}", sender=SENDER)
            self.send(ENVELOPE)
        assert len(script.messages) == 1

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("454 4.7.0 Temporary authentication failure", MailNotSent),
            ("432 4.7.12 A password transition is needed", MailNotSent),
            ("421 4.7.0 Too many login attempts", MailNotSent),  # and it hangs up
            ("535 5.7.8 Authentication credentials invalid", MailRefused),
            ("534 5.7.9 Authentication mechanism is too weak", MailRefused),
        ],
    )
    def test_a_password_that_cannot_be_checked_now_may_be_good_later(
        self, code: str, kind: type[Exception]
    ) -> None:
        def authenticate(*_: Any) -> AuthResult:
            return AuthResult(success=False, handled=False, message=code)

        server = Controller(
            self.inbox, hostname="127.0.0.1", port=free_port(), authenticator=authenticate,
            auth_require_tls=False,
        )  # fmt: skip
        server.start()
        self.mailer = SmtpMailer(url=f"smtp://user:secret@127.0.0.1:{server.port}", sender=SENDER)
        try:
            for work in (lambda: self.mailer.send(ENVELOPE), self.mailer.check):
                words = " ".join(code.split()[:2])
                with pytest.raises(kind, match=f"{words}|SMTPServerDisconnected"):
                    self.run(work())
        finally:
            server.stop(no_assert=True)

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            ("451 4.3.0 Try again", MailNotSent),
            ("552 5.2.2 Mailbox full", MailRefused),
            ("550 5.4.5 Daily user sending limit exceeded", MailNotSent),
            ("554 5.7.1 Message rejected", MailRefused),
            ("354 again", MailUnknown),
        ],
    )
    def test_an_answer_to_the_message_is_judged_by_its_code(self, answer: str, kind: type[Exception]) -> None:
        self.inbox.after_data = answer
        with pytest.raises(kind, match=answer.split(maxsplit=1)[0]):
            self.send(ENVELOPE)

    def test_every_positive_answer_to_the_message_means_accepted(self) -> None:
        """RFC 5321 §4.2.1: the first digit decides."""
        self.inbox.after_data = "251 will forward"
        self.send(ENVELOPE)

    @pytest.mark.parametrize("at", ["greeting", "MAIL", "RCPT"])
    def test_a_line_that_breaks_before_the_message_was_given_has_surely_sent_nothing(self, at: str) -> None:
        with a_scripted_server(hangs_up_at=at) as port:
            self.mailer = SmtpMailer(url=f"smtp://127.0.0.1:{port}", sender=SENDER)
            with pytest.raises(MailNotSent):
                self.send(ENVELOPE)

    @pytest.mark.parametrize("greeting", ["421 busy", "554 no service here"])
    def test_a_server_that_is_not_ready_is_asked_again(self, greeting: str) -> None:
        with a_scripted_server(greeting=greeting) as port:
            self.mailer = SmtpMailer(url=f"smtp://127.0.0.1:{port}", sender=SENDER)
            with pytest.raises(MailNotSent, match=greeting[:3]):
                self.send(ENVELOPE)

    def test_a_line_that_breaks_after_the_message_leaves_the_outcome_unknown(self) -> None:
        with a_scripted_server(hangs_up_at=".") as port:
            self.mailer = SmtpMailer(url=f"smtp://127.0.0.1:{port}", sender=SENDER)
            with pytest.raises(MailUnknown):
                self.send(ENVELOPE)

    def test_a_no_for_now_is_tried_again(self) -> None:
        self.inbox.answer = "451 greylisted"
        with pytest.raises(MailNotSent, match="451"):
            self.send(ENVELOPE)

    def test_an_email_that_cannot_be_built_is_refused(self) -> None:
        with pytest.raises(MailRefused, match="no message can be made of it: UnicodeEncodeError"):
            self.send(replace(ENVELOPE, text="half a surrogate: \ud800"))
        assert self.arrived() == []

    def test_an_error_of_our_own_before_the_message_was_given_has_surely_sent_nothing(self) -> None:
        """No name server is asked for such a host: Python cannot encode it."""
        self.mailer = SmtpMailer(url="smtp://mail..example", sender=SENDER)
        for work in (lambda: self.mailer.send(ENVELOPE), self.mailer.check):
            with pytest.raises(MailRefused, match="it cannot be given to the mail server: UnicodeError"):
                self.run(work())

    @pytest.mark.parametrize("name", ["The\nbook", "The\r\n\r\nbook", "The\u2028book", "\x00The book"])
    def test_a_product_whose_name_has_a_line_break_is_written_about(self, name: str) -> None:
        """Sold before the catalogue refused such names."""
        shop = Shop(edition=an_edition(replace(a_product(), name=name)))
        shop.payments.pay(ref := Browser(shop).buy(), email="anna@example.com")
        shop.hear_of(ref)
        shop.mailer = self.mailer  # type: ignore[assignment] - another mailer than the shop of tests has
        asyncio.run(shop.mail_round())
        [mail] = shop.memory.tables.outbox.values()
        assert (mail.state, mail.problem) == (MailState.SENT, "")
        [(_, subject, _)] = self.arrived()
        assert subject.split() == ["Your", "purchase:", "The", "book"]

    def test_a_link_is_not_cut_in_two(self) -> None:
        """Quoted-printable wraps lines, but it puts them together again."""
        self.send(ENVELOPE)
        [message] = self.inbox.messages.values()
        assert "https://shop.example/login/" + "A" * 64 in message.get_body(("html",)).get_content()


def send_to_a_server_that_takes(seconds: float) -> None:
    """It answers the final dot so much later, by the clock of a loop that does not wait."""
    hung_up = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        while command := await reader.readline():
            if command.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                asyncio.get_running_loop().call_later(seconds, writer.write, b"250 accepted\r\n")
            else:
                writer.write(b"250 mail.example\r\n")
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            try:
                await SmtpMailer(url=f"smtp://127.0.0.1:{port}", sender=SENDER).send(ENVELOPE)
            finally:
                await hung_up.wait()

    with asyncio.Runner(loop_factory=partial(LeapingLoop, patience=0.2)) as runner:
        runner.run(main())


def test_a_server_has_ten_minutes_for_the_final_dot_and_then_the_outcome_is_unknown() -> None:
    """RFC 5321 §4.5.3.2.6."""
    send_to_a_server_that_takes(600)
    with pytest.raises(MailUnknown):
        send_to_a_server_that_takes(700)


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
EXPECTED = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


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
