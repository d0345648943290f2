"""The sentences of pages, in the visitor's language. docs/translations.md explains how to mark one."""

from __future__ import annotations

import ast
import json
import re
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from typing import TYPE_CHECKING, Final

from domain.ports import AS_WRITTEN, Language
from domain.values import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LANGUAGE: Final[ContextVar[Language]] = ContextVar("language", default=AS_WRITTEN)
"""The language of the current request."""

_LITERAL: Final = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_CALL: Final = re.compile(rf"""\{{\{{ (_\((?:{_LITERAL})(?:, \w+=.*?)?\)) \}}\}}|\b_\(({_LITERAL})\)""")
_TAG: Final = re.compile(r"(<[^>]*>)")
_VALUE: Final = re.compile(r"%\((\w+)\)s")
_NAMED: Final = re.compile(r"%\((\w+)\)[sd]")


def _(sentence: str, **values: object) -> str:
    """A sentence in the language of the request, with its values: `_("%(name)s is closed", name=name)`."""
    language = LANGUAGE.get()
    translated = _fitting(sentence, language.gettext(sentence))
    return translated % _written(values, language) if values else translated


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The singular or plural sentence for a number, available as `%(number)d`."""
    language = LANGUAGE.get()
    translated = _fitting(f"{one} {many}", language.ngettext(one, many, number))
    return translated % {"number": number, **_written(values, language)}


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Sentences in this language for a while."""
    held = LANGUAGE.set(language)
    try:
        yield
    finally:
        LANGUAGE.reset(held)


def money(price: Money) -> str:
    """An amount in the language of the request: `$9.00`."""
    return LANGUAGE.get().money(price)


def _written(values: dict[str, object], language: Language) -> dict[str, object]:
    """The values of a sentence, with amounts as the language writes them."""
    return {
        name: language.money(value) if isinstance(value, Money) else value for name, value in values.items()
    }


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a sentence in a table that is made at import; `_` translates it when a page is made."""
    return sentence


def translated(template: str, gettext: Callable[[str], str]) -> str:
    """A template in one language: its sentences are translated once, so requests pay nothing.

    `{{ _("sentence", name=value) }}` becomes the sentence with `{{ value }}` in it, so values are escaped as usual.
    Tags in a translation count as tags only if the sentence has the same ones; the rest is text.
    """
    return _CALL.sub(lambda found: _in_place(found, gettext), template)


def _in_place(found: re.Match[str], gettext: Callable[[str], str]) -> str:
    if found[2] is not None:  # inside an expression: a string for a string
        return json.dumps(gettext(ast.literal_eval(found[2])), ensure_ascii=False)
    call = ast.parse(found[1], mode="eval").body
    assert isinstance(call, ast.Call)
    sentence: str = ast.literal_eval(call.args[0])
    values = {keyword.arg: ast.get_source_segment(found[1], keyword.value) for keyword in call.keywords}
    tags = frozenset(_TAG.findall(sentence))
    translation = _fitting(sentence, gettext(sentence))
    text = "".join(part if part in tags else _as_text(part) for part in _TAG.split(translation))
    return _VALUE.sub(lambda value: f"{{{{ {values[value[1]]} }}}}", text)


def _fitting(sentence: str, translation: str) -> str:
    """The translation, or the sentence itself if the translation names a value that the sentence lacks."""
    return translation if set(_NAMED.findall(translation)) <= set(_NAMED.findall(sentence)) else sentence


def _as_text(words: str) -> str:
    """Escape markup, attribute quotes and template syntax."""
    return escape(words, quote=False).replace('"', "&quot;").replace("{", "&#123;")
