"""What of the stand-in's world outlasts a restart, and what is new with each."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec
import pytest

from entrypoints.sandbox.kept import KEPT, decoded, encoded
from entrypoints.sandbox.world import Attempt, Manners, SentMail, Undelivered, World

OF_THE_START = {
    "own_url", "webhook_url", "webhook_secret", "shop_url", "mail_webhook_secret", "mail_webhook_url", "pay_url",
}  # fmt: skip
INJECTED = {
    "manners", "stripe_fault", "refund_fault", "mail_fault", "permissions", "business_name", "head_office", "calls",
}  # fmt: skip
MADE_OF_OTHERS = {"mails_by_id"}
MAIL = SentMail(id="m1", key="k1", fields={"text": "http://localhost:8000/login/x"}, at=1.5, handed=2)


def a_world(shop: str = "http://localhost:8000", own: str = "http://127.0.0.1:8001", pay: str = "") -> World:
    return World(own_url=own, webhook_url="", webhook_secret="s", shop_url=shop, pay_url=pay)


def after_restart(old: World, new: World) -> dict[str, Any]:
    return decoded(encoded(old), new)


def test_each_field_of_the_world_is_kept_or_is_known_not_to_be() -> None:
    assert {field.name for field in fields(World)} == {*KEPT, *OF_THE_START, *INJECTED, *MADE_OF_OTHERS}


def test_what_is_kept_comes_back_equal_and_in_its_order() -> None:
    old = a_world()
    old.sessions = {"cs_2": {"id": "cs_2", "url": None}, "cs_1": {"id": "cs_1", "amount_total": 900}}
    old.mails = {"k1": MAIL}
    old.attempts = [Attempt(event="evt_1", type="refund.created", status="200", at=2.0)]
    old.answers = {"/v1/refunds key": ("amount=1", 200, {"id": "re_1"})}
    old.undelivered = {"d": Undelivered(id="evt_1", type="t", body="{}", to="we_sandbox", due=3.0)}
    kept = after_restart(old, a_world())
    assert kept == {name: getattr(old, name) for name in KEPT}
    assert list(kept["sessions"]) == ["cs_2", "cs_1"]


def test_faults_end_with_the_run_in_which_they_were_injected() -> None:
    old = a_world()
    old.stripe_fault, old.mail_fault, old.manners = "down", "hang", Manners(copies=0)
    assert not {"stripe_fault", "mail_fault", "manners"} & after_restart(old, a_world()).keys()


@pytest.mark.parametrize(
    ("new", "link", "pays"),
    [
        (a_world(), "http://localhost:8000/login/x", "http://127.0.0.1:8001/c/pay/cs"),
        (a_world("http://localhost:80", "http://127.0.0.1:81"), "http://localhost:80/login/x", "http://127.0.0.1:81/c/pay/cs"),
        # From there on other machines may reach the stand-in: the payment page has its own secret path.
        (a_world(own="http://127.0.0.1:8001/own", pay="http://127.0.0.1:8001/pay"), "http://localhost:8000/login/x",
         "http://127.0.0.1:8001/pay/c/pay/cs"),
    ],
)  # fmt: skip
def test_addresses_are_those_of_the_new_start(new: World, link: str, pays: str) -> None:
    old = a_world()
    old.mails = {"k1": MAIL}
    old.sessions = {
        "cs": {
            "url": "http://127.0.0.1:8001/c/pay/cs",
            "else": "http://localhost:80001 http://localhost:8000",
        }
    }
    kept = after_restart(old, new)
    assert kept["mails"]["k1"].fields["text"] == link
    assert kept["sessions"]["cs"] == {
        "url": pays,
        "else": f"http://localhost:80001 {new.shop_url}",
    }


def test_addresses_with_secret_paths_are_told_apart() -> None:
    old = a_world(own="http://127.0.0.1:8001/own", pay="http://127.0.0.1:8001/pay")
    old.sessions = {
        "cs": {"pays": "http://127.0.0.1:8001/pay/c/1", "owns": "http://127.0.0.1:8001/own/mailbox"}
    }
    new = a_world(own="http://127.0.0.1:9001/o", pay="http://127.0.0.1:9001/p")
    assert after_restart(old, new)["sessions"]["cs"] == {
        "pays": "http://127.0.0.1:9001/p/c/1",
        "owns": "http://127.0.0.1:9001/o/mailbox",
    }


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"[]", b"{}", b"\xff", b'{"version":1,"addresses":{},"world":{"sessions":[]}}',
        b'{"version":1,"addresses":{},"world":{"mails":{"k":{"id":1}}}}', b'{"version":2,"addresses":{},"world":{}}',
    ],
)  # fmt: skip
def test_what_is_no_world_is_refused(damaged: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        decoded(damaged, a_world())
