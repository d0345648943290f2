"""The mailers on the wire: Resend's HTTP, a terminal, and the one of docs/adapters.md."""

from __future__ import annotations

import asyncio
import email
import email.policy
import email.utils
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from contracts.mailer import ENVELOPE, NAMES, SENDER, MailerContract

from adapters.console.mailer import ConsoleMailer
from adapters.memory.mailer import MemoryMailer
from adapters.resend.mailer import ResendMailer
from domain.ports import MailNotSent, MailRefused, MailSentBefore, MailUnknown
from testkit.documented import run_blocks
from testkit.servers import Sandbox, free_port


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

    def test_another_body_under_the_same_key_was_sent_before(self) -> None:
        self.send(ENVELOPE)
        with pytest.raises(MailSentBefore, match="409 invalid_idempotent_request"):
            self.send(replace(ENVELOPE, subject="Another"))
        assert len(self.arrived()) == 1

    @pytest.mark.parametrize("fault", ["429", "daily-quota", "monthly-quota", "429-html"])
    def test_a_limit_or_a_quota_may_pass(self, fault: str) -> None:
        self.sandbox.behave(mail=fault)
        with pytest.raises(MailNotSent, match="429"):
            self.send(ENVELOPE)
        self.sandbox.behave(mail="")
        self.send(ENVELOPE)
        assert len(self.arrived()) == 1

    @pytest.mark.parametrize(("fault", "words"), [("408", "408"), ("truncated", "500"), ("500", "500")])
    def test_an_answer_that_says_nothing_certain_is_worth_another_try(self, fault: str, words: str) -> None:
        self.sandbox.behave(mail=fault)
        with pytest.raises(MailUnknown, match=words):
            self.send(ENVELOPE)
        self.sandbox.behave(mail="")
        self.send(ENVELOPE)
        assert len(self.arrived()) == 1, "under the same key"

    @pytest.mark.parametrize(("written", "name"), NAMES)
    def test_a_display_name_is_one_name_whatever_characters_it_has(self, written: str, name: str) -> None:
        self.mailer = ResendMailer(
            api_key="re_good", sender=f"{written} <t@bücher.example>", api_url=self.sandbox.url
        )
        self.send(ENVELOPE)
        [mail] = self.sandbox.mails
        assert email.utils.getaddresses([mail["fields"]["from"]]) == [(name, "t@xn--bcher-kva.example")]

    def test_an_email_that_cannot_be_built_is_refused(self) -> None:
        with pytest.raises(MailRefused, match="no request can be made of it: UnicodeEncodeError"):
            self.send(replace(ENVELOPE, text="half a surrogate: \ud800"))
        assert self.arrived() == []

    def test_never_connected_is_surely_not_sent(self) -> None:
        self.mailer = ResendMailer(
            api_key="re_good", sender=SENDER, api_url=f"http://127.0.0.1:{free_port()}"
        )
        with pytest.raises(MailNotSent):
            self.send(ENVELOPE)


def test_a_question_that_met_a_closed_connection_is_asked_again_and_an_email_is_not() -> None:
    asked: list[str] = []

    async def answer_every_second_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split()[0].decode())
        if len(asked) % 2 == 0:
            writer.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"data": []}'
            )
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer_every_second_time, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        mailer = ResendMailer(api_key="re_good", sender=SENDER, api_url=f"http://127.0.0.1:{port}")
        await mailer.check()
        assert asked == ["GET", "GET"]
        with pytest.raises(MailUnknown, match="RemoteProtocolError"):
            await mailer.send(ENVELOPE)
        await mailer.close()
        server.close()
        await server.wait_closed()

    asyncio.run(main())
    assert asked == ["GET", "GET", "POST"]


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
