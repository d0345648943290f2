"""The example shops that the demo can open, each with its own folder of data."""

from __future__ import annotations

import os
import secrets
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

USUAL: Final = "cloakroom-press"
_HERE: Final = Path(__file__).parent
_OTHERS: Final = _HERE / "example_shops"
_FOLDER: Final = ".coatcheck-demo"
_SECRET_BYTES: Final = 32


def demo_shops() -> list[str]:
    """The names of the example shops, the usual one first."""
    return [USUAL, *sorted(path.name for path in _OTHERS.iterdir() if (path / "shop.toml").exists())]


@dataclass(frozen=True, slots=True)
class DemoShop:
    """One of the example shops, in the present folder."""

    name: str
    """One of `demo_shops`."""

    @property
    def folder(self) -> Path:
        """Its database, its log, its mailbox and payments, and its catalogue."""
        return Path(_FOLDER if self.name == USUAL else f"{_FOLDER}-{self.name}")

    @property
    def catalogue(self) -> Path:
        """The copy of its catalogue that can be edited."""
        return self.folder / "catalogue"

    @property
    def _example(self) -> Path:
        return _HERE / "example_catalogue" if self.name == USUAL else _OTHERS / self.name

    @property
    def sender(self) -> str:
        """EMAIL_FROM: the shop's name, at the domain of its support address."""
        shop = tomllib.loads((self._example / "shop.toml").read_text(encoding="utf-8"))
        return f"{shop['name']} <tickets@{shop['support'].rpartition('@')[2]}>"

    def unpack(self) -> None:
        """Copy the catalogue into the folder, unless it is there."""
        if not self.catalogue.exists():
            shutil.copytree(self._example, self.catalogue)

    def session_secret(self) -> str:
        """The SESSION_SECRET of this folder, made at the first start: links in earlier emails stay valid."""
        file = self.folder / "session-secret"
        try:
            found = file.read_text(encoding="ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            found = ""
        if len(found) == 2 * _SECRET_BYTES:
            return found
        made = secrets.token_hex(_SECRET_BYTES)
        _write_for_its_owner(file, made)
        return made

    def let_commands_in(self, variables: Mapping[str, str]) -> None:
        """Write the settings of this start to `.env` in the folder: commands that are run there find the shop.

        They run beside the demo, as they do beside `serve`.
        """
        there = {**variables, "CATALOGUE": self.catalogue.name, "DATA_DIR": "."}
        lines = [f"{name}={_quoted(value)}\n" for name, value in there.items()]
        _write_for_its_owner(
            self.folder / ".env", f"# Written by each start of `coatcheck demo`.\n{''.join(lines)}"
        )


def _write_for_its_owner(file: Path, text: str) -> None:
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as writing:
        writing.write(text)


def _quoted(value: str) -> str:
    """As python-dotenv reads it: everything in single quotes is taken as it is."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
