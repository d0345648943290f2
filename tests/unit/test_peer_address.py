"""Whose address counts behind proxies, and how it is noticed that all visitors would share one."""

from __future__ import annotations

import ipaddress
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import network_of
from domain.usecases.list_todo import Task
from domain.usecases.note_shared_limits import SharedBy
from entrypoints.run.logs import log
from entrypoints.run.peer_address import ProxyNotice, SharedLimits, peer_of, shared_words, why_shared
from entrypoints.run.shared_limits_watch import SharedLimitsWatch
from entrypoints.testing import Shop
from testkit.stepping import run

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


THROUGH_A_STRANGER = scope_of("172.17.0.1", "203.0.113.9")
THROUGH_OUR_PROXY = scope_of("127.0.0.1", "203.0.113.9")


def see(notice: ProxyNotice, *scopes: Any) -> SharedBy | None:
    for scope in scopes:
        notice.look(scope, peer_of(scope, TRUSTED))
    return notice.shared


@pytest.mark.parametrize(
    ("scopes", "found"),
    [
        ([], None),
        ([scope_of("127.0.0.1"), scope_of("172.17.0.1")], None),
        ([THROUGH_A_STRANGER] * 2, SharedBy("untrusted", "172.17.0.1")),
        ([scope_of("127.0.0.1"), THROUGH_A_STRANGER], SharedBy("untrusted", "172.17.0.1")),
        ([scope_of("127.0.0.1", x_real_ip="203.0.113.9")], SharedBy("missing", "127.0.0.1")),
        ([scope_of("127.0.0.1", "unknown")], SharedBy("unreadable", "127.0.0.1")),
        ([scope_of("8.8.4.4", "203.0.113.9")], None),
        ([scope_of("8.8.4.4", "203.0.113.9"), THROUGH_A_STRANGER], SharedBy("untrusted", "172.17.0.1")),
        ([THROUGH_OUR_PROXY, THROUGH_A_STRANGER], None),
        ([THROUGH_A_STRANGER, THROUGH_OUR_PROXY], None),
    ],
)
def test_visitors_share_one_address_only_if_all_come_through_a_proxy_nearby_that_hides_them(
    scopes: list[Any], found: SharedBy | None
) -> None:
    assert see(ProxyNotice(TRUSTED), *scopes) == found


def test_no_request_is_looked_at_once_there_is_nothing_more_to_learn() -> None:
    notice = ProxyNotice(TRUSTED)
    assert see(notice, THROUGH_A_STRANGER) is not None
    assert not notice.done
    assert see(notice, THROUGH_OUR_PROXY) is None
    assert notice.done


def test_the_sentence_names_the_setting_and_the_address_where_it_is_known() -> None:
    assert shared_words("untrusted", "172.17.0.1").endswith(
        ": set TRUSTED_PROXIES=172.17.0.1, and start the shop again"
    )
    assert ". Set TRUSTED_PROXIES to the address from which the proxy reaches the shop" in shared_words(
        "untrusted"
    )
    assert "have it add the visitor's address" in shared_words("missing", "127.0.0.1")


def a_watch(shop: Shop) -> SharedLimitsWatch:
    return SharedLimitsWatch(ProxyNotice(TRUSTED), store=shop.store, clock=shop.clock)


def listed(shop: Shop) -> list[tuple[str, str]]:
    found = run(shop.report())
    assert [row.task for row in found.todo.rows] == [Task.LIMITS_SHARED] * len(found.shared_limits)
    assert found.all_well is (not found.shared_limits)
    return [(one.subject, one.detail) for one in found.shared_limits]


def test_it_waits_for_the_merchant_until_a_visitor_is_told_apart_and_nobody_is_emailed() -> None:
    shop = Shop()
    watch = a_watch(shop)
    run(watch.look())
    assert listed(shop) == []
    see(watch.notice, THROUGH_A_STRANGER)
    run(watch.look())
    assert listed(shop) == [("untrusted", "172.17.0.1")]
    shop.deliver_mail()
    assert shop.letters_to("help@shop.example") == []
    see(watch.notice, THROUGH_OUR_PROXY)
    run(watch.look())
    assert listed(shop) == []


def test_a_start_ends_it_until_a_visitor_shows_it_again_and_another_reason_takes_its_place() -> None:
    shop = Shop()
    watch = a_watch(shop)
    see(watch.notice, THROUGH_A_STRANGER)
    run(watch.look())
    again = a_watch(shop)
    run(again.look())
    assert listed(shop) == []
    run(watch.look())
    assert listed(shop) == [], "it was noted a moment ago"
    shop.clock.tick(hours=1)
    run(watch.look())
    assert listed(shop) == [("untrusted", "172.17.0.1")], "this node still sees it"
    see(again.notice, scope_of("127.0.0.1", "unknown"))
    run(again.look())
    assert listed(shop) == [("unreadable", "127.0.0.1")]
