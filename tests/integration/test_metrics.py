"""What whoever watches the shop sees of it: metrics and traces, and who may see them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from testkit.receiver import Receiver, a_receiver
from testkit.servers import BOOK, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

TOKEN = "a token of the tests, long enough"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    """A shop behind a proxy on this machine, with a token for its metrics."""
    with a_shop(tmp_path_factory.mktemp("watched"), METRICS_TOKEN=TOKEN) as shop:
        yield shop


def scrape(shop: ShopServer) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = httpx.get(f"{shop.url}/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(shop: ShopServer, name: str, **labels: str) -> float:
    return scrape(shop).get((name, tuple(sorted(labels.items()))), 0.0)


def test_a_sale_is_counted_from_the_click_to_the_mail(watched: ShopServer) -> None:
    anna = Shopper(watched)
    cs = anna.buy_and_pay("metrics@example.com")
    told = {"method": "GET", "route": "/view/{pid}", "status": "303"}
    assert value(watched, "coatcheck_request_seconds_count", **told) == 1
    assert value(watched, "coatcheck_request_seconds_bucket", le="+Inf", **told) == 1
    assert value(watched, "coatcheck_request_seconds_sum", **told) > 0
    assert value(watched, "coatcheck_claims_total", outcome="booked") == 1
    assert value(watched, "coatcheck_events_total", type="checkout.session.completed", outcome="booked") == 1
    wait_until(lambda: value(watched, "coatcheck_mails_total", state="sent") == 1)
    found = scrape(watched)
    assert found["coatcheck_store_up", ()] == 1
    assert found["coatcheck_store_commits_total", ()] > 3
    assert found["coatcheck_store_queue", ()] >= 0
    assert found["coatcheck_quarantine_open", ()] == 0
    text = httpx.get(f"{watched.url}/metrics").text
    assert 'coatcheck_build_info{python="' in text
    for secret in ("metrics@example.com", cs, anna.http.cookies["session"], anna.address):
        assert secret not in text


def test_what_waits_is_shown(own_shop: ShopServer) -> None:
    own_shop.sandbox.behave(mail="down")
    shopper = Shopper(own_shop)
    own_shop.sandbox.pay(shopper.buy(), email="late@example.com", copies=1)
    own_shop.sandbox.pay(shopper.buy(), email="odd@example.com", copies=1, change={"currency": "eur"})
    assert value(own_shop, "coatcheck_mails_waiting", state="queued") >= 1
    assert value(own_shop, "coatcheck_oldest_mail_seconds") > 0
    assert value(own_shop, "coatcheck_quarantine_open") == 1


@pytest.mark.long
def test_paths_that_are_none_do_not_become_labels(watched: ShopServer) -> None:
    before = len(scrape(watched))
    for number in range(30):
        assert httpx.get(f"{watched.url}/nothing/{number}").status_code == 404
        httpx.request(f"ODD{'ABCDEFGHIJKLMNOPQRSTUVWXYZABCD'[number]}", f"{watched.url}/")
    assert len(scrape(watched)) - before < 80


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "127.0.0.1"}, 200),
        ({"x-forwarded-for": "10.1.2.3"}, 404),
        ({"x-forwarded-for": "127.0.0.1"}, 404),
        ({"forwarded": "for=127.0.0.1"}, 404),
        ({"x-real-ip": "127.0.0.1"}, 404),
        ({"via": "1.1 caddy"}, 404),
        ({"host": "shop.example.com"}, 404),
        ({"host": "shop.example.com", "authorization": f"Bearer {TOKEN}"}, 200),
        ({"x-forwarded-for": "10.1.2.3", "authorization": f"Bearer {TOKEN}"}, 200),
        ({"x-forwarded-for": "10.1.2.3", "authorization": f"Bearer {TOKEN}x"}, 404),
        ({"x-forwarded-for": "10.1.2.3", "authorization": "Bearer None"}, 404),
    ],
    ids=str,
)
def test_metrics_are_for_this_machine_or_for_the_token(
    watched: ShopServer, headers: dict[str, str], status: int
) -> None:
    """A proxy on loopback that passes a shopper on is not loopback, whether or not it says for whom it asks."""
    assert httpx.get(f"{watched.url}/metrics", headers=headers).status_code == status


ODD_HOSTS = [
    "[",
    "]",
    "[::1",
    "[x]",
    "[::1]:x",
    "[v1.a]",
    "localhost:80@evil.example",
    "localhost:99999999",
    "//",
    "@",
    "a]b",
    "\xff",
    "",
]
ODD_PEERS = [
    "",
    ",",
    "[",
    "[::1",
    "::1%",
    "fe80::1%eth0",
    "1.2.3.4:x",
    "\xff",
    "0" * 5000,
    "::ffff:1.2.3.4%a",
    "1.2.3.4,,",
]


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_no_host_header_breaks_a_page_that_answers_to_any(watched: ShopServer, path: str) -> None:
    for host in ODD_HOSTS:
        headers = [(b"host", host.encode("latin-1"))]
        status = httpx.get(f"{watched.url}{path}", headers=headers).status_code  # type: ignore[arg-type]  # bytes are fine
        assert status in (400, 404 if path == "/metrics" else 200), host


@pytest.mark.long
def test_no_word_of_a_proxy_breaks_a_page(watched: ShopServer) -> None:
    for header in (b"x-forwarded-for", b"forwarded", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"):
        for told in ODD_PEERS + ODD_HOSTS:
            headers = [(header, told.encode("latin-1"))]
            assert httpx.get(f"{watched.url}/library", headers=headers).status_code == 303, (header, told)  # type: ignore[arg-type]  # as above
            assert httpx.get(f"{watched.url}/metrics", headers=headers).status_code == 404, (header, told)  # type: ignore[arg-type]  # as above
            asked = httpx.post(f"{watched.url}/request-login", data={"email": "no address"}, headers=headers)  # type: ignore[arg-type]  # as above
            assert asked.status_code in (400, 429), (header, told)


def test_without_a_token_nobody_from_elsewhere_sees_anything(shop: ShopServer) -> None:
    for told in ("Bearer None", "Bearer", "", "Bearer \xff"):
        headers = [(b"x-forwarded-for", b"10.1.2.3"), (b"authorization", told.encode("latin-1"))]
        assert httpx.get(f"{shop.url}/metrics", headers=headers).status_code == 404


# ------------------------------------------------------------------ traces


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with a_receiver() as heard:
        yield heard


def spans(receiver: Receiver) -> dict[str, dict[str, str]]:
    found = {}
    for headers, body in list(receiver.heard):
        assert headers["content-type"] == "application/x-protobuf"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    assert span.end_time_unix_nano >= span.start_time_unix_nano > 0
                    found[span.name] = {a.key: str(a.value) for a in span.attributes}
    return found


def test_requests_and_rounds_are_traced_without_what_nobody_may_read(
    tmp_path: Path, receiver: Receiver
) -> None:
    with a_shop(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url) as shop:
        anna = Shopper(shop)
        cs = anna.buy_and_pay("traced@example.com")
        token = anna.link_from("traced@example.com").rpartition("/")[2]
        anna.get(f"/login/{token}")
        secrets = ("traced@example.com", cs, token, anna.http.cookies["session"], anna.address)
    found = spans(receiver)
    assert {"POST /buy/{pid}", "GET /view/{pid}", "POST /webhook", "GET /login/{token}", "timer mail"} <= set(
        found
    )
    assert "/view/{pid}" in found["GET /view/{pid}"]["http.route"]
    sent = b"".join(body for _, body in receiver.heard)
    for secret in secrets:
        assert secret.encode() not in sent


@pytest.mark.long
def test_a_receiver_that_is_away_is_nobodys_trouble(tmp_path: Path) -> None:
    with a_shop(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as shop:
        assert Shopper(shop).get(f"/products/{BOOK}").status_code == 200
        assert not [line for line in shop.log_lines if line["level"] != "info"]


def _imported(shop: ShopServer, *, before: str = "", after: str = "") -> str:
    code = f"{before}\nimport entrypoints.cli, entrypoints.container, sys\n{after}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shop.folder, env=shop.environment, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.long
def test_a_start_without_traces_imports_nothing_of_them(shop: ShopServer) -> None:
    after = (
        "print([n for n in sys.modules if n.startswith(('opentelemetry', 'prometheus_client', 'obstore'))])"
    )
    assert _imported(shop, after=after) == "[]"


@pytest.mark.long
def test_missing_libraries_are_one_sentence(shop: ShopServer) -> None:
    before = "import sys; sys.modules['opentelemetry'] = None"
    after = (
        "from entrypoints.run.tracing import *\ntry: start_traces('http://127.0.0.1:9')\n"
        "except TelemetryNotInstalled as error: print(error)"
    )
    assert "pip install" in _imported(shop, before=before, after=after)
