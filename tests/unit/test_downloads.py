"""The downloads under way: who is admitted, and who makes room."""

from __future__ import annotations

import asyncio

import pytest
from litestar.types import Message

from domain.values import Digest, digest_of
from entrypoints.http.downloads import (
    IN_A_SITE,
    IN_ALL,
    OF_SAMPLES,
    PER_NETWORK,
    PER_SESSION,
    Download,
    Downloads,
    Full,
    MadeRoom,
)

pytestmark = pytest.mark.anyio


def session(number: int) -> Digest:
    return digest_of(f"session {number}".encode())


def begin(downloads: Downloads, number: int, network: str = "192.0.2.1", *, now: float = 0.0) -> Download:
    begun = downloads.begin(session=session(number), network=network, now=now)
    assert isinstance(begun, Download)
    return begun


def refused(downloads: Downloads, number: int, network: str = "192.0.2.1") -> Full:
    begun = downloads.begin(session=session(number), network=network, now=0.0)
    assert isinstance(begun, Full)
    return begun


async def takes(message: Message) -> None:
    """A reader that takes every chunk at once."""


async def takes_nothing(message: Message) -> None:
    await asyncio.Event().wait()


async def is_ended(download: Download) -> bool:
    try:
        await download.hand_over(b"", takes)
    except MadeRoom:
        return True
    return False


async def test_a_browser_has_eight_downloads_and_another_one_when_one_of_them_is_over() -> None:
    downloads = Downloads()
    first, *_ = [begin(downloads, 1) for _ in range(PER_SESSION)]
    assert refused(downloads, 1) is Full.SESSION
    begin(downloads, 2)
    first.leave()
    begin(downloads, 1)
    assert refused(downloads, 1) is Full.SESSION


async def test_the_browsers_of_a_network_share_its_places_and_other_networks_have_their_own() -> None:
    downloads = Downloads()
    for number in range(PER_NETWORK):
        begin(downloads, number)
    assert refused(downloads, PER_NETWORK) is Full.NETWORK
    begin(downloads, PER_NETWORK, "192.0.2.2")


async def test_when_all_places_are_taken_the_network_with_the_most_makes_room() -> None:
    downloads = Downloads()
    crowd = [begin(downloads, number, "192.0.2.1") for number in range(2)]
    others = [begin(downloads, number, f"198.51.{number}.1") for number in range(2, IN_ALL)]
    begin(downloads, IN_ALL, "203.0.113.1")
    assert sum([await is_ended(one) for one in crowd]) == 1
    assert not any([await is_ended(one) for one in others])


async def test_when_all_places_are_taken_and_no_network_has_more_than_another_nobody_is_put_out() -> None:
    downloads = Downloads()
    under_way = [begin(downloads, number, f"198.51.{number}.1") for number in range(IN_ALL)]
    assert refused(downloads, IN_ALL, "203.0.113.1") is Full.ALL
    assert not any([await is_ended(one) for one in under_way])


async def test_when_all_places_are_taken_a_reader_that_waits_makes_room_whatever_its_network() -> None:
    downloads = Downloads()
    waiting, *others = [begin(downloads, number, f"198.51.{number}.1") for number in range(IN_ALL)]
    sending = asyncio.create_task(waiting.hand_over(b"", takes_nothing))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    assert downloads.begin(session=session(IN_ALL), network="203.0.113.1", now=now + 9) is Full.ALL
    begin(downloads, IN_ALL, "203.0.113.1", now=now + 11)
    with pytest.raises(MadeRoom):
        await sending
    assert not any([await is_ended(one) for one in others])


@pytest.mark.parametrize(
    ("address_of", "around", "others"),
    [
        ("2001:db8:7:{:x}00::/64", "a /48", "2001:db8:8::/64"),
        ("192.0.2.{}", "a /24", "192.0.3.1"),
    ],
    ids=["IPv6", "IPv4"],
)
async def test_a_site_with_many_networks_has_half_of_all_places(
    address_of: str, around: str, others: str
) -> None:
    downloads = Downloads()
    for number in range(IN_A_SITE):
        begin(downloads, number, address_of.format(number))
    assert refused(downloads, IN_ALL, address_of.format(IN_A_SITE)) is Full.NETWORK, around
    begin(downloads, IN_ALL, others)


async def test_a_household_with_many_networks_has_twice_the_places_of_one() -> None:
    downloads = Downloads()
    for number in range(2 * PER_NETWORK):
        begin(downloads, number, f"2001:db8:0:{number:x}::/64")
    assert refused(downloads, IN_ALL, f"2001:db8:0:{2 * PER_NETWORK:x}::/64") is Full.NETWORK
    begin(downloads, IN_ALL, "2001:db8:0:100::/64")


async def test_sites_that_took_all_places_one_for_each_of_their_networks_make_room_for_others() -> None:
    downloads = Downloads()
    crowd = [
        begin(downloads, 2 * number + site, f"2001:db8:{site}:{number:x}00::/64")
        for site in range(2)
        for number in range(IN_A_SITE)
    ]
    for number in range(IN_A_SITE - 1):
        begin(downloads, IN_ALL + number, f"203.0.{number}.1")
    assert sum([await is_ended(one) for one in crowd]) == IN_A_SITE - 1
    assert isinstance(begin(downloads, 2 * IN_ALL, "2001:db8:ffff::/64"), Download)


async def test_samples_are_no_session_and_leave_half_of_the_places_to_customers() -> None:
    downloads = Downloads()
    for number in range(OF_SAMPLES):
        network = f"198.51.{number}.1"
        assert isinstance(downloads.begin(session=None, network=network, now=0.0), Download)
    assert downloads.begin(session=None, network="203.0.113.1", now=0.0) is Full.ALL
    begin(downloads, 1, "203.0.113.1")


async def test_a_network_has_its_share_of_samples_as_of_other_downloads() -> None:
    downloads = Downloads()
    for _ in range(PER_NETWORK):
        assert isinstance(downloads.begin(session=None, network="192.0.2.1", now=0.0), Download)
    assert downloads.begin(session=None, network="192.0.2.1", now=0.0) is Full.NETWORK


async def test_what_a_page_shows_waits_for_a_place_and_gets_the_first_that_is_free() -> None:
    downloads = Downloads()
    first, second, *_ = [begin(downloads, 1) for _ in range(PER_SESSION)]
    waiting = [asyncio.create_task(downloads.wait(session=session(1), network="192.0.2.1")) for _ in range(3)]
    for freed, waited in ((first, 2), (second, 1)):
        await asyncio.sleep(0)
        freed.leave()
        for _ in range(3):
            await asyncio.sleep(0)
        assert sum(not task.done() for task in waiting) == waited
    [gone] = [task for task in waiting if not task.done()]
    gone.cancel()
    assert all(isinstance(task.result(), Download) for task in waiting if task is not gone)
    assert refused(downloads, 1) is Full.SESSION


async def test_the_wait_for_a_place_has_an_end() -> None:
    downloads = Downloads(patience=0.0)
    for _ in range(PER_SESSION):
        begin(downloads, 1)
    assert await downloads.wait(session=session(1), network="192.0.2.1") is Full.SESSION
