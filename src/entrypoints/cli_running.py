"""How a command runs: its settings, an event loop, a shop beside a server, and refusals that explain the fix."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

import click
import uvloop

from domain.ports import PaymentsRefused, PaymentsUnreachable, StoreUnavailable
from entrypoints.bucket import Bucket, read_bucket
from entrypoints.container import Container
from entrypoints.environment import SettingsRefused, read_environment
from entrypoints.maintenance.backup import NoBackup
from entrypoints.maintenance.copy_store import CannotMove
from entrypoints.places import CANNOT_BACK_UP, CANNOT_MOVE, CANNOT_OPEN, CANNOT_RESTORE, CANNOT_SET_UP
from entrypoints.run.address_watch import two_ways_on
from entrypoints.run.listener import CannotListen
from entrypoints.run.logs import log, set_up_logs
from entrypoints.run.opening import WrongShop, close_shop, open_shop
from entrypoints.safe_output import say
from entrypoints.settings import (
    Settings,
    load_settings,
)

T = TypeVar("T")

_REFUSALS: Final = (
    *CANNOT_OPEN,
    *CANNOT_RESTORE,
    *CANNOT_SET_UP,
    NoBackup,
    *CANNOT_BACK_UP,
    *CANNOT_MOVE,
    CannotMove,
    WrongShop,
    CannotListen,
    StoreUnavailable,
    PaymentsRefused,
    PaymentsUnreachable,
)


class Refusal(click.ClickException):
    """The command cannot run like this; every line explains a fix."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        """Print one line per problem, on stderr."""
        for line in self.message.splitlines():
            say(f"coatcheck: {line}", err=True)


class NothingDone(Refusal):
    """The command is right, and there is nothing to do or to show."""

    exit_code = 1


def settings_of(**instead: str) -> Settings:
    """The settings, from the environment and .env. `instead`: overrides of unneeded variables. Raises Refusal."""
    try:
        return load_settings({**os.environ, **instead}, dotenv=Path(".env"))
    except SettingsRefused as error:
        raise Refusal("\n".join(error.problems)) from error


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run to completion in an event loop. Raises Refusal for every expected failure of the environment."""

    async def main() -> T:
        return await work()

    try:
        # A Stripe delivery goes through the loop some twenty times: uvloop cuts its cost by a third.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main())
    except _REFUSALS as error:
        raise Refusal(str(error)) from error


def beside(
    work: Callable[[Container], Awaitable[T]],
    *,
    acts: bool = False,
    any_id: bool = False,
    quiet: bool = False,
) -> T:
    """Run a command beside a server, on the same database. Raises Refusal.

    `acts`: the command books or emails something, which only the shop at the database's own address may do. `any_id`:
    see `open_shop`. `quiet`: the command prints itself what the log would say of the catalogue.
    """

    async def main() -> T:
        set_up_logs()
        if quiet:
            log.setLevel(logging.CRITICAL)
        container = Container(settings=settings_of())
        await open_shop(container, any_id=any_id)
        try:
            elsewhere = container.address_watch().elsewhere
            if acts and elsewhere is not None:
                raise Refusal(two_ways_on(elsewhere))
            return await work(container)
        finally:
            await close_shop(container)

    return run(main)


def place_of(text: str, named: str) -> Path | Bucket:
    """The place of backups: a folder, or a bucket accessed with the settings' key. Raises Refusal."""
    if "://" not in text:
        return Path(text)
    try:
        env = read_environment(os.environ, dotenv=Path(".env"))
    except SettingsRefused as error:
        raise Refusal(str(error)) from error
    problems: list[str] = []
    bucket = read_bucket(
        text,
        key_id=env.aws_access_key_id,
        secret=env.aws_secret_access_key,
        region=env.aws_region,
        endpoint=env.aws_endpoint_url,
        problems=problems,
        named=named,
    )
    if bucket is None or problems:
        raise Refusal("\n".join(problems))
    return bucket


def calendar_day(_: click.Context, option: click.Parameter, text: str | None) -> date | None:
    """The day that an option names. Raises Refusal."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{option.opts[0]} is a date such as 2026-11-01, not {text!r}") from None
