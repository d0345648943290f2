"""A real Chromium saves what was bought: the right name, the right bytes, from the shop and from S3."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from contracts.goods import NAMES
from playwright.sync_api import Page, expect, sync_playwright

from testkit.goods import DATA, SAMPLER, a_catalogue, an_owner, put_on_sale
from testkit.s3 import KEY, SECRET, a_bucket
from testkit.servers import ShopServer, a_shop
from testkit.sounds import a_tone
from testkit.tools import chromium
from testkit.waiting import LONG_ENOUGH, wait_until

pytestmark = pytest.mark.browser
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-component-update"]
# Chromium writes these otherwise, whoever sends them: no leading dots, quotes, question marks or joiners on anybody's disk.
KEPT = [name for name in NAMES if name not in (".hidden", "quotes \" and ' too.txt", "%2e%2e%2f.txt")]


@pytest.fixture
def page() -> Iterator[Page]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 390, "height": 844})
        context.set_default_timeout(LONG_ENOUGH * 1000)
        yield context.new_page()
        browser.close()


def sell(folder: Path) -> None:
    files = {"data.bin": DATA, "page.html": b"<script>document.title = 'run'</script>"}
    put_on_sale(a_catalogue(folder), SAMPLER, {**files, **{name: name.encode() for name in NAMES}})
    (folder / "catalogue" / SAMPLER / "content.md").write_text(f"# The {SAMPLER}\n\nThank you.\n")


def shown(page: Page, url: str, words: str) -> bool:
    page.goto(url)
    return page.get_by_text(words).count() > 0


def open_what_was_bought(page: Page, shop: ShopServer) -> None:
    cookies = an_owner(shop).http.cookies.items()
    page.context.add_cookies([{"name": n, "value": v, "url": shop.url} for n, v in cookies])
    page.goto(f"{shop.url}/view/{SAMPLER}")


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
"""One pixel."""
_PLAYED = """async () => {
  const sound = document.querySelector("audio"), picture = document.querySelector(".prose img");
  const before = sound.readyState;
  await new Promise((good, bad) => {
    sound.onloadedmetadata = good;
    sound.onerror = () => bad(new Error("the sound is not played"));
    sound.preload = "metadata";
    sound.load();
  });
  await picture.decode();
  return [before, sound.duration, picture.naturalWidth];
}"""


@pytest.mark.parametrize("kept", ["shop", "s3"])
def test_what_the_content_shows_is_played_and_seen_wherever_it_is_kept(
    page: Page, tmp_path: Path, kept: str, request: pytest.FixtureRequest
) -> None:
    sell(tmp_path)
    folder = tmp_path / "catalogue" / SAMPLER
    (folder / "content.md").write_text("# Hear\n\n![The talk](talk.wav)\n\n![The plan](plan.png)\n")
    (folder / "talk.wav").write_bytes(a_tone(2))
    (folder / "plan.png").write_bytes(PNG)
    more = in_s3(request.getfixturevalue("s3")) if kept == "s3" else {}
    with a_shop(tmp_path, **more) as shop:
        open_what_was_bought(page, shop)
        assert page.evaluate(_PLAYED) == [0, 2, 1], "nothing is loaded before it is played"
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def in_s3(endpoint: str) -> dict[str, str]:
    return {
        "GOODS_URL": f"s3://{a_bucket(endpoint).name}", "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }  # fmt: skip


def on_disk(name: str) -> str:
    """The name as Chromium writes it."""
    return re.sub("[?\u200d]", "_", name)


def saved(page: Page, name: str) -> tuple[str, bytes]:
    page.reload()  # Chromium asks back at the eleventh download of one page
    with page.expect_download() as download:
        page.locator("ul.files a", has_text=name).first.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_every_file_is_saved_under_its_name(page: Page, tmp_path: Path) -> None:
    sell(tmp_path)
    with a_shop(tmp_path) as shop:
        open_what_was_bought(page, shop)
        for name in KEPT:
            assert saved(page, name) == (on_disk(name), name.encode())
        assert saved(page, "data.bin") == ("data.bin", DATA)
        assert saved(page, ".hidden") == ("hidden", b".hidden")
        assert saved(page, "page.html")[0] == "page.html"
        assert page.title() != "run"
        expect(page.locator("h1")).to_have_count(1)


def test_an_owner_opens_and_downloads_what_is_broken_and_what_the_catalogue_lost(
    page: Page, tmp_path: Path
) -> None:
    sell(tmp_path)
    with a_shop(tmp_path) as shop:
        open_what_was_bought(page, shop)
        guest, product = page.context.browser.new_page(), shop.catalogue / SAMPLER
        (product / "product.toml").write_text("name = ")
        wait_until(lambda: shown(guest, f"{shop.url}/products/{SAMPLER}", "Not for sale at the moment"))
        expect(guest.locator("main button")).to_have_count(0)
        assert saved(page, "data.bin") == ("data.bin", DATA)
        product.rename(shop.catalogue / "_sampler")
        wait_until(lambda: guest.goto(f"{shop.url}/products/{SAMPLER}").status == 404)
        guest.goto(shop.url)
        expect(guest.get_by_text(f"The {SAMPLER}")).to_have_count(0)
        page.goto(f"{shop.url}/library")
        page.locator("a.button", has_text="Open").first.click()
        expect(page.locator("h1")).to_have_text(f"The {SAMPLER}")
        assert saved(page, "data.bin") == ("data.bin", DATA)


def test_checksums_can_be_read_and_copied_on_a_phone(page: Page, tmp_path: Path) -> None:
    sell(tmp_path)
    with a_shop(tmp_path) as shop:
        open_what_was_bought(page, shop)
        sums = page.locator("details.sums")
        expect(sums.locator("code").last).not_to_be_visible()
        sums.locator("summary").click()
        code = sums.locator("dd code").first
        expect(code).to_be_visible()
        code.click()
        assert page.evaluate("getSelection().toString().trim().length") == 64, "one tap takes all of it"
        assert (
            page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        )
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_from_another_origin_it_is_saved_just_the_same(page: Page, tmp_path: Path, s3: str) -> None:
    """The shop's own security headers let the browser follow to where the files are."""
    sell(tmp_path)
    with a_shop(tmp_path, **in_s3(s3)) as shop:
        open_what_was_bought(page, shop)
        for name in KEPT:
            assert saved(page, name) == (on_disk(name), name.encode())
        assert saved(page, "page.html")[0] == "page.html"
        assert page.title() != "run"
