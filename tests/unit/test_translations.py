"""Sentences of pages go through gettext: a pseudo-locale finds those that do not.

The sentences that have markup or values in them do not go through it yet. `LEFT` says how many lines of each template
have any: a template may only get better.
"""

from __future__ import annotations

import re
from gettext import NullTranslations
from pathlib import Path

import pytest

import entrypoints.http.page
from entrypoints.http.page import Pages, translated

TEMPLATES = Path(entrypoints.http.page.__file__).parent / "templates"
LEFT = {
    "_parts.html": 6,
    "account.html": 4,
    "awaiting_bank.html": 2,
    "buy_again.html": 4,
    "card.html": 6,
    "check_mail.html": 5,
    "closed.html": 4,
    "elsewhere.html": 3,
    "erase.html": 4,
    "erased.html": 2,
    "library.html": 7,
    "link_problem.html": 2,
    "login_confirm.html": 11,
    "no_more.html": 2,
    "not_paid.html": 3,
    "not_yours.html": 3,
    "problem.html": 1,
    "product.html": 2,
    "receipt.html": 5,
    "request_login.html": 2,
    "sessions.html": 7,
    "settling.html": 2,
    "shop.html": 4,
    "view.html": 8,
    "whose_is_it.html": 1,
}


class Pseudo(NullTranslations):
    """Marks every sentence that was translated."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"


def left(template: str) -> list[str]:
    """The lines of a template with words outside tags, expressions and sentences that were translated."""
    text = translated(template, Pseudo().gettext)
    text = re.sub(r"⟦[^⟦⟧]*⟧|{#.*?#}|{%.*?%}|{{.*?}}|<script.*?</script>", "", text, flags=re.S)
    text = re.sub(r"<[^>]*>", " ", text)
    return [line.strip() for line in text.splitlines() if re.search(r"[A-Za-z]{2}", line)]


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_sentence_without_values_can_be_translated(path: Path) -> None:
    found = left(path.read_text(encoding="utf-8"))
    assert len(found) == LEFT.get(path.name, 0), found


def test_a_forgotten_sentence_is_found() -> None:
    assert left('<h1>{{ _("Sign in") }}</h1><p>Forgotten.</p>') == ["Forgotten."]


def test_a_sentence_is_translated_and_escaped() -> None:
    assert (
        translated('<p>{{ _("a \\"b\\"") }}</p>', lambda text: f"{text} & <c>")
        == '<p>a "b" &amp; &lt;c&gt;</p>'
    )


def test_a_page_is_in_the_language_of_its_translations() -> None:
    assert "Check your email" in text_of(Pages())
    assert "⟦Check your email⟧" in text_of(Pages(Pseudo()))


def text_of(pages: Pages) -> str:
    return pages.render(
        "check_mail.html", error=None, shop={"name": "A Shop", "support": "help@shop.example"}, noindex=True, viewer=None,
        banner=None, footer_links="",
    ).decode()  # fmt: skip
