"""The container's choices of parts, by the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dependency_injector import providers

from domain.ports import Payments
from entrypoints.http.page import Banner
from entrypoints.run.access_line import AccessLine
from entrypoints.run.metrics import Metrics
from entrypoints.run.tracing import Traces
from entrypoints.settings import PostgresAddress, Settings

T = TypeVar("T")


def keeper(settings: Settings) -> str:
    """The goods adapter."""
    if settings.goods is not None:
        return "custom"
    return "folder" if settings.goods_bucket is None else "s3"


def payee(settings: Settings) -> str:
    """The payments adapter."""
    return "stripe" if settings.payments is None else "custom"


def engine(settings: Settings) -> str:
    """The store's engine."""
    return "postgres" if isinstance(settings.database, PostgresAddress) else "sqlite"


def dashboard(payments: Payments) -> str:
    """The address of the account's pages at Stripe: https://dashboard.stripe.com"""
    return f"https://dashboard.stripe.com/{'' if payments.livemode else 'test/'}"


def serves_alone(settings: Settings) -> bool:
    """Whether no other process can serve the same database."""
    return not isinstance(settings.database, PostgresAddress)


def noting(
    meter: Metrics, log_access: Callable[[AccessLine], None], traces: Traces | None
) -> Callable[[AccessLine], None]:
    """The observer of answered requests: counts them, logs them and, if enabled, traces them."""
    return meter.noting(log_access) if traces is None else meter.noting(log_access, traces.request)


def test_banner(settings: Settings, payments: Payments) -> Banner | None:
    """The banner on every page of a public shop with a test key."""
    return Banner() if settings.test_mode and not payments.livemode else None


def one_of(choice: providers.Provider[str], **parts: providers.Provider[T]) -> providers.Provider[T]:
    """The part that the settings choose. Unlike a plain `Selector`, it has each part type-checked against the port."""
    return providers.Selector(choice, **parts)
