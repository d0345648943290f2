"""What is up while we measure: shops, the stand-in, the peer; each started when it is first asked for."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.speed.engines import Engine, Postgres, Sqlite, a_server
from bench.speed.past import fill_with_past
from bench.speed.peer_server import Peer, bring_shop
from bench.speed.sales import Till
from testkit.postgres import PostgresServer, binaries
from testkit.servers import ShopServer


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line."""

    runs: int
    sales: int
    seconds: int
    past: int
    engines: tuple[str, ...]


@dataclass
class Subject:
    """A shop that is measured, with its records."""

    shop: ShopServer
    engine: Engine
    till: Till

    def settle(self) -> None:
        """The mail worker hands over some twenty a second: take the rest out, so that it disturbs no other's run."""
        self.engine.call_mails_sent()


@dataclass
class Stage:
    """Opened by `with`; closes what it started."""

    folder: Path
    wish: Wish
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _subjects: dict[tuple[str, int], Subject | str] = field(default_factory=dict)
    _peer: Peer | None = None
    _server: PostgresServer | None = None

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    def subject(self, name: str, *, past: int = 0) -> Subject | str:
        """A shop on that engine with that many purchases in its past; or why there is none."""
        key = (name, past)
        if key not in self._subjects:
            self._subjects[key] = self._open(name, past)
        return self._subjects[key]

    def _open(self, name: str, past: int) -> Subject | str:
        folder = self.folder / f"{name}-{past}"
        folder.mkdir()
        found = self._engine(name, folder)
        if found is None:
            return "PostgreSQL is not installed"
        if past:
            began = time.monotonic()
            fill_with_past(found, past)
            print(f"  ({name}: {past:,} purchases laid down in {time.monotonic() - began:.0f} s)", flush=True)
        shop = self._stack.enter_context(self._shop(folder, found))
        return Subject(shop=shop, engine=found, till=Till(shop, found))

    def _engine(self, name: str, folder: Path) -> Engine | None:
        if name == "sqlite":
            return Sqlite(folder)
        if self._server is None and binaries() is not None:
            self._server = self._stack.enter_context(a_server())
        return None if self._server is None else Postgres(self._server)

    @contextlib.contextmanager
    def _shop(self, folder: Path, found: Engine) -> Iterator[ShopServer]:
        """As it ships: with what it needs installed and nothing else, and Python's own defaults."""
        shop = ShopServer(folder, more={"DATABASE_URL": found.url})
        # The driver of PostgreSQL is an extra, and not among the locked requirements of a shop.
        shop.process.command[0] = self.python if found.name == "sqlite" else sys.executable
        shop.environment.pop("PYTHONWARNINGS")
        shop.sandbox.start()
        try:
            shop.start()
            yield shop
        finally:
            for client in shop.clients:
                client.close()
            shop.process.stop()
            shop.sandbox.stop()

    @property
    def python(self) -> str:
        """The Python that runs what is measured."""
        return str(bring_shop())

    @property
    def shop(self) -> Subject:
        """The shop on the default engine, with nothing in its past."""
        found = self.subject("sqlite")
        assert isinstance(found, Subject)
        return found

    @property
    def peer(self) -> Peer:
        """The tutorial's own system."""
        if self._peer is None:
            self._peer = Peer(self.folder, self.shop.shop.sandbox.url)
            self._peer.start()
            self._stack.callback(self._peer.process.kill)
        return self._peer
