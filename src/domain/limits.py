"""Rate limits, counted in the store, so that a restart resets nothing."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from domain.frozen import frozen


@frozen
class Limit:
    """At most `most` within any stretch of `window`."""

    kind: str
    most: int
    window: timedelta


ADDRESS_BY_STRANGERS: Final = (
    Limit(kind="address-soon", most=3, window=timedelta(minutes=15)),
    Limit(kind="address-day", most=10, window=timedelta(days=1)),
)
"""Emails to one address that browsers without a proof of it can cause, over all forms together."""
ADDRESS_BY_KNOWN_BROWSER: Final = (
    Limit(kind="known-soon", most=3, window=timedelta(minutes=15)),
    Limit(kind="known-day", most=10, window=timedelta(days=1)),
)
"""The same for one browser that once verified the address: strangers cannot use its allowance up."""
ASKED_BY_STRANGERS: Final = Limit(kind="asked", most=100, window=timedelta(seconds=10))
"""Sign-in and free-order emails that strangers can cause in the whole shop: half of what the outbox sends. The other
half is kept for browsers that verified the address they ask for."""
LOGIN_PER_NETWORK: Final = Limit(kind="login-ip", most=20, window=timedelta(hours=1))
UNPAID_PER_NETWORK: Final = Limit(kind="unpaid-ip", most=30, window=timedelta(minutes=10))
FREE_PER_NETWORK: Final = Limit(kind="free-ip", most=30, window=timedelta(minutes=10))
ACCESS_LINKS_AGAIN: Final = Limit(kind="access-again", most=3, window=timedelta(minutes=15))
RESENT_BY_MERCHANT: Final = Limit(kind="merchant-again", most=3, window=timedelta(hours=1))
"""Access emails that the merchant can have sent again to one address. The customer's own allowance is another."""
OWNERS_NAMED: Final = Limit(kind="owner", most=3, window=timedelta(days=1))
"""Addresses that can be named for a purchase without one. That is possible only within a day of the payment
(`domain.access.CHECKOUT_GRANT`), so there are three of them in all."""
OWNER_NAMED_TWICE: Final = Limit(kind="owner-again", most=1, window=timedelta(minutes=1))
"""The same address, named again for the same purchase within a minute, is the same submit."""
CHANGES_PER_ACCOUNT: Final = Limit(kind="changes", most=3, window=timedelta(hours=1))
"""Changes of address that one account can ask for: each emails a new address, and sends a notice to the old one."""
FIRST_TRIES: Final = Limit(kind="first-checkouts", most=2, window=timedelta(minutes=10))
"""Tries to start a checkout that are not counted as further ones of a network (`CheckoutShares.further`). Refused ones
count: an attacker who is refused and tries again shall not stay first in line."""
CHECKOUTS_OF_KNOWN_BROWSER: Final = Limit(kind="known-checkouts", most=3, window=timedelta(minutes=10))
"""Checkouts that one customer can start out of what is kept for customers; more of them count as a stranger's."""


@frozen
class CheckoutShares:
    """How many checkouts start a second: all of them, those of strangers, and the further ones of one network.

    What a share leaves of the one above is kept: for browsers that have proved something, and for the first tries of a
    network. So a flood, which has to come from the same networks again and again, crowds out only itself.
    """

    all: Limit
    strangers: Limit
    further: Limit


def _shares(*, most: int, strangers: int, further: int) -> CheckoutShares:
    second = timedelta(seconds=1)
    return CheckoutShares(
        all=Limit(kind="checkouts", most=most, window=second),
        strangers=Limit(kind="checkouts-strangers", most=strangers, window=second),
        further=Limit(kind="checkouts-further", most=further, window=second),
    )


_IN_TEST_MODE: Final = _shares(most=20, strangers=14, further=4)
_IN_LIVE_MODE: Final = _shares(most=60, strangers=42, further=12)


def checkout_shares(*, livemode: bool) -> CheckoutShares:
    """Stripe allows 25 requests a second in test mode and 100 in live mode (https://docs.stripe.com/rate-limits)."""
    return _IN_LIVE_MODE if livemode else _IN_TEST_MODE


STAFF_PER_NETWORK: Final = Limit(kind="staff-ip", most=10, window=timedelta(minutes=10))
"""Tries to sign in to the back office, by passkey or by link, that let nobody in."""
GRANTS_BY_SUPPORT: Final = Limit(kind="grants", most=10, window=timedelta(days=1))
"""Free copies and payments booked by hand, together, of one member of staff who is no owner."""
KEYS_BY_SUPPORT: Final = Limit(kind="keys", most=10, window=timedelta(days=1))
"""Licence keys that one member of staff who is no owner can replace: any may have been passed on."""
STAFF_PER_ACCOUNT: Final = Limit(kind="staff-account", most=20, window=timedelta(hours=1))
"""Wrong answers in the name of one member's passkeys."""

ERASED_LATELY: Final = Limit(kind="erased", most=1, window=timedelta(seconds=60))
"""No limit: for a minute it is remembered which session deleted its account, to answer the same form again alike."""


WITHDRAWALS_PER_ADDRESS: Final = Limit(kind="withdraw-address", most=3, window=timedelta(days=1))
"""Acknowledgements to one address. Beyond this and the next, a withdrawal is received at once and its email waits."""
WITHDRAWALS_PER_NETWORK: Final = Limit(kind="withdraw-ip", most=10, window=timedelta(hours=1))
PROOFS_PER_PURCHASE: Final = Limit(kind="withdraw-proof", most=1, window=timedelta(days=1))
"""Emails that ask the owner of a purchase whether a withdrawal from it is theirs."""
WITHDRAWALS_IN_SHOP: Final = Limit(kind="withdraw-shop", most=200, window=timedelta(days=1))
"""Beyond this, withdrawals are received and shown, and nobody is emailed."""


def turn_of(timer: str, *, pause: timedelta) -> Limit:
    """One turn of a timer that every node has, for whichever comes first.

    Half the pause, so that none falls out between two nodes, and one started again soon looks for itself.
    """
    return Limit(kind=f"turn:{timer}", most=1, window=pause / 2)


# An IPv6 address with an IPv4 one in it and the name of an interface behind it.
_LONGEST_PEER: Final = 64
_UNREADABLE: Final = "unknown"
# How many times the allowance of one address or /64 the networks around it have. A /56 is a household, a /48 a site
# (RFC 6177), an IPv4 /24 the smallest network that is routed.
_AROUND_IPV4: Final = ((24, 8),)
_AROUND_IPV6: Final = ((56, 2), (48, 8))


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


def widest_network(network: str) -> str:
    """The widest network that is counted as one around a `network_of`: whoever has one has all addresses in it."""
    return networks_around(network)[-1][0]


@lru_cache(maxsize=4096)
def networks_around(network: str) -> tuple[tuple[str, int], ...]:
    """A `network_of` and the wider networks it is part of, each with how many times its allowance they have."""
    if network == _UNREADABLE:
        return ((network, 1),)
    inner = ip_network(network)
    wider = _AROUND_IPV4 if inner.version == 4 else _AROUND_IPV6
    return ((network, 1), *((str(inner.supernet(new_prefix=size)), times) for size, times in wider))
