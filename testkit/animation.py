"""The README's animation: from the click on Buy to reading, as an animated PNG of the demo in a real Chromium.

Run by `make screenshots`.
"""

from __future__ import annotations

import signal
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from testkit.browsing import ARGUMENTS, CARD, Demo
from testkit.servers import BOOK, ROOT
from testkit.tools import chromium

PICTURE: Final = ROOT / "docs" / "screenshots" / "pay-and-read.png"
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SIZE: Final = {"width": 960, "height": 620}
_SHOWN: Final = 2.2
"""Seconds for which each picture is seen."""


def animated(pictures: list[bytes], *, seconds: float) -> bytes:
    """PNGs of one size and colour type as one that plays for ever. https://www.w3.org/TR/png-3/#apng-frame-based-animation"""
    head = next(body for kind, body in _chunks(pictures[0]) if kind == b"IHDR")
    width, height = struct.unpack(">II", head[:8])
    written = [_chunk(b"IHDR", head), _chunk(b"acTL", struct.pack(">II", len(pictures), 0))]
    number = 0
    for at, picture in enumerate(pictures):
        data = b"".join(body for kind, body in _chunks(picture) if kind == b"IDAT")
        timing = struct.pack(">IIIIIHHBB", number, width, height, 0, 0, round(seconds * 100), 100, 0, 0)
        written.append(_chunk(b"fcTL", timing))
        number += 1
        if at == 0:
            written.append(_chunk(b"IDAT", data))
        else:
            written.append(_chunk(b"fdAT", struct.pack(">I", number) + data))
            number += 1
    return _SIGNATURE + b"".join([*written, _chunk(b"IEND", b"")])


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def story(demo: Demo, page: Page) -> Iterator[bytes]:
    """What a customer sees, picture by picture."""
    page.goto(demo.shop)
    page.wait_for_function("document.fonts.ready")
    yield page.screenshot()
    page.goto(f"{demo.shop}/products/{BOOK}")
    yield page.screenshot()
    page.click("main button:has-text('Buy')")
    page.fill("#email", "anna@example.com")
    page.fill("#number", f"{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]}")
    page.fill("#expiry", "12 / 34")
    page.fill("#cvc", "123")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    yield page.screenshot()
    page.click("button.wide")
    page.wait_for_url(f"{demo.shop}/view/{BOOK}")
    yield page.screenshot()
    page.locator("article, .prose").last.scroll_into_view_if_needed()
    page.mouse.wheel(0, 420)
    page.wait_for_timeout(400)
    yield page.screenshot()
    page.goto(f"{demo.shop}/library")
    yield page.screenshot()


def main() -> None:
    """Play the story, and write it into docs/screenshots."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = Demo(Path(folder))
        demo.process.start(f"{demo.shop}/readyz")
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            page = browser.new_page(viewport=_SIZE, reduced_motion="reduce")
            PICTURE.write_bytes(animated(list(story(demo, page)), seconds=_SHOWN))
        finally:
            browser.close()
            demo.process.stop(signal.SIGINT)


if __name__ == "__main__":
    main()
