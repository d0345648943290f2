"""A real WebKit (what Safari is built on), driven over WebDriver: https://www.w3.org/TR/webdriver2/"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from testkit.browsers.window import NewWindow, PageLeftError, Window
from testkit.servers import Process, clean_environment, free_port
from testkit.tools import program, webkit
from testkit.waiting import LONG_ENOUGH, wait_until

_SCRIPT_SECONDS: Final = 5.0
"""A script under way when the page's process is exchanged for another site's is never answered."""
# Nor does the driver notice that such a page is complete: so it waits for none, and we look ourselves.
_WANTED: Final = {"acceptInsecureCerts": True, "pageLoadStrategy": "none"}


@dataclass
class WebKitWire:
    """One window of it, with a driver of its own: a driver has one session at a time."""

    session: str
    http: httpx.Client

    def go(self, url: str) -> None:
        self.run("window.isLeft = true; return ''")
        self._tell("url", url=url)
        wait_until(self._has_another_page)

    def back(self) -> None:
        self._tell("back")

    def run(self, script: str) -> str:
        return str(self._tell("execute/sync", script=script, args=[], within=_SCRIPT_SECONDS))

    def _has_another_page(self) -> bool:
        try:
            return self.run("return String(!window.isLeft && document.readyState === 'complete')") == "true"
        except PageLeftError:
            return False

    def resize(self, width: int, height: int) -> None:
        self._tell("window/rect", width=width, height=height)

    def act(self, actions: list[dict[str, Any]]) -> None:
        self._tell("actions", actions=actions)

    def _tell(self, command: str, *, within: float = LONG_ENOUGH, **told: Any) -> Any:
        try:
            answer = self.http.post(f"/session/{self.session}/{command}", json=told, timeout=within)
        except httpx.ReadTimeout as error:
            raise PageLeftError(f"{command} was not answered") from error
        value = answer.json()["value"]
        if isinstance(value, dict) and "error" in value:
            if "unload event" in value.get("message", ""):
                raise PageLeftError(value["message"])
            raise AssertionError(f"{command}: {value}")
        return value


@contextmanager
def a_webkit(folder: Path) -> Iterator[NewWindow]:
    """A browser on a screen of its own, which takes any certificate."""
    with a_screen() as display:
        yield lambda: _a_window(folder, display)


@contextmanager
def _a_window(folder: Path, display: str) -> Iterator[Window]:
    """In a program of its own, whose profile is kept nowhere; it saves files at home."""
    browser, driver, port = webkit(), program("WebKitWebDriver"), free_port()
    home = folder / f"home-{port}"
    home.mkdir()
    environment = {**clean_environment(), "DISPLAY": display, "HOME": str(home)}
    driving = Process([driver, f"--port={port}"], home, environment, home / "webkit.log")
    driving.start(f"http://127.0.0.1:{port}/status")
    options = {"binary": str(browser), "args": ["--automation"]}
    wanted = {**_WANTED, "webkitgtk:browserOptions": options}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LONG_ENOUGH, trust_env=False) as http:
        try:
            told = http.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
            yield Window(WebKitWire(told["sessionId"], http), home)
            http.delete(f"/session/{told['sessionId']}")
        finally:
            driving.kill()


@contextmanager
def a_screen() -> Iterator[str]:
    """A display that nobody sees; it takes the first number that is free and says which."""
    read, write = os.pipe()
    command = [program("Xvfb"), "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    running = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as said:
            yield f":{said.readline().strip()}"
    finally:
        running.terminate()
        running.wait(10)
