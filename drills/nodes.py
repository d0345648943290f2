"""Several `coatcheck serve` on one database, behind haproxy: a shop that goes on when one of them dies."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from support.bring import PROGRAMS
from support.servers import Process, ShopServer, clean_environment, free_port

# A request that no node took in is given to another; one that was under way when its node died is answered 502, since
# nobody knows how far it got: Stripe and browsers try again.
_CONFIGURATION: Final = """
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout queue 5s
  retries 2
  option redispatch
  retry-on conn-failure
  http-error status 502 content-type text/plain string "try again" hdr retry-after 1
  http-error status 503 content-type text/plain string "try again" hdr retry-after 1
  http-error status 504 content-type text/plain string "try again" hdr retry-after 1

frontend shop
  bind 127.0.0.1:{port}
  default_backend nodes

backend nodes
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 200ms fall 1 rise 1 observe layer4 on-error mark-down
{servers}
"""


@dataclass
class Node:
    """One `coatcheck serve`."""

    process: Process
    port: int

    def start(self) -> None:
        self.process.start(f"http://127.0.0.1:{self.port}/readyz")


@dataclass
class Nodes:
    """A shop whose address is a proxy's; `shop.process` is that proxy."""

    shop: ShopServer
    count: int
    nodes: list[Node] = field(default_factory=list)

    def start(self) -> None:
        for number in range(self.count):
            self.nodes.append(node := self._node(f"node{number}"))
            node.start()
        servers = "\n".join(f"  server node{n} 127.0.0.1:{node.port}" for n, node in enumerate(self.nodes))
        file = self.shop.folder / "haproxy.cfg"
        file.write_text(_CONFIGURATION.format(port=self.shop.port, servers=servers))
        self.shop.process = Process(
            [shutil.which("haproxy", path=PROGRAMS) or "haproxy", "-db", "-f", str(file)],
            self.shop.folder,
            clean_environment(),
            self.shop.folder / "haproxy.log",
        )
        self.shop.start()

    def _node(self, name: str) -> Node:
        port, folder = free_port(), self.shop.folder / name
        environment = {**self.shop.environment, "DATA_DIR": str(folder)}
        command = [sys.executable, "-m", "entrypoints.cli", "serve", "--port", str(port)]
        return Node(Process(command, self.shop.folder, environment, self.shop.folder / f"{name}.log"), port)

    def stop(self) -> None:
        for node in self.nodes:
            if node.process.child is not None and node.process.child.poll() is None:
                node.process.stop()


@contextlib.contextmanager
def some_nodes(shop: ShopServer, *, count: int) -> Iterator[Nodes]:
    """Up and running, with the stand-in running already; gone afterwards."""
    made = Nodes(shop, count)
    try:
        made.start()
        yield made
    finally:
        made.stop()
