"""Sentences of pages and emails go through gettext: a pseudo-locale finds those that do not. See docs/translations.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from domain.law import LawTerms
from domain.ports import SourceLanguage
from entrypoints.http.page import Pages, in_words
from entrypoints.http.sentences import LANGUAGE, _, translated
from testkit.translating import (
    PAGES,
    Mark,
    Pseudo,
    all_marks,
    all_sentences,
    forgotten,
    unmarked_in_python,
)

TEMPLATES = sorted((PAGES / "templates").glob("*.html"))
# The form of a code, the program that makes checksums, a class of the frame.
SAME_IN_EVERY_LANGUAGE = ("XXXX-XXXX", "sha256sum", r"\bwide\b")
# Names of schema.org in structured data, which nobody sees.
NAMES_IN_EXPRESSIONS = {"BreadcrumbList", "ListItem", "Offer", "Organization", "Product"}
# Values of headers, style sheets, and the files for crawlers.
NOT_FOR_PEOPLE = re.compile(
    r"(Accept-Language, )?Cookie|User-agent: .*|<\?xml .*|<urlset .*| xmlns:.*|<xhtml:link .*| hreflang=.*|[a-z/]+;.*charset=utf-8|attachment; .*|; HttpOnly.*|; Max-Age=.*|"
    r"(public|private), .*|.*@media .*",
    re.DOTALL,
)

ROW = {"name": "<b>Book", "url": "/view/a", "known": "", "order": "1", "stamp": "", "reason": ""}
NO_LOOK = dict.fromkeys(("accent", "theme", "logo", "footer"), "")


def left(template: str) -> list[str]:
    """The words of a template, in all its branches, that are not translated."""
    text = translated(template, Pseudo().gettext)
    literals = [
        literal
        for expression in re.findall(r"{[{%].*?[%}]}", text, flags=re.S)
        for literal in re.findall(r'"([^"]*)"', expression)
        if re.search(r"[A-Za-z] [A-Za-z]|^[A-Z][a-z]", literal) and literal not in NAMES_IN_EXPRESSIONS
    ]
    html = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.S)
    return forgotten(html, allowed=SAME_IN_EVERY_LANGUAGE) + literals


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_sentence_of_a_template_is_translated(path: Path) -> None:
    assert left(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ('<h1>{{ _("Sign in") }}</h1><p>Forgotten.</p>', ["Forgotten."]),
        ('<nav aria-label="Your account">{% if x %}Or this{% endif %}</nav>', ["Your account", "Or this"]),
        (
            '<meta name="description" content="All of it"><input type="submit" value="Go">',
            ["All of it", "Go"],
        ),
        ('{{ ask_for_mail("Your address") }}{{ ask_for_mail(_("Your address")) }}', ["Your address"]),
        ("<script>let it = 'be';</script><p class=\"stack\">{{ name }} {# a remark #}</p>", []),
    ],
)
def test_a_forgotten_sentence_of_a_template_is_found(template: str, found: list[str]) -> None:
    assert left(template) == found


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.py")), ids=lambda path: path.name)
def test_every_sentence_of_a_module_is_translated(path: Path) -> None:
    found = unmarked_in_python(path.read_text(encoding="utf-8"))
    assert [text for text in found if not NOT_FOR_PEOPLE.fullmatch(text)] == []


def test_a_forgotten_sentence_of_a_module_is_found() -> None:
    source = '''
"""A module of pages."""
title, words = _("Sold out"), f"Every copy of {name} was sold."
log.warning("a line for the log")
label = "Refunded"
'''
    assert unmarked_in_python(source) == ["Refunded", "Every copy of ", " was sold."]


def wrong_with(mark: Mark) -> str:
    """What keeps a tool for translators from extracting a sentence, or a translator from its values."""
    if mark.sentences is None:
        # Only what `N_` marked elsewhere may be translated by a name.
        return (
            "" if mark.name == "_" and not isinstance(mark.call.args[0], ast.JoinedStr) else "not a literal"
        )
    if any(sentence != " ".join(sentence.split()) for sentence in mark.sentences):
        return "line breaks or indents"
    return (
        ""
        if mark.asked == mark.given or mark.name == "N_"
        else f"its values are {mark.asked}, not {mark.given}"
    )


def test_every_sentence_can_be_extracted_and_has_its_values() -> None:
    marks = all_marks()
    assert [(mark.where, wrong_with(mark)) for mark in marks if wrong_with(mark)] == []
    assert len(all_sentences()) > 300


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ('_(f"Buy {name}")', "not a literal"),
        ('N_(name)', "not a literal"),
        ('_("Buy  it")', "line breaks or indents"),
        ('_("Buy %(name)s", title=name)', "its values are {'name'}, not {'title'}"),
        ('ngettext("%(number)d try", "%(number)d tries", n)', ""),
    ],
)  # fmt: skip
def test_a_sentence_that_cannot_be_extracted_is_found(call: str, wrong: str) -> None:
    expression = ast.parse(call, mode="eval").body
    assert isinstance(expression, ast.Call)
    assert wrong_with(Mark("here", expression)) == wrong


def test_a_sentence_that_was_put_together_cannot_be_extracted() -> None:
    with pytest.raises(AssertionError, match="cannot be extracted: 'Buy The book'"):
        Pseudo(all_sentences()).gettext("Buy The book")


# ------------------------------------------------------------------ what a translation may do


def in_translation(template: str, translation: str) -> str:
    return translated(template, lambda sentence: translation)


@pytest.mark.parametrize(
    ("template", "translation", "html"),
    [
        ('<p>{{ _("a \\"b\\"") }}</p>', 'a "b" & <c>', "<p>a &quot;b&quot; &amp; &lt;c&gt;</p>"),
        ('{{ _("<b>%(a)s</b> of %(b)s", a=x.y|upper, b=z) }}', "%(b)s: <b>%(a)s</b>", "{{ z }}: <b>{{ x.y|upper }}</b>"),
        ('{{ _("<b>a</b>") }}', "<b>a</b><script>b</script><b onclick=c>", "<b>a</b>&lt;script&gt;b&lt;/script&gt;&lt;b onclick=c&gt;"),
        ('{{ _("a") }}', "{{ secret }}{% include b %}", "&#123;&#123; secret }}&#123;% include b %}"),
        ("{{ _('<a href=\"/%(a)s\">b</a>', a=a) }}", '<a href="/%(a)s">c</a>', '<a href="/{{ a }}">c</a>'),
        ('{{ macro(_("a")) }}', 'b "c" {{ d }}', '{{ macro("b \\"c\\" {{ d }}") }}'),
    ],
)  # fmt: skip
def test_a_translation_orders_its_values_and_adds_no_markup(
    template: str, translation: str, html: str
) -> None:
    assert in_translation(template, translation) == html


def test_a_translation_with_a_value_of_its_own_is_left_out() -> None:
    """One bad entry would otherwise fail every page of its language, the error pages among them."""
    assert in_translation('{{ _("a %(b)s", b=b) }}', "%(secret)s") == in_translation(
        '{{ _("a %(b)s", b=b) }}', "a %(b)s"
    )

    class Bad(SourceLanguage):
        def gettext(self, message: str) -> str:
            return f"{message} %(secret)s"

    held = LANGUAGE.set(Bad())
    try:
        assert _("a %(b)s", b=1) == "a 1"
    finally:
        LANGUAGE.reset(held)


def test_pages_and_the_sentences_of_modules_are_in_the_language_of_the_request() -> None:
    pages = Pages()
    assert "Check your email" in text_of(pages)
    held = LANGUAGE.set(Pseudo())
    try:
        assert "Ｃｈｅｃｋ ｙｏｕｒ ｅｍａｉｌ" in text_of(pages)
        assert (_("Sold out"), in_words(61)) == ("Ｓｏｌｄ ｏｕｔ", "2 ｍｉｎｕｔｅｓ")
    finally:
        LANGUAGE.reset(held)
    assert "Check your email" in text_of(pages)
    assert (_("%(name)s is free", name="100 %"), in_words(60)) == ("100 % is free", "60 seconds")


def test_a_value_with_markup_is_escaped_and_a_translated_sentence_in_an_expression_as_well() -> None:
    class Hostile(SourceLanguage):
        def gettext(self, message: str) -> str:
            return f"<i>{message}" if message == "Your email address" else message

    held = LANGUAGE.set(Hostile())
    try:
        html = Pages().render(
            "library.html", shop={"name": "A", "support": "b", **NO_LOOK, "law": LawTerms()}, noindex=True, viewer=None, banner=None, footer_links="",
            mailbox=None, returned=[], paid_with={}, rows=[{"row": ROW, "product": None, "contents": [], "downloads": []}],
        ).decode()  # fmt: skip
    finally:
        LANGUAGE.reset(held)
    assert 'Open<span class="visually-hidden"> &lt;b&gt;Book</span>' in html
    assert "&lt;i&gt;Your email address" in html


def text_of(pages: Pages) -> str:
    return pages.render(
        "check_mail.html", error=None, shop={"name": "A Shop", "support": "help@shop.example", **NO_LOOK, "law": LawTerms()}, noindex=True, viewer=None,
        banner=None, footer_links="",
    ).decode()  # fmt: skip
