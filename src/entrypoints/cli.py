"""The command line: `coatcheck demo | serve | doctor | status | export | reconcile | backup | restore | move | …`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TextIO, TypeVar

import click
import uvloop

from domain.ports import PaymentsRefused, PaymentsUnreachable, StoreUnavailable
from domain.usecases.announce import Announced
from domain.values import ProductId
from entrypoints.bucket import Bucket, read_bucket
from entrypoints.cli_output import (
    erasure_lines,
    export_lines,
    reconciled_lines,
    registered_lines,
    status_lines,
)
from entrypoints.container import (
    CANNOT_BACK_UP,
    CANNOT_MOVE,
    CANNOT_OPEN,
    CANNOT_RESTORE,
    CANNOT_SET_UP,
    Container,
    tutorial_file,
)
from entrypoints.environment import HELP, read_environment
from entrypoints.maintenance.backup import NoBackup
from entrypoints.maintenance.copy_store import CannotMove
from entrypoints.maintenance.erasures import BadErasures, read_erasures
from entrypoints.maintenance.progress import progress
from entrypoints.run.listener import Address, CannotListen
from entrypoints.run.logs import BatchedLines, log, log_what_python_prints, set_up_logs
from entrypoints.run.opening import WrongShop, close_shop, open_shop
from entrypoints.run.processes import Workers, command_of, die_with_parent
from entrypoints.run.server import serve
from entrypoints.safe_output import say
from entrypoints.settings import (
    PostgresAddress,
    Settings,
    SettingsRefused,
    load_settings,
    read_database,
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
_ENVIRONMENT: Final = "\b\nRead from the environment and from a .env file in this folder:\n" + "\n".join(
    f"  {name:27} {text}" for name, text in HELP.items()
)


class Refusal(click.ClickException):
    """Cannot be done like this; every line says what to do."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        """One line a problem, on stderr."""
        for line in self.message.splitlines():
            say(f"coatcheck: {line}", err=True)


def _settings(**instead: str) -> Settings:
    """`instead`: variables that do not matter to a command."""
    try:
        return load_settings({**os.environ, **instead}, dotenv=Path(".env"))
    except SettingsRefused as error:
        raise Refusal("\n".join(error.problems)) from error


def _run(work: Callable[[], Awaitable[T]]) -> T:
    async def main() -> T:
        return await work()

    try:
        # A delivery of Stripe's passes the loop some twenty times: uvloop takes a third off its cost.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main())
    except _REFUSALS as error:
        raise Refusal(str(error)) from error


def _beside(work: Callable[[Container], Awaitable[T]]) -> T:
    """Run a command beside a server, on the same database."""

    async def main() -> T:
        set_up_logs()
        container = Container(settings=_settings())
        await open_shop(container)
        try:
            return await work(container)
        finally:
            await close_shop(container)

    return _run(main)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="coatcheck")
def main() -> None:
    """A self-hosted storefront for digital products where nobody ever makes a password.

    Try it without any keys: coatcheck demo
    """


@main.command()
def demo() -> None:
    """Run a shop with example products and a stand-in for Stripe and the mail service, on this machine only.

    Needs no keys, reads no .env, and keeps its data in .coatcheck-demo. PORT chooses the port (default 8000; the
    stand-in takes the next one).
    """
    from entrypoints.demo import run_demo  # noqa: PLC0415 - the stand-in is not part of a shop that sells

    try:
        port = int(os.environ.get("PORT") or "8000")
    except ValueError:
        raise Refusal("PORT is a number, such as 8000") from None
    _run(lambda: run_demo(port))


@main.command("serve", epilog=_ENVIRONMENT)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes (SQLite: 1)."
)
@click.option("--inherited", type=int, hidden=True, help="The socket of the process that watches this one.")
@click.option("--watched-by", type=int, default=0, hidden=True, help="That process.")
@click.option("--ssl-certfile", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="For TLS.")
@click.option("--ssl-keyfile", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="For TLS.")
def serve_command(
    host: str,
    port: int,
    workers: int,
    inherited: int | None,
    watched_by: int,
    ssl_certfile: Path | None,
    ssl_keyfile: Path | None,
) -> None:
    """Run the shop: pages, webhook and mail, in one process; on PostgreSQL in several, if you like."""
    if inherited is not None:
        die_with_parent(watched_by)
    settings = _settings()
    if workers > 1 and isinstance(settings.database, Path):
        raise Refusal(
            "--workers: SQLite is served by one process, which is fast enough for most; leave it at 1, "
            "or set DATABASE_URL to a database on PostgreSQL"
        )
    if (ssl_certfile is None) != (ssl_keyfile is None):
        raise Refusal("--ssl-certfile and --ssl-keyfile go together: give both, or none behind a proxy")
    address = Address(host=host, port=port, certificate=ssl_certfile, key=ssl_keyfile, inherited=inherited)
    lines = set_up_logs()
    log_what_python_prints()
    if workers > 1:
        _watch(settings, address, workers, lines)
        return
    container = Container(settings=settings, serving=True, log_access=lines.access)

    def when_up() -> None:
        log.info(
            "shop is open", extra={"fields": {"base_url": settings.base_url, "host": host, "port": port}}
        )

    _run(lambda: serve(container, address, lines=lines, when_up=when_up))


def _watch(settings: Settings, address: Address, workers: int, lines: BatchedLines) -> None:
    """Open the shop once, so that what is wrong is said once; then start the workers and look after them."""

    async def main() -> None:
        container = Container(settings=settings)
        await open_shop(container)
        await close_shop(container)
        options = ["--host", address.host, "--port", str(address.port)]
        if address.certificate is not None and address.key is not None:
            options += ["--ssl-certfile", str(address.certificate), "--ssl-keyfile", str(address.key)]
        with address.listen() as listening:
            await Workers(listening, command_of(*options), workers).run()
        lines.flush()

    _run(main)


@main.command(epilog=_ENVIRONMENT)
def doctor() -> None:
    """Check settings, catalogue, database, Stripe and mail, and say what to do about each."""
    from entrypoints.maintenance.doctor import examine  # noqa: PLC0415 - calls out; nothing else here does

    findings = asyncio.run(examine(os.environ, dotenv=Path(".env")))
    for finding in findings:
        mark = click.style(" ok ", fg="green")
        if finding.warns:
            mark = click.style("  ! ", fg="yellow")
        if not finding.fine:
            mark = click.style(" !! ", fg="red", bold=True)
        say(f" {finding.about}: {finding.words}", mark=mark)
    if not all(finding.fine for finding in findings):
        sys.exit(1)


@main.command("stripe-setup")
def stripe_setup() -> None:
    """Have Stripe report to BASE_URL/webhook what the shop follows, and print the signing secret.

    Run again, it brings the events up to date; it never makes a second endpoint.
    """
    settings = _settings(STRIPE_WEBHOOK_SECRET="whsec_to_be_told")  # noqa: S106 - the real one is what this is run for
    for line in _run(lambda: registered_lines(Container(settings=settings))):
        say(line)


@main.command()
@click.option("--dismiss", metavar="CS_ID", help="Close a quarantine entry that is no sale of this shop.")
@click.option("--send-again", metavar="KEY", help="Send a mail again, with a new link, under a new key.")
def status(dismiss: str | None, send_again: str | None) -> None:
    """Sales in figures, mails that are stuck and why, payments in quarantine and why. Exits 1 if anything waits."""
    report = _beside(lambda container: status_lines(container, dismiss=dismiss, send_again=send_again))
    for line in report.lines:
        say(line)
    if not report.all_well:
        sys.exit(1)


@main.command()
def export() -> None:
    """Write every record to stdout, as JSON lines: users, purchases, mails, quarantine entries."""

    async def work(container: Container) -> None:
        with progress("Writing", shown=not sys.stdout.isatty()) as done:
            async for line in export_lines(container):
                sys.stdout.buffer.write(line)
                done(1)
        sys.stdout.buffer.flush()

    _beside(work)


@main.command()
def reconcile() -> None:
    """Ask Stripe for sales, refunds and disputes that no webhook told of, and book what is missing.

    Exits 1 if something had to be repaired, fits nothing, or could not be asked about.
    """

    async def work(container: Container) -> bool:
        with progress("Asking Stripe") as done:
            found = await container.reconcile()(look=lambda _: done(1))
        for line in reconciled_lines(found):
            say(line)
        return found.all_well

    if not _beside(work):
        sys.exit(1)


@main.command()
@click.option(
    "--again", type=click.File("r"), help="Erase anew, after a restore of PostgreSQL, whom FILE names."
)
def erasures(again: TextIO | None) -> None:
    """Write the orders and (hashed) addresses that were erased to stdout, to be kept beside the dumps of PostgreSQL.

    A dump is older than the erasures after it: after a restore, --again erases those people once more. (SQLite's
    backups carry them by themselves.)
    """

    from entrypoints.maintenance.backup_commands import unknown_lines  # noqa: PLC0415 - as in `demo`

    async def work(container: Container) -> None:
        if again is None:
            async for line in erasure_lines(container):
                say(line)
            return
        if isinstance(container.settings().database, Path):
            raise Refusal("on SQLite `coatcheck restore` does this by itself")
        try:
            erasures = read_erasures(again, name=again.name)
        except (BadErasures, UnicodeDecodeError) as error:
            raise Refusal(f"{error}; give the output of `coatcheck erasures` as it is") from error
        found = await container.erase_again()(erasures.orders, erasures.addresses)
        for line in (f"{found.orders} orders are erased that were not", *unknown_lines(found)):
            say(line)

    _beside(work)


@main.command()
@click.argument("product")
def announce(product: str) -> None:
    """Mail the owners of PRODUCT that there is a new version of it, except those who want no news.

    May be run again: nobody hears of the same files twice.
    """

    async def work(container: Container) -> None:
        seen = 0

        def look(told: Announced) -> None:
            nonlocal seen
            before, seen = seen, told.queued + told.known + told.left_out
            done(seen - before)

        with progress("Telling owners") as done:
            found = await container.announce()(ProductId(product), look=look)
        if found is None:
            raise Refusal(f"there is no product {product!r} in the catalogue")
        click.echo(
            f"{found.queued} owners are being told; {found.known} knew already, {found.left_out} left out"
        )

    _beside(work)


@main.command()
@click.argument("target")
def backup(target: str) -> None:
    """Back up database and goods to TARGET, a folder or s3://bucket/prefix, while the shop goes on.

    It is consistent and holds no secret. Contents that are there already are not copied again; who was erased is
    carried apart, so that restoring an older backup erases them again. If TARGET ends with .db, the database alone is
    copied to that file.
    """
    from entrypoints.maintenance.backup_commands import backed_up_lines, copy_database  # noqa: PLC0415 - as in `demo`

    if target.endswith(".db"):
        lines = _beside(lambda container: copy_database(container, Path(target)))
    else:
        place = _place(target, "TARGET")
        lines = _beside(lambda container: backed_up_lines(container, place))
    for line in lines:
        say(line)


@main.command()
@click.argument("source")
@click.option("--check", is_flag=True, help="Read all of the backup, say what it holds, and change nothing.")
def restore(source: str, check: bool) -> None:
    """Restore the newest backup in SOURCE, a folder or s3://bucket/prefix, or the one that SOURCE itself names.

    Only where there is no database, and while nothing is served. Afterwards `coatcheck reconcile` brings back what was
    sold since.
    """
    from entrypoints.maintenance.backup import split_source  # noqa: PLC0415 - as in `demo`
    from entrypoints.maintenance.backup_commands import looked_lines, restored_lines  # noqa: PLC0415 - as in `demo`

    settings = _settings()
    where, name = split_source(source)
    place = _place(where, "SOURCE")
    container = Container(settings=settings)
    if check:
        lines, sound = _run(lambda: looked_lines(container, place, name))
    else:
        lines, sound = _run(lambda: restored_lines(container, place, name)), True
    for line in lines:
        say(line)
    if not sound:
        sys.exit(1)


@main.command()
@click.argument("source")
@click.argument("target")
@click.option("--product", "renamed", metavar="OLD=NEW", multiple=True,
              help="What a product of the tutorial's is called here; as often as needed.")  # fmt: skip
def move(source: str, target: str, renamed: tuple[str, ...]) -> None:
    """Move a shop from SOURCE (sqlite:///path) to TARGET (postgresql://user:password@host:5432/name).

    While nobody serves it. Everything is counted and hashed on both sides, the source is left as it is, and it may be
    run again at any time. SOURCE may also be the file of a shop built along the tutorial: its sales are then moved into
    a shop of this catalogue, on postgresql:// or in a new sqlite:///path. Exits 1 if rows of it were left out.
    """
    from entrypoints.maintenance.copy_commands import adopted_lines, moved_lines  # noqa: PLC0415 - as in `demo`

    problems: list[str] = []
    here = read_database(source, problems=problems, named="SOURCE")
    there = read_database(target, problems=problems, named="TARGET")
    if isinstance(here, PostgresAddress):
        problems.append(
            "SOURCE is sqlite:///…: between servers a database is moved by pg_dump and pg_restore"
        )
    problems += [
        f"--product is written like p1=the-book, not {pair!r}" for pair in renamed if "=" not in pair
    ]
    if problems or isinstance(here, PostgresAddress):
        raise Refusal("\n".join(problems))
    old = tutorial_file(here)
    if old is None:
        told = _run(lambda: asyncio.to_thread(moved_lines, here, there))
    else:
        settings = _settings()
        names = dict(pair.split("=", 1) for pair in renamed)
        told = _run(lambda: adopted_lines(settings, old, there, names))
    for line in told.lines:
        say(line)
    if not told.all_well:
        sys.exit(1)


def _place(text: str, named: str) -> Path | Bucket:
    """A folder, or a bucket with the key of the settings."""
    if "://" not in text:
        return Path(text)
    env = read_environment(os.environ, dotenv=Path(".env"))
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


if __name__ == "__main__":
    main()
