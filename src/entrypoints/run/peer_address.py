"""The client's address, with only the shop's own proxies trusted; and whether all visitors would share one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from domain.usecases.note_shared_limits import SharedBy
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.types import Scope

    from entrypoints.settings import Network

# RFC 7239 §6 brackets IPv6 addresses, and some proxies write ports, in X-Forwarded-For, too.
_HOP: Final = re.compile(r'"?(?:\[([^\[\]]*:[^\[\]]*)\]|([0-9.]+))(?::[0-9]{1,5})?"?')
_FORWARDING: Final = frozenset({
    b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"x-real-ip", b"true-client-ip",
    b"cf-connecting-ip",
})  # fmt: skip
_LONGEST_HOP: Final = 64
SHARED_HEADER: Final = b"x-limits-shared"
"""Tells `doctor`, whose request came through the shop's own proxy, the SharedLimits that it found."""


class SharedLimits(StrEnum):
    """Why all visitors share the limits of one: their requests all seem to come from the proxy."""

    UNTRUSTED = "untrusted"
    MISSING = "missing"
    UNREADABLE = "unreadable"


_SHARED_WORDS: Final = {
    SharedLimits.UNTRUSTED: "requests come through a proxy, and TRUSTED_PROXIES does not name it, so all visitors "
    "share the rate limits of one",
    SharedLimits.MISSING: "the proxy that TRUSTED_PROXIES names sends no X-Forwarded-For, so all visitors share the "
    "rate limits of one: have it add the visitor's address to that header",
    SharedLimits.UNREADABLE: "the last address that the proxy wrote into X-Forwarded-For cannot be read, so visitors "
    "share the rate limits of one: have it write plain IP addresses",
}


_WHICH: Final = (
    ". Set TRUSTED_PROXIES to the address from which the proxy reaches the shop (the log of `coatcheck serve` has it), "
    "and start the shop again"
)


def shared_words(why: str, address: str = "") -> str:
    """The sentence for the merchant, with the way out: in the log, and in `doctor`, `status` and "To do".

    `why`: a SharedLimits. `address`: the proxy's, where it is known and nearby.
    """
    words = _SHARED_WORDS[SharedLimits(why)]
    if why != SharedLimits.UNTRUSTED:
        return words
    return words + (f": set TRUSTED_PROXIES={address}, and start the shop again" if address else _WHICH)


def peer_of(scope: Scope, proxies: tuple[Network, ...]) -> str:
    """The client's address: the connection's, or the right-most X-Forwarded-For hop that is no trusted proxy.

    Hops to the left of an untrusted one are forgeable, so they are ignored. A hop that cannot be read is returned as it
    is.
    """
    client = scope.get("client")
    peer = client[0] if client else ""
    if not proxies or not is_trusted(peer, proxies):
        return peer
    for hop in reversed(_hops(scope)):
        address = _read(hop)
        if address is None:
            return hop
        peer = str(address)
        if not _is_within(address, proxies):
            break
    return peer


def _hops(scope: Scope) -> list[str]:
    return [
        hop.strip()
        for name, value in scope["headers"]
        if name == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
        if hop.strip()
    ]


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """An address, perhaps with a port."""
    # What a proxy passes on can be of any length, and would be remembered.
    return _parsed(text) if len(text) <= _LONGEST_HOP else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    found = _HOP.fullmatch(text)
    try:
        address = ip_address(text if found is None else found[1] or found[2])
    except ValueError:
        return None
    # A listener for both versions sees IPv4 addresses like this.
    return (address.version == 6 and address.ipv4_mapped) or address


def is_trusted(address: str, proxies: tuple[Network, ...]) -> bool:
    """Whether an address is a trusted proxy."""
    found = _read(address)
    return found is not None and _is_within(found, proxies)


def _is_within(address: IPv4Address | IPv6Address, proxies: tuple[Network, ...]) -> bool:
    return any(address in network for network in proxies)


def why_shared(scope: Scope, proxies: tuple[Network, ...]) -> SharedLimits | None:
    """Whether this request came through a proxy that hides whose it is; None if it did not."""
    for name, _ in scope["headers"]:
        if name in _FORWARDING:
            break
    else:
        return None
    client = scope.get("client")
    if not is_trusted(client[0] if client else "", proxies):
        return SharedLimits.UNTRUSTED
    if not _hops(scope):
        return SharedLimits.MISSING
    return SharedLimits.UNREADABLE if _read(peer_of(scope, proxies)) is None else None


@dataclass(slots=True)
class ProxyNotice:
    """Looks for what shows that all visitors share one address, and logs the first request that does."""

    proxies: tuple[Network, ...]
    logged: bool = False
    apart: bool = False
    """A visitor came through the proxy with an address of their own."""
    _seen: SharedBy | None = None

    @property
    def shared(self) -> SharedBy | None:
        """Why all visitors of this process share the address of a proxy nearby; None if they do not, or nobody came.

        From elsewhere anybody can send such a header.
        """
        return None if self.apart else self._seen

    @property
    def done(self) -> bool:
        """Whether no further request says anything new."""
        return self.logged and self.apart

    def look(self, scope: Scope, peer: str) -> None:
        """Look at a request and its `peer_of`. The log gets the address of a proxy nearby, and never a visitor's."""
        client = scope.get("client")
        if client and client[0] != peer and _read(peer) is not None:
            self.apart = True
            return
        if self.logged and self._seen is not None:
            return
        why = why_shared(scope, self.proxies)
        if why is None:
            return
        found = _read(client[0]) if client else None
        address = str(found) if found is not None and found.is_private else ""
        if address:
            self._seen = self._seen or SharedBy(why=why.value, address=address)
        if self.logged:
            return
        self.logged = True
        if address or why is not SharedLimits.UNTRUSTED:
            log.warning(shared_words(why, address))
        else:
            log.warning(
                _SHARED_WORDS[why]
                + ". If nobody but your proxy reaches the shop, set TRUSTED_PROXIES to its addresses"
            )
