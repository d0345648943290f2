"""A real WebKit (what Safari is built on), driven over WebDriver: https://www.w3.org/TR/webdriver2/"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from testkit.servers import Process, clean_environment, free_port
from testkit.tools import program, webkit
from testkit.waiting import LONG_ENOUGH


@dataclass
class WebKit:
    """One browser window."""

    session: str
    http: httpx.Client

    def __call__(self, command: str, **told: Any) -> Any:
        """One command of WebDriver's, such as `url` or `back`."""
        return self.checked(self.ask(command, told))

    def ask(self, command: str, told: dict[str, Any]) -> Any:
        return self.http.post(f"/session/{self.session}/{command}", json=told).json()["value"]

    def checked(self, value: Any) -> Any:
        assert not (isinstance(value, dict) and "error" in value), value
        return value

    def go(self, url: str) -> None:
        self("url", url=url)

    def run(self, script: str) -> Any:
        return self("execute/sync", script=script, args=[])

    def click(self, selector: str) -> None:
        told = {"script": f"document.querySelector({selector!r}).click()", "args": []}
        value = self.ask("execute/sync", told)
        if not was_cut_short(value):
            self.checked(value)

    def wait_for(self, url: str, *, within: float = LONG_ENOUGH) -> None:
        """Until this is the address of the page, and the page is there."""
        deadline = time.monotonic() + within
        while (seen := self.where()) != (url, "complete"):
            assert time.monotonic() < deadline, f"it is at {seen}, not at {url}"
            time.sleep(0.05)

    def where(self) -> tuple[str, str]:
        """Address and state of the page; a script that the next page cuts short is answered with an error."""
        told = {"script": "return [location.href, document.readyState]", "args": []}
        value = self.ask("execute/sync", told)
        if was_cut_short(value):
            return "the way to another page", "leaving"
        href, state = self.checked(value)
        return href, state

    @property
    def text(self) -> str:
        return str(self.run("return document.body.innerText"))


def was_cut_short(value: Any) -> bool:
    """Whether a script has no answer because the browser left its page meanwhile."""
    return isinstance(value, dict) and "unload event" in value.get("message", "")


@contextmanager
def a_webkit(folder: Path) -> Iterator[WebKit]:
    """A browser on a screen of its own, which takes any certificate; gone afterwards."""
    browser, driver = webkit(), program("WebKitWebDriver")
    with a_screen() as display:
        port = free_port()
        environment = {**clean_environment(), "DISPLAY": display, "HOME": str(folder)}
        driving = Process([driver, f"--port={port}"], folder, environment, folder / "webkit.log")
        driving.start(f"http://127.0.0.1:{port}/status")
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            try:
                told = http.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
                yield WebKit(told["sessionId"], http)
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
