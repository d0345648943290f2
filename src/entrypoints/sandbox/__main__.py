"""`python -m entrypoints.sandbox --port 8001 --shop http://localhost:8000 --webhook-secret whsec_…`"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click

from entrypoints.run.listener import Address, CannotListen, Listener
from entrypoints.sandbox.app import build_sandbox
from entrypoints.sandbox.kept import Keeper, Taken
from entrypoints.sandbox.world import MAIL_WEBHOOK_SECRET, World


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option("--shop", default="http://localhost:8000", show_default=True, help="The shop's BASE_URL.")
@click.option(
    "--webhook-secret", default="whsec_sandbox", show_default=True, help="What events are signed with."
)
@click.option(
    "--mail-webhook-secret",
    default=MAIL_WEBHOOK_SECRET,
    show_default=True,
    help="What mail webhooks are signed with; empty: none are sent.",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file for its state, which is read at the next start; without it, all is forgotten.",
)
def main(port: int, shop: str, webhook_secret: str, mail_webhook_secret: str, keep: Path | None) -> None:
    """A stand-in for Stripe and Resend, on 127.0.0.1 only. It takes no money and mails nobody."""
    world = World(
        own_url=f"http://127.0.0.1:{port}",
        webhook_url=f"{shop}/webhook",
        webhook_secret=webhook_secret,
        mail_webhook_secret=mail_webhook_secret,
        shop_url=shop,
    )

    async def run() -> None:
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        keeper = None if keep is None else Keeper(world, keep, tell=lambda said: click.echo(said, err=True))
        listener = Listener(build_sandbox(world, keeper), Address(host="127.0.0.1", port=port))
        await listener.run(until=told, when_up=lambda: click.echo(f"sandbox on {world.own_url}", err=True))

    try:
        asyncio.run(run())
    except (CannotListen, Taken) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
