"""A window of any browser, as its user has it: real presses of a mouse and keys, on what can be seen and pressed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Protocol

from testkit.waiting import wait_until


class PageLeftError(Exception):
    """The page went away while it was asked; the next one may answer."""


class Wire(Protocol):
    """How one window of a browser is driven. Each raises `PageLeftError` where the page goes away meanwhile."""

    def go(self, url: str) -> None:
        """Open an address and wait until the page is there."""

    def back(self) -> None:
        """Press the browser's "back" button."""

    def run(self, script: str) -> str:
        """Run the body of a function that returns a string."""

    def resize(self, width: int, height: int) -> None:
        """Make the window so large, in CSS pixels."""

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Do what hands do: https://www.w3.org/TR/webdriver2/#actions"""


_WHERE: Final = "return [location.href, document.readyState]"
_AIM: Final = """
const found = document.querySelector(SELECTOR);
if (!found) return null;
found.scrollIntoView({block: "center", behavior: "instant"});
const box = found.getClientRects()[0];
if (!box) return null;
const x = Math.round(box.x + box.width / 2), y = Math.round(box.y + box.height / 2);
return found.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
"""
_PAUSE: Final = {"type": "pause", "duration": 400}
"""Milliseconds between the presses of a double click, which desktops take for one up to 500.

WebKit gives a form up that is submitted again before it was sent, so on a busy machine the first of two quick presses
never reaches the shop.
"""
_END: Final = "\ue010"
"""The key: https://www.w3.org/TR/webdriver2/#keyboard-actions"""


@dataclass
class Window:
    """One window of a browser profile; profiles share no cookies."""

    wire: Wire
    downloads: Path
    """The folder in which the browser saves files."""

    def go(self, url: str) -> None:
        self.wire.go(url)

    def back(self) -> None:
        self.wire.back()

    def resize(self, width: int, height: int) -> None:
        self.wire.resize(width, height)

    def click(self, selector: str, *, times: int = 1) -> None:
        """Press where it is, as soon as it is there and nothing covers it."""
        x, y = self._aim(selector)
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}, _PAUSE]
        move = {"type": "pointerMove", "x": x, "y": y, "origin": "viewport"}
        self._act({"type": "pointer", "id": "mouse", "actions": [move, *(press * times)[:-1]]})

    def double_click(self, selector: str) -> None:
        self.click(selector, times=2)

    def fill(self, selector: str, text: str) -> None:
        """Press the field, and type behind what is in it."""
        self.click(selector)
        keys = [{"type": kind, "value": key} for key in _END + text for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": keys})

    def wait_for(self, pattern: str) -> None:
        """Until a page with such an address is there: `*` stands for anything."""
        seen = [""]

        def has_come() -> bool:
            try:
                seen[0], state = self.run(_WHERE)
            except PageLeftError:
                return False
            return state == "complete" and fnmatchcase(seen[0], pattern)

        try:
            wait_until(has_come)
        except AssertionError:
            raise AssertionError(f"it is at {seen[0]}, not at {pattern}: {self.text[:500]}") from None

    def wait_for_heading(self, text: str) -> None:
        wait_until(lambda: self.heading == text)

    @property
    def url(self) -> str:
        return str(self.run(_WHERE)[0])

    @property
    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    @property
    def heading(self) -> str:
        """The page's h1, "" while there is none."""
        try:
            return str(self.run("const h1 = document.querySelector('h1'); return h1 ? h1.innerText : ''"))
        except PageLeftError:
            return ""

    def count(self, selector: str) -> int:
        return int(self.run(f"return document.querySelectorAll({json.dumps(selector)}).length"))

    def run(self, body: str) -> Any:
        """What the body of a function returns, in the page."""
        return json.loads(self.wire.run(f"return JSON.stringify((() => {{ {body} }})())"))

    def _aim(self, selector: str) -> tuple[int, int]:
        at: list[Any] = [None]

        def is_in_reach() -> bool:
            try:
                at[0] = self.run(_AIM.replace("SELECTOR", json.dumps(selector)))
            except PageLeftError:
                return False
            return at[0] is not None

        try:
            wait_until(is_in_reach)
        except AssertionError:
            raise AssertionError(f"no {selector} to press at {self.url}: {self.text[:500]}") from None
        x, y = at[0]
        return x, y

    def _act(self, source: dict[str, Any]) -> None:
        with suppress(PageLeftError):  # a button may well lead to another page
            self.wire.act([source])


NewWindow = Callable[[], AbstractContextManager[Window]]
"""Opens a window in a new profile, which is gone with it."""
