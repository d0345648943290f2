"""Several nodes on one PostgreSQL behind the proxies of docs/proxies: one shop, whatever node answers."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from adapters.postgres.store import PostgresStore
from bench.drills.many_nodes import Wish, storm_over_nodes
from bench.drills.report import table
from domain.limits import turn_of
from entrypoints.sandbox.stripe.deliveries import sign
from testkit.nodes import PROXIES, Cluster, a_cluster
from testkit.postgres import PostgresServer
from testkit.servers import BOOK, PHOTOS, ROOT, SESSION_SECRET, WEBHOOK_SECRET, Shopper, ShopServer
from testkit.tools import program
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

NEW_SECRET = "the second session secret of the tests is long enough"


@pytest.fixture(params=PROXIES)
def cluster(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> Iterator[Cluster]:
    """Two nodes behind each proxy in turn."""
    program(request.param)
    with a_cluster(tmp_path, postgres.url(postgres.new_database()), proxied_by=request.param) as running:
        yield running


@pytest.fixture
def behind_haproxy(tmp_path: Path, postgres: PostgresServer) -> Iterator[Cluster]:
    program("haproxy")
    with a_cluster(tmp_path, postgres.url(postgres.new_database())) as running:
        yield running


def _login(cluster: Cluster, email: str) -> Shopper:
    """A browser that bought something and proved its mailbox."""
    shopper = Shopper(cluster.shop)
    shopper.buy_and_pay(email)
    assert shopper.post(shopper.link_from(email)).status_code == 303
    return shopper


def test_one_browser_is_served_by_every_node_and_notices_nothing(cluster: Cluster) -> None:
    anna = _login(cluster, "anna@example.com")
    for _ in range(12):
        assert "The Last Cloakroom" in anna.get("/library").text
        assert anna.get(f"/view/{BOOK}").status_code == 200
    anna.buy_and_pay("anna@example.com", PHOTOS)
    assert anna.post("/logout").status_code == 303
    assert {anna.get("/library").status_code for _ in range(6)} == {303}, "on every node"
    for node in cluster.nodes:  # each was asked by that browser, too
        wait_until(lambda node=node: node.answered("/library") >= 3)  # type: ignore[misc]
    exported = cluster.shop.export()
    assert (len(exported["user"]), len(exported["purchase"]), len(exported["mail"])) == (1, 2, 2)


def test_the_nodes_know_the_visitor_behind_the_proxy(cluster: Cluster) -> None:
    """Limits are counted by visitor on all nodes together: the thirty-first unpaid checkout is refused, another's is not."""
    busy = Shopper(cluster.shop)
    for _ in range(30):
        busy.http.cookies.clear()  # the same browser would get the same checkout for a minute
        busy.buy()
    busy.http.cookies.clear()
    assert {busy.post(f"/buy/{BOOK}").status_code for _ in range(4)} == {429}
    Shopper(cluster.shop).buy()


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_that_was_told_of_no_node_asks_nobody(name: str, tmp_path: Path) -> None:
    """HAProxy does not start, Caddy answers 503. A node in an example would be sent the requests of buyers."""
    program(name)
    cluster = Cluster(ShopServer(tmp_path), 0, name)
    try:
        with pytest.raises(AssertionError, match="did not come up"):
            cluster.proxy.start(f"{cluster.shop.url}/", within=3)
        assert cluster.proxy.child is not None
        if name == "haproxy":
            assert cluster.proxy.child.wait(5) != 0
        else:
            assert httpx.get(f"{cluster.shop.url}/", timeout=60).status_code == 503
    finally:
        cluster.close()


@pytest.mark.parametrize("file", ["haproxy.cfg", "Caddyfile"])
def test_the_examples_name_no_host(file: str) -> None:
    text = (ROOT / "docs" / "proxies" / file).read_text()
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) <= {"127.0.0.0", "0.0.0.0"}


@dataclass
class Crowd:
    """Browsers and Stripe, asking all the while on connections they keep; every answer and every failure is noted."""

    cluster: Cluster
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        owner = _login(self.cluster, "owner@example.com")
        cookie = "; ".join(f"{name}={value}" for name, value in owner.http.cookies.items())
        paid = self.cluster.shop.sandbox.pay(Shopper(self.cluster.shop).buy(), email="told@example.com")
        body = paid["body"].encode()

        def webhook() -> tuple[str, str, dict[str, str], bytes]:
            return "POST", "/webhook", {"stripe-signature": sign(body, WEBHOOK_SECRET)}, body

        def buy() -> tuple[str, str, dict[str, str], bytes]:
            return (
                "POST",
                f"/buy/{PHOTOS}",
                {"x-forwarded-for": f"10.{time.time_ns() % 251}.{time.time_ns() // 251 % 251}.9"},
                b"",
            )

        def page() -> tuple[str, str, dict[str, str], bytes]:
            return "GET", "/", {}, b""

        def library() -> tuple[str, str, dict[str, str], bytes]:
            return "GET", "/library", {"cookie": cookie}, b""

        over = threading.Event()
        with ThreadPoolExecutor(5) as threads:
            running: list[Future[None]] = [
                threads.submit(self._ask, of, pause, over)
                for of, pause in ((webhook, 0.02), (webhook, 0.02), (buy, 0.3), (page, 0.02), (library, 0.02))
            ]
            try:
                yield
            finally:
                over.set()
            for one in running:
                one.result()

    def wait_for_answers(self, number: int) -> None:
        """So many more."""
        enough = sum(self.answers.values()) + number
        wait_until(lambda: sum(self.answers.values()) >= enough)

    def _ask(
        self,
        request: Callable[[], tuple[str, str, dict[str, str], bytes]],
        pause: float,
        over: threading.Event,
    ) -> None:
        with httpx.Client(base_url=self.cluster.shop.url, timeout=60, verify=False, trust_env=False) as http:
            while not over.wait(pause):
                method, path, headers, body = request()
                try:
                    answer = http.request(method, path, headers=headers, content=body)
                except httpx.HTTPError as error:
                    self.failures.append(f"{method} {path}: {error!r}")
                else:
                    self.answers[f"{method} {path} {answer.status_code}"] += 1
                    if answer.status_code >= 400:
                        self.failures.append(
                            f"{method} {path}: {answer.status_code} {dict(answer.headers)} {answer.text[:200]}"
                        )


def test_a_rolling_restart_under_load_fails_nobody(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM to each node in turn: no answer of 400 or more, no reset, no request without an answer."""
    crowd = Crowd(cluster)
    with crowd.asking():
        cluster.roll()
    assert crowd.failures == []
    assert len(crowd.answers) == 4
    assert sum(crowd.answers.values()) > 300
    for node in cluster.nodes:
        assert node.log.read_text().count("shop is closing") == 1
    with capsys.disabled():
        print(f"\n  {cluster.proxied_by}: {dict(crowd.answers)}")


def test_a_node_that_dies_takes_at_most_what_it_had_begun_along(cluster: Cluster) -> None:
    """A GET is asked again elsewhere. A POST is not, for it may have been done: the one who asked hears 502.

    Behind Caddy so does a POST that the dead node never read, until Caddy has looked (caddy issue 7546). If the other
    node was too busy to answer Caddy's last check, its own answer is 503: no node has read the request.
    """
    crowd = Crowd(cluster)
    with crowd.asking():
        crowd.wait_for_answers(50)
        cluster.nodes[0].process.kill()
        crowd.wait_for_answers(150)
        late = len(crowd.failures)
        crowd.wait_for_answers(50)
    assert not [failure for failure in crowd.failures if failure.startswith("GET")]
    said = (": 502 ", "Error", ": 503 {'server': 'Caddy'")
    assert all(any(words in failure for words in said) for failure in crowd.failures), crowd.failures
    assert len(crowd.failures) == late, crowd.failures
    if cluster.proxied_by == "haproxy":
        assert late <= 4, crowd.failures


def test_nobody_can_take_the_nodes_out_of_the_proxy(cluster: Cluster) -> None:
    """A body that breaks its coding is its sender's fault: the next request is served, a POST, too."""
    for _ in range(2 * len(cluster.nodes)):
        with socket.create_connection(("127.0.0.1", cluster.shop.port), timeout=60) as line:
            head = f"POST /webhook HTTP/1.1\r\nhost: localhost:{cluster.shop.port}\r\ntransfer-encoding: chunked\r\n"
            line.sendall(f"{head}\r\nzz\r\n".encode())
            line.recv(100)
    answer = httpx.post(f"{cluster.shop.url}/webhook", content=b"{}", timeout=60)
    assert (answer.status_code, answer.text) == (400, "it has no Stripe-Signature")


@pytest.mark.parametrize("cluster", ["caddy"], indirect=True)
def test_caddy_asks_whoever_answers_where_no_node_says_that_it_is_ready(cluster: Cluster) -> None:
    """Both say 503 at /readyz for five seconds, since they are leaving, and serve: every POST is answered."""
    for node in cluster.nodes:
        assert node.process.child is not None
        node.process.child.send_signal(signal.SIGTERM)
    statuses, late = Counter[int](), 0
    while late < 4:
        statuses[httpx.post(f"{cluster.shop.url}/webhook", content=b"{}", timeout=60).status_code] += 1
        late += all(node.said_not_ready for node in cluster.nodes)  # Caddy has looked at them
        time.sleep(0.05)
    assert set(statuses) == {400}, statuses


def test_the_secret_is_changed_in_three_rounds_and_nobody_is_logged_out(behind_haproxy: Cluster) -> None:
    """New one behind, new one in front, old one out. A link of the old one lives until then, and no longer."""
    shop = behind_haproxy.shop
    anna = _login(behind_haproxy, "anna@example.com")

    def unused_link(email: str) -> str:
        buyer = Shopper(shop)
        buyer.buy_and_pay(email)
        return buyer.link_from(email)

    def works(link: str) -> bool:
        return Shopper(shop).post(link).status_code == 303

    links = [unused_link(f"old{number}@example.com") for number in range(4)]
    old, new = SESSION_SECRET, NEW_SECRET
    for number, secrets in enumerate((f"{old},{new}", f"{new},{old}")):
        behind_haproxy.roll(SESSION_SECRET=secrets)
        assert {anna.get("/library").status_code for _ in range(6)} == {200}
        assert works(links[number]), secrets
    fresh = unused_link("new@example.com")
    behind_haproxy.roll(SESSION_SECRET=new)
    assert {anna.get("/library").status_code for _ in range(6)} == {200}
    assert works(fresh)
    assert not works(links[2]), "signed with a secret that is gone"


@pytest.mark.storm
def test_a_storm_over_three_nodes_loses_and_doubles_nothing(
    tmp_path: Path, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The short form of `make nodes`: every redirect races one to five webhooks, on whatever node each of them lands."""
    program("haproxy")
    outcome = storm_over_nodes(tmp_path, postgres, Wish(sales=240, nodes=3, bought=0.5))
    with capsys.disabled():
        print("\n" + table([outcome]))
    assert outcome.broken == ()
    assert (outcome.sales, outcome.acknowledged, outcome.access_emails, outcome.users) == (240, 240, 240, 80)


def test_two_nodes_at_the_same_moment_get_one_turn(postgres: PostgresServer) -> None:
    url = postgres.url(postgres.new_database())
    first, second = PostgresStore.open(url), PostgresStore.open(url)
    turn = turn_of("reconcile", pause=timedelta(minutes=10))

    async def ask(store: PostgresStore, ref: str, at: datetime) -> bool:
        return await store.transact(lambda tx: tx.limits.acquire(turn.kind, turn, now=at, ref=ref)) is None

    async def main() -> list[int]:
        begin, found = datetime(2026, 1, 1, tzinfo=UTC), []
        for number in range(20):
            at = begin + number * timedelta(minutes=10)
            both = (ask(store, f"{name}-{number}", at) for store, name in ((first, "a"), (second, "b")))
            found.append(sum(await asyncio.gather(*both)))
        return found

    try:
        assert asyncio.run(main()) == [1] * 20
    finally:
        first.close()
        second.close()
