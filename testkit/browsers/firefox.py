"""A real Firefox, driven over WebDriver BiDi: https://www.w3.org/TR/webdriver-bidi/"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from testkit.browsers.window import NewWindow, PageLeftError, Window
from testkit.servers import Process, clean_environment, free_port
from testkit.tools import program
from testkit.waiting import LONG_ENOUGH

_LEFT: Final = ("no such frame", "no such history entry", "unknown error")
_QUIET: Final = 'user_pref("browser.shell.checkDefaultBrowser", false);\n'


@dataclass
class Firefox:
    """The connection to a running browser: one command at a time."""

    socket: ClientConnection
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv(timeout=LONG_ENOUGH))
            if answer.get("id") == number:
                break
        if answer["type"] == "error":
            if answer["error"] in _LEFT:
                raise PageLeftError(answer["message"])
            raise AssertionError(f"{method}: {answer}")
        return answer["result"]


@dataclass
class FirefoxWire:
    """One window of it."""

    firefox: Firefox
    context: str

    def go(self, url: str) -> None:
        self.firefox("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def back(self) -> None:
        self.firefox("browsingContext.traverseHistory", context=self.context, delta=-1)

    def run(self, script: str) -> str:
        told = {"functionDeclaration": f"() => {{ {script} }}", "awaitPromise": False}
        answer = self.firefox("script.callFunction", target={"context": self.context}, **told)
        assert answer["type"] == "success", answer
        return str(answer["result"]["value"])

    def resize(self, width: int, height: int) -> None:
        viewport = {"width": width, "height": height}
        self.firefox("browsingContext.setViewport", context=self.context, viewport=viewport)

    def act(self, actions: list[dict[str, Any]]) -> None:
        self.firefox("input.performActions", context=self.context, actions=actions)


@contextmanager
def a_firefox(folder: Path) -> Iterator[NewWindow]:
    """A browser without a screen, which takes any certificate."""
    profile, port = folder / "profile", free_port()
    profile.mkdir()
    (profile / "user.js").write_text(_QUIET)
    command = [program("firefox-esr"), "--headless", "--no-remote", "--profile", str(profile)]
    environment = {**clean_environment(), "HOME": str(folder)}
    running = Process(
        [*command, f"--remote-debugging-port={port}"], folder, environment, folder / "firefox.log"
    )
    running.start(f"http://127.0.0.1:{port}/")
    try:
        with connect(f"ws://127.0.0.1:{port}/session", max_size=None, proxy=None) as socket:
            firefox = Firefox(socket)
            firefox("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
            yield lambda: _a_window(firefox, folder)
    finally:
        running.kill()


@contextmanager
def _a_window(firefox: Firefox, folder: Path) -> Iterator[Window]:
    user = firefox("browser.createUserContext")["userContext"]
    downloads = folder / "downloads" / user
    downloads.mkdir(parents=True)
    behavior = {"type": "allowed", "destinationFolder": str(downloads)}
    firefox("browser.setDownloadBehavior", downloadBehavior=behavior, userContexts=[user])
    made = firefox("browsingContext.create", type="window", userContext=user)
    yield Window(FirefoxWire(firefox, made["context"]), downloads)
    firefox("browser.removeUserContext", userContext=user)
