"""A real Chromium: the demo as a newcomer starts it, devices that complain of what goes wrong, and a look at a page."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Error, Page

from testkit.servers import Process, clean_environment, free_port
from testkit.waiting import LONG_ENOUGH, wait_until

SHOTS = Path(os.environ.get("SCREENSHOTS", "")) if os.environ.get("SCREENSHOTS") else None
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-component-update"]
# What Chromium notes, with no script about, when a press of a button cuts the blend between two pages short.
_CUT_SHORT = re.compile(r"Transition was (aborted because of invalid state|skipped)")
_OURS = re.compile(r"(http://(localhost|127\.0\.0\.1):|data:)")
CARD, DECLINED, THREE_D_SECURE = "4242424242424242", "4000000000000002", "4000000000003220"


@dataclass
class Demo:
    """`coatcheck demo`, as a newcomer starts it."""

    folder: Path
    port: int = field(default_factory=partial(free_port, in_a_row=2))
    arguments: tuple[str, ...] = ()
    empty: bool = True
    """Without the invented sales of the past."""

    def __post_init__(self) -> None:
        self.shop, self.sandbox = f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port + 1}"
        command = [
            sys.executable,
            "-m",
            "entrypoints.cli",
            "demo",
            *self.arguments,
            *(("--empty",) if self.empty else ()),
        ]
        environment = clean_environment(PORT=str(self.port), STRIPE_SECRET_KEY="sk_live_must_not_be_read")
        self.process = Process(command, self.folder, environment, self.folder / "demo.log")


@dataclass
class ServedShop:
    """The two addresses of a shop that `serve` runs, in the place of the demo's."""

    shop: str
    sandbox: str


@dataclass
class Device:
    """One browser profile that complains of anything that goes wrong in it."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(LONG_ENOUGH * 1000)
        self.page.on(
            "pageerror",
            lambda error: None if _CUT_SHORT.match(str(error)) else self.complaints.append(str(error)),
        )
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if "Content Security" in m.text else None
        )
        self.page.on("request", lambda r: None if _OURS.match(r.url) else self.foreign.append(r.url))


MakeDevice = Callable[..., Device]
"""Takes what Playwright's new_context takes."""


def go(page: Page, url: str) -> None:
    """Open an address, also from a page that may load itself again at any moment."""
    try:
        page.goto(url)
    except Error as error:
        if "interrupted by another navigation" not in str(error):
            raise
        page.wait_for_load_state()
        page.goto(url)


def pay(page: Page, *, email: str | None, card: str = CARD) -> None:
    page.wait_for_url("**/c/pay/**")
    if email is not None:
        page.fill("#email", email)
    page.fill("#number", card)
    page.fill("#expiry", "12 / 34")
    page.fill("#cvc", "123")
    page.click("button.wide")


def newest_link(demo: Demo, page: Page, *, to: str, subject: str) -> str:
    """Open the mailbox as a person would, and copy the link of the newest mail of that subject."""
    row = page.locator(f"tr:has-text('{to}') a:has-text('{subject}')")

    def has_come() -> bool:
        page.goto(f"{demo.sandbox}/mailbox")
        return row.count() > 0

    wait_until(has_come, pause=0.2)
    row.first.click()
    link = page.locator("pre a").first.get_attribute("href")
    assert link is not None
    return link


LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


def look_at(page: Page, name: str, look: str) -> None:
    """WCAG 2.2 AA as far as a machine can tell, all in landmarks, nothing wider than the screen, no sentence with a
    hole in it; and a screenshot."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, f"{name} {look}: {found.generate_report()}"
    # Of axe's best practices: https://dequeuniversity.com/rules/axe/4.10/region
    assert "region" in {rule["id"] for rule in found.response["passes"]}, f"{name} {look}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} {look} is {wide} px too wide"
    loose = re.findall(r"\w{2,} [.,;](?=\s|$)", page.inner_text("body"))
    assert not loose, f"{name} {look}: a space before a full stop or a comma: {loose}"
    if SHOTS is not None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}-{look}.png", full_page=name not in ("view",))
