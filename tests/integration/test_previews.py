"""The page behind a preview link, and the command that prints one beside a running server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.product import Status
from domain.values import Money, ProductId
from testkit.pages_in_memory import Client, Town
from testkit.servers import BOOK, Shopper, ShopServer
from testkit.statuses import COVER, LAMP, a_town, an_owner, become
from testkit.waiting import wait_until


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def preview_of(town: Town, pid: ProductId = LAMP) -> str:
    link = town.container.preview_product().link(pid)
    assert link is not None
    return link.url.removeprefix(town.container.base_url())


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("who", ["guest", "owner"])
def test_people_with_the_link_see_the_page_with_its_cover_and_without_buy(
    tmp_path: Path, status: Status, who: str, *, later: bool
) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        client = await an_owner(town) if who == "owner" else town.client()
        about = f'<p>Such a cover: <img src="/covers/{LAMP}/lamp.svg" alt=""></p>'
        opens = town.shop.clock.now() + timedelta(days=1) if later else None
        become(town.shop, status=status, available_from=opens, description_html=about, pay_what_you_want=True)
        path = preview_of(town)
        page = await client.get(path)
        assert "<b>Preview:</b> people with this link see this page until 8 March 2026, 12:00 UTC." in page
        assert "The lamp" in page
        assert ("from $9.00" in page) == (status is not Status.RETIRED)
        assert ("On sale from 2 March 2026, 12:00 UTC" in page) == (later and status is not Status.RETIRED)
        for forbidden in (
            "/buy/",
            "/files/",
            "/covers/",
            "<form id",
            "buybar",
            "ld+json",
            'property="og:',
            "You own this already",
        ):
            assert forbidden not in page
        assert client.headers["cache-control"] == "no-store"
        assert client.headers["x-robots-tag"] == "noindex"
        assert client.headers["referrer-policy"] == "same-origin"
        assert '<meta name="robots" content="noindex">' in page
        shown = set(re.findall(r'<img[^>]* src="([^"]*)"', page))
        assert shown == {f"{path}/lamp.svg"}
        assert await client.get(f"{path}/lamp.svg") == COVER.decode()
        assert client.headers["cache-control"] == "no-store"
        assert client.headers["x-robots-tag"] == "noindex"

    run(work())


def test_a_product_without_a_cover_has_none_in_its_preview(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        path = preview_of(town, ProductId("book"))
        assert "<img" not in (await town.client().get(path)).partition("<main")[2]
        await town.client().get(f"{path}/lamp.svg", status=404)

    run(work())


@pytest.mark.parametrize("what", ["", "/lamp.svg"])
def test_any_other_link_is_answered_as_an_unknown_product(tmp_path: Path, what: str) -> None:
    async def answer(client: Client, path: str) -> tuple[int, list[str], str]:
        await client.get(path, status=404)
        page = client.html.replace(client.headers["x-request-id"], "")
        return client.status, sorted(set(client.headers) - {"date"}), page

    async def work() -> None:
        town = a_town(tmp_path, status=Status.DRAFT)
        guest, path = town.client(), preview_of(town)
        head, _, mac = path.rpartition(".")
        name, _, rest = path.partition(f".{LAMP}.")
        wrong = [f"{head}.{'0' * len(mac)}", f"{head}.", f"{name}.free.{rest}", f"{path}0", "/preview/x"]
        unknown = await answer(guest, "/products/none")
        for other in wrong:
            assert await answer(guest, other + what) == unknown
        await guest.get(path + what)
        town.shop.clock.tick(days=7)
        assert await answer(guest, path + what) == unknown

    run(work())


def test_a_preview_shows_edits_and_opens_nothing_else(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path, status=Status.DRAFT)
        guest, path = town.client(), preview_of(town)
        await guest.get(path)
        become(town.shop, status=Status.DRAFT, price=Money(1234, "usd"), name="The better lamp")
        page = await guest.get(path)
        assert "$12.34" in page
        assert "The better lamp" in page
        assert guest.cookies == {}
        await guest.get(f"/products/{LAMP}", status=404)
        await guest.get(f"/covers/{LAMP}/lamp.svg", status=404)
        await guest.post(f"/buy/{LAMP}", status=404)
        await guest.post(path, status=405)

    run(work())


def test_the_command_prints_a_link_while_the_server_runs(own_shop: ShopServer) -> None:
    toml = own_shop.catalogue / BOOK / "product.toml"
    toml.write_text('status = "draft"\n' + toml.read_text())
    guest = Shopper(own_shop)
    wait_until(lambda: guest.get(f"/products/{BOOK}").status_code == 404)
    printed = own_shop.cli("preview", BOOK)
    [url] = printed.stdout.splitlines()
    assert "The link works until " in printed.stderr
    page = guest.get(url.removeprefix(own_shop.url))
    assert page.status_code == 200
    assert "<b>Preview:</b>" in page.text
    cover = guest.get(f"{url.removeprefix(own_shop.url)}/cover.svg")
    assert cover.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'; sandbox" in cover.headers["content-security-policy"]
    token = url.rpartition("/")[2]
    own_shop.process.stop()
    assert token.rpartition(".")[2] not in own_shop.log.read_text(), "no token in a log"
    unknown = own_shop.cli("preview", "none", check=False)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "coatcheck: there is no product 'none' in the catalogue" in unknown.stderr
