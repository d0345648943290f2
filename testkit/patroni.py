"""A PostgreSQL of three nodes whose primary may die: Patroni, etcd, one synchronous standby. It dies with the tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from testkit.postgres import PASSWORD, binaries, die_with_parent, quick_place, unprivileged
from testkit.servers import free_port

_UP_WITHIN: Final = 60.0
_KEY_LIVES: Final = 8
"""Seconds after which a primary that is gone has lost its key: the most of a failover is waiting for this."""
_MAY_LACK: Final = 2**30
"""Bytes of WAL that a standby may lack and still take over. Patroni's own limit is 1 MiB, which a primary writes in a
second: an asynchronous cluster whose standbys were cut off would then have no primary at all, and nothing to compare.
https://patroni.readthedocs.io/en/latest/replication_modes.html"""
_SETTINGS: Final = {
    "max_connections": 100,
    "shared_buffers": "32MB",
    "wal_keep_size": "256MB",
    "log_min_messages": "warning",
    "lc_messages": "C",
}


@dataclass
class Node:
    """One machine: a Patroni, and the PostgreSQL it starts."""

    name: str
    folder: Path
    port: int = field(default_factory=free_port)
    api: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def kill(self) -> None:
        """As if its power went: all of it stops, then all of it dies."""
        assert self.child is not None
        processes = [self.child.pid, *self._postgres()]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.child.wait(10)

    def cut_off(self) -> None:
        """Its standbys hear nothing more."""
        for pid, command in self._postgres().items():
            if "walsender" in command:
                os.kill(pid, signal.SIGSTOP)

    def _postgres(self) -> dict[int, str]:
        """Its processes, and what they call themselves."""
        try:
            postmaster = (self.data / "postmaster.pid").read_text().split()[0]
        except (FileNotFoundError, IndexError):
            return {}
        listed = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", postmaster, "-p", postmaster],
            capture_output=True,
            text=True,
            check=False,
        )
        return {
            int(pid): args for pid, args in (line.split(maxsplit=1) for line in listed.stdout.splitlines())
        }


@dataclass
class PatroniCluster:
    """etcd and three nodes in a folder, on ports of their own."""

    folder: Path
    bindir: Path
    synchronous: bool = True
    nodes: list[Node] = field(default_factory=list)
    _etcd: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self._etcd_port, self._peer_port = free_port(), free_port()
        self.nodes = [Node(f"node{number}", self.folder / f"node{number}") for number in (1, 2, 3)]
        # Patroni is a program of the system's Python: ours must not lend it modules.
        self._environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}

    # ------------------------------------------------------------------ up and down

    def start(self) -> None:
        """Up, with a synchronous standby. AssertionError with the logs if that takes too long."""
        self._own(self.folder)
        url, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        self._etcd = self._run(
            "etcd", "etcd", "--data-dir", str(self.folder / "etcd"), "--listen-client-urls", url,
            "--advertise-client-urls", url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}", "--unsafe-no-fsync",
        )  # fmt: skip
        for node in self.nodes:
            node.folder.mkdir(mode=0o700)
            (node.folder / "patroni.json").write_text(json.dumps(self._configuration(node)))
            self._own(node.folder, node.folder / "patroni.json")
            self.start_node(node)
            self.until(lambda: self.leader() is not None, "there is a primary")
        self.until_safe()

    def start_node(self, node: Node) -> None:
        """Its Patroni starts PostgreSQL: as the first, or as a standby of whoever leads by now."""
        node.child = self._run(node.name, "patroni", str(node.folder / "patroni.json"))

    def stop(self) -> None:
        for node in self.nodes:
            if node.child is not None and node.child.poll() is None:
                node.kill()
        if self._etcd is not None:
            self._etcd.kill()
            self._etcd.wait(10)

    def _run(self, log: str, *command: str) -> subprocess.Popen[bytes]:
        owner = unprivileged()
        who = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        with (self.folder / f"{log}.log").open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=output,
                stderr=output,
                env=self._environment,
                # Patroni stops its PostgreSQL when it is asked to end, and leaves it behind when it is killed.
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no lock is held meanwhile
                **who,
            )  # type: ignore[call-overload,no-any-return]

    def _own(self, *paths: Path) -> None:
        if (owner := unprivileged()) is not None:
            for path in paths:
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def _configuration(self, node: Node) -> dict[str, Any]:
        here = "127.0.0.1"
        return {
            "scope": "coatcheck",
            "name": node.name,
            "restapi": {"listen": f"{here}:{node.api}", "connect_address": f"{here}:{node.api}"},
            "etcd3": {"host": f"{here}:{self._etcd_port}"},
            "watchdog": {"mode": "off"},
            "bootstrap": {
                "dcs": {
                    "ttl": _KEY_LIVES,
                    "loop_wait": 1,
                    "retry_timeout": 3,
                    "master_start_timeout": 0,
                    "maximum_lag_on_failover": _MAY_LACK,
                    "synchronous_mode": self.synchronous,
                    "synchronous_mode_strict": self.synchronous,
                    "postgresql": {"use_pg_rewind": True, "parameters": _SETTINGS},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums", "no-sync"],
                "pg_hba": [
                    f"host all all {here}/32 scram-sha-256",
                    f"host replication all {here}/32 scram-sha-256",
                ],
            },
            "postgresql": {
                "listen": f"{here}:{node.port}",
                "connect_address": f"{here}:{node.port}",
                "data_dir": str(node.data),
                "bin_dir": str(self.bindir),
                "pgpass": str(node.folder / "pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres", "password": PASSWORD},
                    "replication": {"username": "replicator", "password": PASSWORD},
                },
                "parameters": {"unix_socket_directories": str(node.folder)},
            },
        }

    # ------------------------------------------------------------------ who leads

    def members(self) -> dict[str, dict[str, Any]]:
        """What Patroni says of every node, by its name; empty if nobody answers."""
        for node in self.nodes:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                told = httpx.get(
                    f"http://127.0.0.1:{node.api}/cluster", timeout=2, verify=False, trust_env=False
                )
                return {member["name"]: member for member in told.json()["members"]}
        return {}

    def leader(self) -> Node | None:
        """The primary, if it is up."""
        members = self.members()
        for node in self.nodes:
            told = members.get(node.name, {})
            if (told.get("role"), told.get("state")) == ("leader", "running"):
                return node
        return None

    def until_safe(self, *, within: float = _UP_WITHIN) -> None:
        """Until a primary takes writes, and every other node follows it, one of them synchronously."""

        def safe() -> bool:
            members = self.members().values()
            roles = sorted(member["role"] for member in members if member["state"] == "running")
            wanted = (
                ["leader", "replica", "sync_standby"]
                if self.synchronous
                else ["leader", "replica", "replica"]
            )
            return roles == wanted and self.takes_writes()

        self.until(safe, "a primary and its standbys are up", within=within)

    def takes_writes(self) -> bool:
        """Whether a commit comes back now; under `synchronous` it waits for a standby."""
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=2) as connection,
        ):
            connection.execute("SET statement_timeout = 2000")
            connection.execute("CREATE TABLE IF NOT EXISTS probe (at timestamptz)")
            connection.execute("INSERT INTO probe VALUES (now())")
            return True
        return False

    def until(self, holds: Callable[[], bool], what: str, *, within: float = _UP_WITHIN) -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if holds():
                return
            time.sleep(0.1)
        logs = "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))
        raise AssertionError(f"not within {within:.0f} s: {what}\n{self.members()}\n{logs}")

    def url(self, database: str) -> str:
        """Every host; the client finds the one that takes writes."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        password = PASSWORD.replace(" ", "%20")
        return f"postgresql://postgres:{password}@{hosts}/{database}?target_session_attrs=read-write"

    def create_database(self, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())


@contextlib.contextmanager
def a_cluster(*, synchronous: bool = True) -> Iterator[PatroniCluster]:
    """Up and running; gone afterwards. AssertionError if PostgreSQL is missing."""
    bindir = binaries()
    assert bindir is not None, "PostgreSQL is not installed"
    with tempfile.TemporaryDirectory(
        prefix="coatcheck-patroni-", dir=quick_place(), ignore_cleanup_errors=True
    ) as folder:
        cluster = PatroniCluster(Path(folder), bindir, synchronous)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
