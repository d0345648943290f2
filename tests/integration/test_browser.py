"""What the README promises, in a real Chromium: buy, be declined, come back, on two devices; and every page looked at."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from adapters.sqlite.store import SqliteStore
from domain.purchase import Fact, FactKind
from support.servers import BOOK, PAPERWORK, PHOTOS, Process, ShopServer, clean_environment, free_port
from support.tools import chromium

pytestmark = pytest.mark.browser
SHOTS = Path(os.environ.get("SCREENSHOTS", "")) if os.environ.get("SCREENSHOTS") else None
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-component-update"]
CARD, DECLINED, THREE_D_SECURE = "4242424242424242", "4000000000000002", "4000000000003220"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@dataclass
class Demo:
    """`coatcheck demo`, as a newcomer starts it."""

    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.shop, self.sandbox = f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port + 1}"
        command = [sys.executable, "-m", "entrypoints.cli", "demo"]
        environment = clean_environment(PORT=str(self.port), STRIPE_SECRET_KEY="sk_live_must_not_be_read")
        self.process = Process(command, self.folder, environment, self.folder / "demo.log")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    (folder / ".env").write_text("BASE_URL=https://must.not.be.read\n")
    running = Demo(folder)
    running.process.start(f"{running.shop}/readyz")
    yield running
    assert running.process.stop(signal.SIGINT) == 0


@dataclass
class Device:
    """One browser profile that complains of anything that goes wrong in it."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@pytest.fixture
def device(browser: Browser) -> Iterator[object]:
    made: list[Device] = []

    def make(**options: object) -> Device:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        found = Device(context, context.new_page())
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on(
            "console", lambda m: found.complaints.append(m.text) if "Content Security" in m.text else None
        )
        found.page.on("request", lambda r: None if re.match(r"(http://(localhost|127\.0\.0\.1):|data:)", r.url)
                      else found.foreign.append(r.url))  # fmt: skip
        made.append(found)
        return found

    yield make
    for one in made:
        assert one.complaints == []
        assert one.foreign == []
        one.context.close()


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
    for _ in range(50):
        page.goto(f"{demo.sandbox}/mailbox")
        if row.count():
            break
        page.wait_for_timeout(200)
    row.first.click()
    link = page.locator("pre a").first.get_attribute("href")
    assert link is not None
    return link


def test_a_newcomer_buys_is_declined_pays_and_comes_back_with_the_ticket(demo: Demo, device: object) -> None:
    laptop: Device = device()  # type: ignore[operator]
    page = laptop.page
    page.goto(demo.shop)
    expect(page.locator(".ticket")).to_have_count(3)
    page.click("a:has-text('The Last Cloakroom')")
    page.click("button:has-text('Buy')")
    pay(page, email="anna@example.com", card=DECLINED)
    expect(page.locator(".bad")).to_contain_text("declined")
    page.fill("#number", CARD)
    began = time.monotonic()
    page.click("button.wide")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    expect(page.locator("main")).to_contain_text("Ottilie")
    assert time.monotonic() - began < 5
    expect(page.locator("aside")).to_contain_text("this browser paid for it")
    page.goto(f"{demo.shop}/library")
    expect(page.locator(".list li")).to_have_count(1)
    link = newest_link(demo, page, to="anna@example.com", subject="Your ticket: The Last Cloakroom")
    phone: Device = device(viewport={"width": 390, "height": 844})  # type: ignore[operator]
    phone.page.goto(link)
    phone.page.click("main button")
    phone.page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    phone.page.goto(f"{demo.shop}/")
    phone.page.click("text=Log out")
    expect(phone.page.locator("nav")).to_contain_text("Sign in")
    phone.page.goto(link)
    expect(phone.page.locator("h1")).to_have_text("This link was used already")
    phone.page.click("text=Mail me a new link")
    expect(phone.page.locator("h1")).to_have_text("Look in your mail")
    page.goto(f"{demo.shop}/")
    login = newest_link(demo, page, to="anna@example.com", subject="Come in to")
    phone.page.goto(login)
    phone.page.click("main button")
    expect(phone.page.locator("article")).to_contain_text("Ottilie")
    phone.page.goto(f"{demo.shop}/library")
    expect(phone.page.locator("main")).to_contain_text("anna@example.com")


def test_a_code_is_typed_in_the_browser_that_asked(demo: Demo, device: object) -> None:
    one: Device = device()  # type: ignore[operator]
    page = one.page
    page.goto(f"{demo.shop}/products/{PAPERWORK}")
    page.click("button:has-text('Buy')")
    pay(page, email="code@example.com", card=THREE_D_SECURE)
    page.click("button:has-text('Complete')")
    page.wait_for_url("**/view/**")
    two: Device = device()  # type: ignore[operator]
    two.page.goto(f"{demo.shop}/request-login")
    two.page.fill("#email", "code@example.com")
    two.page.click("main button")
    reader: Device = device()  # type: ignore[operator]
    newest_link(demo, reader.page, to="code@example.com", subject="Come in to")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", reader.page.locator("pre").inner_text())
    assert code is not None
    two.page.fill("#code", code[0])
    two.page.click("main button")
    expect(two.page.locator("h1")).to_have_text("Your library")


def test_cancel_goes_back_and_3ds_can_fail(demo: Demo, device: object) -> None:
    one: Device = device()  # type: ignore[operator]
    page = one.page
    page.goto(f"{demo.shop}/products/{PHOTOS}")
    page.click("button:has-text('Buy')")
    pay(page, email="x@example.com", card=THREE_D_SECURE)
    page.click("button:has-text('Fail')")
    expect(page.locator(".bad")).to_contain_text("unable to authenticate")
    page.click("text=Cancel and go back")
    page.wait_for_url(f"{demo.shop}/products/{PHOTOS}")


def test_the_page_that_settles_asks_again_by_itself(demo: Demo, device: object) -> None:
    """Stripe is away when the shopper returns; the small script finds out when it is back."""
    one: Device = device()  # type: ignore[operator]
    page = one.page
    page.goto(f"{demo.shop}/products/{PHOTOS}")
    page.click("button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    page.select_option("#webhook", "never")
    httpx.post(f"{demo.sandbox}/_sandbox/behave", json={"stripe": "down"})
    try:
        pay(page, email="settles@example.com")
        expect(page.locator("h1")).to_have_text("Your payment is being confirmed")
    finally:
        httpx.post(f"{demo.sandbox}/_sandbox/behave", json={"stripe": ""})
    page.wait_for_url(f"{demo.shop}/view/{PHOTOS}", timeout=30_000)
    expect(page.locator("article img")).to_have_count(5)
    assert page.locator("article img").first.evaluate("img => img.complete && img.naturalWidth > 0")


def test_everything_works_without_javascript(demo: Demo, device: object) -> None:
    one: Device = device(java_script_enabled=False)  # type: ignore[operator]
    page = one.page
    page.goto(f"{demo.shop}/products/{BOOK}")
    page.click("button:has-text('Buy')")
    pay(page, email="noscript@example.com")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    page.goto(f"{demo.shop}/sessions")
    page.click("text=Log out everywhere")
    page.wait_for_url(f"{demo.shop}/")


LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


def look_at(page: Page, name: str, look: str) -> None:
    """WCAG 2.2 AA as far as a machine can tell, nothing wider than the screen, and a screenshot."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, f"{name} {look}: {found.generate_report()}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} {look} is {wide} px too wide"
    if SHOTS is not None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}-{look}.png", full_page=name not in ("view",))


@pytest.mark.parametrize("look", list(LOOKS))
def test_every_page_is_accessible_in_every_look(shop: ShopServer, device: object, look: str) -> None:
    one: Device = device(**LOOKS[look])  # type: ignore[operator]
    page, email = one.page, f"{look}@example.com"
    # One address a look: the limit of checkouts and login mails is for each household.
    one.context.set_extra_http_headers({"x-forwarded-for": f"203.0.113.{list(LOOKS).index(look) + 1}"})
    page.goto(shop.url)
    look_at(page, "shop", look)
    page.goto(f"{shop.url}/products/{PHOTOS}")
    look_at(page, "product", look)
    page.click("button:has-text('Buy')")
    pay(page, email=email)
    page.wait_for_url("**/view/**")
    page.go_back()  # to the payment page, which is over now
    expect(page.locator("h1")).to_contain_text("nothing to pay")
    page.go_forward()
    page.wait_for_url("**/view/**")
    look_at(page, "view", look)
    page.click("details.sums summary")
    look_at(page, "view-checksums", look)
    for path, name in (("/", "shop-owner"), (f"/products/{PHOTOS}", "product-owner"), ("/library", "library-unproved"),
                       (f"/view/{BOOK}", "not-yours"), ("/request-login", "request-login"), ("/pages/privacy", "page"),
                       ("/nothing-here", "problem"), ("/login/short", "link-truncated"),
                       (f"/view/{PHOTOS}?session_id=cs_test_x", "unknown-checkout")):  # fmt: skip
        page.goto(f"{shop.url}{path}")
        look_at(page, name, look)
    _press_buy(page, PHOTOS)
    look_at(page, "buy-again", look)
    page.goto(f"{shop.url}/request-login")
    page.fill("#email", "nobody@nowhere")
    page.click("main button")
    look_at(page, "request-login-refused", look)
    _unpaid_pages(shop, page, look)
    shop.sandbox.wait_for_mail(email)
    link = "/login/" + shop.sandbox.mails_to(email)[-1]["text"].partition("/login/")[2].split()[0]
    page.goto(f"{shop.url}{link}")
    look_at(page, "login-confirm", look)
    page.click("main button")
    page.goto(f"{shop.url}/library")
    look_at(page, "library", look)
    page.goto(f"{shop.url}/sessions")
    look_at(page, "sessions", look)
    _refund(shop, email)
    page.goto(f"{shop.url}/view/{PHOTOS}")
    expect(page.locator("h1")).to_have_text("Harbour, Five Hours is closed")
    look_at(page, "closed", look)
    page.goto(f"{shop.url}{link}")
    look_at(page, "link-used", look)
    page.click("text=Mail me a new link")
    look_at(page, "check-mail", look)
    page.fill("#code", "AAAA-AAAA")
    page.click("main button")
    look_at(page, "check-mail-wrong-code", look)


def _refund(shop: ShopServer, email: str) -> None:
    """Write down a refund as its webhook will, from beside the server."""
    [purchase] = [p for p in shop.export()["purchase"] if p["email"] == email]
    fact = Fact(
        object_id=f"re_{purchase['id']}", kind=FactKind.REFUND, payment=purchase["payment_intent"], as_of=int(time.time()),
        status="succeeded", amount=purchase["amount"],
    )  # fmt: skip
    store = SqliteStore.open(shop.folder / "data" / "coatcheck.db", serving=False)
    # Playwright keeps a loop of its own in this thread.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(store.transact(lambda books: books.tell(fact)))).result()
    store.close()
    time.sleep(0.1)  # the server sees what others commit within 50 ms


def _press_buy(page: Page, product: str) -> None:
    """Press Buy where the page offers Open."""
    page.evaluate(
        """pid => { const f = document.createElement("form"); f.method = "post"; f.action = "/buy/" + pid;
        document.body.append(f); f.submit(); }""",
        product,
    )
    page.wait_for_url(f"**/buy/{product}")


def _unpaid_pages(shop: ShopServer, page: Page, look: str) -> None:
    """The pages of a checkout that is not a sale (yet)."""
    page.goto(f"{shop.url}/products/{BOOK}")
    page.click("button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    cs = page.url.rpartition("/")[2]
    back = f"{shop.url}/view/{BOOK}?session_id={cs}"
    page.goto(back)
    look_at(page, "not-paid", look)
    page.goto(back)
    look_at(page, "settling", look)
    shop.sandbox.pay(cs, email="debit@example.com", delayed=True, copies=1)
    page.goto(back)
    look_at(page, "awaiting-bank", look)
    shop.sandbox.post(f"/_sandbox/sessions/{cs}/bank", succeeds=True)
    other = page.context.browser.new_context(  # type: ignore[union-attr]
        **{k: v for k, v in LOOKS[look].items() if k != "device_scale_factor"}  # type: ignore[arg-type]
    )
    stranger = other.new_page()
    stranger.goto(back)
    look_at(stranger, "elsewhere", look)
    other.close()
    page.goto(f"{shop.url}/products/{PAPERWORK}")
    page.click("button:has-text('Buy')")
    page.wait_for_url("**/c/pay/**")
    cs = page.url.rpartition("/")[2]
    shop.sandbox.pay(cs, email="held@example.com", change={"currency": "eur"})
    page.goto(f"{shop.url}/view/{PAPERWORK}?session_id={cs}")
    look_at(page, "held-back", look)
