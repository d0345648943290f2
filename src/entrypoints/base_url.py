"""BASE_URL, as browsers ask for it: host names in their ASCII form, and no port that the scheme implies."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import idna

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_HOST: Final = 253
_SUCH_AS: Final = "write it like https://shop.example.com"


def read_base_url(text: str, problems: list[str]) -> SplitResult | None:
    """Scheme and host as in the requests of a browser, and nothing else; None, with any problems added."""
    if not text:
        problems.append(
            "BASE_URL is not set: set it to the shop's public address, such as https://shop.example.com"
        )
        return None
    if "@" in text:
        problems.append(f"BASE_URL holds a user or a password: {_SUCH_AS}")
        return None
    try:
        url = urlsplit(text)
        host, port = _host_in_requests(url.hostname or ""), url.port
    except ValueError:  # idna's own errors among them
        problems.append(f"BASE_URL is {text!r}, which no browser can request: {_SUCH_AS}")
        return None
    if url.scheme not in DEFAULT_PORTS or port == 0:
        problems.append(f"BASE_URL is {text!r}: {_SUCH_AS}")
        return None
    if url.path not in ("", "/") or url.query or url.fragment:
        problems.append(f"BASE_URL is {text!r}: leave out everything after the host name")
        return None
    place = host if port in (None, DEFAULT_PORTS[url.scheme]) else f"{host}:{port}"
    found = urlsplit(f"{url.scheme}://{place}")
    if url.scheme == "http" and not is_loopback(found):
        problems.append(
            f"BASE_URL is {text!r}: cookies and payments need https (plain http only for http://localhost)"
        )
    return found


def is_loopback(url: SplitResult) -> bool:
    """Whether only this machine can ask for it."""
    return url.hostname in _LOOPBACK_NAMES


def _host_in_requests(host: str) -> str:
    """As browsers write it in the Host header (https://url.spec.whatwg.org/#host-parsing). Raises ValueError."""
    if ":" in host:
        address = IPv6Address(host)
        if address.scope_id is not None:
            raise ValueError("a scope means something on one machine only")
        return f"[{address.compressed}]"
    if not host.isascii():
        host = idna.encode(host, uts46=True, std3_rules=True, transitional=False).decode()
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("not a host name")
    if _NUMBER.fullmatch(labels[-1]):
        return str(IPv4Address(host))
    return host
