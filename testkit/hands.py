"""How somebody works a page: with a mouse, with fingers on a phone, or with the keyboard alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from playwright.sync_api import Locator, Page, expect

_SMALLEST = 24
"""CSS pixels of a target: https://www.w3.org/TR/WCAG22/#target-size-minimum"""
_MOST_STOPS = 250
_FOCUSED = """() => {
  const it = document.activeElement, style = getComputedStyle(it), box = it.getClientRects()[0];
  if (it === document.body) return null;
  const within = (at, size) => Math.min(Math.max(at, 0), size - 1);
  const top = document.elementFromPoint(
    within(box.left + box.width / 2, innerWidth), within(box.top + Math.min(box.height / 2, 20), innerHeight));
  return {
    it: it.outerHTML.slice(0, 200),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
    covered: !top || !(it.contains(top) || top.contains(it)),
  };
}"""


@dataclass
class Mouse:
    """Needs no script of the page."""

    page: Page

    def press(self, target: Locator) -> None:
        target.click()

    def write(self, target: Locator, text: str) -> None:
        target.fill(text)

    def write_day(self, target: Locator, day: date) -> None:
        target.fill(day.isoformat())

    def choose(self, target: Locator, label: str) -> None:
        target.select_option(label=label)

    def tick(self, target: Locator) -> None:
        self.press(target)

    def search(self, text: str) -> None:
        self.write(self.page.get_by_role("searchbox").first, text)
        self.press(self.page.get_by_role("search").get_by_role("button"))

    def open_row(self, name: str) -> None:
        self.press(self.page.locator("main").get_by_role("link", name=name, exact=True).first)


class Fingers(Mouse):
    """What is tapped is large enough to be hit."""

    def press(self, target: Locator) -> None:
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= _SMALLEST or _is_in_text(target), (target, box)
        target.tap()

    def tick(self, target: Locator) -> None:
        self.press(target.locator("xpath=ancestor::label"))


def _is_in_text(target: Locator) -> bool:
    """Links among words may be as high as their line."""
    return bool(target.evaluate("it => it.matches('a') && getComputedStyle(it).display === 'inline'"))


@dataclass
class Keys:
    """The mouse is unplugged. Wherever the focus goes, it shows, and nothing lies over it."""

    page: Page

    def press(self, target: Locator) -> None:
        self.go_to(target)
        self.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        self.go_to(target)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def write_day(self, target: Locator, day: date) -> None:
        """As an American browser has it."""
        self.go_to(target)
        self.page.keyboard.type(f"{day:%m%d%Y}")

    def choose(self, target: Locator, label: str) -> None:
        self.go_to(target)
        self.page.keyboard.type(label)

    def tick(self, target: Locator) -> None:
        self.go_to(target)
        self.page.keyboard.press("Space")

    def search(self, text: str) -> None:
        self.page.keyboard.press("/")
        self._look()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def open_row(self, name: str) -> None:
        """With `j`, until the row of that name has the focus."""
        row = self.page.locator("main").get_by_role("link", name=name, exact=True).first
        for _ in range(_MOST_STOPS):
            self.page.keyboard.press("j")
            self._look()
            if _has_focus(row):
                return self.page.keyboard.press("Enter")
        raise AssertionError(f"no j leads to {name}")

    def go_to(self, target: Locator) -> None:
        """Tab by Tab; on a new page, past the head of it by the link that is there for that."""
        expect(target).to_be_attached()
        if self._look() is None and target.evaluate("it => document.querySelector('main').contains(it)"):
            self.page.keyboard.press("Tab")
            first = self._look()
            assert first is not None
            assert "Skip to the content" in first["it"], first
            self.page.keyboard.press("Enter")
        for _ in range(_MOST_STOPS):
            if _has_focus(target):
                return
            self.page.keyboard.press("Tab")
            self._look()
        raise AssertionError(f"no Tab leads to {target}")

    def _look(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.page.evaluate(_FOCUSED)
        if found is not None and 'id="main"' not in found["it"]:
            assert (found["ring"], found["seen"], found["covered"]) == (True, True, False), found
        return found


def _has_focus(target: Locator) -> bool:
    return bool(target.evaluate("it => it === document.activeElement"))


Hands = Mouse | Keys
