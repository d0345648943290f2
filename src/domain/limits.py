"""How often who may ask for what; counted in the store, so that a restart forgives nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` within any stretch of `window`."""

    kind: str
    most: int
    window: timedelta


LOGIN_PER_SESSION: Final = Limit(kind="login-session", most=3, window=timedelta(minutes=15))
LOGIN_BY_STRANGERS: Final = Limit(kind="login-stranger", most=10, window=timedelta(days=1))
LOGIN_BY_KNOWN_BROWSER: Final = Limit(kind="login-known", most=10, window=timedelta(days=1))
LOGIN_PER_IP: Final = Limit(kind="login-ip", most=20, window=timedelta(hours=1))
UNPAID_PER_IP: Final = Limit(kind="unpaid-ip", most=30, window=timedelta(minutes=10))
FREE_PER_IP: Final = Limit(kind="free-ip", most=30, window=timedelta(minutes=10))
TICKETS_AGAIN: Final = Limit(kind="ticket-again", most=3, window=timedelta(minutes=15))
# Stripe allows 25 requests a second in test mode (https://docs.stripe.com/rate-limits); stay below it.
CHECKOUTS_PER_SHOP: Final = Limit(kind="checkouts", most=20, window=timedelta(seconds=1))


def turn_of(timer: str, *, pause: timedelta) -> Limit:
    """One turn of a timer that every node has, for whichever comes first.

    Half the pause, so that none falls out between two nodes, and one started again soon looks for itself.
    """
    return Limit(kind=f"turn:{timer}", most=1, window=pause / 2)


# An IPv6 address with an IPv4 one in it and the name of an interface behind it.
_LONGEST_PEER: Final = 64
_UNREADABLE: Final = "unknown"


def network_of(peer: str) -> str:
    """What one household or server shares: an IPv4 address, or an IPv6 /64. Unreadable peers share one name."""
    # What a proxy passes on can be of any length, and would be remembered.
    return _network_of(peer) if len(peer) <= _LONGEST_PEER else _UNREADABLE


@lru_cache(maxsize=4096)
def _network_of(peer: str) -> str:
    try:
        address: IPv4Address | IPv6Address = ip_address(peer)
    except ValueError:
        return _UNREADABLE
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
