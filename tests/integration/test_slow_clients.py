"""Slow clients over real connections: the shop stays usable, and the server closes every kind of them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from bench.fuzz.slow import HALF_A_HELLO, Customers, SlowClients, allow_files, kinds_for
from entrypoints.run.connections import Limits
from testkit.listening import no_lifespan, served
from testkit.nodes import PROXIES, a_cluster
from testkit.postgres import PostgresServer
from testkit.servers import WEBHOOK_SECRET, ShopServer
from testkit.tools import program

pytestmark = pytest.mark.long

# Far beyond every deadline: a connection that is still open then is held for ever.
CLOSED_WITHIN = 60.0


@contextmanager
def a_limited_shop(folder: Path, *, files: str = "", proxies: str = "127.0.0.1") -> Iterator[ShopServer]:
    """A shop that is started with a limit of open files, as `ulimit` takes it."""
    shop = ShopServer(folder)
    shop.environment["TRUSTED_PROXIES"] = proxies
    if files:
        shop.process.command[:0] = ["sh", "-c", f'ulimit {files} && exec "$@"', "sh"]
    shop.sandbox.start()
    try:
        shop.start()
        yield shop
    finally:
        shop.process.stop()
        shop.sandbox.stop()


@contextmanager
def slow_clients(port: int) -> Iterator[SlowClients]:
    allow_files(4096)
    clients = SlowClients(port)
    try:
        yield clients
    finally:
        clients.leave()


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"], ids=["one peer", "one proxy"])
def test_others_shop_while_twelve_hundred_connections_are_held_and_the_server_closes_all_of_them(
    proxies: str, tmp_path: Path
) -> None:
    """With the 1,024 open files that systemd gives to begin with."""
    with (
        a_limited_shop(tmp_path, files="-S -n 1024", proxies=proxies) as shop,
        slow_clients(shop.port) as slow,
    ):
        slow.open(1200, kinds=kinds_for(shop.port))
        assert slow.refused == 0
        customers = Customers(shop.port, WEBHOOK_SECRET)
        with customers.shopping():
            slow.wait(CLOSED_WITHIN)
        assert customers.failed == []
        assert slow.left_open() == {}
        assert not [line for line in shop.log_lines if line["level"] == "error"]


def _connected(shop: ShopServer, *, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", shop.port), 20, source_address=(source, 0))


def test_one_peer_keeps_a_hundred_idle_connections_and_a_proxy_keeps_all_of_its_own(
    own_shop: ShopServer,
) -> None:
    with slow_clients(own_shop.port) as slow, _connected(own_shop, source="127.0.0.3") as neighbour:
        slow.open(150, kinds={"of the proxy": b""})
        slow.open(150, kinds={"of a stranger": b""}, source="127.0.0.2")
        slow.wait(15, until=lambda: slow.closed["of a stranger"] >= 50)
        assert slow.closed == {"of a stranger": 50}
        neighbour.sendall(f"GET /healthz HTTP/1.1\r\nHost: localhost:{own_shop.port}\r\n\r\n".encode())
        assert neighbour.recv(100).startswith(b"HTTP/1.1 200")


def test_with_few_open_files_the_oldest_connections_make_way(tmp_path: Path) -> None:
    with a_limited_shop(tmp_path, files="-n 300") as shop, slow_clients(shop.port) as slow:
        slow.open(200, kinds={"silent": b""})
        slow.wait(18, until=lambda: slow.held <= 113)
        assert slow.held <= 113
        customers = Customers(shop.port, WEBHOOK_SECRET)
        customers.ask_all()
        assert customers.failed == []
        assert "may open few files" in shop.log.read_text()


def test_of_the_unfinished_bodies_of_one_client_the_oldest_make_way(own_shop: ShopServer) -> None:
    """Those of others go on; and a body that comes in two pieces is taken."""
    host = f"Host: localhost:{own_shop.port}\r\nX-Forwarded-For: "

    def post(client: str) -> bytes:
        return f"POST /webhook HTTP/1.1\r\n{host}{client}\r\nContent-Length: 2\r\n\r\n{{".encode()

    with slow_clients(own_shop.port) as slow, _connected(own_shop) as other:
        other.sendall(post("10.7.7.8"))
        slow.open(40, kinds={"of one client": post("10.7.7.7")})
        slow.wait(10, until=lambda: slow.closed.total() >= 8)
        assert slow.statuses == {"of one client: 408": 8}
        assert slow.closed.total() == 8
        other.sendall(b"}")
        assert b"it has no Stripe-Signature" in other.recv(9000)


def test_no_flood_of_forms_from_many_clients_takes_the_place_of_a_webhook(own_shop: ShopServer) -> None:
    """Past a thousand unfinished forms the oldest of them make way; the older webhook does not."""
    host = f"Host: localhost:{own_shop.port}\r\nX-Forwarded-For: 10."
    form = "POST /request-login HTTP/1.1\r\n{}\r\nContent-Length: 50\r\n\r\ne".format
    with slow_clients(own_shop.port) as slow, _connected(own_shop) as webhook:
        webhook.sendall(f"POST /webhook HTTP/1.1\r\n{host}9.9.9\r\nContent-Length: 2\r\n\r\n{{".encode())
        for number in range(1050):
            client = f"{host}0.{number // 250}.{number % 250 + 1}"
            slow.open(1, kinds={"form": form(client).encode()})
        slow.wait(10, until=lambda: slow.closed.total() >= 50)
        assert slow.statuses == {"form: 408": 50}
        webhook.sendall(b"}")
        assert b"it has no Stripe-Signature" in webhook.recv(9000)


def test_after_the_tls_handshake_and_before_it_a_connection_has_its_deadline(tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    shop = ShopServer(tmp_path)
    url = f"https://localhost:{shop.port}"
    shop.environment["BASE_URL"] = url
    shop.process.command += ["--ssl-certfile", "cert.pem", "--ssl-keyfile", "key.pem"]
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    shop.process.start(f"{url}/healthz")
    try:
        with slow_clients(shop.port) as slow:
            slow.open(1200, kinds={"no handshake": b"", "half a handshake": HALF_A_HELLO})
            for name, said in kinds_for(shop.port).items():
                wire = context.wrap_socket(
                    socket.create_connection(("127.0.0.1", shop.port), 10), server_hostname="localhost"
                )
                wire.sendall(said)
                slow.keep(wire, f"after the handshake, {name}")
            customers = Customers(shop.port, WEBHOOK_SECRET, tls=context)
            with customers.shopping(pause=0.05):
                slow.wait(CLOSED_WITHIN)
            assert customers.failed == []
            assert slow.left_open() == {}
    finally:
        shop.process.stop()


@pytest.mark.parametrize("name", PROXIES)
def test_the_proxies_close_every_kind_of_slow_client(
    name: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    program(name)
    with a_cluster(tmp_path, postgres.url(postgres.new_database()), proxied_by=name) as cluster:
        port = cluster.shop.port
        with slow_clients(port) as slow:
            slow.open(len(kinds_for(port)) * 50, kinds=kinds_for(port))
            customers = Customers(port, WEBHOOK_SECRET)
            with customers.shopping(pause=0.05):
                slow.wait(CLOSED_WITHIN)
            assert customers.failed == []
            assert slow.left_open() == {}


# A deadline of a second.
_SHORT: Final = Limits(seconds=1.0, fresh=0.2, every=0.1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::"])
def test_a_request_under_way_is_not_cut_off_however_long_it_takes(host: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await no_lifespan(scope, receive, send)
        await asyncio.sleep(3)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def ask(port: int) -> tuple[bytes, bytes]:
        with socket.create_connection(("127.0.0.1", port), 20) as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return wire.recv(100), wire.recv(100)

    answer, end = served(app, ask, host=host, limits=_SHORT)
    assert answer.startswith(b"HTTP/1.1 204")
    assert end == b"", "and closed when nothing follows"


def test_an_answer_that_a_slow_reader_still_takes_is_not_cut_off() -> None:
    """The application has handed all of it over long before."""
    size = 8_000_000

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await no_lifespan(scope, receive, send)
        head = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"x" * size})

    def ask(port: int) -> int:
        got = b""
        with socket.socket() as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            wire.settimeout(60)
            wire.connect(("127.0.0.1", port))
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while len(got.partition(b"\r\n\r\n")[2]) < size and (more := wire.recv(200_000)):
                got += more
                time.sleep(0.05)
        return len(got.partition(b"\r\n\r\n")[2])

    assert served(app, ask, limits=_SHORT) == size
