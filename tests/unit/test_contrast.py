"""What the doctor says of the colours of a merchant's theme.css."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import entrypoints
from entrypoints.http.page import Pages
from entrypoints.maintenance.checks.contrast import contrast_findings
from entrypoints.testing import a_product, an_edition

SHOP = an_edition(a_product()).shop
PAGES = Pages()
WHITE = "--paper: #fff; --card: #ffffff; --note: #fff"
BLACK = "--paper: #17191f; --card: #20232b; --note: #2b2a28;"
THEMES = sorted((Path(entrypoints.__file__).parent / "example_shops").glob("*/theme.css"))


def warnings(theme: str, accent: str = "") -> list[str]:
    found = contrast_findings(*PAGES.style_sheets(replace(SHOP, theme=theme, accent=accent)))
    assert all(one.fine and one.warns and one.about == "theme.css" for one in found)
    return [one.words for one in found]


@pytest.mark.parametrize("theme", THEMES, ids=[path.parent.name for path in THEMES])
def test_the_example_shops_can_be_read(theme: Path) -> None:
    assert warnings(theme.read_text()) == []


@pytest.mark.parametrize("accent", ["", "#ffff00", "#000000", "#888888"])
def test_the_shops_own_colours_can_be_read_whatever_the_accent(accent: str) -> None:
    assert warnings("h1 { font-weight: 800; }", accent) == []


@pytest.mark.parametrize(
    ("theme", "said"),
    [
        (
            f":root {{ --soft: #777; {WHITE} }} @media (prefers-color-scheme: dark) {{ :root {{ --soft: #b5ad9d; {BLACK} }} }}",
            [("light --soft", "--paper", "4.4"), ("light --soft", "--card", "4.4"), ("light --soft", "--note", "4.4")],
        ),
        (
            "@media (prefers-color-scheme:dark) { h1 { margin: 0 } :root { --act: #444; --on-act: #333; } }",
            [("dark --on-act", "--act ", "1.2")],
        ),
        (":root { --ink: #eee8da }", [("light --ink", "--paper", "1."), ("light --ink", "--card", "1."), ("light --ink", "--note", "1.")]),
        (":root { --act: #2b2b2b; --on-act: #222 }", [("light --on-act", "--act ", "1."), ("light --on-act", "--act-over", "1."), ("dark --on-act", "--act ", "1.")]),
    ],
)  # fmt: skip
def test_each_pair_of_colours_that_is_hard_to_read_is_named(
    theme: str, said: list[tuple[str, str, str]]
) -> None:
    found = warnings(theme)
    assert len(found) == len(said), found
    for words, (text, ground, contrast) in zip(found, said, strict=True):
        assert words.startswith(f"in {text} (#")
        assert f" on {ground.strip()} (#" in words
        assert f"contrast of {contrast}" in words


@pytest.mark.parametrize(
    "theme",
    [
        "/* :root { --ink: #fff } */",
        "@media print { :root { --ink: #fff } }",
        ".welcome { --ink: #fff }",
        ":root { --ink: oklch(1 0 0) }",
        "",
    ],
)
def test_what_is_not_known_to_be_hard_to_read_is_not_named(theme: str) -> None:
    assert warnings(theme) == []
