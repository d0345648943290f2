"""A pseudo-locale: every translated sentence is in fullwidth letters, so a plain letter is one that nobody marked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import adapters.templates.emails
import entrypoints.http.page
from domain.ports import Language, SourceLanguage

PAGES = Path(entrypoints.http.page.__file__).parent
EMAILS = Path(adapters.templates.emails.__file__).parent / "mail"
_WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(33, 127) if chr(code).isalnum()})
_KEPT = re.compile(r"(<[^>]*>|%\(\w+\)[sd])")
_MARKS = ("_", "ngettext", "N_")
_SEEN = ("alt", "title", "placeholder", "aria-label")
_VALUE = re.compile(r"%\((\w+)\)[sd]")


_WORDS = """
    the you your yours this that these those with and of it its for from not no have been by are is was to we our
    paid buy sold price order file payment page back address purchase link can cannot an free left
"""
_ENGLISH = frozenset(_WORDS.split())
"""Words that most English sentences have one of."""
_ALSO_IN = {
    "de": {"was", "an", "link"}, "es": {"no"}, "fr": {"page", "an"}, "it": {"no", "link", "file"},
    "nl": {"is", "was", "of", "we", "link", "back"},
}  # fmt: skip
"""Those that are words of another language, too."""
_MONTHS = "January|February|March|April|June|July|August|October|December"
_ENGLISH_FORMATS = re.compile(rf"[$€£¥]\d|\d\.\d\d\s?[$€]|\d ({_MONTHS}) \d")
"""Amounts and dates as English writes them."""


class Pseudo(SourceLanguage):
    """Translates what `known` holds; anything else is a sentence that no tool would find."""

    def __init__(self, known: frozenset[str] | None = None) -> None:
        self._known = known

    def gettext(self, message: str, /) -> str:
        assert self._known is None or message in self._known, f"cannot be extracted: {message!r}"
        return "".join(
            part if _KEPT.fullmatch(part) else part.translate(_WIDE) for part in _KEPT.split(message)
        )

    def ngettext(self, one: str, many: str, number: int, /) -> str:
        return self.gettext(one if number == 1 else many)


class Spoken:
    """The languages of a shop that has this one alone."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self.offered = [language.code]

    def language(self, code: str, /) -> Language:
        return self._language

    def missing(self) -> dict[str, tuple[str, ...]]:
        return {}


class _Visible(HTMLParser):
    """What a person sees or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self._hidden += tag in ("script", "style")
        names = [*_SEEN]
        if tag == "meta" and held.get("name") == "description":
            names.append("content")
        if tag == "input" and held.get("type") in ("submit", "button", "reset"):
            names.append("value")
        self.words += [held[name] or "" for name in names if name in held]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def visible(html: str) -> list[str]:
    """The texts that a person sees or hears of a page."""
    parser = _Visible()
    parser.feed(html)
    parser.close()
    return parser.words


def forgotten(html: str, *, allowed: tuple[str, ...] = ()) -> list[str]:
    """The visible texts of a page in the pseudo-locale that have plain words, but for the `allowed` ones."""
    return plain_words(visible(html), allowed=allowed)


def english_in(texts: list[str], code: str, *, allowed: tuple[str, ...] = ()) -> list[str]:
    """The texts of a page in another language that look English, but for what is `allowed`: regular expressions."""
    found = []
    for text in texts:
        rest = re.sub("|".join(allowed), "", text) if allowed else text
        words = set(re.findall(r"[^\W\d_]+", rest.lower())) - _ALSO_IN.get(code, set())
        if words & _ENGLISH or _ENGLISH_FORMATS.search(rest):
            found.append(" ".join(text.split()))
    return found


def plain_words(texts: list[str], *, allowed: tuple[str, ...] = ()) -> list[str]:
    """The texts that have plain words, but for the `allowed` ones: regular expressions."""
    left = ((text, re.sub("|".join(allowed), "", text) if allowed else text) for text in texts)
    return [" ".join(text.split()) for text, rest in left if re.search(r"[A-Za-z]{2}", rest)]


@dataclass(frozen=True)
class Mark:
    """A call of `_`, `ngettext` or `N_` in a file."""

    where: str
    call: ast.Call

    @property
    def sentences(self) -> list[str] | None:
        """As a translator gets them; None if they are not written there."""
        given = self.call.args[: 2 if self.name == "ngettext" else 1]
        texts = [node.value for node in given if isinstance(node, ast.Constant)]
        return [str(text) for text in texts] if len(texts) == len(given) else None

    @property
    def name(self) -> str:
        assert isinstance(self.call.func, ast.Name)
        return self.call.func.id

    @property
    def given(self) -> set[str]:
        """The names of its values."""
        return {keyword.arg or "" for keyword in self.call.keywords} | (
            {"number"} if self.name == "ngettext" else set()
        )

    @property
    def asked(self) -> set[str]:
        """The names of the values in its sentences."""
        return {name for sentence in self.sentences or () for name in _VALUE.findall(sentence)}


def marks_in_python(path: Path) -> Iterator[Mark]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKS:
            yield Mark(f"{path.name}:{node.lineno}", node)


def marks_in_template(path: Path) -> Iterator[Mark]:
    for line, mark in marks_in(path.read_text(encoding="utf-8")):
        yield Mark(f"{path.name}:{line}", mark.call)


def marks_in(template: str) -> Iterator[tuple[int, Mark]]:
    """Each with its line."""
    for found in re.finditer(r"\b(?:_|ngettext)\(", template):
        expression = ast.parse(_balanced(template[found.start() :]), mode="eval").body
        assert isinstance(expression, ast.Call)
        line = template.count("\n", 0, found.start()) + 1
        yield line, Mark(f"line {line}", expression)


def _balanced(text: str) -> str:
    """From the beginning to the bracket that closes the first one."""
    depth, quote, before = 0, "", ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and before != "\\" else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "()":
            depth += 1 if letter == "(" else -1
            if not depth:
                return text[: at + 1]
        before = letter
    raise AssertionError(f"never closed: {text[:80]}")


def all_marks() -> list[Mark]:
    """Every sentence of the pages and emails."""
    return [
        *(mark for path in sorted(PAGES.glob("*.py")) for mark in marks_in_python(path)),
        *(mark for path in sorted((PAGES / "templates").iterdir()) for mark in marks_in_template(path)),
        *(mark for path in sorted(EMAILS.iterdir()) for mark in marks_in_template(path)),
    ]


def all_sentences() -> frozenset[str]:
    """The texts of all of them, as a tool for translators would extract them."""
    return frozenset(sentence for mark in all_marks() for sentence in mark.sentences or ())


def unmarked_in_python(source: str) -> list[str]:
    """Strings that read as words for people, and are neither marked, nor documentation, nor for the log."""
    tree = ast.parse(source)
    fine: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in (*_MARKS, "TypeVar"):
                fine.update(ast.walk(node))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))) | ast.Raise() | ast.Assert():
                fine.update(ast.walk(node))
            case ast.Expr(value=ast.Constant()):
                fine.add(node.value)
            case ast.AnnAssign():
                fine.update(ast.walk(node.annotation))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in fine
        and re.search(r"[A-Za-z]{2,}[,:;.]? [A-Za-z]|^[A-Z][a-z]{2,}$", node.value)
    ]  # fmt: skip
