"""`make messages`: every sentence of pages and emails into the catalogue of each language.

A new sentence comes without a translation, one that resembles an old one with the old translation, marked as fuzzy.
Either keeps its language from being offered until somebody has seen to it. `make messages LANGUAGE=pt` begins another.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from adapters.languages.packaged import CATALOGUE, FOLDER
from testkit.translating import EMAILS, PAGES, marks_in

KEYWORDS: Final[dict[str, Any]] = {"_": None, "N_": None, "ngettext": (1, 2)}
# Where sentences are, and how Babel finds them there: https://babel.pocoo.org/en/latest/messages.html
MAPPING: Final[tuple[tuple[Path, str, str], ...]] = (
    (PAGES, "*.py", "python"),
    (PAGES / "templates", "*.html", "testkit.messages:extract_template"),
    (EMAILS, "*.html", "testkit.messages:extract_template"),
    (EMAILS, "*.txt", "testkit.messages:extract_template"),
)
_CHANGES: Final = re.compile(
    r'^"(?:Project-Id-Version|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By|Report-Msgid-Bugs-To): .*\n', re.M
)  # fmt: skip
"""What would differ each time that the catalogue is written."""
_WIDTH: Final = 110


def extract_template(
    file: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """The sentences of a minijinja template, for Babel."""
    for line, mark in marks_in(file.read().decode()):
        sentences = mark.sentences
        if sentences is not None:
            yield line, mark.name, tuple(sentences) if len(sentences) > 1 else sentences[0], []


def extracted() -> Catalog:
    """A catalogue without translations: every sentence, and in which files it is."""
    catalogue = Catalog(project="Coatcheck", charset="utf-8")
    for folder, pattern, method in MAPPING:
        for path in sorted(folder.glob(pattern)):
            found = extract_from_file(_method(method), path, keywords=KEYWORDS)
            for line, message, comments, context in found:
                catalogue.add(message, locations=[(path.name, line)], auto_comments=comments, context=context)
    return catalogue


def _method(name: str) -> Any:
    return extract_template if name.startswith("testkit.") else name


def read(code: str) -> Catalog:
    """The catalogue of a language; an empty one if there is none yet."""
    path = FOLDER / code / CATALOGUE
    if not path.exists():
        return Catalog(locale=code, project="Coatcheck", charset="utf-8", fuzzy=False)
    with path.open("rb") as source:
        return read_po(source, locale=code)


def updated(code: str) -> str:
    """The catalogue of a language as it is with the sentences of today."""
    catalogue = read(code)
    catalogue.update(extracted(), update_header_comment=False)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    catalogue.header_comment = f"# Coatcheck in {catalogue.locale.get_display_name('en')}."  # type: ignore[union-attr]
    written = io.BytesIO()
    write_po(written, catalogue, width=_WIDTH, sort_by_file=True, include_lineno=False)
    return _CHANGES.sub("", written.getvalue().decode())


def main(codes: list[str]) -> None:
    """Update all catalogues, and begin those of `codes`."""
    known = {path.parent.parent.name for path in FOLDER.glob(f"*/{CATALOGUE}")}
    for code in sorted(known | set(codes)):
        path = FOLDER / code / CATALOGUE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(updated(code), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
