"""What a product's status shows to whom: every page that could show it, for guests and for owners."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from domain.product import Status
from domain.staff import Actor
from domain.usecases.announce import Announced
from domain.values import Money
from testkit.catalogues import a_catalogue, load, problems_of
from testkit.pages_in_memory import Client
from testkit.statuses import COVER, FREE, LAMP, a_lamp, a_town, an_owner, become

ANNA = "anna@mail.test"
OUT_OF_THE_SHOP = (Status.DRAFT, Status.UNLISTED, Status.RETIRED)


class Seen(NamedTuple):
    """The status of each answer, and whether the product is named there."""

    page: int
    buy: int
    get_buy: int
    cover: int
    home: bool
    sitemap: bool


GUEST = {
    Status.DRAFT: Seen(404, 404, 404, 404, home=False, sitemap=False),
    Status.UNLISTED: Seen(200, 303, 200, 200, home=False, sitemap=False),
    Status.ON_SALE: Seen(200, 303, 200, 200, home=True, sitemap=True),
    Status.RETIRED: Seen(200, 410, 200, 200, home=False, sitemap=False),
}
OWNER = {
    Status.DRAFT: Seen(200, 404, 200, 200, home=True, sitemap=False),
    Status.UNLISTED: Seen(200, 200, 200, 200, home=True, sitemap=False),
    Status.ON_SALE: Seen(200, 200, 200, 200, home=True, sitemap=True),
    Status.RETIRED: Seen(200, 410, 200, 200, home=True, sitemap=False),
}


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def seen_by(client: Client) -> Seen:
    async def status(method: str, path: str) -> int:
        await client.ask(method, path, b"", 0, {"content-type": "application/x-www-form-urlencoded"})
        return client.status

    return Seen(
        page=await status("GET", f"/products/{LAMP}"),
        buy=await status("POST", f"/buy/{LAMP}"),
        get_buy=await status("GET", f"/buy/{LAMP}"),
        cover=await status("GET", f"/covers/{LAMP}/lamp.svg"),
        home="The lamp" in await client.get("/"),
        sitemap=f"/products/{LAMP}<" in await client.get("/sitemap.xml"),
    )


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("owner", [False, True])
def test_each_status_is_seen_as_the_table_says(tmp_path: Path, status: Status, *, owner: bool) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        client = await an_owner(town) if owner else town.client()
        become(town.shop, status=status)
        for _ in range(2):  # rendered, and as it was kept
            assert await seen_by(client) == (OWNER if owner else GUEST)[status]

    run(work())


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_no_page_of_one_status_outlives_the_change_to_another(
    tmp_path: Path, before: Status, after: Status
) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        guest, owner = town.client(), await an_owner(town)
        become(town.shop, status=before)
        for client in (guest, owner):
            await seen_by(client)
        become(town.shop, status=after)
        assert await seen_by(town.client()) == GUEST[after]
        assert await seen_by(owner) == OWNER[after]

    run(work())


@pytest.mark.parametrize("status", Status)
def test_search_engines_are_kept_away_from_what_is_unlisted(tmp_path: Path, status: Status) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        owner = await an_owner(town)
        become(town.shop, status=status)
        for client in (town.client(), owner):
            await client.get(f"/products/{LAMP}", status=0)
            if client.status == 200:
                assert ('content="noindex"' in client.html) == (status in (Status.UNLISTED, Status.DRAFT))

    run(work())


def without_id(client: Client, path: str) -> tuple[int, dict[str, str], str]:
    """An answer without what differs from request to request, and without the address that was asked for."""
    own = client.headers["x-request-id"]
    headers = {name: value for name, value in client.headers.items() if name not in ("x-request-id", "date")}
    return client.status, headers, client.html.replace(own, "").replace(path, "")


PROBES: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/products/{pid}", {}),
    ("HEAD", "/products/{pid}", {}),
    ("GET", "/buy/{pid}", {}),
    ("POST", "/buy/{pid}", {"amount": "x", "currency": "zzz"}),
    ("GET", "/view/{pid}", {}),
    ("GET", "/view/{pid}?session_id=cs_test_unknown", {}),
    ("HEAD", "/view/{pid}?session_id=cs_test_unknown", {}),
    ("GET", "/files/{pid}/it.txt", {}),
    ("GET", "/files/{pid}/other.txt", {}),
    ("GET", "/covers/{pid}/lamp.svg", {}),
    ("GET", "/share/{pid}.png", {}),
    ("POST", "/currency", {"back": "{pid}", "currency": "usd"}),
]


@pytest.mark.parametrize(("method", "path", "fields"), PROBES)
@pytest.mark.parametrize("known", [False, True])
def test_nobody_else_can_tell_a_draft_from_a_product_that_does_not_exist(
    tmp_path: Path, method: str, path: str, fields: dict[str, str], *, known: bool
) -> None:
    """Same length of name, so that the lengths of headers are the same, too."""

    async def answer(client: Client, pid: str) -> tuple[int, dict[str, str], str]:
        body = "&".join(f"{name}={value.format(pid=pid)}" for name, value in fields.items()).encode()
        asked = path.format(pid=pid)
        await client.ask(method, asked, body, 0, {"content-type": "application/x-www-form-urlencoded"})
        return without_id(client, pid)

    async def work() -> None:
        town = a_town(tmp_path)
        await an_owner(town)
        become(town.shop, status=Status.DRAFT)
        # Somebody with a session owns another product.
        client = await town.signed_in("bert@mail.test", "book") if known else town.client()
        await client.get("/")  # it confirms the signing in, once
        for pid in (LAMP, FREE):
            assert await answer(client, pid) == await answer(client, "none")

    run(work())


def test_the_cover_of_a_draft_is_kept_by_no_cache(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        owner = await an_owner(town)
        await owner.get(f"/covers/{LAMP}/lamp.svg?v=0")
        become(town.shop, status=Status.DRAFT)
        for query in ("", "?v=1"):
            assert await owner.get(f"/covers/{LAMP}/lamp.svg{query}") == COVER.decode()
            assert owner.headers["cache-control"] == "no-store"
            await town.client().get(f"/covers/{LAMP}/lamp.svg{query}", status=404)

    run(work())


def offer_of(html: str) -> dict[str, str]:
    """What the page's structured data says of the offer."""
    found = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)[0])
    return found["offers"]  # type: ignore[no-any-return]


def test_the_page_of_what_is_retired_says_so_and_has_no_buy(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path, stock=0)
        guest = town.client()
        assert offer_of(await guest.get(f"/products/{LAMP}"))["availability"] == "https://schema.org/SoldOut"
        become(town.shop, status=Status.RETIRED, stock=0)
        page = await guest.get(f"/products/{LAMP}")
        assert offer_of(page)["availability"] == "https://schema.org/Discontinued"
        assert "No longer sold" in page
        assert "/buy/" not in page
        assert "Sold out" not in page

    run(work())


def test_what_was_retired_after_its_page_was_opened_is_not_charged(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path, pay_what_you_want=True)
        guest = town.client()
        assert f"/buy/{LAMP}" in await guest.get(f"/products/{LAMP}")
        become(town.shop, status=Status.RETIRED, pay_what_you_want=True)
        for pid in (LAMP, FREE):
            for amount in ("20", "not a price", ""):
                page = await guest.post(f"/buy/{pid}", status=410, amount=amount, email=ANNA)
                assert "is no longer sold. Nothing was charged." in page
        assert town.shop.payments.calls == []
        assert town.shop.memory.tables.checkouts == {}

    run(work())


@pytest.mark.parametrize("status", OUT_OF_THE_SHOP)
def test_owners_keep_library_files_receipt_access_link_and_release_emails(
    tmp_path: Path, status: Status
) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        owner = await an_owner(town)
        become(town.shop, status=status)
        library = await owner.get("/library")
        assert f"/view/{LAMP}" in library
        assert f"/covers/{LAMP}/lamp.svg" in library
        order = town.order(owner)
        assert "The secret of the lamp." in await owner.get(f"/view/{LAMP}")
        assert await owner.get(f"/files/{LAMP}/it.txt") == "hello"
        assert "The lamp" in await owner.get(f"/orders/{order}")
        await owner.post(f"/orders/{order}/access-link")
        other = town.client()
        await town.follow(other, ANNA)
        assert "The secret of the lamp." in await other.get(f"/view/{LAMP}")
        announced = await town.shop.announce(LAMP, actor=Actor.on_host("ada"), form="f1")
        assert isinstance(announced, Announced)
        assert announced.queued == 1

    run(work())


@pytest.mark.parametrize("status", [Status.DRAFT, Status.RETIRED])
def test_currencies_are_offered_for_what_can_be_bought_only(tmp_path: Path, status: Status) -> None:
    async def work() -> None:
        town = a_town(tmp_path, other_prices=(Money(800, "eur"),))
        assert "EUR" in await town.client().get("/")
        become(town.shop, status=status, other_prices=(Money(800, "eur"),))
        assert "EUR" not in await town.client().get("/")
        guest = town.client()
        await guest.post("/currency", status=303, currency="eur")
        assert "currency" not in guest.cookies

    run(work())


# ------------------------------------------------------------------ bundles


def test_a_bundle_shows_no_price_of_what_is_retired_and_promises_no_saving(tmp_path: Path) -> None:
    async def work() -> None:
        town = a_town(tmp_path)
        edition = town.shop.catalogue.edition
        bundle = replace(a_lamp(), id="both", name="Both", price=Money(1000, "usd"), contains=("book", LAMP))
        both = {**edition.products, "both": bundle}
        town.shop.catalogue.edition = replace(edition, version="2", products=both)
        guest = town.client()
        page = await guest.get("/products/both")
        assert "Save $8.00" in page
        retired = {**both, LAMP: a_lamp(status=Status.RETIRED)}
        town.shop.catalogue.edition = replace(edition, version="3", products=retired)
        page = await guest.get("/products/both")
        assert "Save" not in page
        assert page.count("$9.00") == 1
        assert f"/products/{LAMP}" in page

    run(work())


def write_status(root: Path, pid: str, status: str, *, contains: str = "") -> None:
    text = f'name = "The {pid}"\nprice = "9.00"\nstatus = "{status}"\n'
    (root / pid / "product.toml").write_text(text + (f'contains = ["{contains}"]\n' if contains else ""))


@pytest.mark.parametrize("status", Status)
def test_a_bundle_may_contain_anything_but_a_draft(tmp_path: Path, status: Status) -> None:
    root = a_catalogue(tmp_path / "catalogue", "lamp", "pack")
    write_status(root, "lamp", status.value)
    write_status(root, "pack", "on_sale", contains="lamp")
    mistake = (
        "catalogue/pack/product.toml:4: contains 'lamp', which is a draft: "
        'set its status to "unlisted" or "on_sale" first'
    )
    assert problems_of(root) == ((mistake,) if status is Status.DRAFT else ())
    assert load(root).current().products.get(LAMP) is not None


def test_a_draft_that_breaks_is_not_seen_in_its_last_good_form(tmp_path: Path) -> None:
    root = a_catalogue(tmp_path / "catalogue", "lamp")
    write_status(root, "lamp", "draft")
    load(root, kept=tmp_path / "kept")
    (root / "lamp" / "product.toml").write_text("broken")
    lamp = load(root, kept=tmp_path / "kept").current().products[LAMP]
    assert (lamp.status, lamp.held_back, lamp.public) == (Status.DRAFT, True, False)


def test_the_default_is_on_sale(tmp_path: Path) -> None:
    [lamp] = load(a_catalogue(tmp_path / "catalogue", "lamp")).current().present
    assert lamp.status is Status.ON_SALE
