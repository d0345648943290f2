"""What the container chooses by the settings."""

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
    """Who keeps the goods."""
    if settings.goods is not None:
        return "custom"
    return "folder" if settings.goods_bucket is None else "s3"


def payee(settings: Settings) -> str:
    """Who takes the money."""
    return "stripe" if settings.payments is None else "custom"


def engine(settings: Settings) -> str:
    """The store."""
    return "postgres" if isinstance(settings.database, PostgresAddress) else "sqlite"


def serves_alone(settings: Settings) -> bool:
    """Whether no other process can serve the same database."""
    return not isinstance(settings.database, PostgresAddress)


def noting(
    meter: Metrics, log_access: Callable[[AccessLine], None], traces: Traces | None
) -> Callable[[AccessLine], None]:
    """Who hears of an answered request."""
    return meter.noting(log_access) if traces is None else meter.noting(log_access, traces.request)


def test_banner(settings: Settings, payments: Payments) -> Banner | None:
    """What a public shop on a test key says on every page."""
    return Banner() if settings.test_mode and not payments.livemode else None


def one_of(choice: providers.Provider[str], **parts: providers.Provider[T]) -> providers.Provider[T]:
    """The part that the settings choose. Unlike `Selector` itself, it has each of them checked against the port."""
    return providers.Selector(choice, **parts)
