"""`coatcheck init`: a new shop in a folder of its own, from three answers."""

from __future__ import annotations

import secrets
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from entrypoints.cli_running import Refusal
from entrypoints.new_shop import (
    Answers,
    InTheWay,
    files_of,
    in_the_way,
    read_currency,
    read_name,
    read_support,
    write_shop,
)
from entrypoints.safe_output import say

_CURRENCY: Final = "usd"
_SECRET_BYTES: Final = 48
_UNFIT: Final = frozenset("\"'\\$*?[")
"""Characters that mean something in a systemd unit or a shell."""
_MADE: Final = (
    ("catalogue/shop.toml", "name, currency and support address"),
    ("catalogue/first-product/", "one product, to copy and change"),
    ("catalogue/pages/", "terms, refunds, privacy"),
    (".env", "settings, with a new SESSION_SECRET; only you can read it"),
    (".gitignore", "keeps .env and data/ out of git"),
    ("coatcheck.service", "a systemd unit"),
    ("compose.yaml", "Docker Compose, with Caddy in front"),
)
_NEXT: Final = (
    ("coatcheck stripe-setup", "registers the webhook with Stripe and prints STRIPE_WEBHOOK_SECRET"),
    ("coatcheck doctor", "says what is missing, and lists the example texts to replace"),
    ("coatcheck serve", "opens the shop"),
)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", help="The shop's name.")
@click.option("--currency", help=f"The currency of prices, such as eur (default: {_CURRENCY}).")
@click.option("--support", metavar="EMAIL", help="The address for customers, and for notices to you.")
def init(*, folder: Path, name: str | None, currency: str | None, support: str | None) -> None:
    """Make a new shop in DIR: a catalogue with one product, .env with a new secret, a systemd unit and a compose file.

    Asks for whatever no option gives. Nothing that exists is changed.
    """
    try:
        home = _home(folder)
        answers = _answers(name, currency, support)
        program = Path(sysconfig.get_path("scripts")) / "coatcheck"
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        write_shop(folder, files_of(answers, folder=home, program=program, secret=secret))
    except InTheWay as error:
        raise Refusal(f"{error} exists already; nothing was written") from error
    except OSError as error:
        raise Refusal(f"{error.filename or folder}: {error.strerror}; nothing was written") from error
    for line in _report(folder):
        say(line)


def _home(folder: Path) -> Path:
    """The real path of a folder that a shop can be made in. Raises Refusal, OSError."""
    if folder.exists() and not folder.is_dir():
        raise Refusal(f"{folder} is not a folder; nothing was written")
    if there := in_the_way(folder):
        raise Refusal(f"{folder} has {', '.join(there)} already: name another folder; nothing was written")
    home = folder.absolute().resolve()
    if not str(home).isprintable() or _UNFIT & set(str(home)):
        words = "has a quotation mark, backslash, $, *, ?, [ or control character in its path: name another folder"
        raise Refusal(f"{folder} {words}; nothing was written")
    return home


def _answers(name: str | None, currency: str | None, support: str | None) -> Answers:
    """From options, and on a terminal from questions. Raises Refusal with every problem."""
    asks = sys.stdin.isatty()
    if not asks and (name is None or support is None):
        raise Refusal(
            "there is no terminal to ask on: give --name and --support (and --currency, if it is not "
            f"{_CURRENCY}); nothing was written"
        )
    problems: list[str] = []
    given = (
        _checked(name, read_name, problems),
        _checked(currency if asks or currency is not None else _CURRENCY, read_currency, problems),
        _checked(support, read_support, problems),
    )
    if problems:
        raise Refusal("\n".join(f"--{problem}" for problem in problems))
    return Answers(
        name=given[0] if given[0] is not None else _ask("Name of the shop", read_name),
        currency=given[1] if given[1] is not None else _ask("Currency", read_currency, default=_CURRENCY),
        support=given[2] if given[2] is not None else _ask("Support address", read_support),
    )


def _checked(text: str | None, read: Callable[[str], str], problems: list[str]) -> str | None:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        problems.append(str(error))
        return None


def _ask(question: str, read: Callable[[str], str], *, default: str | None = None) -> str:
    """Ask until the answer is good."""

    def answer(text: str) -> str:
        try:
            return read(text)
        except ValueError as error:
            raise click.UsageError(str(error)) from error

    return str(click.prompt(question, default=default, value_proc=answer))


def _report(folder: Path) -> list[str]:
    width = max(len(path) for path, _ in _MADE) + 2
    return [
        f"Made in {folder}:",
        *(f"  {path:{width}}{words}" for path, words in _MADE),
        "",
        f"Fill in {folder / '.env'}. Then, in {folder}:",
        *(f"  {command:{width}}{words}" for command, words in _NEXT),
    ]
