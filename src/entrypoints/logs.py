"""One log: a line for people at a terminal, JSON for machines; batched, so that writing holds nobody up.

No line names a token, a key, an address or a path with an id in it: requests are named by their route.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec

if TYPE_CHECKING:
    from litestar import Request

    from entrypoints.http.gate import AccessLine

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
            "at": _moment(record.created),
            "level": record.levelname.lower(),
            "said": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = logging.Formatter().formatException(record.exc_info)
        self._lines.append(line)

    def access(self, line: AccessLine) -> None:
        """Queue an access line. Encoding is left to the thread."""
        self._lines.append(line)

    def flush(self) -> None:
        """Write what waits."""
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
        fields = line if isinstance(line, dict) else _fields(line)
        if self._as_json:
            return self._encode(fields).decode() + "\n"
        rest = {k: v for k, v in fields.items() if k not in ("at", "level", "said", "exception")}
        words = " ".join(f"{k}={v}" for k, v in rest.items())
        trace = f"\n{fields['exception']}" if "exception" in fields else ""
        return f"{fields['at'][11:19]} {fields['level']:7} {fields['said']} {words}{trace}\n"


def _fields(line: AccessLine) -> dict[str, Any]:
    return {
        "at": _moment(time.time()),
        "level": "info",
        "said": "request",
        "method": line.method,
        "route": line.route,
        "status": line.status,
        "ms": round(line.seconds * 1000, 2),
        "request_id": line.request_id,
    }


def _moment(second: float) -> str:
    return datetime.fromtimestamp(second, tz=UTC).isoformat(timespec="milliseconds")


def set_up_logs(stream: TextIO = sys.stderr) -> BatchedLines:
    """Our lines only: the libraries' own would print tokens and session ids."""
    handler = BatchedLines(stream, as_json=not stream.isatty())
    log.setLevel(logging.INFO)
    log.handlers[:] = [handler]
    log.propagate = False
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return handler


def log_exception(request: Request[Any, Any, Any], error: BaseException) -> None:
    """An exception with its traceback, by the route's template."""
    fields = {
        "method": request.method,
        "route": str(request.scope.get("path_template") or "-"),
        "request_id": str(request.scope.get("request_id", "")),
        "error": type(error).__name__,
    }
    log.error("exception", exc_info=error, extra={"fields": fields})
