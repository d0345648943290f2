"""The client's address, with only the shop's own proxies trusted."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar.types import Scope

    from entrypoints.settings import Network


def peer_of(scope: Scope, proxies: tuple[Network, ...]) -> str:
    """The client's address: the connection's, or the right-most X-Forwarded-For hop that is no trusted proxy.

    Hops to the left of an untrusted one are forgeable, so they are ignored.
    """
    client = scope.get("client")
    peer = client[0] if client else ""
    if not proxies or not is_trusted(peer, proxies):
        return peer
    hops = [
        hop.strip()
        for name, value in scope["headers"]
        if name == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
    ]
    for hop in reversed(hops):
        peer = hop
        if not is_trusted(hop, proxies):
            break
    return peer


def is_trusted(address: str, proxies: tuple[Network, ...]) -> bool:
    """Whether an address is a trusted proxy."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies)
