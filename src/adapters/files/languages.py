"""`languages` of shop.toml: what the shop's pages and emails are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from adapters.files.reading import Reader, line_of_key
from domain.ports import SOURCE
from domain.translated_texts import ProductTexts
from domain.values import line_problem, name_problem

CheckLanguage = Callable[[str], str | None]
"""Why the shop cannot be in a language, given by its code; None if it can."""


def only_as_written(code: str) -> str | None:
    """For a catalogue whose pages nobody translates."""
    return None if code == SOURCE else f"has {code!r}, and the shop speaks {SOURCE}"


def read_languages(
    reader: Reader,
    path: Path,
    text: str,
    codes: Sequence[str],
    check: CheckLanguage,
    last: tuple[str, ...],
) -> tuple[str, ...]:
    """Those of shop.toml, or the `last` good ones while they cannot be used, which is noted."""
    problem = _problem(codes, check)
    if problem is None:
        return tuple(codes)
    reader.complain(path, f"languages {problem}", line=line_of_key(text, "languages"))
    return last


def _problem(codes: Sequence[str], check: CheckLanguage) -> str | None:
    if not codes or len(set(codes)) != len(codes):
        return 'has one language or several different ones, as in languages = ["en", "de"]'
    return next((problem for code in codes if (problem := check(code)) is not None), None)


def language_of_page(name: str) -> str:
    """`de` for `terms.de.md`; "" for `terms.md`."""
    return name.removesuffix(".md").partition(".")[2]


def read_taglines(
    reader: Reader, path: Path, text: str, taglines: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Those of the shop's other languages; the others are reported, and left out."""
    found = texts_by_language(reader, path, text, "taglines", taglines, line_problem)
    return tuple(found.items())


def texts_by_language(
    reader: Reader,
    path: Path,
    text: str,
    key: str,
    texts: Mapping[str, str],
    problem_with: Callable[[str], str | None],
) -> dict[str, str]:
    """A table with a text for each of the shop's other languages. What cannot be shown is reported, and left out."""
    found: dict[str, str] = {}
    for code, words in texts.items():
        problem = problem_with(words)
        if code not in reader.languages:
            others = ", ".join(reader.languages) or "none"
            reader.warn(
                path,
                f"{key} has {code!r}, and the shop's other languages are: {others}",
                line=line_of_key(text, key),
            )
        elif problem is not None:
            reader.warn(path, f"{key}.{code} {problem}", line=line_of_key(text, key))
        else:
            found[code] = words.strip()
    return found


def read_texts(
    reader: Reader,
    folder: Path,
    text: str,
    *,
    names: Mapping[str, str],
    summaries: Mapping[str, str],
    markdown: Callable[[str, str, str], str],
    name: str,
) -> tuple[ProductTexts, ...]:
    """What a product is called and described as in the shop's other languages.

    `markdown` renders a file of its folder, given by name, title and language; "" if there is none.
    """
    path = folder / "product.toml"
    called = texts_by_language(reader, path, text, "names", names, name_problem)
    told = texts_by_language(reader, path, text, "summaries", summaries, line_problem)
    found = (
        ProductTexts(
            language=code,
            name=called.get(code, ""),
            summary=told.get(code, ""),
            description_html=markdown("about", called.get(code, name), code),
            content_html=markdown("content", called.get(code, name), code),
        )
        for code in reader.languages
    )
    return tuple(texts for texts in found if texts != ProductTexts(language=texts.language))
