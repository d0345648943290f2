"""`coatcheck emails`: the email templates, to start your own from."""

from __future__ import annotations

import click

from entrypoints.cli_running import Refusal
from entrypoints.container import Container
from entrypoints.safe_output import say


@click.command()
@click.argument("name", required=False)
def emails(name: str | None) -> None:
    """List the email templates, or print the one called NAME, such as access_link.html.

    Save what it prints as emails/NAME in the catalogue and edit it there: it is then used instead of the one that ships
    with the shop. See docs/emails.md.
    """
    templates = Container().email_templates().built_in  # needs no settings
    if name is None:
        for known in sorted(templates, key=lambda known: (known.startswith("_"), known)):
            say(known)
    elif name in templates:
        for line in templates[name].splitlines():
            say(line)
    else:
        raise Refusal(f"there is no email template {name!r}: `coatcheck emails` lists them")
