"""Pictures of every page of the back office, with the invented past of the demo: light, dark and on a phone.

Run by `make screenshots`, for people to look at; one of them is in the documentation.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from testkit.browsing import ARGUMENTS, LOOKS, Demo
from testkit.importing import GUMROAD
from testkit.servers import BOOK, ROOT
from testkit.tools import chromium
from testkit.waiting import wait_until

_LOOKS: Final = ("light", "dark", "phone")
_DOCUMENTED: Final = {"sale-partly-refunded-light.png": "office-sale.png"}
_PAGES: Final = (
    "", "todo", "sales", "sales?state=refunded", "sales?text=nobody", "search?q=wanda", "search?q=fiona.ghosh@example.de",
    "customers", "products", f"products/{BOOK}", "stripe", "emails", "emails?kind=access", "exports", "imports",
    "imports/new", "staff", "staff/invite", "audit", "doctor", "settings", "account", "grant",
)  # fmt: skip
_OF_A_SALE: Final = ("", "/refund", "/revoke", "/resend", "/address", "/note")
_OF_A_CUSTOMER: Final = ("", "/address", "/merge", "/erase", "/data")


def pictures(browser: Browser, demo: Demo, folder: Path) -> None:
    """Go through all pages in each look."""
    for look in _LOOKS:
        page = browser.new_context(**LOOKS[look]).new_page()
        page.goto(_office(demo))
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("h1")).to_have_text("Home")
        for path in _paths(page, demo):
            page.goto(f"{demo.shop}/admin/{path}".rstrip("/"))
            _keep(page, folder, _named(path, page), look)
        _import(page, demo, folder, look)
        page.context.close()


def _office(demo: Demo) -> str:
    """The address that the demo prints."""
    log = demo.process.log
    wait_until(lambda: "Back office" in log.read_text())
    return next(word for word in log.read_text().split() if "/admin/demo/" in word)


def _paths(page: Page, demo: Demo) -> list[str]:
    found = []
    for state, actions in (("partly-refunded", _OF_A_SALE), ("disputed", ("",)), ("refunded", ("",))):
        page.goto(f"{demo.shop}/admin/sales?state={state}")
        sale = page.locator("tbody th a").first.get_attribute("href")
        found += [f"{sale}{action}" for action in actions]
    page.goto(f"{demo.shop}/admin/customers")
    for name, actions in (("chidi.abara@example.net", _OF_A_CUSTOMER), ("bounce.", ("",))):
        customer = page.locator("tbody th a", has_text=name).first.get_attribute("href")
        found += [f"{customer}{action}" for action in actions]
    return [*_PAGES, *(path.removeprefix("/admin/") for path in found)]


def _named(path: str, page: Page) -> str:
    """What a picture is called: the page without the ids in its address."""
    kind, _, rest = path.partition("/")
    action = rest.rpartition("/")[2] if rest.count("/") else ""
    if kind in ("sales", "customers") and rest:
        state = page.locator(".standing").get_attribute("class") if kind == "sales" and not action else ""
        tone = (state or "").removeprefix("standing").strip()
        name = f"{kind[:-1]}-{action or tone}".rstrip("-")
        return "customer-bounced" if name == "customer" and page.locator(".panel").count() else name
    return "".join(c if c.isalnum() else "-" for c in path).rstrip("-") or "home"


def _import(page: Page, demo: Demo, folder: Path, look: str) -> None:
    page.goto(f"{demo.shop}/admin/imports/new")
    page.get_by_label("The file").set_input_files(GUMROAD)
    page.get_by_role("button", name="Upload").click()
    _keep(page, folder, "import-columns", look)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="What would be imported")).to_be_visible()
    _keep(page, folder, "import-checked", look)
    page.get_by_role("button", name="Delete this file and its report").click()


def _keep(page: Page, folder: Path, name: str, look: str) -> None:
    page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)


def main() -> None:
    """`python -m testkit.office_pictures FOLDER`."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as beside, sync_playwright() as playwright:
        demo = Demo(Path(beside), empty=False)
        demo.process.start(f"{demo.shop}/readyz")
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        pictures(browser, demo, folder)
        browser.close()
        demo.process.stop()
    for name, documented in _DOCUMENTED.items():
        shutil.copy(folder / name, ROOT / "docs" / "screenshots" / documented)


if __name__ == "__main__":
    main()
