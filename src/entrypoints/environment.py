"""The raw variables of the environment and a `.env` file; `entrypoints.settings` checks them."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, get_type_hints

import msgspec
from dotenv import dotenv_values

SHORTEST_SECRET: Final = 32


def _said(words: str) -> msgspec.Meta:
    return msgspec.Meta(extra={"help": words})


class Environment(msgspec.Struct, frozen=True, rename="upper", kw_only=True):
    """The raw variables, each described once: `serve --help` and the reference take the descriptions from here."""

    base_url: Annotated[
        str, _said("the public address of the shop, such as https://shop.example.com (no path)")
    ] = ""
    session_secret: Annotated[
        str,
        _said(
            f"at least {SHORTEST_SECRET} random characters; several, comma-separated, while one is rotated: "
            "the first signs"
        ),
    ] = ""
    database_url: Annotated[
        str,
        _said(
            "sqlite:///path (default: coatcheck.db in DATA_DIR), or postgresql://user:password@host:5432/name"
        ),
    ] = ""
    catalogue: Annotated[
        str, _said("the folder with shop.toml and a folder for each product (default: catalogue)")
    ] = "catalogue"
    stripe_secret_key: Annotated[
        str, _said("sk_live_… or rk_live_…; on a public address a test key needs TEST_MODE=1")
    ] = ""
    stripe_webhook_secret: Annotated[str, _said("whsec_…; two, comma-separated, while one is rotated")] = ""
    stripe_api_base: Annotated[
        str, _said("another base URL for Stripe's API; only on loopback and with a test key")
    ] = ""
    resend_api_key: Annotated[str, _said("re_…; required unless SMTP_URL is set")] = ""
    resend_api_url: Annotated[
        str, _said("another base URL for Resend's API (https, or http on loopback)")
    ] = ""
    resend_webhook_secret: Annotated[
        str, _said("whsec_… of the Resend webhook at BASE_URL/mail-events; optional")
    ] = ""
    smtp_url: Annotated[str, _said("smtp://user:password@host:587 or smtps://…:465, instead of Resend")] = ""
    email_from: Annotated[str, _said('the sender, such as "Your Shop <orders@example.com>"')] = ""
    trusted_proxies: Annotated[
        str, _said("addresses or networks, comma-separated, whose X-Forwarded-For is trusted")
    ] = ""
    admin_host: Annotated[
        str, _said("a host name of its own for the back office, such as admin.example.com; optional")
    ] = ""
    test_mode: Annotated[str, _said("1 runs a public shop with a test key and a banner on every page")] = ""
    data_dir: Annotated[
        str,
        _said(
            "the folder for the database, the files for sale and the last good form of each product (default: data)"
        ),
    ] = "data"
    goods_url: Annotated[
        str,
        _said(
            "s3://bucket/prefix keeps the files for sale in S3-compatible storage (default: goods in DATA_DIR)"
        ),
    ] = ""
    aws_access_key_id: Annotated[
        str, _said("the key for that bucket; it must be allowed to read, write and list")
    ] = ""
    aws_secret_access_key: Annotated[str, _said("the secret of that key")] = ""
    aws_region: Annotated[str, _said("the region of that bucket, such as eu-central-1")] = ""
    aws_endpoint_url: Annotated[
        str, _said("the endpoint of a storage provider other than Amazon, such as https://s3.example.com")
    ] = ""
    metrics_token: Annotated[
        str, _said("allows reading /metrics from other machines with Authorization: Bearer …")
    ] = ""
    otel_exporter_otlp_endpoint: Annotated[
        str, _said("where traces are sent by OTLP over HTTP, such as http://127.0.0.1:4318; optional")
    ] = ""
    mailer: Annotated[
        str,
        _said(
            "package.module:function that returns a custom mailer, instead of Resend and SMTP (docs/adapters.md)"
        ),
    ] = ""
    goods: Annotated[str, _said("the same for file storage, instead of DATA_DIR and GOODS_URL")] = ""
    payments: Annotated[
        str, _said("the same for payments, instead of Stripe; no STRIPE_… setting is needed then")
    ] = ""


HELP: Final[Mapping[str, str]] = {
    name.upper(): hint.__metadata__[0].extra["help"]
    for name, hint in get_type_hints(Environment, include_extras=True).items()
}
"""The purpose of each variable, in the order of `Environment`."""

EMAIL_PROVIDERS: Final[Mapping[str, str]] = {"RESEND_API_KEY": "resend", "SMTP_URL": "smtp"}
"""The variables that choose a mailer, and the container's name for each mailer."""


class SettingsRefused(Exception):
    """The settings are invalid; each problem names its variable and the fix."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_variables(environ: Mapping[str, str], *, dotenv: Path | None) -> dict[str, str]:
    """Every variable, from a `.env` file and from the process; the process wins. Empty means not set.

    Raises SettingsRefused if the file cannot be read.
    """
    values: dict[str, str] = {}
    if dotenv is not None:
        text = io.StringIO(_text_of(dotenv))
        values.update({k: v for k, v in dotenv_values(stream=text, interpolate=False).items() if v})
    values.update({k: v for k, v in environ.items() if v})
    return values


def _text_of(dotenv: Path) -> str:
    """The text of a `.env` file; none if there is no file. Raises SettingsRefused."""
    try:
        raw = dotenv.read_bytes().removeprefix(codecs.BOM_UTF8)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingsRefused((f"{dotenv.name} cannot be read ({error.strerror})",)) from error
    lines = raw.split(b"\n")
    bad = next((n for n, line in enumerate(lines, 1) if b"\0" in line or not _is_utf8(line)), None)
    if bad is not None:
        problem = f"{dotenv.name}, line {bad}: not UTF-8 text; save the file as UTF-8"
        raise SettingsRefused((problem,))
    return raw.decode()


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_environment(environ: Mapping[str, str], *, dotenv: Path | None) -> Environment:
    """The variables that the shop itself knows, read as `read_variables` does. Raises SettingsRefused."""
    values = read_variables(environ, dotenv=dotenv)
    # Python shows bytes of the environment that are not UTF-8 as surrogates, which nothing can encode.
    odd = tuple(name for name in HELP if re.search("[\ud800-\udfff]", values.get(name, "")))
    if odd:
        raise SettingsRefused(
            tuple(f"{name} is not UTF-8 text: set it again in a UTF-8 locale" for name in odd)
        )
    return msgspec.convert({name: values[name].strip() for name in HELP if name in values}, Environment)
