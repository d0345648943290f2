"""Real processes on loopback: the stand-in for Stripe and Resend, and the shop itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from entrypoints.cli_output import export_lines
from entrypoints.container import Container
from entrypoints.sandbox.world import MAIL_WEBHOOK_SECRET
from entrypoints.settings import Settings, load_settings
from testkit.starter import Child, Starter
from testkit.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "src" / "entrypoints" / "example_catalogue"
WEBHOOK_SECRET = "whsec_of_the_tests"
SESSION_SECRET = "the session secret of the tests is long enough"
PAPERWORK, BOOK, PHOTOS = "small-shop-paperwork", "the-last-cloakroom", "harbour-five-hours"


def _ports() -> Iterator[int]:
    """Ports of this process alone, below those that the system gives to connections.

    Of a port that the system gives away as free, another process may be given it a moment later. So each process
    holds the first port of a block, and uses the others: testers beside each other and two runs of the tests on one
    machine keep apart. Browsers refuse to open 10080 (https://fetch.spec.whatwg.org/#port-blocking), so the blocks
    end above it.
    """
    for start in range(31_100, 10_000, -1_000):
        with contextlib.suppress(OSError), socket.socket() as block:
            block.bind(("127.0.0.1", start))
            while True:
                yield from range(start + 1, start + 1_000)
    raise AssertionError


_PORTS: Final = _ports()


def free_port(*, in_a_row: int = 1) -> int:
    """The first of so many that nobody listens on."""
    free: list[int] = []
    for port in _PORTS:
        free = [*free, port] if _is_free(port) else []
        if len(free) == in_a_row:
            return free[0]
    raise AssertionError


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_NOWHERE: Final = "-"
"""The route of a request that no page answers, in the log."""

# The Stripe SDK hands its body to httpx in a way that httpx deprecates; every other warning is an error.
_WARNINGS = "error,ignore:Use 'content=<...>' to upload:DeprecationWarning"


def clean_environment(**variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": _WARNINGS, **variables}


STARTER: Final = Starter(clean_environment())


@dataclass
class Process:
    """One child; its output is kept in a file, and shown when it does not come up."""

    command: list[str]
    folder: Path
    environment: dict[str, str]
    log: Path
    warm: bool = False
    """In a fork of a process that has imported the program: see `testkit.starter`."""
    child: Child | None = None

    def start(self, url: str, *, within: float = 60.0) -> None:
        with self.log.open("ab") as log:
            self.child = STARTER.start(
                self.command,
                cwd=self.folder,
                env=self.environment,
                out=log.fileno(),
                err=log.fileno(),
                warm=self.warm,
            )
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError):
                # Without its usual context: loading certificates takes longer than the answer.
                if httpx.get(url, timeout=2, verify=False, trust_env=False).status_code == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"{self.command} did not come up:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """kill -9 of it and of every child it might have."""
        assert self.child is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(60)

    def stop(self, number: int = signal.SIGINT, *, within: float = 60.0) -> int:
        if self.child is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(number)
        try:
            return self.child.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@dataclass
class Sandbox:
    """The stand-in, and what tests ask of it."""

    folder: Path
    shop_url: str
    port: int = field(default_factory=free_port)
    warm: bool = False
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        # Everything is plain http on loopback: loading certificates would cost more than the requests.
        self.http = httpx.Client(base_url=self.url, timeout=90, verify=False, trust_env=False)
        command = [
            sys.executable, "-m", "entrypoints.sandbox", "--port", str(self.port), "--shop", self.shop_url,
            "--webhook-secret", WEBHOOK_SECRET,
        ]  # fmt: skip
        self.process = Process(
            command, self.folder, clean_environment(), self.folder / "sandbox.log", warm=self.warm
        )

    def start(self) -> None:
        self.process.start(f"{self.url}/healthz")

    def stop(self) -> None:
        self.http.close()
        self.process.stop()

    def post(self, path: str, **told: Any) -> Any:
        answer = self.http.post(path, json=told)
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str) -> Any:
        return self.http.get(path).json()

    def pay(self, cs: str, **told: Any) -> Any:
        return self.post(f"/_sandbox/sessions/{cs}/pay", **told)

    def behave(self, **told: Any) -> None:
        self.post("/_sandbox/behave", **told)

    def signature(self, body: bytes, *, at: int | None = None) -> str:
        suffix = f"?at={at}" if at is not None else ""
        return str(self.http.post(f"/_sandbox/sign{suffix}", content=body).json()["signature"])

    @property
    def mails(self) -> list[dict[str, Any]]:
        return list(self.get("/_sandbox/mails"))

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        found = self.http.get("/_sandbox/mails", params={"to": address}).json()
        return [mail["fields"] for mail in found]

    def wait_for_mail(self, address: str, *, number: int = 1, within: float = 60.0) -> dict[str, Any]:
        wait_until(lambda: len(self.mails_to(address)) >= number, within=within)
        return self.mails_to(address)[-1]


def copy_examples(to: Path) -> None:
    """The example catalogue without what it ends with, `[law]`: tests add settings below, each their own."""
    shutil.copytree(EXAMPLES, to)
    toml = to / "shop.toml"
    toml.write_text(toml.read_text().partition("[law]")[0])


@dataclass
class ShopServer:
    """`coatcheck serve`, pointed at the stand-in."""

    folder: Path
    port: int = field(default_factory=free_port)
    more: dict[str, str] = field(default_factory=dict)
    warm: bool = False
    process: Process = field(init=False)
    sandbox: Sandbox = field(init=False)
    clients: list[httpx.Client] = field(default_factory=list)
    tls_host: str | None = None
    """The name it has over https, with a certificate of its own; plain http on localhost without one."""

    def __post_init__(self) -> None:
        self.url = (
            f"http://localhost:{self.port}"
            if self.tls_host is None
            else f"https://{self.tls_host}:{self.port}"
        )
        self.sandbox = Sandbox(self.folder, self.url, warm=self.warm)
        self.catalogue, self.data = self.folder / "catalogue", self.folder / "data"
        if not self.catalogue.exists():
            copy_examples(self.catalogue)
        self.environment = clean_environment(
            BASE_URL=self.url,
            SESSION_SECRET=SESSION_SECRET,
            CATALOGUE=str(self.catalogue),
            DATA_DIR=str(self.data),
            STRIPE_SECRET_KEY="sk_test_ofthetests",
            STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
            STRIPE_API_BASE=self.sandbox.url,
            RESEND_API_KEY="re_ofthetests",
            RESEND_API_URL=self.sandbox.url,
            RESEND_WEBHOOK_SECRET=MAIL_WEBHOOK_SECRET,
            EMAIL_FROM="Cloakroom Press <tickets@cloakroom.example>",
            TRUSTED_PROXIES="127.0.0.1",
            **self.more,
        )
        self.log = self.folder / "shop.log"
        command = [sys.executable, "-m", "entrypoints.cli", "serve", "--port", str(self.port)]
        if self.tls_host is not None:
            certificate, key = a_certificate(self.folder, self.tls_host)
            command += ["--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
            self.environment["TEST_MODE"] = "1"
        self.process = Process(command, self.folder, self.environment, self.log, warm=self.warm)

    def settle(self, settings: str) -> None:
        """Add that to shop.toml, under a new name of the shop: once a page shows the name, the rest is in force, too."""
        toml, name = self.catalogue / "shop.toml", f"Shop {time.time_ns()}"
        old = next(line for line in toml.read_text().splitlines() if line.startswith("name = "))
        toml.write_text(toml.read_text().replace(old, f'name = "{name}"') + settings)
        wait_until(lambda: name in httpx.get(self.url).text)

    def start(self) -> None:
        scheme = self.url.partition(":")[0]
        self.process.start(f"{scheme}://localhost:{self.port}/readyz")

    def cli(self, *arguments: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "entrypoints.cli", *arguments]
        variables = {**self.environment, **variables}
        done = STARTER.run(command, cwd=self.folder, env=variables, timeout=120, warm=self.warm)
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done

    def export(self, **variables: str) -> dict[str, list[dict[str, Any]]]:
        """Every record by kind, as `coatcheck export` writes it; read in this process, since a start takes seconds."""
        found: dict[str, list[dict[str, Any]]] = {
            kind: []
            for kind in (
                "user",
                "purchase",
                "mail",
                "quarantine",
                "audit",
                "refund_request",
                "note",
                "withdrawal",
            )
        }
        settings = load_settings({**self.environment, **variables}, dotenv=None)
        with ThreadPoolExecutor(1) as beside:  # Playwright's loop runs in this thread
            lines = beside.submit(asyncio.run, _exported(settings)).result()
        for line in lines:
            record = json.loads(line)
            found[record["kind"]].append(record)
        return found

    def mails_queued_for(self, address: str) -> int:
        """How many emails were written to it, sent or not: what is not queued once an answer came, never will be."""
        return sum(mail["to"] == address for mail in self.export()["mail"])

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """Every line of what happened before: the log is written in order, a few times a second."""
        if self.process.child is not None and self.process.child.poll() is None:
            asked = sum(line.get("route") == _NOWHERE for line in self._written())
            httpx.get(f"{self.url}/nowhere", verify=False, trust_env=False)
            wait_until(lambda: sum(line.get("route") == _NOWHERE for line in self._written()) > asked)
        return self._written()

    def _written(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


async def _exported(settings: Settings) -> list[bytes]:
    container = Container(settings=settings)
    try:
        return [line async for line in export_lines(container)]
    finally:
        await asyncio.to_thread(container.store().close)


def a_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate for a name that nobody signed but its own key, and that key."""
    certificate, key = folder / f"{host}.pem", folder / f"{host}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "1", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@contextlib.contextmanager
def a_shop(
    folder: Path, *, tls_host: str | None = None, warm: bool = True, port: int | None = None, **more: str
) -> Iterator[ShopServer]:
    """Shop and stand-in, up and running; gone afterwards. `port`: the same as before, for a folder that was served."""
    shop = ShopServer(folder, more=more, tls_host=tls_host, warm=warm, port=port or free_port())
    shop.sandbox.start()
    try:
        shop.start()
        yield shop
    finally:
        for client in shop.clients:
            client.close()
        shop.process.stop()
        shop.sandbox.stop()


class Shopper:
    """A shopper with cookies, from an address of their own; follows no redirects."""

    _count = 0

    def __init__(self, shop: ShopServer, *, address: str | None = None) -> None:
        Shopper._count += 1
        number = Shopper._count
        self.shop = shop
        self.address = address or f"10.{number & 255}.{number >> 8 & 255}.{number >> 16 & 255}"
        self.http = httpx.Client(
            base_url=shop.url,
            headers={"x-forwarded-for": self.address},
            timeout=60,
            verify=False,
            trust_env=False,
        )
        shop.clients.append(self.http)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(self, path: str, data: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        headers = {"content-type": "application/x-www-form-urlencoded"} if data is None else {}
        return self.http.post(path, data=data, headers={**headers, **options.pop("headers", {})}, **options)

    def buy(self, product: str = BOOK) -> str:
        """Press Buy; the id of Stripe's session. Waits where the shop says that too many buy at once."""
        for _ in range(20):
            answer = self.post(f"/buy/{product}", {"again": "yes"})
            if answer.status_code != 429:
                break
            time.sleep(0.3)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].rpartition("/")[2]

    def buy_and_pay(self, email: str, product: str = BOOK) -> str:
        """The whole way, the webhook before the redirect; the access email has arrived."""
        cs = self.buy(product)
        before = len(self.shop.sandbox.mails_to(email))
        self.shop.sandbox.pay(cs, email=email, copies=1)
        assert self.get(f"/view/{product}", params={"session_id": cs}).status_code == 303
        self.shop.sandbox.wait_for_mail(email, number=before + 1)
        return cs

    def link_from(self, email: str) -> str:
        """The path of the newest link in a mailbox."""
        text = self.shop.sandbox.mails_to(email)[-1]["text"]
        return "/login/" + text.partition("/login/")[2].split()[0]
