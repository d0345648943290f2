"""A member of staff at a browser without a screen: real requests, real forms, an authenticator in software."""

from __future__ import annotations

import html
import itertools
import re
from typing import Any

import httpx

from testkit.authenticator import SoftAuthenticator
from testkit.servers import ShopServer

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_LINK = re.compile(r"http\S+(/admin/join/[0-9a-f]{64})")


class Member:
    """At `shop`, with a browser that keeps its cookies and names itself by `agent`."""

    def __init__(
        self, shop: ShopServer, *, agent: str = "Mozilla/5.0 (X11; Linux) Firefox/140", **options: Any
    ) -> None:
        self.shop = shop
        self.device = SoftAuthenticator(origin=shop.url)
        headers = {"user-agent": agent, "sec-fetch-site": "same-origin", **options.pop("headers", {})}
        self._networks = itertools.count(1)
        self.http = httpx.Client(base_url=shop.url, headers=headers, verify=False, **options)
        shop.clients.append(self.http)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def elsewhere(self) -> dict[str, str]:
        """A header that has the next request come from another network: each has its own limits."""
        number = next(self._networks)
        return {"x-forwarded-for": f"10.{id(self) >> 4 & 255}.{number >> 8}.{number & 255}"}

    def post(self, path: str, page: httpx.Response, **fields: str) -> httpx.Response:
        """Submit the form of a page that leads to this path, with these fields filled in."""
        return self.http.post(path, data=form_on(page, path) | fields, headers=self.elsewhere())

    def join(self, role: str = "owner", email: str = "anna@example.com") -> httpx.Response:
        """Invited on the shop's machine; adds a passkey and is in."""
        return self.use(link_of(self.shop, "invite", email, "--role", role))

    def use(self, path: str) -> httpx.Response:
        """Open a link for staff and press its button."""
        page = self.get(path)
        answer = self.device.create(options_on(page)) if "data-options" in page.text else ""
        return self.post(path, page, answer=answer)

    def sign_in(self, to: str = "/admin") -> httpx.Response:
        page = self.http.get("/admin/sign-in", params={"to": to})
        return self.post("/admin/sign-in", page, answer=self.device.get(options_on(page)))

    def prove(self, to: str = "/admin") -> httpx.Response:
        page = self.http.get("/admin/prove", params={"to": to}, headers=self.elsewhere())
        if page.is_redirect:  # it was used just now
            return page
        return self.post("/admin/prove", page, answer=self.device.get(options_on(page)))

    def prove_on(self, page: httpx.Response, *, answer: str = "") -> httpx.Response:
        """Use a passkey on the page that asks for it in place of a form; the page of the form, as it comes back."""
        fields = form_on(page, "/admin/prove") | {"answer": answer or self.device.get(options_on(page))}
        proved = self.http.post("/admin/prove", data=fields, headers=self.elsewhere())
        return (
            proved if proved.status_code != 307 else self.http.post(proved.headers["location"], data=fields)
        )


def asks_for_passkey(answer: httpx.Response) -> bool:
    """Whether nothing was done before a passkey is used: the page itself, or the way to it."""
    if answer.is_redirect:
        return answer.headers["location"].startswith("/admin/prove?to=")
    return answer.status_code == 403 and "Use your passkey again" in answer.text


def link_of(shop: ShopServer, *command: str) -> str:
    """The path of the link that `coatcheck staff …` prints."""
    done = shop.cli("staff", *command)
    found = _LINK.search(done.stdout)
    assert found is not None, done
    return found[1]


def form_on(page: httpx.Response, action: str) -> dict[str, str]:
    """The hidden fields of the first form on a page that is submitted to this path."""
    found = re.search(rf'<form method="post" action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
    assert found is not None, page.text
    return {name: html.unescape(value) for name, value in _HIDDEN.findall(found[0])}


def filled_in(page: httpx.Response) -> dict[str, str]:
    """What the filled-in fields and the chosen options of a page would be submitted as, if somebody sent its form."""
    typed = re.findall(r'<input id="[^"]*" name="([^"]+)" type="\w+" value="([^"]+)"', page.text)
    lists = re.findall(r'<select [^>]*name="([^"]+)">(.*?)</select>', page.text, re.DOTALL)
    chosen = {name: re.search(r'value="([^"]*)" selected', options) for name, options in lists}
    options = {name: found[1] for name, found in chosen.items() if found is not None}
    return {name: html.unescape(value) for name, value in typed} | options


def options_on(page: httpx.Response) -> str:
    """What the page asks an authenticator."""
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def upload(member: Member, content: bytes, *, name: str = "sales.csv") -> httpx.Response:
    """Upload a file of another shop's sales; the page that it leads to."""
    page = member.get("/admin/imports/new")
    answer = member.http.post(
        "/admin/imports/new",
        data={"form": form_on(page, "/admin/imports/new")["form"]},
        files={"file": (name, content, "text/csv")},
        headers=member.elsewhere(),
    )
    return answer if not answer.is_redirect else member.get(answer.headers["location"])
