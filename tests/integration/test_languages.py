"""`languages` in shop.toml, and translations that are not finished."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from adapters.files.last_good import LastGood
from adapters.languages.packaged import CATALOGUE, FOLDER, PackagedLanguages
from domain.product import ShopInfo
from domain.values import EmailAddress
from entrypoints.maintenance.checks.languages import language_findings

TOML = 'name = "A"\ncurrency = "usd"\nsupport = "a@b.example"\n'
SHOP = ShopInfo(id="a", name="A", tagline="", support=EmailAddress("a@b.example"), currency="usd")


def load(root: Path, kept: Path, told: list[str]) -> FolderCatalogue:
    return FolderCatalogue(
        root,
        complain=told.append,
        shelve=lambda reader, path, limit: None,  # type: ignore[arg-type,return-value]  # there are no files
        check_language=PackagedLanguages().problem_with,
        kept=LastGood(kept),
    )


def begun(folder: Path, *, without: str = "", fuzzy: str = "") -> PackagedLanguages:
    """German, and its copy as `pt`, in which one sentence is not translated, or only to be looked at again."""
    for code in ("de", "pt"):
        path = folder / code / CATALOGUE
        path.parent.mkdir(parents=True)
        text = (FOLDER / "de" / CATALOGUE).read_text(encoding="utf-8")
        if code == "pt" and without:
            text = re.sub(rf'(msgid "{without}"\nmsgstr) ".+"', r'\1 ""', text)
        if code == "pt" and fuzzy:
            text = text.replace(f'msgid "{fuzzy}"', f'#, fuzzy\nmsgid "{fuzzy}"', 1)
        path.write_text(text, encoding="utf-8")
    return PackagedLanguages(folder)


def test_a_shop_is_in_the_language_of_its_shop_toml(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "shop.toml").write_text(TOML + 'languages = ["de"]\n')
    assert load(tmp_path, tmp_path / "kept", told).current().shop.languages == ("de",)
    (tmp_path / "shop.toml").write_text(TOML)
    assert load(tmp_path, tmp_path / "kept", told).current().shop.languages == ("en",)
    assert told == []


@pytest.mark.parametrize(
    ("languages", "words"),
    [
        ('["de", "en"]', 'shop.toml:4: languages has one language for now, as in languages = ["de"]'),
        ("[]", 'shop.toml:4: languages has one language for now, as in languages = ["de"]'),
        ('["xx"]', "shop.toml:4: languages has 'xx', and the shop speaks en, de"),
        ('["../de"]', "shop.toml:4: languages has '../de', and the shop speaks en, de"),
    ],
)
def test_languages_that_the_shop_does_not_speak_leave_the_last_good_ones(
    tmp_path: Path, languages: str, words: str
) -> None:
    told: list[str] = []
    (tmp_path / "shop.toml").write_text(TOML + 'languages = ["de"]\n')
    load(tmp_path, tmp_path / "kept", told)
    (tmp_path / "shop.toml").write_text(f"{TOML}languages = {languages}\n")
    catalogue = load(tmp_path, tmp_path / "kept", told)
    assert catalogue.current().shop.languages == ("de",)
    assert [words in line for line in told] == [True], told


@pytest.mark.parametrize("how", ["without", "fuzzy"])
def test_an_unfinished_language_is_not_offered_and_doctor_says_what_is_missing(
    tmp_path: Path, how: str
) -> None:
    languages = begun(tmp_path, **{how: "Sold out"})
    assert (languages.codes, list(languages.offered)) == (("en", "de", "pt"), ["en", "de"])
    assert languages.missing() == {"pt": ("Sold out",)}
    assert languages.language("pt").code == "en"
    assert languages.problem_with("pt") == (
        "has 'pt', whose translation is not finished: `coatcheck doctor` lists what is missing"
    )
    fine, warned = language_findings(languages, SHOP)
    assert (fine.words, fine.warns) == ("pages and emails are in en; others to choose from: de", False)
    assert warned.words == "pt cannot be chosen: its translation lacks 1 sentence: “Sold out”"
    assert warned.warns


def test_a_finished_language_is_offered(tmp_path: Path) -> None:
    assert list(begun(tmp_path).offered) == ["en", "de", "pt"]
