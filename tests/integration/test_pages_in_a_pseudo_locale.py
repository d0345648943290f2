"""Every page, asked for over ASGI in the pseudo-locale: what reaches a page from anywhere has been translated.

tests/unit/test_translations.py reads the templates and modules; this also sees what they are given: domain values,
names, sentences that were put together elsewhere. The shop runs in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from entrypoints.http.page import Banner
from entrypoints.http.sentences import LANGUAGE
from testkit.every_page import STORIES, public_pages
from testkit.pages_in_memory import Town
from testkit.shop_of_every_kind import GIVEN, the_edition
from testkit.translating import PAGES, Pseudo, Spoken, all_sentences, forgotten


def look(where: str, html: str) -> None:
    assert forgotten(html, allowed=GIVEN) == [], where


def a_town(folder: Path, banner: Banner | None = None) -> Town:
    return Town(folder, the_edition(), look, banner, parts={"languages": Spoken(LANGUAGE.get())})


@pytest.fixture(autouse=True)
def pseudo_locale() -> Iterator[None]:
    held = LANGUAGE.set(Pseudo(all_sentences()))
    yield
    LANGUAGE.reset(held)


def test_every_page_is_translated(tmp_path: Path) -> None:
    rendered = {"_frame.html", "_parts.html"}
    for story in STORIES:
        town = a_town(tmp_path)
        asyncio.run(story(town))
        rendered |= town.pages.rendered
    assert rendered == {path.name for path in (PAGES / "templates").iterdir()}


@pytest.mark.parametrize("banner", [Banner(), Banner(mailbox="http://127.0.0.1:1/mailbox")])
def test_the_line_above_every_page_is_translated(tmp_path: Path, banner: Banner) -> None:
    asyncio.run(public_pages(a_town(tmp_path, banner)))


def test_a_page_with_a_sentence_that_was_forgotten_is_found(tmp_path: Path) -> None:
    """The name of the shop is the merchant's own: here it stands for a sentence that nobody marked."""

    async def play() -> None:
        town = a_town(tmp_path)
        edition = town.shop.catalogue.current()
        shop = replace(edition.shop, name="Welcome to all")
        town.shop.catalogue.edition = replace(edition, shop=shop, version="2")
        await town.client().get("/")

    with pytest.raises(AssertionError, match="Welcome to all"):
        asyncio.run(play())
