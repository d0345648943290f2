"""The real shop in this process, on a real SQLite file; only payments, mail and time are ours to command."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from adapters.memory.payments import MemoryPayments
from adapters.stripe.payments import StripePayments
from domain.mail import Envelope
from domain.ports import WebhookEvent
from domain.values import ProviderRef
from entrypoints.container import Container
from entrypoints.environment import read_environment
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.settings import settle

WEBHOOK_SECRET: Final = "whsec_of_the_fuzzer"
MAIL_SECRET: Final = "whsec_b2YgdGhlIGZ1enplcg=="
SESSION_SECRET: Final = "the session secret of the fuzzer is long enough"
STRIPE_KEY: Final = "sk_test_ofthefuzzer"
HOST: Final = "shop.example"
BASE_URL: Final = f"https://{HOST}"
_EXAMPLES: Final = Path(__file__).resolve().parents[2] / "src" / "entrypoints" / "example_catalogue"
_PRODUCTS: Final = {
    "a-gift": 'name = "A Gift"\nprice = "0"\n',
    "your-price": 'name = "Your Price"\nprice = "5.00"\npay_what_you_want = true\n',
    "abroad": 'name = "Abroad"\nprice = "9.00"\n[prices]\neur = "8.50"\njpy = "1200"\n',
    "keyed": 'name = "Keyed"\nprice = "20.00"\nlicence_keys = "generate"\n',
    "the-lot": 'name = "The Lot"\nprice = "30.00"\ncontains = ["keyed", "a-gift"]\n',
    "sampler": 'name = "Sampler"\nprice = "5.00"\nfiles = ["data.bin", "empty.bin", "ä \'x\'.txt"]\n',
}
FILES: Final = {"data.bin": bytes(range(256)) * 40, "empty.bin": b"", "ä 'x'.txt": b"hello"}
_MEMORY: Final = "/dev/shm"
_IN_MEMORY: Final = Path(_MEMORY).is_dir()
_SESSIONS_KEPT: Final = 2000


class FuzzClock:
    """Goes on a little with every request, so that days pass in a run: limits end, links expire, rows are pruned."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """See Clock."""
        return self.time

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)


class FuzzRandomness:
    """Never the same twice in a run, the same in every run of a seed. A run needs no secrets that hold."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def token(self, size: int) -> bytes:
        """See Randomness."""
        return self._chance.randbytes(size)


class FuzzPayments(MemoryPayments):
    """Sessions in memory, the newest only; what is heard is verified and read as Stripe's adapter does it."""

    def __init__(self, *, clock: FuzzClock) -> None:
        super().__init__(clock=clock)
        self._ear = StripePayments(key=STRIPE_KEY, webhook_secrets=(WEBHOOK_SECRET,), api_base=None)
        self.paid: set[str] = set()
        """The ids of all sessions that were ever paid."""

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> WebhookEvent:
        """See Payments."""
        return self._ear.parse_webhook(body, signature, now=now)

    def pay(self, ref: ProviderRef, *, email: str | None, status: str = "paid") -> None:
        """See MemoryPayments; and remember it."""
        super().pay(ref, email=email, status=status)
        if status == "paid":
            self.paid.add(ref)

    def forget(self) -> None:
        """Let go of what nobody will ask for any more: memory is to be the shop's, not ours."""
        self.calls.clear()
        for ref in list(self.sessions)[:-_SESSIONS_KEPT]:
            del self.sessions[ref], self.made_at[ref]
        kept = self.sessions
        self._by_checkout = {checkout: ref for checkout, ref in self._by_checkout.items() if ref in kept}

    async def close(self) -> None:
        """Nothing is open."""


class LastMails:
    """Takes every mail and keeps the newest."""

    def __init__(self) -> None:
        self.kept: deque[Envelope] = deque(maxlen=400)

    async def send(self, envelope: Envelope) -> None:
        """See Mailer."""
        self.kept.append(envelope)

    async def check(self) -> None:
        """See Mailer."""

    async def sender_found(self) -> tuple[bool, str]:
        """See Mailer."""
        return True, "nobody reads them"

    def last_to(self, address: str) -> Envelope | None:
        """The newest mail to an address."""
        return next((mail for mail in reversed(self.kept) if mail.to.canonical == address), None)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class FuzzShop:
    """One shop with everything on sale that can be sold."""

    container: Container
    app: Any
    clock: FuzzClock
    payments: FuzzPayments
    mails: LastMails
    routes: list[Route]

    async def work(self) -> None:
        """One round of what the worker does by its timers; without its pauses."""
        worker = self.container.worker()
        lease, deliver = self.container.lease_mail(), self.container.deliver_mail()
        for _ in range(20):
            mails = await lease()
            for mail in mails:
                await deliver(mail)
            if not mails:
                break
        await worker.prune()
        await worker.retry_quarantine()
        self.payments.forget()


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the application's own route table."""

    template: str
    methods: tuple[str, ...]
    parts: tuple[str, ...] = field(default=())
    """The segments of the path; a parameter is `{name}`."""


def routes_of(gate: Any) -> list[Route]:
    """Every route with its methods, from the application itself: what is added later is tried, too."""
    found = []
    for route in gate._app.routes:
        parts = tuple(part if isinstance(part, str) else f"{{{part.name}}}" for part in route.path_components)
        found.append(Route(route.path_format, tuple(sorted(route.methods)), parts))
    return sorted(found, key=lambda one: one.template)


def _stock(catalogue: Path) -> None:
    shutil.copytree(_EXAMPLES, catalogue)
    for pid, toml in _PRODUCTS.items():
        (catalogue / pid / "files").mkdir(parents=True)
        (catalogue / pid / "product.toml").write_text(toml, encoding="utf-8")
        (catalogue / pid / "content.md").write_text(f"# Inside {pid}\n")
    for name, content in FILES.items():
        (catalogue / "sampler" / "files" / name).write_bytes(content)


@contextlib.asynccontextmanager
async def a_fuzz_shop(*, seed: int = 1) -> AsyncIterator[FuzzShop]:
    """Open it in a folder of its own: in memory where the system has such a place, since no disk is on trial here."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _IN_MEMORY else None) as name:
        folder = Path(name)
        _stock(folder / "catalogue")
        settings = settle(
            read_environment(
                {
                    "BASE_URL": BASE_URL, "SESSION_SECRET": SESSION_SECRET, "STRIPE_SECRET_KEY": STRIPE_KEY,
                    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET, "CATALOGUE": str(folder / "catalogue"),
                    "DATA_DIR": str(folder / "data"), "RESEND_API_KEY": "re_ofthefuzzer",
                    "RESEND_WEBHOOK_SECRET": MAIL_SECRET, "EMAIL_FROM": "Shop <tickets@shop.example>",
                    "TRUSTED_PROXIES": "127.0.0.1", "TEST_MODE": "1",
                },
                dotenv=None,
            )
        )  # fmt: skip
        clock = FuzzClock()
        payments, mails = FuzzPayments(clock=clock), LastMails()
        container = Container(
            settings=settings,
            serving=True,
            log_access=lambda line: None,
            clock=clock,
            randomness=FuzzRandomness(seed),
            payments=payments,
            mailer=mails,
        )
        await open_shop(container)
        app = container.app()
        try:
            yield FuzzShop(container, app, clock, payments, mails, routes_of(app))
        finally:
            await close_shop(container)
