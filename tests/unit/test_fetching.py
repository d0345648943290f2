"""Files go to those who own them, asked anew each time; what is opened is what was offered."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from domain.access import Closed, NotYours
from domain.fact import Fact, FactKind
from domain.ports import GoodsUnavailable, OpenFile
from domain.usecases.fetch_file import NoSuchFile, Offered
from entrypoints.testing import BOOK, CONTENT, PHOTOS, Browser, Shop, a_product, an_edition
from testkit.stepping import gather, run

ANNA = "anna@example.com"


def an_owner(shop: Shop) -> Browser:
    anna = Browser(shop)
    anna.buy_and_pay(ANNA)
    return anna


def offered_to(anna: Browser) -> Offered:
    found = run(anna.shop.fetch_file(anna.visitor, BOOK, "it.txt"))
    assert isinstance(found, Offered), found
    return found


def test_a_file_is_offered_to_its_owner_only_with_the_purchase_that_opens_it() -> None:
    shop = Shop()
    anna, thief = an_owner(shop), Browser(shop)
    offered = offered_to(anna)
    assert (offered.file.name, offered.file.size) == ("it.txt", 5)
    assert offered.purchase == anna.viewer.holdings[0].purchase
    assert run(shop.fetch_file(thief.visitor, BOOK, "it.txt")) == NotYours()
    assert run(shop.fetch_file(anna.visitor, PHOTOS, "it.txt")) == NotYours()


def with_a_sample(**more: bool) -> Shop:
    """The book has another file beside its sample."""
    book = a_product(BOOK, sample="it.txt", **more)
    book = replace(book, files=(*book.files, replace(book.files[0], name="other.txt")))
    return Shop(an_edition(book, a_product(PHOTOS, price=1400)))


def test_a_sample_is_for_everybody_and_counts_for_nobody() -> None:
    shop = with_a_sample()
    anna, guest = an_owner(shop), Browser(shop)
    for browser in (guest, anna):
        offered = run(shop.fetch_file(browser.visitor, BOOK, "it.txt"))
        assert isinstance(offered, Offered)
        assert offered.purchase is None
        assert isinstance(run(shop.fetch_file.open(offered, start=0, stop=5)), OpenFile)
    [held] = anna.viewer.holdings
    assert run(shop.store.read(lambda tx: tx.downloads.of_purchase(held.purchase.checkout))) == []
    assert run(shop.fetch_file(guest.visitor, BOOK, "other.txt")) == NotYours()
    assert run(shop.fetch_file(guest.visitor, PHOTOS, "it.txt")) == NotYours()


def test_what_the_content_shows_is_for_owners_and_no_download_even_if_it_is_called_as_the_sample() -> None:
    book = a_product(BOOK, sample="it.txt")
    shown = replace(book.files[0], name="talk.mp4")
    book = replace(book, media=(shown, book.files[0]))
    shop = Shop(an_edition(book, a_product(PHOTOS, price=1400)))
    anna, guest = an_owner(shop), Browser(shop)
    for name in ("talk.mp4", "it.txt"):
        offered = run(shop.fetch_file(anna.visitor, BOOK, name, shown=True))
        assert isinstance(offered, Offered)
        assert isinstance(run(shop.fetch_file.open(offered, start=0, stop=5)), OpenFile)
        assert run(shop.fetch_file(guest.visitor, BOOK, name, shown=True)) == NotYours()
    [held] = anna.viewer.holdings
    assert run(shop.store.read(lambda tx: tx.downloads.of_purchase(held.purchase.checkout))) == []
    assert run(shop.fetch_file(anna.visitor, BOOK, "talk.mp4")) == NoSuchFile(), "it is not among the files"


def test_the_sample_of_a_product_that_is_gone_is_for_its_owners_alone() -> None:
    assert run(with_a_sample(present=False).fetch_file(Browser(Shop()).visitor, BOOK, "it.txt")) == NotYours()
    assert isinstance(
        run(with_a_sample(held_back=True).fetch_file(Browser(Shop()).visitor, BOOK, "it.txt")), Offered
    )


@pytest.mark.parametrize("name", ["", "IT.TXT", "../it.txt", "it.txt/", "it.txt\0"])
def test_names_are_compared_and_never_joined(name: str) -> None:
    shop = Shop()
    assert run(shop.fetch_file(an_owner(shop).visitor, BOOK, name)) == NoSuchFile()


def test_a_refund_between_two_requests_closes_the_second() -> None:
    shop = Shop()
    anna = an_owner(shop)
    offered_to(anna)
    [held] = anna.viewer.holdings
    refund = Fact(
        object_id="re_1", kind=FactKind.REFUND, payment=held.purchase.payment, as_of=1, status="succeeded",
        amount=held.purchase.paid.amount,
    )  # fmt: skip
    run(shop.store.transact(lambda tx: tx.facts.record(refund)))
    assert isinstance(run(shop.fetch_file(anna.visitor, BOOK, "it.txt")), Closed)


@pytest.mark.parametrize("span", [(0, 5), (0, 0), (1, 4), (4, 5), (5, 5)])
def test_what_was_offered_is_opened_from_start_to_stop(span: tuple[int, int]) -> None:
    shop = Shop()
    opened = run(shop.fetch_file.open(offered_to(an_owner(shop)), start=span[0], stop=span[1]))
    assert isinstance(opened, OpenFile)
    assert opened.size == span[1] - span[0]
    assert b"".join(run(gather(opened.chunks))) == CONTENT[slice(*span)]


def test_an_edit_between_the_two_steps_mixes_nothing() -> None:
    """What was offered is a content, not a name: the new edition's bytes are not under it."""
    shop = Shop()
    offered = offered_to(an_owner(shop))
    newer = b"HELLO"
    shop.goods.contents[hashlib.sha256(newer).hexdigest()] = newer
    file = replace(offered.file, sha256=hashlib.sha256(newer).hexdigest())
    shop.catalogue.edition = an_edition(replace(a_product(), files=(file,)))
    opened = run(shop.fetch_file.open(offered, start=0, stop=5))
    assert isinstance(opened, OpenFile)
    assert b"".join(run(gather(opened.chunks))) == CONTENT


def test_bytes_that_are_gone_are_no_file_and_a_storage_that_is_away_is_said_to_be() -> None:
    shop = Shop()
    offered = offered_to(an_owner(shop))
    shop.goods.contents.clear()
    assert run(shop.fetch_file.open(offered, start=0, stop=5)) == NoSuchFile()
    shop.goods.failing = True
    with pytest.raises(GoodsUnavailable):
        run(shop.fetch_file.open(offered, start=0, stop=5))


def test_an_edition_names_its_contents() -> None:
    assert an_edition().contents == {hashlib.sha256(CONTENT).hexdigest()}
