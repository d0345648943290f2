"""The files of a product: what product.toml lists, or all of files/ that can be offered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from adapters.files.names import can_be_shown, composed, is_litter, is_set_aside
from adapters.files.reading import Reader, line_of_key
from domain.values import line_problem

MOST_FILES: Final = 1000
_MOST_ENTRIES: Final = 20_000


class ListedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of `files` in product.toml."""

    name: str
    title: str = ""


class FoundFile(NamedTuple):
    """A file that is there: where, and how customers see it."""

    path: Path
    name: str
    title: str


def find_files(
    reader: Reader, path: Path, text: str, listed: Sequence[str | ListedFile] | None
) -> list[FoundFile]:
    """What product.toml (`path`, `text`) lists, in its order; all of files/ if it lists nothing."""
    folder, line = path.parent / "files", line_of_key(text, "files")
    before = len(reader.problems)
    present = reader.entries(folder, at_most=_MOST_ENTRIES)
    if len(reader.problems) > before:
        return []
    found = _all_of(reader, folder, present) if listed is None else None
    if len(listed or found or ()) > MOST_FILES:
        reader.complain(path, f"a product has at most {MOST_FILES} files", line=line)
        return []
    if found is not None:
        return [file for file in found if reader.opens(file.path)]
    return _listed(reader, path, present, listed or (), line=line)


def _all_of(reader: Reader, folder: Path, present: Sequence[str]) -> list[FoundFile]:
    """What is left of a folder without what nobody sells. What may be missed there is warned of."""
    found: dict[str, FoundFile] = {}
    for entry in present:
        path, name = folder / entry, composed(entry)
        if path.is_dir():
            if not is_set_aside(entry):
                reader.warn(
                    path,
                    "is a folder: what is in it is not offered. Pack it into one file, or move its files up",
                )
        elif is_litter(entry):
            continue
        elif not can_be_shown(name):
            reader.warn(path, "has a name that no page can show, so it is not offered: rename it")
        elif name in found:
            reader.warn(
                path,
                "has the same name as another file (accents are encoded in two ways), and is not offered",
            )
        else:
            found[name] = FoundFile(path=path, name=name, title=name)
    return list(found.values())


def _listed(
    reader: Reader,
    path: Path,
    present: Sequence[str],
    listed: Sequence[str | ListedFile],
    *,
    line: int | None,
) -> list[FoundFile]:
    folder = path.parent / "files"
    by_form = {composed(entry): entry for entry in present}
    found: list[FoundFile] = []
    for item in listed:
        named = ListedFile(name=item) if isinstance(item, str) else item
        name, problem = named.name, line_problem(named.title)
        if not name or Path(name).name != name or not can_be_shown(name):
            reader.complain(path, f"files has {name!r}: write the plain name of a file in files/", line=line)
            continue
        if problem is not None:
            reader.complain(path, f"the title of files/{name} {problem}", line=line)
            continue
        there = folder / by_form.get(composed(name), name)
        file = folder / name if os.path.lexists(folder / name) else there
        if not os.path.lexists(file):
            reader.complain(path, f"files/{name} is not there", line=line)
        elif reader.opens(file):
            shown = composed(name)
            found.append(FoundFile(path=file, name=shown, title=named.title or shown))
    return found
