"""Whose address counts behind proxies, and how it is noticed that all visitors would share one."""

from __future__ import annotations

import ipaddress
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import network_of
from entrypoints.run.logs import log
from entrypoints.run.peer_address import ProxyNotice, SharedLimits, peer_of, why_shared

TRUSTED = (ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("fd00::/8"))


def scope_of(client: str, *hops: str, **headers: str) -> Any:
    found = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": (client, 1), "headers": [*found, *((b"x-forwarded-for", hop.encode()) for hop in hops)]}


@pytest.mark.parametrize(
    ("hops", "peer"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::7]:51234", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ('"[2001:db8::7]:51234"', "2001:db8::7"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
        (" 1.1.1.1 ,203.0.113.9:51234 ", "203.0.113.9"),
        ("203.0.113.9:1, 127.0.0.1:2", "203.0.113.9"),
        ("203.0.113.9, [fd00::1]:443", "203.0.113.9"),
        ("203.0.113.9,", "203.0.113.9"),
        ("203.0.113.9, , ", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("nonsense", "nonsense"),
        ("203.0.113.9:", "203.0.113.9:"),
        ("203.0.113.9:x", "203.0.113.9:x"),
        ("203.0.113.9:1:2", "203.0.113.9:1:2"),
        ("[203.0.113.9]:1", "[203.0.113.9]:1"),
        ("[2001:db8::7", "[2001:db8::7"),
        ("unknown", "unknown"),
    ],
)
def test_a_hop_with_a_port_is_its_address(hops: str, peer: str) -> None:
    assert peer_of(scope_of("127.0.0.1", hops), TRUSTED) == peer


@given(st.ip_addresses(), st.integers(0, 65_535), st.ip_addresses())
def test_visitors_have_limits_of_their_own_however_a_proxy_writes_their_address(
    visitor: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, forged: object
) -> None:
    bare = str(visitor)
    bracketed = bare if visitor.version == 4 else f"[{bare}]"
    for written in (bare, f"{bracketed}:{port}"):
        peer = peer_of(scope_of("127.0.0.1", f"{forged}, {written}"), ())
        assert peer == "127.0.0.1", "nobody is trusted"
        peer = peer_of(scope_of("10.9.9.9", f"{forged}, {written}"), (ipaddress.ip_network("10.9.9.9"),))
        if bare != "10.9.9.9":
            assert network_of(peer) == network_of(bare) != "unknown"


def test_a_listener_for_both_versions_knows_its_proxy() -> None:
    """It sees IPv4 as ::ffff:…"""
    assert peer_of(scope_of("::ffff:127.0.0.1", "203.0.113.9"), TRUSTED) == "203.0.113.9"


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        (scope_of("127.0.0.1", "203.0.113.9"), None),
        (scope_of("127.0.0.1", "203.0.113.9:1"), None),
        (scope_of("127.0.0.1"), None),
        (scope_of("203.0.113.9"), None),
        (scope_of("172.17.0.1", "203.0.113.9"), SharedLimits.UNTRUSTED),
        (scope_of("203.0.113.1", "203.0.113.9"), SharedLimits.UNTRUSTED),
        (scope_of("172.17.0.1", forwarded="for=203.0.113.9"), SharedLimits.UNTRUSTED),
        (scope_of("172.17.0.1", x_real_ip="203.0.113.9"), SharedLimits.UNTRUSTED),
        (scope_of("127.0.0.1", forwarded="for=203.0.113.9"), SharedLimits.MISSING),
        (scope_of("127.0.0.1", x_real_ip="203.0.113.9"), SharedLimits.MISSING),
        (scope_of("127.0.0.1", " "), SharedLimits.MISSING),
        (scope_of("127.0.0.1", "unknown"), SharedLimits.UNREADABLE),
        (scope_of("127.0.0.1", "127.0.0.1"), None),
    ],
)
def test_it_is_known_why_all_visitors_share_the_limits_of_one(scope: Any, why: SharedLimits | None) -> None:
    assert why_shared(scope, TRUSTED) == why


def test_it_is_logged_once_with_the_setting_and_without_a_visitors_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notice = ProxyNotice(TRUSTED)
    with caplog.at_level(logging.WARNING, logger=log.name):
        for scope in (
            scope_of("127.0.0.1"), scope_of("127.0.0.1", "203.0.113.9"), scope_of("8.8.4.4"),
            *[scope_of("172.17.0.1", "203.0.113.9")] * 3,
        ):  # fmt: skip
            notice.look(scope, peer_of(scope, TRUSTED))
        for scope in (scope_of("8.8.4.4", "8.8.8.8"), scope_of("127.0.0.1", "unknown")):
            ProxyNotice(TRUSTED).look(scope, peer_of(scope, TRUSTED))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert "TRUSTED_PROXIES=172.17.0.1" in said[0]
    assert not any(visitor in "".join(said) for visitor in ("203.0.113.9", "8.8."))
    assert "share the rate limits of one" in said[1]
    assert "cannot be read" in said[2]
