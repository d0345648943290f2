"""`languages` in shop.toml, and translations that are not finished."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from adapters.files.last_good import LastGood
from adapters.languages.packaged import CATALOGUE, FOLDER, PackagedLanguages
from domain.product import ShopInfo
from domain.translations import in_language
from domain.values import EmailAddress, ProductId
from entrypoints.maintenance.checks.languages import language_findings

BOOK = ProductId("book")
TOML = 'name = "A"\ncurrency = "usd"\nsupport = "a@b.example"\n'
SEVERAL = 'shop.toml:4: languages has one language or several different ones, as in languages = ["en", "de"]'
SHOP = ShopInfo(id="a", name="A", tagline="", support=EmailAddress("a@b.example"), currency="usd")


def load(root: Path, kept: Path, told: list[str]) -> FolderCatalogue:
    return FolderCatalogue(
        root,
        complain=told.append,
        shelve=lambda path: ("ab" * 32, path.stat().st_size),
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
        ('["de", "en", "de"]', SEVERAL),
        ("[]", SEVERAL),
        ('["de", "xx"]', "shop.toml:4: languages has 'xx', and the shop speaks en, de"),
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


def write(root: Path, **files: str) -> None:
    """`book__about_de_md` for `book/about.de.md`."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_what_the_merchant_wrote_in_other_languages_is_read_and_what_is_missing_is_as_in_the_first(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        shop_toml=TOML + 'languages = ["en", "de", "fr"]\n[taglines]\nde = "Kleines"\nes = "Nada"\n',
        book__product_toml='name = "Book"\nprice = "9"\nsummary = "Read."\n[names]\nde = "Buch"\n[summaries]\nfr = "Lire."\n',
        book__about_md="About.", book__about_de_md="# Buch\n\nDarum *geht* es.",
        book__content_md="It.", book__content_fr_md="![x](shown.png)",
        pages__terms_md="# Terms\n\nBe kind.", pages__terms_de_md="# AGB\n\nSeien Sie nett.",
    )  # fmt: skip
    (tmp_path / "book" / "shown.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    told: list[str] = []
    catalogue = load(tmp_path, tmp_path / "kept", told)
    edition = catalogue.current()
    english, german, french = (in_language(edition, code).products[BOOK] for code in ("en", "de", "fr"))
    assert (english.name, german.name, french.name) == ("Book", "Buch", "Book")
    assert (german.summary, french.summary) == ("Read.", "Lire.")
    assert german.description_html == "<p>Darum <em>geht</em> es.</p>\n"
    assert french.description_html == english.description_html
    assert "/media/book/shown.png" in french.content_html
    assert [file.name for file in edition.products[BOOK].media] == ["shown.png"]
    pages = in_language(edition, "de").pages
    assert [(page.slug, page.title) for page in pages.values()] == [("terms", "AGB")]
    assert [in_language(edition, code).shop.tagline for code in ("de", "fr")] == ["Kleines", ""]
    assert in_language(edition, "en") is edition
    assert told == []
    assert [
        "taglines has 'es', and the shop's other languages are: de, fr" in line for line in catalogue.warnings
    ] == [True]


def test_a_page_in_a_language_that_the_shop_does_not_speak_is_reported(tmp_path: Path) -> None:
    write(tmp_path, shop_toml=TOML, pages__terms_md="# Terms", pages__terms_de_md="# AGB")
    told: list[str] = []
    load(tmp_path, tmp_path / "kept", told)
    assert ["terms.de.md" in line for line in told] == [True]
