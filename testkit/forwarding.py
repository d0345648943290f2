"""A reverse proxy of a few lines: it passes requests on, with whatever headers a test wants it to add."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@contextlib.contextmanager
def a_proxy(port: int, *, to: int, adds: dict[str, str]) -> Iterator[None]:
    """On localhost:`port`, until the end; what it `adds` may change meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {"host": self.headers["host"], **adds}
            answer = httpx.get(f"http://127.0.0.1:{to}{self.path}", headers=headers, trust_env=False)
            self.send_response(answer.status_code)
            for name in ("content-type", "x-limits-shared"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
