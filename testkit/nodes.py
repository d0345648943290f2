"""Several `coatcheck serve` on one PostgreSQL, behind a proxy that runs on the very file that docs/ gives to merchants."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from testkit.bring import PROGRAMS
from testkit.servers import ROOT, Process, ShopServer, clean_environment, free_port
from testkit.waiting import wait_until

PROXIES: Final = ("haproxy", "caddy")
_FILES: Final = ROOT / "docs" / "proxies"


@dataclass
class Node:
    """One `coatcheck serve`, with a data folder of its own, as if on a machine of its own."""

    name: str
    shop: ShopServer
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        folder = self.shop.folder / self.name
        folder.mkdir()
        self.log = folder / "node.log"
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "entrypoints.cli", "serve", "--port", str(self.port)]
        environment = {**self.shop.environment, "DATA_DIR": str(folder / "data")}
        self.process = Process(command, folder, environment, self.log, warm=self.shop.warm)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    @property
    def said_not_ready(self) -> bool:
        """To whoever asked."""
        return any(line.get("route") == "/readyz" and line["status"] == 503 for line in self.lines)

    def answered(self, route: str = "") -> int:
        """How many requests it answered; on that route, or on any but those of who looks whether it is ready."""
        return sum(
            "route" in line
            and (line["route"] == route if route else line["route"] not in ("/readyz", "/healthz"))
            for line in self.lines
        )


@dataclass
class Cluster:
    """Nodes, proxy, and the stand-in for Stripe. `shop` is the shop as it is seen through the proxy; it serves nothing itself."""

    shop: ShopServer
    number: int
    proxied_by: str = "haproxy"

    def __post_init__(self) -> None:
        self.nodes = [Node(f"node{number + 1}", self.shop) for number in range(self.number)]
        make = {"haproxy": self._haproxy, "caddy": self._caddy}[self.proxied_by]
        command, environment = make()
        self.proxy = Process(
            command, self.shop.folder, clean_environment(**environment), self.shop.folder / "proxy.log"
        )

    def _haproxy(self) -> tuple[list[str], dict[str, str]]:
        addresses = {node.name.upper(): f"127.0.0.1:{node.port}" for node in self.nodes}
        binary = _path_of("haproxy")
        return [binary, "-db", "-f", str(_FILES / "haproxy.cfg")], {
            **addresses,
            "BIND": f"127.0.0.1:{self.shop.port}",
        }

    def _caddy(self) -> tuple[list[str], dict[str, str]]:
        home = str(self.shop.folder / "caddy")
        command = [_path_of("caddy"), "run", "--config", str(_FILES / "Caddyfile"), "--adapter", "caddyfile"]
        return command, {
            "SITE": f"http://localhost:{self.shop.port}",
            "BIND": "127.0.0.1",
            "NODES": " ".join(f"127.0.0.1:{node.port}" for node in self.nodes),
            "ADMIN": "off",
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "XDG_DATA_HOME": home,
        }

    def start(self) -> None:
        """The stand-in, the nodes one after the other, then the proxy."""
        self.shop.sandbox.start()
        for node in self.nodes:
            self.start_node(node)
        self.proxy.start(f"{self.shop.url}/readyz")

    def start_node(self, node: Node) -> None:
        """Returns when it is ready."""
        node.process.start(f"{node.url}/readyz")

    def roll(self, number: int = signal.SIGTERM, **environment: str) -> None:
        """Stop every node in turn, start it anew with these settings, and go on once the proxy sends it requests.

        Somebody must send requests meanwhile, or this waits in vain.
        """
        for node in self.nodes:
            assert node.process.stop(number) == 0, node.log.read_text()[-2000:]
            node.process.environment |= environment
            self.start_node(node)
            before = node.answered()
            wait_until(lambda node=node, before=before: self._reaches(node, before))  # type: ignore[misc]

    def _reaches(self, node: Node, before: int) -> bool:
        self.shop.sandbox.http.get(f"{self.shop.url}/")
        return node.answered() > before

    def close(self) -> None:
        """End everything; proxy first, so that nobody complains of nodes that are gone."""
        for client in self.shop.clients:
            client.close()
        self.proxy.stop(signal.SIGTERM)
        for node in self.nodes:
            node.process.stop()
        self.shop.sandbox.stop()


def _path_of(name: str) -> str:
    found = shutil.which(name, path=PROGRAMS)
    assert found is not None, f"{name} is not installed"
    return found


@contextlib.contextmanager
def a_cluster(
    folder: Path, database: str, *, number: int = 2, proxied_by: str = "haproxy"
) -> Iterator[Cluster]:
    """Up and running; gone afterwards. `database`: the URL of an empty one on PostgreSQL."""
    cluster = Cluster(ShopServer(folder, more={"DATABASE_URL": database}), number, proxied_by)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
