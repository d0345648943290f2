"""The languages that ship with the shop: a gettext catalogue for each, read when the language is first needed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from domain.ports.languages import AS_WRITTEN, SOURCE, Language

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

FOLDER: Final = Path(__file__).parent / "locale"
CATALOGUE: Final = Path("LC_MESSAGES") / "coatcheck.po"


class PackagedLanguages:
    """See Languages. A shop in English reads no catalogue, and does not load Babel."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """`folder` has one for each language, named by its code."""
        self._folder = folder
        self._known: dict[str, Language] = {SOURCE: AS_WRITTEN}
        self._unfinished: dict[str, tuple[str, ...]] = {}

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Those that have a catalogue, finished or not, and SOURCE."""
        return SOURCE, *sorted(path.parent.parent.name for path in self._folder.glob(f"*/{CATALOGUE}"))

    @property
    def offered(self) -> Sequence[str]:
        """See Languages."""
        unfinished = self.missing()
        return [code for code in self.codes if code not in unfinished]

    def language(self, code: str) -> Language:
        """See Languages."""
        if code not in self._known and code not in self._unfinished and code in self.codes:
            self._read(code)
        return self._known.get(code, self._known[SOURCE])

    def missing(self) -> Mapping[str, tuple[str, ...]]:
        """See Languages."""
        for code in self.codes:
            self.language(code)
        return self._unfinished

    def problem_with(self, code: str) -> str | None:
        """Why a shop cannot be in a language; None if it can."""
        if self.language(code).code == code:
            return None
        if code in self._unfinished:
            return (
                f"has {code!r}, whose translation is not finished: `coatcheck doctor` lists what is missing"
            )
        return f"has {code!r}, and the shop speaks {', '.join(self.offered)}"

    def _read(self, code: str) -> None:
        from babel.messages.mofile import write_mo  # noqa: PLC0415 - a shop in English needs none of this
        from babel.messages.pofile import read_po  # noqa: PLC0415 - as above

        from adapters.languages.translated import Translated  # noqa: PLC0415 - as above

        with (self._folder / code / CATALOGUE).open("rb") as source:
            catalogue = read_po(source, locale=code)
        untranslated = missing_in(catalogue)
        if untranslated:
            self._unfinished[code] = untranslated
            return
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        self._known[code] = Translated(code, compiled)


def missing_in(catalogue: Catalog) -> tuple[str, ...]:
    """The sentences of a catalogue that have no translation, or one that is to be looked at again (fuzzy)."""
    return tuple(str(_first(message.id)) for message in catalogue if message.id and not _is_done(message))


def _is_done(message: Message) -> bool:
    held = message.string
    forms = held if isinstance(held, (tuple, list)) else (held,)
    return all(forms) and not message.fuzzy


def _first(texts: object) -> object:
    """Of a sentence that goes with a number, its singular."""
    return texts[0] if isinstance(texts, (tuple, list)) else texts
