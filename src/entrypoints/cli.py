"""The command line: `coatcheck demo | init | serve | doctor | status | export | backup | restore | move | …`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TextIO

import click
import msgspec

from domain.rights import NotAllowed
from domain.usecases.announce import Announced
from domain.usecases.request_login import NotAnAddress
from domain.usecases.send_owner_link import OwnerLink
from domain.values import ProductId
from entrypoints.acting import actor_here, asked_here, new_form
from entrypoints.cli_announce import no_product, trial_lines
from entrypoints.cli_audit import audit
from entrypoints.cli_by_hand import book, correct, erase, merge, note, replace_key, sign_out
from entrypoints.cli_copies import backup, move, restore
from entrypoints.cli_customer import customer, resend
from entrypoints.cli_decide import reopen, revoke
from entrypoints.cli_emails import emails
from entrypoints.cli_export import export
from entrypoints.cli_grant import grant
from entrypoints.cli_help import ENVIRONMENT, Sections
from entrypoints.cli_import import import_sales
from entrypoints.cli_init import init
from entrypoints.cli_output import (
    erasure_lines,
    reconciled_lines,
    registered_lines,
    status_lines,
)
from entrypoints.cli_preview import preview
from entrypoints.cli_refund import refund
from entrypoints.cli_running import NothingDone, Refusal, beside, run, settings_of
from entrypoints.cli_sales import sales, sums
from entrypoints.cli_staff import staff
from entrypoints.cli_withdrawals import withdrawals
from entrypoints.cli_words import NOT_ALLOWED, counted
from entrypoints.container import Container
from entrypoints.demo_shops import USUAL, demo_shops
from entrypoints.maintenance.erasures import BadErasures, read_erasures
from entrypoints.maintenance.progress import progress
from entrypoints.order_lines import owner_link_line
from entrypoints.run.listener import Address
from entrypoints.run.logs import BatchedLines, log, log_what_python_prints, set_up_logs
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.run.processes import Workers, command_of, die_with_parent
from entrypoints.run.server import serve
from entrypoints.safe_output import say
from entrypoints.settings import Settings


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="coatcheck")
def main() -> None:
    """A self-hosted shop for digital products, without passwords.

    Try it without any keys: coatcheck demo
    """


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on: 0.0.0.0 or :: in a container, whose published ports are reached from outside.",
)
@click.option(
    "--shop",
    default=USUAL,
    show_default=True,
    type=click.Choice(demo_shops()),
    help="The example shop to open.",
)
@click.option("--empty", is_flag=True, help="Begin a new demo without the four weeks of invented sales.")
def demo(host: str, shop: str, *, empty: bool) -> None:
    """Run a demo shop with example products and a stand-in for Stripe and email, on this machine only.

    The demo needs no keys and reads no .env. Its data, mailbox and payments are kept in the folder .coatcheck-demo
    (with --shop, the name follows) and are there again at the next start. While it runs, every other command works in
    that folder. Set PORT to choose the port (default: the first from 8000 that is free; the stand-in takes the next
    one).
    """
    from entrypoints.demo import run_demo  # noqa: PLC0415 - the stand-in is not part of a shop that sells

    try:
        port = int(os.environ["PORT"]) if os.environ.get("PORT") else None
    except ValueError:
        raise Refusal("PORT is a number, such as 8000") from None
    if port is not None and not 0 < port < 65535:
        raise Refusal("PORT is a number from 1 to 65534, such as 8000; the stand-in takes the next one")
    run(lambda: run_demo(port, host, shop, empty=empty))


@click.command("serve", epilog=ENVIRONMENT)
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
    """Serve the shop: pages, webhook and email, in one process (or several on PostgreSQL)."""
    if inherited is not None:
        die_with_parent(watched_by)
    settings = settings_of()
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

    def container() -> Container:
        return Container(settings=settings, serving=True, log_access=lines.access)

    def when_up() -> None:
        log.info(
            "shop is open", extra={"fields": {"base_url": settings.base_url, "host": host, "port": port}}
        )

    # Built in the loop, where Ctrl-C is a request to stop: the container's library swallows a KeyboardInterrupt.
    run(lambda: serve(container(), address, lines=lines, when_up=when_up))


def _watch(settings: Settings, address: Address, workers: int, lines: BatchedLines) -> None:
    """Open the shop once, so that a problem is reported once; then start and supervise the workers."""

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

    run(main)


@click.command(epilog=ENVIRONMENT)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(*, as_json: bool) -> None:
    """Check settings, catalogue, database, Stripe and email, and explain how to fix each problem."""
    from entrypoints.maintenance.doctor import examine  # noqa: PLC0415 - calls out; nothing else here does

    log.addHandler(logging.NullHandler())  # the findings have the mistakes of the catalogue, too
    findings = asyncio.run(examine(os.environ, dotenv=Path(".env")))
    if as_json:
        click.echo(msgspec.json.encode(findings))
        sys.exit(0 if all(finding.fine for finding in findings) else 1)
    for finding in findings:
        mark = click.style(" ok ", fg="green")
        if finding.warns:
            mark = click.style("  ! ", fg="yellow")
        if not finding.fine:
            mark = click.style(" !! ", fg="red", bold=True)
        say(f" {finding.about}: {finding.words}", mark=mark)
    if not all(finding.fine for finding in findings):
        sys.exit(1)


@click.command("stripe-setup")
def stripe_setup() -> None:
    """Register BASE_URL/webhook at Stripe for the events that the shop needs, and print the signing secret.

    Run it again to update the list of events; it never registers a second endpoint.
    """
    settings = settings_of(STRIPE_WEBHOOK_SECRET="whsec_to_be_told")  # noqa: S106 - the real one is what this is run for
    for line in run(lambda: registered_lines(Container(settings=settings))):
        say(line)


@click.command()
@click.option("--dismiss", metavar="ID",
              help="Close a quarantine entry, or take a bounced email (its key) or a refund off the list.")  # fmt: skip
@click.option("--reason", default="", metavar="TEXT",
              help="Why, for the audit log; a quarantine entry is closed only with a reason.")  # fmt: skip
@click.option("--send-again", metavar="KEY", help="Send an email again, with a new link, under a new key.")
@click.option("--send-refused", is_flag=True, help="Send all refused emails again, with new links.")
def status(dismiss: str | None, reason: str, send_again: str | None, send_refused: bool) -> None:
    """Show the shop in figures, and what waits: the list that the back office shows as "To do".

    Exits with 1 if anything needs attention.
    """
    report = beside(
        lambda container: status_lines(
            container, dismiss=dismiss, reason=reason, send_again=send_again, send_refused=send_refused
        ),
        acts=send_again is not None or send_refused,
        quiet=True,
    )
    for line in report.lines:
        say(line)
    if not report.all_well:
        sys.exit(1)


@click.command()
def reconcile() -> None:
    """Fetch sales, refunds and disputes that no webhook delivered from Stripe, and book what is missing.

    Exits with 1 if something had to be repaired, matches no sale, or could not be fetched.
    """

    async def work(container: Container) -> bool:
        with progress("Asking Stripe") as done:
            form = new_form(container.randomness())
            found = await container.reconcile_by_hand()(actor=actor_here(), form=form, look=lambda _: done(1))
        if isinstance(found, NotAllowed):
            raise NothingDone(NOT_ALLOWED)
        for line in reconciled_lines(found):
            say(line)
        return found.all_well

    if not beside(work, acts=True):
        sys.exit(1)


@click.command("send-link")
@click.argument("order")
@click.argument("address")
def send_link(order: str, address: str) -> None:
    """Email ADDRESS a link for ORDER, which was paid with an address that cannot receive email.

    The order belongs to ADDRESS once the link is used, in any browser, within a day; until then nothing changes. Make
    sure that ADDRESS belongs to the customer. `coatcheck status` lists the orders.
    """

    async def work(container: Container) -> OwnerLink | NotAllowed | NotAnAddress:
        form = new_form(container.randomness())
        return await container.send_link()(order, address, actor=actor_here(), form=form)

    sent = beside(work, acts=True)
    if isinstance(sent, NotAllowed):
        raise NothingDone(NOT_ALLOWED)
    if sent is not OwnerLink.QUEUED:
        raise Refusal(owner_link_line(sent, order=order))
    say(owner_link_line(sent, order=order))


@click.command()
@click.option(
    "--again",
    type=click.File("r"),
    help="Re-apply the erasures listed in FILE (after restoring a PostgreSQL dump).",
)
def erasures(again: TextIO | None) -> None:
    """Write erased orders and (hashed) addresses to stdout, to keep beside PostgreSQL dumps.

    A dump does not know the erasures made after it: after restoring it, re-apply them with --again. Backups of SQLite
    contain their erasures.
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
        asked = asked_here(container.clock(), container.randomness())
        found = await container.erase_again()(erasures.orders, erasures.addresses, asked=asked)
        for line in (f"{found.orders} orders are erased that were not", *unknown_lines(found)):
            say(line)

    beside(work)


@click.command()
@click.argument("product")
@click.option("--dry-run", is_flag=True, help="Count the owners and print the email, and send nothing.")
@click.option("--test", "test", metavar="ADDRESS", help="Send the email to this address alone.")
def announce(product: str, dry_run: bool, test: str | None) -> None:
    """Email the owners of PRODUCT that a new version is available, except those who opted out.

    Safe to run again: nobody is notified twice of the same files.
    """

    async def work(container: Container) -> None:
        if dry_run or test:
            for line in await trial_lines(container, ProductId(product), test):
                say(line)
            return
        seen = 0

        def look(told: Announced) -> None:
            nonlocal seen
            before, seen = seen, told.queued + told.known + told.left_out
            done(seen - before)

        with progress("Notifying owners") as done:
            form = new_form(container.randomness())
            found = await container.announce()(ProductId(product), actor=actor_here(), form=form, look=look)
        if found is None:
            raise no_product(product)
        if isinstance(found, NotAllowed):
            raise NothingDone(NOT_ALLOWED)
        click.echo(
            f"Notifying {counted(found.queued, 'owner')}; notified before: {found.known}; skipped: {found.left_out}"
        )

    beside(work, acts=True)


@click.command("confirm-address")
@click.option(
    "--copy", is_flag=True, help="This database is a copy of a shop that is still running: give it a new id."
)
def confirm_address(copy: bool) -> None:
    """Let the shop sell, send and sign in under BASE_URL after its database was served under another address.

    The database keeps its address, so that a copy beside the real shop only shows its pages. If the shop moved, run
    this without options. With --copy (and a new SESSION_SECRET) the database becomes a separate shop with a new id.
    Pending payments and unsent emails stay with the original.
    """
    from entrypoints.maintenance.address_commands import confirmed_lines, copied_lines  # noqa: PLC0415 - as in `demo`

    for line in beside(copied_lines if copy else confirmed_lines, any_id=copy):
        say(line)


main.add_section("Start", demo, init, doctor, stripe_setup, serve_command)
main.add_section(
    "Every day", status, sales, sums, customer, resend, send_link, grant, refund, withdrawals, revoke, reopen, preview,
    announce,
    emails, reconcile, export, import_sales, audit, staff,
)  # fmt: skip
main.add_section("Customers", correct, merge, replace_key, note, sign_out, erase, book)
main.add_section("Rescue", backup, restore, erasures, move, confirm_address)

if __name__ == "__main__":
    main()
