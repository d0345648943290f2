"""Somebody who is told by webhook: keeps what came, answers as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from testkit.waiting import LONG_ENOUGH, wait_until


@dataclass
class Receiver:
    url: str = ""
    answers: list[int] = field(default_factory=list)
    """The statuses of the next answers; 200 after these."""
    pause: float = 0.0
    """Seconds before each answer."""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Headers, with lower-case names, and body of every delivery."""

    def wait(self, number: int, *, within: float = LONG_ENOUGH) -> list[tuple[dict[str, str], bytes]]:
        wait_until(lambda: len(self.heard) >= number, within=within, pause=0.02)
        return self.heard


@contextmanager
def a_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(receiver.pause)
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
