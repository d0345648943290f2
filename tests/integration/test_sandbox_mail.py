"""The stand-in as a mail service: signed reports, a verified domain; and its bad days, which Stripe has too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import resend

from entrypoints.sandbox.world import MAIL_WEBHOOK_SECRET
from testkit.receiver import a_receiver
from testkit.servers import Sandbox
from testkit.stripe_schema import ask_raw, holds

MAIL = {
    "from": "Shop <tickets@shop.example>",
    "to": ["anna@example.com"],
    "subject": "Your purchase",
    "text": "Here.",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("sandbox"), "http://localhost:1")
    box.start()
    box.behave(copies=0)
    yield box
    box.stop()


def send_mail(box: Sandbox, **changes: Any) -> httpx.Response:
    return httpx.post(
        f"{box.url}/emails", json={**MAIL, **changes}, headers={"authorization": "Bearer re_x"}, timeout=60
    )


def verified(body: str, headers: dict[str, str]) -> Any:
    """What the resend package's own check lets through."""
    return resend.Webhooks.verify(
        {
            "payload": body, "webhook_secret": MAIL_WEBHOOK_SECRET,
            "headers": {name: headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")},
        }
    )  # fmt: skip


def test_mail_reports_are_signed_as_resend_signs_them(sandbox: Sandbox) -> None:
    mail = send_mail(
        sandbox, tags=[{"name": "kind", "value": "access"}], headers={"List-Unsubscribe": "<https://x>"}
    ).json()["id"]
    report = sandbox.post(f"/_sandbox/mails/{mail}/report", type="email.bounced", copies=0)
    event = verified(report["body"], report["headers"])
    data = event["data"]
    assert (event["type"], data["email_id"], data["to"]) == ("email.bounced", mail, ["anna@example.com"])
    assert (data["tags"], data["bounce"]["type"]) == ({"kind": "access"}, "Permanent")
    with pytest.raises(ValueError, match="signature"):
        verified(report["body"].replace("anna", "otto"), report["headers"])
    page = httpx.get(f"{sandbox.url}/mailbox/{mail}").text
    assert "List-Unsubscribe" in page
    with a_receiver() as shop:
        sandbox.behave(mail_webhook_url=f"{shop.url}/mail-events")
        shop.answers = [503]
        httpx.post(f"{sandbox.url}/mailbox/{mail}", data={"report": "email.complained"})
        one, two = shop.wait(2)
        assert one[0]["svix-id"] == two[0]["svix-id"], "told again, since the first answer was no 2xx"
        assert verified(two[1].decode(), two[0])["type"] == "email.complained"
        send_mail(sandbox, to="bounce@example.com")
        kinds = [verified(body.decode(), headers)["type"] for headers, body in shop.wait(4)[2:]]
        assert kinds == ["email.sent", "email.bounced"]
        send_mail(sandbox)
        send_mail(sandbox, to="bounce@example.com")
        kinds = [verified(body.decode(), headers)["type"] for headers, body in shop.wait(6)[4:]]
        assert kinds == ["email.sent", "email.bounced"], "no other mail is reported by itself"


def test_without_a_secret_no_mail_is_reported(tmp_path: Path) -> None:
    with a_receiver() as shop:
        box = Sandbox(tmp_path, shop.url)
        box.process.command += ["--mail-webhook-secret", ""]
        box.start()
        try:
            mail = send_mail(box, to=["bounce@example.com"]).json()["id"]
            assert httpx.post(f"{box.url}/_sandbox/mails/{mail}/report", json={}).status_code == 409
        finally:
            box.stop()
        assert shop.heard == []


def test_the_domain_that_sends_is_verified(sandbox: Sandbox) -> None:
    send_mail(sandbox)
    listed = httpx.get(f"{sandbox.url}/domains", headers={"authorization": "Bearer re_x"}).json()
    assert [(d["name"], d["status"]) for d in listed["data"]] == [("shop.example", "verified")]


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500), ("down", 503)])
def test_a_bad_day_has_its_status(sandbox: Sandbox, fault: str, status: int) -> None:
    sandbox.behave(stripe=fault, mail=fault)
    try:
        answer = httpx.get(f"{sandbox.url}/v1/events", headers={"authorization": "Bearer sk_test_x"})
        holds("error", answer.json())
        assert (answer.status_code, send_mail(sandbox).status_code) == (status, status)
    finally:
        sandbox.behave(stripe="", mail="")


def test_an_answer_is_cut_off_or_never_comes(sandbox: Sandbox) -> None:
    before = len(sandbox.mails)
    try:
        sandbox.behave(stripe="truncated", mail="truncated")
        with pytest.raises(ValueError, match="Expecting|Unterminated|delimiter"):
            ask_raw(sandbox, "GET", "/v1/events")
        with pytest.raises(ValueError, match="Expecting|Unterminated|delimiter"):
            send_mail(sandbox).json()
        assert len(sandbox.mails) == before + 1, "done, though the answer was lost"
        sandbox.behave(stripe="reset", mail="reset")
        with pytest.raises(httpx.RemoteProtocolError):
            ask_raw(sandbox, "GET", "/v1/events")
        with pytest.raises(httpx.RemoteProtocolError):
            send_mail(sandbox)
        assert len(sandbox.mails) == before + 1
        assert httpx.post(f"{sandbox.url}/_sandbox/behave", json={"stripe": "drunk"}).status_code == 400
    finally:
        sandbox.behave(stripe="", mail="")
