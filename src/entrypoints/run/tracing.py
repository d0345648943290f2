"""Traces by OTLP/HTTP, of requests and of the timers' rounds. Nothing is imported unless they are enabled.

A span is made after the fact, from the access line: so it contains no path, token or address, and a
client's `traceparent` is ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from entrypoints.run.access_line import AccessLine
from entrypoints.run.timers import Round

_WORTH_TELLING: Final = 0.005
"""Seconds: shorter rounds found nothing to do, and are not traced."""
_NS: Final = 1_000_000_000


class TelemetryNotInstalled(Exception):
    """The libraries for traces are missing; the message gives the fix."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Exports spans from a thread of its own."""

    provider: Any
    tracer: Any
    server: Any
    failed: Any

    def request(self, line: AccessLine) -> None:
        """Trace an answered request. https://opentelemetry.io/docs/specs/semconv/http/http-spans/"""
        span = self.tracer.start_span(
            f"{line.method} {line.route}" if line.method.isalpha() else line.route,
            kind=self.server,
            start_time=int((line.at - line.seconds) * _NS),
            attributes={
                "http.request.method": line.method if line.method.isalpha() else "_OTHER",
                "http.route": line.route,
                "http.response.status_code": line.status,
                "coatcheck.request_id": line.request_id,
            },
        )
        if line.status >= 500:
            span.set_status(self.failed)
        span.end(end_time=int(line.at * _NS))

    def round(self, done: Round) -> None:
        """Trace a timer's round that did something or failed."""
        if done.seconds < _WORTH_TELLING and not done.problem:
            return
        span = self.tracer.start_span(f"timer {done.name}", start_time=int(done.began * _NS))
        if done.problem:
            span.set_attribute("error.type", done.problem)
            span.set_status(self.failed)
        span.end(end_time=int((done.began + done.seconds) * _NS))

    def close(self) -> None:
        """Send the queued spans, and stop."""
        self.provider.shutdown()


def start_traces(endpoint: str | None) -> Traces | None:
    """Traces to this endpoint; None, and nothing imported, where none is set. Raises TelemetryNotInstalled."""
    if endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra
        from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TelemetryNotInstalled(
            'OTEL_EXPORTER_OTLP_ENDPOINT is set, which needs more packages: pip install "coatcheck[telemetry]"'
        ) from error
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create({"service.name": "coatcheck", "service.version": version("coatcheck")})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=5))
    )
    return Traces(
        provider=provider,
        tracer=provider.get_tracer("coatcheck"),
        server=SpanKind.SERVER,
        failed=Status(StatusCode.ERROR),
    )


def telling(meter_round: Callable[[Round], None], traces: Traces | None) -> Callable[[Round], None]:
    """The callback for finished rounds: metrics and, if enabled, traces."""
    if traces is None:
        return meter_round

    def tell(done: Round) -> None:
        meter_round(done)
        traces.round(done)

    return tell
