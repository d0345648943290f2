"""What the example products say to their buyers agrees with the page that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import entrypoints

HOME = Path(entrypoints.__file__).parent
TEXTS = [
    HOME / "example_catalogue" / "harbour-five-hours" / "content.md",
    HOME / "example_catalogue" / "small-shop-paperwork" / "content.md",
    HOME / "shop_template" / "catalogue" / "first-product" / "content.md",
]


def test_the_files_of_a_purchase_stand_above_its_text() -> None:
    page = (HOME / "http" / "templates" / "view.html").read_text(encoding="utf-8")
    assert 0 < page.index('<ul class="files">') < page.index('class="prose"')


def test_the_example_texts_look_for_the_files_above() -> None:
    for text in TEXTS:
        beginning = " ".join(text.read_text(encoding="utf-8").split())[:200]
        assert re.search(r"\babove\b", beginning), text
        assert not re.search(r"\bbelow\b", beginning), text
