"""`coatcheck demo`: the real shop with its real adapters, pointed at the stand-in, on this machine only."""

from __future__ import annotations

import asyncio
import base64
import secrets
import shutil
from pathlib import Path
from typing import Final

import click

from entrypoints.container import Container
from entrypoints.environment import Environment
from entrypoints.http.page import Banner
from entrypoints.run.listener import Address, Listener
from entrypoints.run.logs import set_up_logs
from entrypoints.run.server import serve
from entrypoints.sandbox.app import build_sandbox
from entrypoints.sandbox.world import World
from entrypoints.settings import settle

FOLDER: Final = Path(".coatcheck-demo")
_EXAMPLES: Final = Path(__file__).parent / "example_catalogue"


async def run_demo(port: int) -> None:
    """Serve shop and stand-in until Ctrl-C: on localhost and on 127.0.0.1, two sites, as in production."""
    catalogue = FOLDER / "catalogue"
    if not catalogue.exists():
        shutil.copytree(_EXAMPLES, catalogue)
    shop, stand_in = f"http://localhost:{port}", f"http://127.0.0.1:{port + 1}"
    webhook_secret = f"whsec_{secrets.token_hex(16)}"
    mail_secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    settings = settle(
        Environment(
            base_url=shop,
            session_secret=secrets.token_hex(32),
            catalogue=str(catalogue),
            data_dir=str(FOLDER),
            stripe_secret_key=f"sk_test_{secrets.token_hex(12)}",
            stripe_webhook_secret=webhook_secret,
            stripe_api_base=stand_in,
            resend_api_key=f"re_{secrets.token_hex(12)}",
            resend_api_url=stand_in,
            resend_webhook_secret=mail_secret,
            email_from="Cloakroom Press <tickets@cloakroom.example>",
        )
    )
    world = World(
        own_url=stand_in,
        webhook_url=f"{shop}/webhook",
        webhook_secret=webhook_secret,
        mail_webhook_secret=mail_secret,
        shop_url=shop,
    )
    banner = Banner(mailbox=f"{stand_in}/mailbox")
    lines = set_up_logs()
    container = Container(settings=settings, serving=True, log_access=lines.access, banner=banner)

    def when_up() -> None:
        click.echo(
            f"\n  The shop      {shop}\n  Your mailbox  {stand_in}/mailbox\n  The payments  {stand_in}/\n\n"
            f"  Pay with 4242 4242 4242 4242, any date in the future, any CVC.\n"
            f"  Edit {catalogue}/ and watch the shop follow. Ctrl-C stops it.\n"
        )

    over = asyncio.Event()
    sandbox = asyncio.create_task(
        Listener(build_sandbox(world), Address(host="127.0.0.1", port=port + 1)).run(until=over)
    )
    try:
        address = Address(host="127.0.0.1", port=port)
        selling = asyncio.create_task(serve(container, address, lines=lines, when_up=when_up, hurry=True))
        await asyncio.wait({sandbox, selling}, return_when=asyncio.FIRST_COMPLETED)
        if sandbox.done():
            selling.cancel()
            await asyncio.wait({selling})
            sandbox.result()
        await selling
    finally:
        over.set()
        await asyncio.wait({sandbox})
