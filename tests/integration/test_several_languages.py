"""A shop in several languages: addresses, the choice, what is remembered, and what the merchant wrote in each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from domain.mail import MailKind
from domain.product import CatalogueEdition, Page
from domain.translated_texts import PageText, ProductTexts
from domain.values import ProductId
from entrypoints.http.prepared import Prepared
from entrypoints.http.speech import accepted, way_back
from testkit.pages_in_memory import Client, Town
from testkit.shop_of_every_kind import the_edition

ANNA = "anna@mail.test"
CODES = ("en", "de", "fr")
GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.8"}


def an_edition() -> CatalogueEdition:
    edition = the_edition()
    book = edition.products[ProductId("book")]
    texts = (ProductTexts("de", name="Das Buch", summary="Alles darüber.", content_html="<p>Geheim.</p>"),)
    terms = Page(
        "terms", "Terms", "<p>Be kind.</p>", texts=(PageText("de", "AGB", "<p>Seien Sie nett.</p>"),)
    )
    return replace(
        edition,
        shop=replace(edition.shop, languages=CODES, taglines=(("de", "Aus Tests"),)),
        products={**edition.products, book.id: replace(book, texts=texts)},
        pages={"terms": terms},
    )


def play(folder: Path, story: Callable[[Town], Awaitable[None]]) -> Town:
    town = Town(folder, an_edition(), lambda where, html: None)
    asyncio.run(story(town))  # type: ignore[arg-type]  # each is a coroutine
    return town


def spoken(html: str) -> str:
    found = re.search(r'<html lang="([^"]*)">', html)
    assert found is not None, html[:200]
    return found[1]


def test_a_public_page_has_an_address_in_each_language_and_shows_the_merchants_texts(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        guest = town.client()
        for root, code, name, tagline in (
            ("", "en", "The book", "Of tests"),
            ("/de", "de", "Das Buch", "Aus Tests"),
            ("/fr", "fr", "The book", "Of tests"),
        ):
            home = await guest.get(f"{root}/")
            assert (spoken(home), name in home, tagline in home) == (code, True, True)
            product = await guest.get(f"{root}/products/book")
            assert (spoken(product), f"<h1>{name}</h1>" in product) == (code, True)
            assert f'<link rel="canonical" href="http://localhost:1{root}/products/book">' in product
            for other, at in (("en", ""), ("de", "/de"), ("fr", "/fr"), ("x-default", "")):
                assert (
                    f'<link rel="alternate" hreflang="{other}" href="http://localhost:1{at}/products/book">'
                    in product
                )
            assert f'action="{root}/buy/book"' in product
            page = await guest.get(f"{root}/pages/terms")
            assert ("Seien Sie nett." in page) == (code == "de")
        assert spoken(await guest.get("/de")) == "de"
        for path in ("/de/library", "/de/nowhere", "/xx/", "/en/", "/de/static/shop.css", "/de/admin"):
            await guest.get(path, status=404)

    play(tmp_path, story)


def test_links_of_a_page_stay_in_its_language(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        html = await town.client().get("/de/")
        links = [link.replace("&#x2f;", "/") for link in re.findall(r'<a [^>]*href="([^"]*)"', html)]
        pages = [link for link in links if link == "/" or link.startswith(("/products", "/pages"))]
        assert pages == []
        assert {"/de/", "/de/products/book", "/de/pages/terms"} <= set(links)

    play(tmp_path, story)


def test_the_first_page_leads_a_guest_to_their_language_and_no_other_public_page_does(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        guest = town.client()
        await guest.get("/", status=302, **GERMAN)
        assert (guest.headers["location"], guest.headers["cache-control"]) == ("/de/", "no-store")
        assert guest.headers["vary"] == "Accept-Language, Cookie"
        for headers in ({}, {"accept-language": "en"}, {"accept-language": "ja"}, {"accept-language": "*"}):
            assert spoken(await guest.get("/", **headers)) == "en"
            assert guest.headers["vary"].startswith("Accept-Language, Cookie")
        assert spoken(await guest.get("/products/book", **GERMAN)) == "en"
        assert spoken(await guest.get("/pages/terms", **GERMAN)) == "en"
        assert spoken(await guest.get("/fr/", **GERMAN)) == "fr"
        assert spoken(await guest.get("/request-login", **GERMAN)) == "de"
        assert spoken(await guest.get("/request-login")) == "en"

    play(tmp_path, story)


def test_a_choice_is_kept_in_a_cookie_and_leads_back_to_the_page(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        guest = town.client()
        assert (
            '<button class="plain" name="language" value="de" lang="de">Deutsch</button>'
            in await guest.get("/")
        )
        for back, there in (
            ("/products/book", "/de/products/book"), ("/", "/de/"), ("/library", "/library"),
            ("//evil.example", "/de/"), ("https://evil.example", "/de/"), ("/\\evil.example", "/de/"), ("", "/de/"),
        ):  # fmt: skip
            await guest.post("/language", status=303, language="de", back=back)
            assert guest.headers["location"] == there
        assert guest.cookies["language"] == "de"
        await guest.get("/", status=302)
        assert spoken(await guest.get("/request-login")) == "de"
        assert spoken(await guest.get("/products/book")) == "en"
        await guest.post("/language", status=303, language="en", back="/")
        assert spoken(await guest.get("/", **GERMAN)) == "en"
        await guest.post("/language", status=303, language="xx", back="/products/book")
        assert (guest.headers["location"], guest.cookies["language"]) == ("/products/book", "en")

    play(tmp_path, story)


def test_a_buyer_is_spoken_to_in_the_language_of_the_page_they_bought_on(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        buyer = town.client()
        await buyer.post("/de/buy/book", status=303)
        ref = next(iter(town.shop.payments.sessions))
        assert town.shop.payments.languages[ref] == "de"
        town.shop.payments.pay(ref, email=ANNA)
        town.shop.hear_of(ref)
        town.shop.deliver_mail()
        [letter] = [mail.letter for mail in town.shop.memory.tables.outbox.values()]
        assert letter is not None
        assert letter.subject == "Ihr Kauf: Das Buch"
        [user] = town.shop.memory.tables.users.values()
        assert user.language == "de"
        assert spoken(await buyer.get("/library")) == "de"
        # On another device, signing in brings the language along.
        other = town.client()
        await town.follow(other, ANNA)
        assert spoken(await other.get("/library")) == "de"
        # What they choose while signed in is the language of their emails from then on.
        await other.post("/language", status=303, language="fr", back="/library")
        [user] = town.shop.memory.tables.users.values()
        assert user.language == "fr"
        await other.post("/request-login", email=ANNA)
        town.shop.deliver_mail()
        letters = [
            mail.letter for mail in town.shop.memory.tables.outbox.values() if mail.kind is MailKind.LOGIN
        ]
        assert [letter and letter.subject for letter in letters] == ["Connexion à A Shop"]

    play(tmp_path, story)


def test_a_free_order_is_confirmed_in_the_language_of_its_page(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        client = town.client()
        assert spoken(await client.post("/fr/buy/gift", email=ANNA)) == "fr"
        town.shop.deliver_mail()
        [mail] = town.shop.memory.tables.outbox.values()
        assert mail.letter is not None
        assert mail.letter.subject.startswith("Confirmez votre commande")

    play(tmp_path, story)


def test_the_sitemap_lists_every_page_in_every_language(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        xml = await town.client().get("/sitemap.xml")
        assert xml.count("<loc>") == 3 * xml.count("<loc>http://localhost:1/de/")
        assert '<xhtml:link rel="alternate" hreflang="fr" href="http://localhost:1/fr/products/book"/>' in xml
        assert (
            '<xhtml:link rel="alternate" hreflang="x-default" href="http://localhost:1/pages/terms"/>' in xml
        )

    play(tmp_path, story)


def test_many_pages_in_many_languages_take_no_more_than_so_much(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        guest: Client = town.client()
        pages = town.container.shop_pages()
        for code in ("", "/de", "/fr"):
            for pid in ("book", "photos", "wish", "set"):
                await guest.get(f"{code}/products/{pid}")
        kept = pages._rendered
        assert {code: len(held.pages) for code, held in kept.items()} == {"en": 4, "de": 4, "fr": 4}
        held = kept["de"]
        assert held.size == sum(len(page.body) for page in held.pages.values())
        oldest, more = next(iter(held.pages)), Prepared(b"x" * 100, "text/html")
        held.keep(("/more", "", frozenset()), more, most=held.size + 50)
        assert (len(held.pages), oldest in held.pages) == (4, False)
        held.keep(("/most", "", frozenset()), more, most=100)
        assert ([*held.pages], held.size) == ([("/most", "", frozenset())], 100)

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (b"de", "de"), (b"de-AT", "de"), (b"DE", "de"), (b"fr;q=0.5,de;q=0.9", "de"), (b"fr,de", "fr"), (b"ja", "en"),
        (b"", "en"), (b"*", "en"), (b"de;q=0", "en"), (b"de;q=2", "en"), (b"ja,de;q=0.1", "de"), (b"\xff\x00", "en"),
        (b"en-GB,de;q=0.9", "en"), (b"fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"), (b"de," * 2000, "de"),
    ],
)  # fmt: skip
def test_the_language_that_a_browser_asks_for(asked: bytes, code: str) -> None:
    assert accepted(asked, CODES) == code


def test_a_way_back_is_a_path_of_the_shop() -> None:
    for path in ("//a", "/a//b", "a", "https://a", "/a?b", "/a\r\nb", "/a b"):
        assert way_back(path, "de", CODES) == "/de/", path
