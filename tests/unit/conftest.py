"""Unit tests touch neither network nor disk: the interpreter itself tells us when one tries."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "sqlite3.connect",
    "subprocess.Popen",
    "time.sleep",
)
_guarding = False


def _guard(event: str, args: tuple[object, ...]) -> None:
    if _guarding and (event in _FORBIDDEN or (event == "open" and _writes(args))):
        raise AssertionError(f"a unit test touched the outside world: {event} {args!r}")


def _writes(args: tuple[object, ...]) -> bool:
    path, mode = str(args[0]), args[1]
    ours = ".hypothesis" in path or "__pycache__" in path or path.isdigit()
    return isinstance(mode, str) and any(letter in mode for letter in "wax+") and not ours


sys.addaudithook(_guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    global _guarding  # noqa: PLW0603 - an audit hook cannot be taken out again, only told to look away
    _guarding = True
    try:
        return (yield)
    finally:
        _guarding = False
