"""`[law]` in shop.toml: what is off unless it is written, and what its mistakes are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.files.law import WAIVER_TEXTS
from adapters.files.reading import CatalogueRefused
from domain.law import LawTerms
from testkit.catalogues import a_catalogue, load

SHOP = 'name = "A shop"\ncurrency = "eur"\nsupport = "help@shop.example"\n'
OFF = LawTerms(waiver_texts=WAIVER_TEXTS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_catalogue(tmp_path / "catalogue", "book")


def read(root: Path, settings: str) -> tuple[LawTerms, list[str]]:
    (root / "shop.toml").write_text(SHOP + settings)
    catalogue = load(root)
    return catalogue.current().shop.law, list(catalogue.problems)


@pytest.mark.parametrize(
    ("settings", "waiver", "waits"),
    [
        ("", False, False),
        ("[law]\n", False, False),
        ('[law]\nwaiver = "off"\n', False, False),
        ('[law]\nwaiver = "boxes"\n', True, False),
        ('[law]\nwaiver = "boxes"\nwithout_waiver = "refuse"\n', True, False),
        ('[law]\nwaiver = "boxes"\nwithout_waiver = "wait"\n', True, True),
    ],
)
def test_the_waiver_is_off_unless_it_is_written(root: Path, settings: str, waiver: bool, waits: bool) -> None:
    law, problems = read(root, settings)
    assert (law.waiver, law.waits, problems) == (waiver, waits, [])
    assert law.waiver_texts == WAIVER_TEXTS, "of purchases that were made with the boxes"


def test_waiting_without_boxes_is_a_mistake_with_its_line(root: Path) -> None:
    law, [problem] = read(root, '[law]\nwithout_waiver = "wait"\n')
    assert law == OFF
    assert problem.endswith(
        'shop.toml:5: without_waiver = "wait" is for shops with waiver = "boxes": add that, or leave it out'
    )


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('waiver = "checkboxes"', "law.waiver"),
        ('without_waiver = "later"', "law.without_waiver"),
        ('waver = "boxes"', "waver"),
    ],
)
def test_a_word_that_is_none_is_refused_by_name(root: Path, line: str, named: str) -> None:
    with pytest.raises(CatalogueRefused) as refused:
        read(root, f"[law]\n{line}\n")
    assert named in str(refused.value)
