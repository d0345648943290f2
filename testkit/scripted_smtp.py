"""A mail server that follows a script: what it answers, where it hangs up, how long it takes for the final dot."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Script:
    """What the server does; `heard` is every line it was sent, `messages` what came between DATA and the dot."""

    greeting: str = "220 ready"
    offers: tuple[str, ...] = ()
    """Extensions in its answer to EHLO."""
    hangs_up_at: str = ""
    """`greeting`, a command, or `.` for the end of a message."""
    heard: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    """Whether the final dot is answered; set from the start unless a test clears it."""


@contextlib.contextmanager
def a_scripted_server(
    *,
    greeting: str = "220 ready",
    offers: tuple[str, ...] = (),
    hangs_up_at: str = "",
    host: str = "127.0.0.1",
) -> Iterator[int]:
    """It listens on the port; see `a_server_with`."""
    with a_server_with(Script(greeting=greeting, offers=offers, hangs_up_at=hangs_up_at), host=host) as port:
        yield port


@contextlib.contextmanager
def a_server_with(script: Script, *, host: str = "127.0.0.1", answers_late: bool = False) -> Iterator[int]:
    """Each connection follows the script. `answers_late`: the final dot waits for `script.may_answer`."""
    if not answers_late:
        script.may_answer.set()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                _serve(self, script)

    with Server((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            script.may_answer.set()
            server.shutdown()
            thread.join()


def _serve(line: socketserver.StreamRequestHandler, script: Script) -> None:
    if script.hangs_up_at == "greeting":
        return
    line.wfile.write(f"{script.greeting}\r\n".encode())
    while told := line.rfile.readline():
        script.heard.append(told.decode("utf-8", "replace").rstrip("\r\n"))
        command = script.heard[-1].upper().split(" ")[0]
        if command == script.hangs_up_at:
            return
        if command == "DATA":
            line.wfile.write(b"354 go on\r\n")
            message = b""
            while (part := line.rfile.readline()) not in (b".\r\n", b""):
                message += part
            script.messages.append(message)
            script.may_answer.wait()
            if script.hangs_up_at == ".":
                return
            line.wfile.write(b"250 accepted\r\n")
        elif command == "EHLO":
            lines = ["mail.example", *script.offers]
            line.wfile.write(
                "".join(
                    f"250{'-' if n + 1 < len(lines) else ' '}{one}\r\n" for n, one in enumerate(lines)
                ).encode()
            )
        elif command == "QUIT":
            line.wfile.write(b"221 bye\r\n")
            return
        else:
            line.wfile.write(b"235 signed in\r\n" if command == "AUTH" else b"250 OK\r\n")
