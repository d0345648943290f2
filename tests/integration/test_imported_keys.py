"""A licence key that came from another shop works wherever keys work: pages, receipt, search, and replacing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from testkit.acting import submit
from testkit.bazaar import stock_a_bazaar
from testkit.office import Member
from testkit.servers import Shopper, ShopServer, a_shop

pytestmark = pytest.mark.long

ADA: Final = "ada@example.com"
KEY: Final = "GUMR-OLD1-7F3A"
OTHER: Final = "GUMR-OLD2-99ZZ"
FILE: Final = f"""external_id,address,product,currency,paid,at,licence_key
1,{ADA},keyed,usd,20.00,2024-01-31,{KEY}
2,{ADA},abroad,usd,9.00,2024-02-01,{OTHER}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    folder = tmp_path_factory.mktemp("keys")
    stock_a_bazaar(folder / "catalogue")
    with a_shop(folder) as running:
        yield running


@pytest.fixture(scope="module")
def orders(shop: ShopServer) -> dict[str, str]:
    """Of each product, imported."""
    file: Path = shop.folder / "old.csv"
    file.write_text(FILE)
    assert shop.cli("import", str(file), "--preset", "own").stdout.startswith("2 rows: 2 imported")
    return {one["product"]: one["id"] for one in shop.export()["purchase"]}


@pytest.fixture(scope="module")
def ada(shop: ShopServer, orders: dict[str, str]) -> Shopper:
    """Who bought there signs in here."""
    ada = Shopper(shop)
    ada.post("/request-login", {"email": ADA})
    shop.sandbox.wait_for_mail(ADA)
    assert ada.post(ada.link_from(ADA)).status_code == 303
    return ada


def test_its_owner_opens_the_product_in_the_library_and_sees_it_there_and_on_the_receipt(
    ada: Shopper, orders: dict[str, str]
) -> None:
    """Also where the product has no keys of its own here: theirs is worth as much as ever."""
    library = ada.get("/library").text
    for product, key in (("keyed", KEY), ("abroad", OTHER)):
        assert f'href="/view/{product}"' in library
        assert key in ada.get(f"/orders/{orders[product]}").text
        assert key in ada.get(f"/view/{product}").text


def test_staff_find_the_sale_by_it_and_viewers_see_its_last_characters(
    shop: ShopServer, orders: dict[str, str]
) -> None:
    owner, viewer = Member(shop), Member(shop)
    owner.join()
    viewer.join("viewer", "viewer@example.com")
    for product, key in (("keyed", KEY), ("abroad", OTHER)):
        page = f"/admin/sales/{orders[product]}"
        assert owner.http.get("/admin/search", params={"q": key}).headers["location"] == page
        assert key in owner.get(page).text
        seen = viewer.get(page).text
        assert (key in seen, key[-4:] in seen) == (False, True)


def test_it_is_replaced_by_a_new_one_and_still_finds_its_order(
    shop: ShopServer, ada: Shopper, orders: dict[str, str]
) -> None:
    owner, page = Member(shop), f"/admin/sales/{orders['keyed']}"
    owner.join("owner", "second@example.com")
    done = submit(owner, f"{page}/key", product="keyed", reason="it was posted in a forum")
    assert done.headers["location"] == f"{page}?done=key"
    told = shop.sandbox.wait_for_mail(ADA, number=2)
    [sale] = [one for one in shop.export()["purchase"] if one["id"] == orders["keyed"]]
    [new] = [held["key"] for held in sale["licence_keys"]]
    assert new != KEY
    assert new in told["text"]
    for path in ("/view/keyed", f"/orders/{orders['keyed']}"):
        seen = ada.get(path).text
        assert (KEY in seen, new in seen) == (False, True)
    for key in (KEY, new):
        assert owner.http.get("/admin/search", params={"q": key}).headers["location"] == page
