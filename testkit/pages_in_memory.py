"""A shop in memory behind its real pages: no server, no network, and every page that is answered can be looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dependency_injector import providers

from domain.product import CatalogueEdition
from domain.values import ProviderRef
from entrypoints.container import Container
from entrypoints.http.page import Banner, Pages
from entrypoints.testing import Shop
from testkit.settings import some_settings


@dataclass
class Client:
    """A browser that speaks ASGI to the shop, and looks at every page it gets."""

    app: Any
    look: Callable[[str, str], None]
    """Is given every page: where it was, and its HTML."""
    cookies: dict[str, str] = field(default_factory=dict)
    status: int = 0
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, *, status: int = 200, method: str = "GET", **headers: str) -> str:
        return await self.ask(method, path, b"", status, headers)

    async def post(self, path: str, *, status: int = 200, **fields: str) -> str:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.ask("POST", path, urlencode(fields).encode(), status, headers)

    async def ask(self, method: str, path: str, body: bytes, status: int, headers: dict[str, str]) -> str:
        path, _, query = path.partition("?")
        sent = {
            "host": "localhost:1",
            "user-agent": "Firefox Linux",
            "content-length": str(len(body)),
            **headers,
        }
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "client": ("192.0.2.1", 1), "server": ("localhost", 1),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()], "state": {}, "extensions": {},
        }  # fmt: skip
        answer: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            answer.append(message)

        await self.app(scope, receive, send)
        self.status = answer[0]["status"]
        self.headers = {}
        for name, value in answer[0]["headers"]:
            self.headers[name.decode()] = value.decode()
            if name == b"set-cookie":
                cookie, _, held = value.decode().partition(";")[0].partition("=")
                self.cookies[cookie] = held
                if not held:  # expired
                    del self.cookies[cookie]
        self.html = b"".join(message.get("body", b"") for message in answer[1:]).decode()
        assert status in (self.status, 0), (method, path, self.status, self.html.partition("<main")[2])
        if self.headers["content-type"].startswith("text/html"):
            self.look(f"{method} {path}", self.html)
        return self.html


def hidden_fields(html: str) -> dict[str, str]:
    """What a form sends along."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html)
    return {name: unescape(value) for name, value in found}


class RecordingPages(Pages):
    """Knows which templates were rendered."""

    def __init__(self) -> None:
        super().__init__()
        self.rendered: set[str] = set()

    def render(self, name: str, **context: object) -> bytes:
        self.rendered.add(name)
        return super().render(name, **context)


@dataclass
class Town:
    """The shop in memory, behind its real pages."""

    folder: Path
    edition: CatalogueEdition
    look: Callable[[str, str], None]
    banner: Banner | None = None
    environment: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    """Other parts of the container, by name."""

    def __post_init__(self) -> None:
        self.shop = Shop(edition=self.edition)
        self.pages = RecordingPages()
        held: dict[str, Any] = {
            "store": self.shop.store, "payments": self.shop.payments, "catalogue": self.shop.catalogue,
            "goods": self.shop.goods, "mailer": self.shop.mailer, "clock": self.shop.clock, "keyring": self.shop.keyring,
            "randomness": self.shop.randomness, "pages": self.pages, "banner": self.banner, "log_access": lambda line: None,
            **self.parts,
        }  # fmt: skip
        self.container = Container(
            settings=some_settings(self.folder, **self.environment),
            **{name: providers.Object(part) for name, part in held.items()},
        )
        self.app = self.container.app()

    def routes(self, method: str) -> set[str]:
        """The routes that take it: `/products/{pid}`."""
        return {
            path.replace(":str}", "}")
            for family in self.container.families()
            for handler in family.routes()
            for path in handler.paths
            if method in getattr(handler, "http_methods", {method})
        }

    def client(self) -> Client:
        return Client(self.app, self.look)

    async def started(self, client: Client, product: str = "book", **fields: str) -> ProviderRef:
        """Press Buy; the provider's session."""
        await client.post(f"/buy/{product}", status=303, **fields)
        return ProviderRef(client.headers["location"].rpartition("/")[2])

    async def bought(self, client: Client, email: str, product: str = "book", **fields: str) -> ProviderRef:
        ref = await self.started(client, product, **fields)
        self.shop.payments.pay(ref, email=email)
        self.shop.hear_of(ref, event=f"evt_{ref[-8:]}")
        self.shop.deliver_mail()
        return ref

    async def signed_in(self, email: str, product: str = "book") -> Client:
        client = self.client()
        await self.bought(client, email, product)
        await self.follow(client, email)
        return client

    async def follow(self, client: Client, email: str) -> None:
        link = self.link(email)
        await client.get(link)
        await client.post(link, status=303)

    def link(self, email: str) -> str:
        self.shop.deliver_mail()
        return f"/login/{self.shop.last_link(email)}"

    def order(self, client: Client) -> str:
        found = re.search(r"/orders/([0-9a-f]{32})", client.html)
        assert found is not None, client.html
        return found[1]
