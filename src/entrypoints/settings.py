"""Environment and `.env` to one typed Settings, or one list of problems with their fixes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, urlsplit

from domain.sender import Sender
from domain.values import InvalidEmail, line_problem
from entrypoints.base_url import is_loopback, read_base_url
from entrypoints.bucket import Bucket, read_bucket
from entrypoints.custom_adapters import Factory, read_factory
from entrypoints.environment import (
    EMAIL_PROVIDERS,
    SHORTEST_SECRET,
    Environment,
    SettingsRefused,
    read_environment,
    read_variables,
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SHORTEST_TOKEN: Final = 16
_NO_SHOP_HERE: Final = (
    "there is no .env in this folder: run commands in the folder of your shop, or make a shop with "
    "`coatcheck init DIR`"
)
_STRIPE_KEY: Final = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]+")
_POSTGRES: Final = "postgresql://"
_PLACE: Final = re.compile(r"(?:[^@/?#]*@)?([^@/?#]*(?:/[^@?#]*)?)(?:\?[^@]*)?", re.DOTALL)
"""Of an address of PostgreSQL: user and password, hosts and name, options. No other form is shown at all."""
_SMTP: Final = re.compile(
    r"smtps?://(?:[^/?#\[\]\s]*@)?(?:[^@:/?#\[\]\s]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?"
)
_SMTP_USER: Final = re.compile(r"smtps?://.*[/?#\[\]\s].*@", re.DOTALL)
_LAST_PORT: Final = 65_535
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """The address of a PostgreSQL database, as libpq reads it. The password is never shown."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        """Only hosts and name."""
        return f"{_POSTGRES}{_place_of(self.url)}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The valid settings of a shop. Secrets are hidden in its repr."""

    base_url: str
    session_secrets: tuple[str, ...] = field(repr=False)
    database: Path | PostgresAddress
    catalogue: Path
    stripe_secret_key: str = field(repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
    stripe_api_base: str | None
    resend_api_key: str = field(repr=False)
    resend_api_url: str | None
    resend_webhook_secrets: tuple[str, ...] = field(repr=False)
    smtp_url: str = field(repr=False)
    email_provider: str
    """The container's mailer: a value of EMAIL_PROVIDERS, `custom` or `console`."""
    email_from: str
    trusted_proxies: tuple[Network, ...]
    admin_host: str
    """The required value of the Host header of requests to the back office; the shop's own unless it has one."""
    test_mode: bool
    data_dir: Path
    goods_bucket: Bucket | None
    metrics_token: str | None = field(repr=False)
    traces_to: str | None
    mailer: Factory | None
    goods: Factory | None
    payments: Factory | None
    environment: Mapping[str, str] = field(repr=False, compare=False)
    """All variables: for the factories, which read their own."""

    @property
    def host(self) -> str:
        """The required value of a request's Host header."""
        return urlsplit(self.base_url).netloc

    @property
    def admin_url(self) -> str:
        """The address of the back office, without a path: the origin that passkeys are for."""
        return f"{urlsplit(self.base_url).scheme}://{self.admin_host}"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the shop, so Stripe cannot."""
        return is_loopback(urlsplit(self.base_url))

    @property
    def webhook_url(self) -> str:
        """The URL of the webhook for Stripe."""
        return f"{self.base_url}/webhook"

    @property
    def goods_dir(self) -> Path:
        """The folder of the contents that buyers download, and of the records about them."""
        return self.data_dir / "goods"

    @property
    def last_good_dir(self) -> Path:
        """The last good form of shop.toml and of each product and page."""
        return self.data_dir / "last-good"

    @property
    def known_in_bucket(self) -> Path:
        """The path of the record of contents stored in the bucket."""
        label = "" if self.goods_bucket is None else self.goods_bucket.label
        return self.goods_dir / f"known-{label}"

    @property
    def https(self) -> bool:
        """Whether the shop's public URL uses TLS: Secure cookies and HSTS."""
        return self.base_url.startswith("https://")


def load_settings(environ: Mapping[str, str], *, dotenv: Path | None) -> Settings:
    """Read and check everything. Raises SettingsRefused with every problem, not only the first."""
    env = read_environment(environ, dotenv=dotenv)
    try:
        return settle(env, read_variables(environ, dotenv=dotenv))
    except SettingsRefused as error:
        if dotenv is None or env.base_url or env.session_secret or dotenv.exists():
            raise
        raise SettingsRefused((_NO_SHOP_HERE, *error.problems)) from error


def settle(env: Environment, variables: Mapping[str, str] | None = None) -> Settings:
    """Check everything at once. `variables`: all variables, for factories. Raises as `load_settings` does.

    The variables of a part that a custom adapter replaces are not checked: its factory checks its own.
    """
    problems: list[str] = []
    base = read_base_url(env.base_url, problems)
    loopback = base is not None and is_loopback(base)
    secrets = _secrets(env.session_secret, problems)
    mailer = read_factory(env.mailer, named="MAILER", problems=problems)
    goods = read_factory(env.goods, named="GOODS", problems=problems)
    payments = read_factory(env.payments, named="PAYMENTS", problems=problems)
    if env.test_mode not in ("", "0", "1"):
        problems.append("TEST_MODE is 1 or not set")
    if not env.payments:
        _check_stripe(env, base, problems)
    email_provider = "custom" if env.mailer else _email_provider(env, loopback=loopback, problems=problems)
    _check_mail(env, problems)
    database = _database(env, problems)
    proxies = _networks(env.trusted_proxies, problems)
    bucket = read_bucket(
        "" if env.goods else env.goods_url,
        key_id=env.aws_access_key_id,
        secret=env.aws_secret_access_key,
        region=env.aws_region,
        endpoint=env.aws_endpoint_url,
        problems=problems,
    )
    _check_watching(env, problems)
    _check_admin_host(env, problems)
    if problems or base is None:
        raise SettingsRefused(tuple(problems))
    return Settings(
        base_url=base.geturl(),
        session_secrets=secrets,
        database=database,
        catalogue=Path(env.catalogue),
        stripe_secret_key=env.stripe_secret_key,
        stripe_webhook_secrets=_several(env.stripe_webhook_secret),
        stripe_api_base=env.stripe_api_base.rstrip("/") or None,
        resend_api_key=env.resend_api_key,
        resend_api_url=env.resend_api_url.rstrip("/") or None,
        resend_webhook_secrets=_several(env.resend_webhook_secret),
        smtp_url=env.smtp_url,
        email_provider=email_provider,
        email_from=str(Sender.parse(env.email_from)) if env.email_from else "",
        trusted_proxies=proxies,
        admin_host=env.admin_host.lower() or base.netloc,
        test_mode=env.test_mode == "1",
        data_dir=Path(env.data_dir),
        goods_bucket=bucket,
        metrics_token=env.metrics_token or None,
        traces_to=env.otel_exporter_otlp_endpoint.rstrip("/") or None,
        mailer=mailer,
        goods=goods,
        payments=payments,
        environment=MappingProxyType(dict(variables or {})),
    )


def _check_admin_host(env: Environment, problems: list[str]) -> None:
    if env.admin_host and not _HOST.fullmatch(env.admin_host.lower()):
        problems.append(
            "ADMIN_HOST is a host name alone, such as admin.example.com, without https:// and without a path"
        )


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _secrets(text: str, problems: list[str]) -> tuple[str, ...]:
    secrets = _several(text)
    if not secrets:
        problems.append(
            "SESSION_SECRET is not set: set it to what this prints: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    elif any(len(secret) < SHORTEST_SECRET for secret in secrets):
        problems.append(
            f"SESSION_SECRET has a secret of less than {SHORTEST_SECRET} characters: make it longer"
        )
    return secrets


def _check_stripe(env: Environment, base: SplitResult | None, problems: list[str]) -> None:
    match = _STRIPE_KEY.fullmatch(env.stripe_secret_key)
    if not env.stripe_secret_key:
        problems.append(
            "STRIPE_SECRET_KEY is not set: take it from Stripe's dashboard (Developers, API keys), "
            "or try the shop without keys: coatcheck demo"
        )
    elif match is None:
        problems.append(
            "STRIPE_SECRET_KEY is not a secret key: it begins with sk_test_, sk_live_, rk_test_ or rk_live_"
        )
    elif base is not None:
        _check_mode(env, base, live=match[1] == "live", problems=problems)
    _check_webhook_secret(env, problems)
    if env.stripe_api_base:
        if not _on_loopback(env.stripe_api_base):
            problems.append(
                "STRIPE_API_BASE is for a stand-in on this machine: http://127.0.0.1:PORT, or leave it out"
            )
        if match is not None and match[1] == "live":
            problems.append("STRIPE_API_BASE cannot go with a live key: leave it out")


def _check_mode(env: Environment, base: SplitResult, *, live: bool, problems: list[str]) -> None:
    if live and base.scheme != "https":
        problems.append("STRIPE_SECRET_KEY is a live key, so BASE_URL must begin with https://")
    if not live and not is_loopback(base) and env.test_mode != "1":
        problems.append(
            "STRIPE_SECRET_KEY is a test key on a public BASE_URL, so goods would go out for no money: "
            "set a live key, or TEST_MODE=1 to show a banner on every page"
        )


def _check_webhook_secret(env: Environment, problems: list[str]) -> None:
    secrets = _several(env.stripe_webhook_secret)
    if not secrets:
        problems.append(
            "STRIPE_WEBHOOK_SECRET is not set: run `coatcheck stripe-setup`, which registers the webhook and prints "
            "it, or take it from `stripe listen` (it begins with whsec_)"
        )
    elif not all(secret.startswith("whsec_") for secret in secrets):
        problems.append("STRIPE_WEBHOOK_SECRET is not a signing secret: each begins with whsec_")


def _on_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and is_loopback(parts)
    except ValueError:
        return False


def _email_provider(env: Environment, *, loopback: bool, problems: list[str]) -> str:
    chosen = [name for name in EMAIL_PROVIDERS if getattr(env, name.lower())]
    if len(chosen) > 1:
        problems.append(f"{', '.join(chosen)}: set only one of them")
    if not chosen and not loopback:
        problems.append(
            f"{' or '.join(EMAIL_PROVIDERS)} is not set, so no access link could be emailed: set one of them"
        )
    if env.resend_api_url and not (
        env.resend_api_url.startswith("https://") or _on_loopback(env.resend_api_url)
    ):
        problems.append("RESEND_API_URL must begin with https:// (plain http only on loopback)")
    if env.smtp_url and (problem := _smtp_problem(env.smtp_url)):
        problems.append(f"SMTP_URL {problem}")
    if chosen and not env.email_from:
        problems.append('EMAIL_FROM is not set: write it like "Your Shop <orders@example.com>"')
    return EMAIL_PROVIDERS[chosen[0]] if chosen else "console"


def _smtp_problem(url: str) -> str:
    """What is wrong with it, without any part of it: what is taken for a host may be half of a password."""
    if _SMTP_USER.match(url) or not _is_url(url):
        return (
            "has a character in its user or password that means something in an address: write / as %2F, ? as %3F, "
            "# as %23, [ as %5B, ] as %5D, a space as %20, % as %25, and letters beyond ASCII as %XX"
        )
    match = _SMTP.fullmatch(url)
    if match is None or not 0 < int(match[1] or "1") <= _LAST_PORT:
        return "is written like smtp://user:password@host:587 or smtps://user:password@host:465"
    return ""


def _is_url(text: str) -> bool:
    """Whether it can be taken apart at all."""
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _check_mail(env: Environment, problems: list[str]) -> None:
    """The checks that apply to every email provider."""
    if not all(secret.startswith("whsec_") for secret in _several(env.resend_webhook_secret)):
        problems.append("RESEND_WEBHOOK_SECRET is not a signing secret: each begins with whsec_")
    if (problem := line_problem(env.email_from)) is not None:
        problems.append(f"EMAIL_FROM {problem}")
    elif env.email_from:
        try:
            Sender.parse(env.email_from)
        except InvalidEmail as error:
            problems.append(
                f'EMAIL_FROM is {env.email_from!r}: {error}. Write it like "Your Shop <orders@example.com>"'
            )


def _database(env: Environment, problems: list[str]) -> Path | PostgresAddress:
    if not env.database_url:
        return Path(env.data_dir) / "coatcheck.db"
    return read_database(env.database_url, problems=problems)


def read_database(url: str, *, problems: list[str], named: str = "DATABASE_URL") -> Path | PostgresAddress:
    """The location of a database. `named`: its name in messages; problems are appended to `problems`."""
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith("postgres://"):
        url = _POSTGRES + url.removeprefix("postgres://")
    if url.startswith(_POSTGRES):
        if not _place_of(url).partition("/")[2] and _place_of(url) != "…":
            problems.append(
                f"{named} names no database: write it like postgresql://user:password@host:5432/name"
            )
        return PostgresAddress(url)
    problems.append(
        f"{named} is written like sqlite:///data/coatcheck.db (four slashes for an absolute path), "
        "or like postgresql://user:password@host:5432/name"
    )
    return Path()


def _check_watching(env: Environment, problems: list[str]) -> None:
    if env.metrics_token and len(env.metrics_token) < SHORTEST_TOKEN:
        problems.append(
            f"METRICS_TOKEN has less than {SHORTEST_TOKEN} characters: make it longer, or leave it out"
        )
    if env.otel_exporter_otlp_endpoint and not env.otel_exporter_otlp_endpoint.startswith(
        ("http://", "https://")
    ):
        problems.append("OTEL_EXPORTER_OTLP_ENDPOINT is written like http://127.0.0.1:4318")


def _place_of(url: str) -> str:
    """Hosts and name; "…" if a part of the password could be taken for them."""
    found = _PLACE.fullmatch(url.removeprefix(_POSTGRES))
    return "…" if found is None else found[1]


def _networks(text: str, problems: list[str]) -> tuple[Network, ...]:
    networks: list[Network] = []
    for part in _several(text):
        try:
            networks.append(ipaddress.ip_network(part, strict=False))
        except ValueError:
            problems.append(
                f"TRUSTED_PROXIES has {part!r}: write addresses or networks, such as 127.0.0.1, 10.0.0.0/8"
            )
    return tuple(networks)
