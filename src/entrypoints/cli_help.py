"""The help of the command line: commands in sections, and the variables that each reads."""

from __future__ import annotations

from typing import Final

import click

from entrypoints.environment import HELP

ENVIRONMENT: Final = "\b\nRead from the environment and from a .env file in this folder:\n" + "\n".join(
    f"  {name:27} {text}" for name, text in HELP.items()
)
_SECTIONS: Final = {
    "Start": ("demo", "init", "doctor", "stripe-setup", "serve"),
    "Every day": ("status", "sales", "customer", "resend", "send-link", "announce", "reconcile", "export"),
    "Rescue": ("backup", "restore", "erasures", "move", "confirm-address"),
}


class Sections(click.Group):
    """Commands by purpose."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Group the commands by purpose; descriptions are wrapped, never truncated."""
        for title, names in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, _summary(self.commands[name])) for name in names])


def _summary(command: click.Command) -> str:
    """The first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())
