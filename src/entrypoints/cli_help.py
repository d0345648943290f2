"""The help of the command line: commands in sections, and the variables that each reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click

from entrypoints.environment import HELP

ENVIRONMENT: Final = "\b\nRead from the environment and from a .env file in this folder:\n" + "\n".join(
    f"  {name:27} {text}" for name, text in HELP.items()
)


class Sections(click.Group):
    """Commands by purpose."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._sections: dict[str, Sequence[click.Command]] = {}

    def add_section(self, title: str, *commands: click.Command) -> None:
        """Add commands, and list them under this title."""
        self._sections[title] = commands
        for command in commands:
            self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Group the commands by purpose; descriptions are wrapped, never truncated."""
        for title, commands in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(command.name or "", _summary(command)) for command in commands])


def _summary(command: click.Command) -> str:
    """The first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())
