"""Doctor and settings in the back office over HTTP, and what they never show."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from domain.keys import Keyring
from entrypoints.admin.doctor import examined
from entrypoints.admin.settings_page import variables
from entrypoints.environment import HELP
from entrypoints.settings import load_settings
from testkit.office import Member
from testkit.servers import ShopServer, a_shop

SECRET = "a password with & and \\"
Office = tuple[ShopServer, Member]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with a_shop(tmp_path_factory.mktemp("settings"), METRICS_TOKEN="the-token-of-metrics") as running:
        viewer = Member(running, timeout=90)
        viewer.join("viewer", "viewer@example.com")
        yield running, viewer


def text_of(page: httpx.Response) -> str:
    main = page.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def test_the_checks_run_on_demand_and_say_what_to_fix(office: Office) -> None:
    _, viewer = office
    page = viewer.get("/admin/doctor")
    assert "Run the checks" in text_of(page)
    assert "durable" not in text_of(page), "nothing is checked before somebody asks"
    answer = viewer.http.post("/admin/doctor")
    said = text_of(answer)
    assert answer.status_code == 200
    assert re.search(r"OK settings complete; test mode", said)
    assert re.search(r"OK database .* durable; this shop's id is", said)
    assert re.match(r"Doctor (All is well|\d+ things? needs? you)", said)
    marks = re.findall(r'<span class="state (disputed|part|open)">', answer.text)
    assert marks == sorted(marks, key=["disputed", "part", "open"].index), "what is wrong comes first"


def test_checks_that_hang_are_ended(office: Office) -> None:
    shop, _ = office
    assert examined(shop.environment, within=0.05) is None
    assert examined({**shop.environment, "PYTHONHOME": "/nowhere"}) is None


def test_settings_say_what_is_in_force_and_show_no_secret(office: Office) -> None:
    shop, viewer = office
    page = viewer.get("/admin/settings")
    said = text_of(page)
    for name in HELP:
        assert name in said
    for name in ("SESSION_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "METRICS_TOKEN"):
        value = shop.environment[name]
        assert value not in page.text
        assert value not in html.unescape(page.text)
        assert re.search(rf"{name} .*? set; fingerprint [0-9a-f]{{8}}", said)
    assert shop.url in said
    assert "Time zone UTC" in said
    assert str(shop.folder / "catalogue" / "shop.toml") in said or "catalogue/shop.toml" in said


HIDDEN = [
    ("DATABASE_URL", "postgresql://anna:{}@db.example.com/shop"),
    ("SMTP_URL", "smtp://anna:{}@mail.example.com:587"),
    ("GOODS_URL", "s3://{}@bucket"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://anna:{}@127.0.0.1:4318"),
    ("AWS_SECRET_ACCESS_KEY", "{}"),
    ("AWS_ACCESS_KEY_ID", "{}"),
    ("RESEND_API_KEY", "{}"),
    ("SESSION_SECRET", "{}-and-so-long-that-it-is-taken-for-a-secret"),
]


@pytest.mark.parametrize(("name", "value"), HIDDEN)
def test_a_password_is_hidden_wherever_it_can_be_written(
    office: Office, tmp_path: Path, name: str, value: str
) -> None:
    settings = load_settings(office[0].environment, dotenv=None)
    hiding = replace(
        settings, environment=MappingProxyType({**settings.environment, name: value.format(SECRET)})
    )
    shown = {row[0]: (row[2], row[3]) for row in variables(hiding, Keyring.of(settings.session_secrets), {})}
    assert SECRET not in shown[name][0]
    assert shown[name][1] == ".env"
    assert shown["ADMIN_HOST"] == ("", "default")
