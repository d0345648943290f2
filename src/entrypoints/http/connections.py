"""Close a client's connection: the server waits for as long as its client likes, and has no way to be told."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path
from typing import Final

# Nothing that is still unsent is kept for a client that does not take it.
_AT_ONCE: Final = struct.pack("ii", 1, 0)


def hang_up(client: tuple[str, int | str] | None) -> None:
    """Reset the connection of this process with that client; the server notices, and clears up after it.

    In HTTP/2, all requests of that connection end. Does nothing where the connection cannot be found.
    """
    for file in Path("/proc/self/fd").iterdir():
        # Others come and go meanwhile, and of those that stay most are no connection.
        with contextlib.suppress(OSError):
            if not str(file.readlink()).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(file.name))) as connection:
                host, port, *_ = connection.getpeername()
                if client is not None and (host, str(port)) == (client[0], str(client[1])):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                    connection.shutdown(socket.SHUT_RDWR)
                    return
