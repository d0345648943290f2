"""`coatcheck demo`: the real shop with its real adapters, pointed at the stand-in."""

from __future__ import annotations

import asyncio
import base64
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from entrypoints.container import Container
from entrypoints.demo_history import invent_past
from entrypoints.demo_office import DemoOffice
from entrypoints.demo_shops import USUAL, DemoShop
from entrypoints.environment import Environment
from entrypoints.http.page import Banner
from entrypoints.run.listener import Address, CannotListen, Listener
from entrypoints.run.logs import set_up_logs
from entrypoints.run.server import serve
from entrypoints.sandbox.app import build_sandbox
from entrypoints.sandbox.kept import Keeper, Taken
from entrypoints.sandbox.world import World
from entrypoints.settings import PostgresAddress, settle

_LOG: Final = "demo.log"
_KEPT: Final = "sandbox.json"
_FIRST_PORT: Final = 8000
_PAIRS: Final = 20
_LOOPBACK: Final = "127.0.0.1"
_REACHED_ON_LOOPBACK: Final = frozenset({_LOOPBACK, "0.0.0.0", "::"})  # noqa: S104 - listened on if it is asked for


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What makes a shop on one's own machine easy to try, around the shop as it is."""

    app: Callable[[Any, Any, Any], Awaitable[None]]
    shop: str
    other_names: tuple[str, ...]
    """Other names of this machine. A page that is asked for under one of them is redirected to the shop."""
    office: DemoOffice

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request, from a network of its own: there is only one visitor, whom limits by network would stop."""
        if scope["type"] == "http":
            host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
            if host in self.other_names and scope["method"] in ("GET", "HEAD"):
                await self._lead_to_the_shop(scope, send)
                return
            if scope["path"] == self.office.path and scope["method"] == "GET":
                await _lead_to(self.shop + await self.office.link(), send, status=303)
                return
            if scope["path"] != "/metrics":  # which this machine alone may read
                number = secrets.token_bytes(3)
                scope["client"] = (f"10.{number[0]}.{number[1]}.{number[2]}", 0)
        await self.app(scope, receive, send)

    async def _lead_to_the_shop(self, scope: dict[str, Any], send: Any) -> None:
        query = scope["query_string"].decode("latin-1")
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        to = f"{self.shop}/{path.lstrip('/')}" + (f"?{query}" if query else "")
        await _lead_to(to, send, status=307)


async def _lead_to(url: str, send: Any, *, status: int) -> None:
    headers = [
        (b"location", url.encode("latin-1")),
        (b"content-length", b"0"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def free_pair(first: int = _FIRST_PORT, *, host: str = _LOOPBACK) -> int:
    """The first of two neighbouring ports on which nobody listens. Raises CannotListen."""
    for port in range(first, first + 2 * _PAIRS, 2):
        try:
            for one in (port, port + 1):
                Address(host=host, port=one).listen().close()
                if _listens_on_ipv6(one):  # where browsers would look for `localhost` first
                    raise CannotListen(f"port {one} is in use")
        except CannotListen:
            continue
        return port
    raise CannotListen(
        f"the ports from {first} on are taken: choose another one, for example PORT={first + 1000} coatcheck demo"
    )


def _listens_on_ipv6(port: int) -> bool:
    try:
        socket.create_connection(("::1", port), timeout=1).close()
    except OSError:
        return False
    return True


def stand_in_bases(port: int, host: str) -> tuple[str, str]:
    """The base of the stand-in's API and mailbox, and of its payment page.

    The same, unless other machines may reach them: then each has a secret path.
    """
    base = f"http://{_LOOPBACK}:{port}"
    if host == _LOOPBACK:
        return base, base
    return f"{base}/{secrets.token_urlsafe(16)}", f"{base}/{secrets.token_urlsafe(16)}"


@dataclass(frozen=True, slots=True)
class _Addresses:
    """Where shop and stand-in listen, and under which addresses they are reached."""

    host: str
    port: int
    """The shop's; the stand-in has the next one."""
    shop: str
    stand_in: str
    payments: str

    @property
    def is_for_this_machine(self) -> bool:
        return self.host == _LOOPBACK


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What signs webhooks; of this start only."""

    webhook: str
    mail: str


def _addresses(wanted: int | None, host: str) -> _Addresses:
    if host not in _REACHED_ON_LOOPBACK:
        raise CannotListen(
            f"--host {host}: the demo calls itself at {_LOOPBACK}, so choose 0.0.0.0, :: or {_LOOPBACK}"
        )
    port = free_pair(host=host) if wanted is None else wanted
    stand_in, payments = stand_in_bases(port + 1, host)
    return _Addresses(
        host=host, port=port, shop=f"http://localhost:{port}", stand_in=stand_in, payments=payments
    )


def _environment(example: DemoShop, at: _Addresses, signed_with: _Secrets) -> Environment:
    return Environment(
        base_url=at.shop,
        session_secret=example.session_secret(),
        catalogue=str(example.catalogue),
        data_dir=str(example.folder),
        stripe_secret_key=f"sk_test_{secrets.token_hex(12)}",
        stripe_webhook_secret=signed_with.webhook,
        stripe_api_base=at.stand_in,
        resend_api_key=f"re_{secrets.token_hex(12)}",
        resend_api_url=at.stand_in,
        resend_webhook_secret=signed_with.mail,
        email_from=example.sender,
    )


def _named(env: Environment) -> dict[str, str]:
    """The variables that are set, by their names: what Settings shows, and what commands read."""
    return {name: value for name, value in msgspec.to_builtins(env).items() if value}


def _sandbox(example: DemoShop, at: _Addresses, signed_with: _Secrets) -> tuple[World, Listener]:
    """The stand-in, with what it kept. Raises CannotListen if another demo keeps its own there."""
    world = World(
        own_url=at.stand_in,
        webhook_url=f"{at.shop}/webhook",
        webhook_secret=signed_with.webhook,
        mail_webhook_secret=signed_with.mail,
        shop_url=at.shop,
        pay_url=at.payments,
    )
    try:
        keeper = Keeper(world, example.folder / _KEPT, tell=lambda said: click.echo(f"\n  {said}", err=True))
    except Taken as error:
        raise CannotListen(f"a demo runs already: {error}") from error
    return world, Listener(build_sandbox(world, keeper), Address(host=at.host, port=at.port + 1))


def _greet(example: DemoShop, at: _Addresses, office: DemoOffice) -> None:
    if not at.is_for_this_machine:
        click.echo(
            f"\n  Warning: the demo listens on {at.host}. Everybody who can reach ports {at.port} and {at.port + 1} "
            "can use the shop.\n  Keep the addresses of mailbox and payments to yourself.",
            err=True,
        )
    click.echo(
        f"\n  The shop      {at.shop}\n  Your mailbox  {at.stand_in}/mailbox\n  The payments  {at.stand_in}/\n"
        f"  Back office   {at.shop}{office.path}\n\n"
        f"  Pay with 4242 4242 4242 4242, any date in the future, any CVC.\n"
        f"  Edit {example.catalogue}/ and watch the shop follow. The log is {example.folder / _LOG}.\n"
        f"  Commands find this shop in the folder {example.folder}, for example: coatcheck status\n"
        "  Ctrl-C stops it; started again in this folder, it goes on where it was.\n"
    )


def _is_there(database: Path | PostgresAddress) -> bool:
    return isinstance(database, Path) and database.exists()


async def run_demo(wanted: int | None, host: str, name: str = USUAL, *, empty: bool = False) -> None:
    """Serve shop and stand-in until Ctrl-C: on localhost and on 127.0.0.1, two sites, as in production.

    `wanted`: the shop's port; the stand-in takes the next one. None: the first free pair. `host` changes where they
    listen, and not their addresses. `name`: one of `demo_shops`. `empty`: a new demo begins without the
    invented past of `demo_history`. Raises CannotListen.
    """
    at, example = _addresses(wanted, host), DemoShop(name)
    example.unpack()
    signed_with = _Secrets(
        webhook=f"whsec_{secrets.token_hex(16)}",
        mail=f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
    )
    variables = _named(env := _environment(example, at, signed_with))
    settings = settle(env, variables)
    world, stand_in = _sandbox(example, at, signed_with)
    example.let_commands_in(variables)
    # Everybody who can reach the shop sees its banner.
    banner = Banner(mailbox=f"{at.stand_in}/mailbox") if at.is_for_this_machine else Banner()
    lines = set_up_logs((example.folder / _LOG).open("a", encoding="utf-8"))
    container = Container(
        settings=settings, serving=True, confirms_address=True, log_access=lines.access, banner=banner
    )
    office = DemoOffice(container.invite_staff)
    over = asyncio.Event()
    up = asyncio.Event()
    sandbox = asyncio.create_task(stand_in.run(until=over, when_up=up.set))
    try:
        if not (empty or world.sessions or _is_there(settings.database)):
            waiting = asyncio.create_task(up.wait())
            await asyncio.wait({sandbox, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if up.is_set():
                await invent_past(settings, world, secret=signed_with.webhook)
            waiting.cancel()
        selling = asyncio.create_task(
            serve(
                container, Address(host=host, port=at.port), lines=lines, hurry=True,
                when_up=lambda: _greet(example, at, office),
                around=lambda app: Newcomer(app, at.shop, (f"{_LOOPBACK}:{at.port}",), office),
            )
        )  # fmt: skip
        await asyncio.wait({sandbox, selling}, return_when=asyncio.FIRST_COMPLETED)
        if sandbox.done():
            selling.cancel()
            await asyncio.wait({selling})
            sandbox.result()
        await selling
    finally:
        over.set()
        await asyncio.wait({sandbox})
