"""The documentation as a site: built strictly, whole in itself, and read without a network."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser

from testkit.docs import SITE, gather
from testkit.servers import ROOT
from testkit.waiting import LONG_ENOUGH

pytestmark = pytest.mark.long
PICTURES = {"shop-light.png", "product-dark.png", "view-phone.png", "library-light.png"}


class Links(HTMLParser):
    """What a page is made of (`loaded`), where it leads to (`linked`), and the places in it (`ids`)."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.linked: set[str] = set()
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if "src" in given or tag == "link":
            self.loaded.add(given.get("src") or given.get("href", ""))
        elif tag == "a" and "href" in given:
            self.linked.add(given["href"])


@pytest.fixture(scope="module")
def site() -> dict[Path, Links]:
    done = subprocess.run(
        [sys.executable, "-m", "testkit.docs"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # The page for addresses that do not exist is a web server's, and names its files from the root.
    return {page: Links(page) for page in SITE.rglob("*.html") if page.name != "404.html"}


def test_every_page_of_the_repository_is_there_and_in_the_menu(site: dict[Path, Links]) -> None:
    sources = [Path(name).with_suffix(".html") for name in ("CHANGELOG.md", "CONTRIBUTING.md")]
    sources += [page.relative_to(ROOT).with_suffix(".html") for page in ROOT.glob("docs/**/*.md")]
    assert len(sources) > 40
    assert {SITE / page for page in sources} <= set(site)
    decided = [page for page in site if page.name.startswith("00")]
    menu = set.intersection(
        *({(page.parent / link).resolve() for link in site[page].linked} for page in decided)
    )
    assert {SITE / page for page in sources if page.parent.name != "decisions"} <= menu
    decisions = {link for link in site[SITE / "docs" / "decisions" / "index.html"].linked if link[:2] == "00"}
    assert decisions == {page.name for page in (SITE / "docs" / "decisions").glob("00*.html")}


def test_every_link_of_the_site_leads_somewhere_in_it(site: dict[Path, Links]) -> None:
    lost = []
    for page, links in site.items():
        for link in links.loaded | links.linked:
            if "://" not in link and not link.startswith("mailto:"):
                file, _, fragment = unquote(link).partition("#")
                target = (page.parent / file).resolve() if file else page
                if not target.is_file() or (fragment and target in site and fragment not in site[target].ids):
                    lost.append(f"{page.relative_to(SITE)}: {link}")
    assert not lost


def test_the_pictures_of_the_readme_are_on_the_first_page(site: dict[Path, Links]) -> None:
    assert {Path(link).name for link in site[SITE / "index.html"].loaded} >= PICTURES


def test_no_page_is_made_of_anything_from_elsewhere_or_names_this_machine(site: dict[Path, Links]) -> None:
    assert not [
        link for links in site.values() for link in links.loaded if "://" in link or link.startswith("//")
    ]
    assert not [page for page in site if str(ROOT) in page.read_text(encoding="utf-8")]


@pytest.mark.browser
def test_a_browser_that_opens_it_asks_nobody_else(site: dict[Path, Links], browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(LONG_ENOUGH * 1000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in ("index.html", "docs/benchmarks.html", "docs/decisions/index.html"):
        page.goto((SITE / name).as_uri(), wait_until="networkidle")
    assert page.evaluate("document.fonts.size") == 0
    page.close()
    assert len(asked) > 5
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]


def test_a_link_that_leads_nowhere_is_not_built(tmp_path: Path) -> None:
    """The builder is as strict as we think it is."""
    gather(tmp_path / "pages")
    (tmp_path / "zensical.toml").write_text(
        (ROOT / "zensical.toml")
        .read_text()
        .replace('".tools/docs"', '"pages"')
        .replace('".tools/site"', '"site"')
    )
    command = [Path(sys.executable).parent / "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "pages" / "CHANGELOG.md").open("a") as page:
        page.write("\n[a link](docs/limits.md#of-the-sky)\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "anchor does not exist" in done.stdout + done.stderr
