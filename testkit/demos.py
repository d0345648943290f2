"""A demo that starts again, and what its visitors do: buy, look into the mailbox, follow a link."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator

import httpx

from testkit.browsing import CARD, Demo
from testkit.servers import BOOK

ANNA = "anna@example.com"
PAID = {"email": ANNA, "number": CARD, "expiry": "12 / 34", "cvc": "123", "country": "DE"}


@contextlib.contextmanager
def running(demo: Demo) -> Iterator[Demo]:
    demo.process.start(f"{demo.shop}/readyz")
    try:
        yield demo
    finally:
        demo.process.stop()


def a_browser(demo: Demo) -> httpx.Client:
    return httpx.Client(base_url=demo.shop, headers={"origin": demo.shop}, timeout=60)


def buy(demo: Demo, browser: httpx.Client, product: str = BOOK, **form: str) -> str:
    """Press Buy, pay, and return; the id of Stripe's session."""
    payment = browser.post(f"/buy/{product}").headers["location"]
    back = httpx.post(payment, data={**PAID, **form}, timeout=60).headers["location"]
    assert browser.get(back, follow_redirects=True).url.path == f"/view/{product}"
    return payment.rpartition("/")[2]


def page_at(url: str) -> str:
    return html.unescape(httpx.get(url).text)


def mailbox(demo: Demo) -> list[str]:
    """The paths of its mails, newest first."""
    return re.findall(r'href="(/mailbox/[^"]+)"', page_at(f"{demo.sandbox}/mailbox"))


def kept(demo: Demo) -> str:
    file = demo.folder / ".coatcheck-demo" / "sandbox.json"
    return file.read_text() if file.exists() else ""


def open_the_link_in(demo: Demo, mail: str) -> str:
    """Follow the link of a mail on another device, as its reader would; the page it leads to."""
    link = re.search(r'<pre>.*?href="([^"]+/login/[^"]+)"', page_at(f"{demo.sandbox}{mail}"), re.S)
    assert link is not None
    with a_browser(demo) as phone:
        asked = phone.get(link[1])
        assert asked.status_code == 200, asked.text
        return phone.post(link[1].removeprefix(demo.shop), follow_redirects=True).text
