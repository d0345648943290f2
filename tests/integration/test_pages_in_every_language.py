"""Every page of a shop in each language that it can be in: no English is left, and amounts and dates are the language's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.languages.packaged import PackagedLanguages
from domain.ports import SOURCE
from entrypoints.http.page import Banner
from entrypoints.http.sentences import LANGUAGE
from testkit.every_page import ANNA, STORIES
from testkit.pages_in_memory import Town
from testkit.shop_of_every_kind import the_edition
from testkit.translating import PAGES, english_in, visible

LANGUAGES = PackagedLanguages()
CODES = [code for code in LANGUAGES.offered if code != SOURCE]
# What a shop or its customer wrote.
THEIRS = (
    r"A Shop|Of tests|Be kind\.|(All about|The secret of) the \w+\.|About it\.|\bIt\b|\bit\.txt",
    r"The (book|photos|gift|wish|rare|gone|old|quiet|later|secret|set)|Firefox on Linux",
    r"[\w.•]+@[\w.]+",
)


def a_town(folder: Path, code: str, seen: list[tuple[str, str]]) -> Town:
    edition = the_edition()
    edition = replace(edition, shop=replace(edition.shop, languages=(code,)))
    return Town(folder, edition, lambda where, html: seen.append((where, html)), Banner())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """The pages of a town are answered in the context of its test."""
    held = LANGUAGE.set(LANGUAGE.get())
    yield
    LANGUAGE.reset(held)


@pytest.mark.parametrize("code", CODES)
def test_no_english_is_left_on_any_page(tmp_path: Path, code: str) -> None:
    rendered, seen = {"_frame.html", "_parts.html"}, list[tuple[str, str]]()
    for story in STORIES:
        town = a_town(tmp_path, code, seen)
        asyncio.run(story(town))
        rendered |= town.pages.rendered
    assert rendered == {path.name for path in (PAGES / "templates").iterdir()}
    left = [
        (where, text) for where, html in seen for text in english_in([*visible(html)], code, allowed=THEIRS)
    ]
    assert sorted(set(left)) == []
    assert [(where, html[:80]) for where, html in seen if html and f'<html lang="{code}">' not in html] == []


@pytest.mark.parametrize("code", CODES)
def test_an_email_is_in_the_language_of_the_shop(tmp_path: Path, code: str) -> None:
    town = a_town(tmp_path, code, [])
    asyncio.run(town.bought(town.client(), ANNA))
    letters = [mail.letter for mail in town.shop.memory.tables.outbox.values() if mail.letter]
    assert letters
    for letter in letters:
        assert (
            english_in(
                [letter.subject, *letter.text.splitlines()], code, allowed=(*THEIRS, r"https?://\S+|{{\S+}}")
            )
            == []
        )


@pytest.mark.parametrize(("code", "asked"), [("de", "de"), ("nl", "nl"), (SOURCE, "")])
def test_the_payment_page_is_asked_for_in_the_language_of_the_shop(
    tmp_path: Path, code: str, asked: str
) -> None:
    """A shop in English leaves it to the shopper's browser, as before there were other languages."""
    town = a_town(tmp_path, code, [])
    ref = asyncio.run(town.started(town.client()))
    assert town.shop.payments.languages[ref] == asked


def test_an_amount_a_day_and_a_size_on_a_page_are_german(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    town = a_town(tmp_path, "de", seen)

    async def play() -> None:
        client = await town.signed_in(ANNA)
        await client.get("/products/later")
        await client.get("/library")
        await client.get("/products/wish")
        await client.post("/buy/wish", status=400, amount="a lot")

    asyncio.run(play())
    html = "".join(page for _, page in seen).replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "9,00 $",
        "Im Verkauf ab 24. Dezember 2026, 18:00 UTC",
        "zum Beispiel 10,00.",
        'value="2,00"',
    ):
        assert words in html, words


def test_a_stranger_sees_no_difference_between_the_back_office_and_what_does_not_exist(
    tmp_path: Path,
) -> None:
    town = a_town(tmp_path, "de", [])

    async def play() -> list[str]:
        client, found = town.client(), []
        for path in ("/nowhere", "/admin/nowhere", "/admin/sales/nothing"):
            html = await client.get(path, status=404)
            found.append(html.replace(client.headers["x-request-id"], ""))
        html = await client.ask("PUT", "/admin", b"", 404, {})
        found.append(html.replace(client.headers["x-request-id"], ""))
        return found

    pages = asyncio.run(play())
    assert '<html lang="de">' in pages[0]
    assert [title(html) for html in pages] == [title(pages[0])] * 4


def title(html: str) -> list[str]:
    return re.findall("<title>.*?</title>|<h1>.*?</h1>|<html[^>]*>", html)
