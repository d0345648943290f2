"""The catalogue of every language: complete, and its sentences take the values and the markup of the English ones."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import pytest
from babel.messages.catalog import Message
from minijinja import Environment

from adapters.languages.packaged import PackagedLanguages
from domain.ports import SOURCE
from domain.values import Money
from entrypoints.http.sentences import LANGUAGE, _, ngettext, translated
from testkit import messages
from testkit.translating import EMAILS, PAGES, marks_in_python, marks_in_template

LANGUAGES = PackagedLanguages()
CODES = [code for code in LANGUAGES.codes if code != SOURCE]
VALUE = re.compile(r"%\((\w+)\)[sd]")
TAG = re.compile(r"<[^>]*>")
COMMAND = re.compile(r"`[^`]*`")
HOSTILE = """<script>alert("1")</script> ' %s %(name)s {{ x }} {x} \\ &amp;"""
# What is the same in several languages, or names no language's word.
SAME = re.compile(
    r"%\(\w+\)s[, (·]+%\(\w+\)s\)?|Visa, Mastercard, American Express|Code:|%\(number\)d [Mm]inutes?|Name"
)


def texts(of: Any) -> tuple[str, ...]:
    return tuple(of) if isinstance(of, (tuple, list)) else (str(of),)


def known(code: str) -> list[Message]:
    return [message for message in messages.read(code) if message.id]


ALL = [(code, message) for code in CODES for message in known(code)]


def test_the_shop_speaks_six_languages() -> None:
    assert list(LANGUAGES.offered) == [SOURCE, "de", "es", "fr", "it", "nl"]


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_has_every_sentence_of_today_and_no_other(code: str) -> None:
    """If this fails: `make messages`, and translate what is new."""
    today = {texts(message.id) for message in messages.extracted() if message.id}
    assert {texts(message.id) for message in known(code)} == today


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated(code: str) -> None:
    assert list(LANGUAGES.missing().get(code, ())) == []
    same = [m.id for m in known(code) if m.id == m.string and not SAME.fullmatch(str(m.id))]
    assert [sentence for sentence in same if sentence not in BORROWED.get(code, ())] == []


# Words that a language has in common with English.
BORROWED: dict[str, set[object]] = {
    "es": {"Total"}, "fr": {"Date", "Total"}, "it": {"Account"},
    "nl": {"Account", "Product", ("%(number)d byte", "%(number)d bytes")},
}  # fmt: skip


def wrong_with(message: Message) -> str:
    """What a translation does that its sentence does not."""
    given, made = texts(message.id), texts(message.string)
    for form in made:
        if VALUE.sub("", form).count("%"):
            return "a percent sign that is no value"
        if sorted(set(VALUE.findall(form))) != sorted(set(VALUE.findall(given[0]))):
            return "other values"
        if sorted(TAG.findall(form)) != sorted(TAG.findall(given[0])):
            return "other tags"
        if sorted(COMMAND.findall(form)) != sorted(COMMAND.findall(given[0])):
            return "other commands"
        if form != " ".join(form.split(" ")).strip() or "\n" in form or re.search("[{}]", form):
            return "spaces around it, a line break or a brace"
    return ""


@pytest.mark.parametrize("code", CODES)
def test_a_translation_has_the_values_tags_and_commands_of_its_sentence(code: str) -> None:
    assert [(m.id, wrong) for m in known(code) if (wrong := wrong_with(m))] == []


@pytest.mark.parametrize(
    ("sentence", "translation", "wrong"),
    [
        ("a %(b)s", "a", "other values"),
        ("a %(b)s", "a %(c)s", "other values"),
        ("a %(b)s", "100 % %(b)s", "a percent sign that is no value"),
        ("<b>a</b>", "<b>a</b> <i>", "other tags"),
        ('<a href="/">a</a>', '<a href="//elsewhere">a</a>', "other tags"),
        ("`coatcheck doctor`", "`coatcheck erase`", "other commands"),
        ("a", " a", "spaces around it, a line break or a brace"),
        ("a", "{{ a }}", "spaces around it, a line break or a brace"),
    ],
)
def test_a_translation_that_does_more_is_found(sentence: str, translation: str, wrong: str) -> None:
    assert wrong_with(Message(sentence, translation)) == wrong


def calls() -> list[tuple[str, str, bool]]:
    """Every sentence of a template with values, as it is called there, and whether it is on a page."""
    found = []
    for path in sorted((PAGES / "templates").iterdir()) + sorted(EMAILS.glob("*.html")):
        for mark in marks_in_template(path):
            sentences = mark.sentences
            if sentences is not None:
                values = ", ".join(f"{name}={name}" for name in sorted(mark.given))
                call = f"_({sentences[0]!r}{', ' if values else ''}{values})"
                found.append((sentences[0], call, path.parent != EMAILS))
    return found


CALLS = calls()


@pytest.mark.parametrize("code", CODES)
def test_hostile_values_come_out_of_a_template_as_often_as_in_english_and_escaped(code: str) -> None:
    language, outcomes = LANGUAGES.language(code), []
    for sentence, call, on_page in CALLS:
        values = dict.fromkeys(VALUE.findall(sentence), HOSTILE)
        outcomes.append(
            (
                sentence,
                counts(rendered(call, values, language.gettext, on_page=on_page)),
                counts(rendered(call, values, lambda message: message, on_page=on_page)),
            )
        )
    assert [sentence for sentence, translation, english in outcomes if translation != english] == []
    assert sum(sum(english) for _s, _t, english in outcomes) > 300


def rendered(call: str, values: dict[str, str], gettext: Any, *, on_page: bool) -> str:
    """As pages and emails do it."""
    template = f"{{{{ {call} }}}}"
    environment = Environment(
        templates={"it.html": translated(template, gettext) if on_page else template},
        undefined_behavior="strict",
    )
    environment.add_global(
        "_", lambda sentence, **held: gettext(sentence) % held if held else gettext(sentence)
    )
    return environment.render_template("it.html", **values)


def counts(html: str) -> tuple[int, int, int]:
    """How often the hostile value is in it, escaped as minijinja does it; and the tags and scripts of the rest."""
    shown = escape(HOSTILE).replace("/", "&#x2f;").replace("&#x2F;", "&#x2f;")
    left = html.replace(shown, "")
    return html.count(shown), len(TAG.findall(left)), left.count("<script") + left.count("alert(")


@pytest.mark.parametrize("code", CODES)
def test_hostile_values_come_out_of_a_module_as_they_are(code: str) -> None:
    """Pages escape them; a percent sign in one formats nothing."""
    held = LANGUAGE.set(LANGUAGES.language(code))
    try:
        for path in sorted(PAGES.glob("*.py")):
            for mark in marks_in_python(path):
                for sentence in mark.sentences or ():
                    names = set(VALUE.findall(sentence)) - {"number"}
                    filled = (
                        ngettext(*mark.sentences or (), 2, **dict.fromkeys(names, HOSTILE))  # type: ignore[arg-type]
                        if mark.name == "ngettext"
                        else _(sentence, **dict.fromkeys(names, HOSTILE))
                    )
                    assert filled.count(HOSTILE) == len(VALUE.findall(sentence)) - sentence.count(
                        "%(number)d"
                    )
    finally:
        LANGUAGE.reset(held)


def test_a_language_is_read_once_and_an_unknown_one_is_english() -> None:
    assert LANGUAGES.language("de") is LANGUAGES.language("de")
    assert LANGUAGES.language("xx").code == LANGUAGES.language("../de").code == SOURCE
    assert LANGUAGES.problem_with("de") is None
    assert str(LANGUAGES.problem_with("xx")).startswith("has 'xx', and the shop speaks en, de")


def test_amounts_days_and_numbers_are_written_as_the_language_does() -> None:
    de, en = LANGUAGES.language("de"), LANGUAGES.language("en")
    space = "\N{NO-BREAK SPACE}"
    amounts = [Money(123450, "eur"), Money(5, "usd"), Money(12345, "jpy"), Money(1234, "kwd"), Money(120000, "isk"), Money(999_999_999_999, "eur")]  # fmt: skip
    assert [de.money(price).replace(space, " ") for price in amounts] == [
        "1.234,50 €", "0,05 $", "12.345 ¥", "1,234 KWD", "1.200 ISK", "9.999.999.999,99 €",
    ]  # fmt: skip
    assert [en.money(price) for price in amounts] == [str(price) for price in amounts]
    assert de.decimal("4.2") == "4,2"
