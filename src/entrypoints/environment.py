"""The variables as they are written, in the environment and in a `.env` file; `entrypoints.settings` checks them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from dotenv import dotenv_values

SHORTEST_SECRET: Final = 32


class Environment(msgspec.Struct, frozen=True, rename="upper", kw_only=True):
    """The variables as they are written; README and `serve --help` list them in this order."""

    base_url: str = ""
    session_secret: str = ""
    database_url: str = ""
    catalogue: str = "catalogue"
    stripe_secret_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = ""
    resend_api_key: str = ""
    resend_api_url: str = ""
    resend_webhook_secret: str = ""
    smtp_url: str = ""
    email_from: str = ""
    trusted_proxies: str = ""
    test_mode: str = ""
    data_dir: str = "data"
    goods_url: str = ""
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    aws_region: str = ""
    aws_endpoint_url: str = ""
    metrics_token: str = ""
    otel_exporter_otlp_endpoint: str = ""
    mailer: str = ""
    goods: str = ""
    payments: str = ""


HELP: Final[Mapping[str, str]] = {
    "BASE_URL": "where shoppers reach the shop, such as https://shop.example.com (no path)",
    "SESSION_SECRET": f"at least {SHORTEST_SECRET} random characters; several, comma-separated: the first signs",
    "DATABASE_URL": "sqlite:///path (default: coatcheck.db in DATA_DIR), or postgresql://user:password@host:5432/name",
    "CATALOGUE": "the folder with shop.toml and a folder for each product (default: catalogue)",
    "STRIPE_SECRET_KEY": "sk_live_… or rk_live_…; sk_test_… with TEST_MODE=1 on a public address",
    "STRIPE_WEBHOOK_SECRET": "whsec_…; two, comma-separated, while one is being rolled",
    "STRIPE_API_BASE": "another place for Stripe's API, on loopback and with a test key only",
    "RESEND_API_KEY": "re_…; or use SMTP_URL",
    "RESEND_API_URL": "another place for Resend's API (https, or http on loopback)",
    "RESEND_WEBHOOK_SECRET": "whsec_… of Resend's webhook to BASE_URL/mail-events; leave out for none",
    "SMTP_URL": "smtp://user:password@host:587 or smtps://…:465, in place of Resend",
    "EMAIL_FROM": 'the sender, such as "Your Shop <tickets@example.com>"',
    "TRUSTED_PROXIES": "addresses or networks, comma-separated, whose X-Forwarded-For is believed",
    "TEST_MODE": "1 to run a public shop on a test key, with a banner on every page",
    "DATA_DIR": "where database and goods are kept (default: data)",
    "GOODS_URL": "s3://bucket/prefix to keep goods in S3-compatible storage (default: goods in DATA_DIR)",
    "AWS_ACCESS_KEY_ID": "the key to that bucket: it reads, writes and lists",
    "AWS_SECRET_ACCESS_KEY": "its secret",
    "AWS_REGION": "the region of that bucket, such as eu-central-1",
    "AWS_ENDPOINT_URL": "where another storage than Amazon's answers, such as https://s3.example.com",
    "METRICS_TOKEN": "lets /metrics be read from elsewhere: Authorization: Bearer …; this machine needs none",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "where traces go by OTLP/HTTP, such as http://127.0.0.1:4318; leave out for none",
    "MAILER": "package.module:function that makes a mailer of your own, in place of Resend and SMTP (docs/adapters.md)",
    "GOODS": "the same for goods, in place of DATA_DIR and GOODS_URL",
    "PAYMENTS": "the same for payments, in place of Stripe: no STRIPE_… is needed then",
}


def read_variables(environ: Mapping[str, str], *, dotenv: Path | None) -> dict[str, str]:
    """Every variable, from a `.env` file and from the process; the process wins. Empty means not set."""
    values: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        values.update({k: v for k, v in dotenv_values(dotenv, interpolate=False).items() if v})
    values.update({k: v for k, v in environ.items() if v})
    return values


def read_environment(environ: Mapping[str, str], *, dotenv: Path | None) -> Environment:
    """Those that the shop itself knows, read as `read_variables` does."""
    values = read_variables(environ, dotenv=dotenv)
    return msgspec.convert({name: values[name].strip() for name in HELP if name in values}, Environment)
