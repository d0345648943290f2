"""One log: plain lines on a terminal, JSON for machines; batched, so that writing delays no request.

No line contains a token, a key, an address or a path with an id: requests are named by their route, and errors
(and their causes) are stripped of addresses and keys.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec

from domain.redacting import redacted

if TYPE_CHECKING:
    from litestar import Request

    from entrypoints.run.access_line import AccessLine

_FLUSH_EVERY: Final = 0.2
_MOST_WAITING: Final = 100_000
_QUIET: Final = (
    "stripe",
    "httpx",
    "httpcore",
    "granian",
    "_granian",
    "litestar",
    "aiosmtplib",
    "markdown_it",
    "asyncio",
    "psycopg",
)

log = logging.getLogger("coatcheck")


class BatchedLines(logging.Handler):
    """Collects lines and writes them a few times a second, from a thread of its own."""

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        super().__init__()
        self._stream = stream
        self._as_json = as_json
        self._lines: deque[AccessLine | dict[str, Any]] = deque(maxlen=_MOST_WAITING)
        self._encode = msgspec.json.Encoder().encode
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record; `extra={"fields": {...}}` becomes members of the JSON object."""
        line: dict[str, Any] = {
            "timestamp": _moment(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = logging.Formatter().formatException(record.exc_info)
        self._lines.append({k: redacted(v) if isinstance(v, str) else v for k, v in line.items()})

    def access(self, line: AccessLine) -> None:
        """Queue an access line. Encoding is left to the thread."""
        self._lines.append(line)

    def flush(self) -> None:
        """Write the queued lines."""
        out: list[str] = []
        while self._lines:
            out.append(self._text(self._lines.popleft()))
        if out:
            try:
                self._stream.write("".join(out))
                self._stream.flush()
            except (OSError, ValueError):  # a closed pipe must not take the shop down
                return

    def close(self) -> None:
        """Write the rest and stop."""
        self._stop.set()
        self.flush()
        super().close()

    def _run(self) -> None:
        while not self._stop.wait(_FLUSH_EVERY):
            self.flush()

    def _text(self, line: AccessLine | dict[str, Any]) -> str:
        if not isinstance(line, dict):
            return _access_text(line, as_json=self._as_json)
        if self._as_json:
            return self._encode(line).decode() + "\n"
        rest = {k: v for k, v in line.items() if k not in ("timestamp", "level", "message", "exception")}
        words = " ".join(f"{k}={v}" for k, v in rest.items())
        trace = f"\n{line['exception']}" if "exception" in line else ""
        return f"{line['timestamp'][11:19]} {line['level']:7} {line['message']} {words}{trace}\n"


def _access_text(line: AccessLine, *, as_json: bool) -> str:
    """Formatted by hand for speed (one per request); only the method needs escaping."""
    at, method, route, status, seconds, request_id = line
    second = int(at)
    if not as_json:
        return (
            f"{_second(second)[11:]} info    {method} {route} {status} {seconds * 1000:.1f} ms {request_id}\n"
        )
    if not method.isalpha():
        method = "?"
    return (
        f'{{"timestamp":"{_second(second)}.{int((at - second) * 1000):03}+00:00","level":"info","message":"request",'
        f'"method":"{method}","route":"{route}","status":{status},"ms":{seconds * 1000:.2f},'
        f'"request_id":"{request_id}"}}\n'
    )


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _moment(second: float) -> str:
    return datetime.fromtimestamp(second, tz=UTC).isoformat(timespec="milliseconds")


def set_up_logs(stream: TextIO = sys.stderr) -> BatchedLines:
    """Log the shop's own lines only: those of libraries would print tokens and session ids."""
    handler = BatchedLines(stream, as_json=not stream.isatty())
    log.setLevel(logging.INFO)
    log.handlers[:] = [handler]
    log.propagate = False
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return handler


def log_what_python_prints() -> None:
    """Log warnings and uncaught exceptions, since readers of the log expect JSON only."""

    def uncaught(error: BaseException | None) -> None:
        log.critical("uncaught exception", exc_info=error)

    logging.captureWarnings(capture=True)
    warned = logging.getLogger("py.warnings")
    warned.handlers[:] = log.handlers
    warned.propagate = False
    sys.excepthook = lambda _kind, error, _trace: uncaught(error)
    threading.excepthook = lambda told: uncaught(told.exc_value)


def log_exception(request: Request[Any, Any, Any], error: BaseException) -> None:
    """Log an exception with its traceback, under the route's template."""
    fields = {
        "method": request.method,
        "route": str(request.scope.get("path_template") or "-"),
        "request_id": str(request.scope.get("request_id", "")),
        "error": type(error).__name__,
    }
    log.error("exception", exc_info=error, extra={"fields": fields})
