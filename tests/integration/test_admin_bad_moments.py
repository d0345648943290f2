"""Forms of the back office at bad moments: the role was lost, Stripe hangs, the database is locked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from testkit.acting import Sold, lines_about, sold
from testkit.bazaar import stock_a_bazaar
from testkit.office import Member, form_on
from testkit.servers import ShopServer, a_shop
from testkit.waiting import wait_until

WHY = {"reason": "they wrote"}
ACTIONS = {
    "refund": {"amount": "9.00"}, "revoke": {}, "resend": {}, "address": {"email": "right@example.com"}, "key": {"product": "keyed"},
    "note": {"text": "rang"},
}  # fmt: skip
"""Each with what is filled in."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, Member]]:
    folder = tmp_path_factory.mktemp("moments")
    stock_a_bazaar(folder / "catalogue")
    with a_shop(folder) as shop:
        owner = Member(shop)
        owner.join()
        yield shop, owner


def requests_of(one: Sold) -> list[dict[str, object]]:
    return [asked for asked in one.shop.export()["refund_request"] if asked["order"] == one.order]


def what_is_kept(one: Sold) -> object:
    """Of a sale and its customer: everything but the log."""
    held = one.shop.export()
    return (
        one.sale, requests_of(one), [note for note in held["note"] if note["order"] == one.order],
        [user for user in held["user"] if user["id"] == one.user], sorted(m["id"] for m in held["mail"] if m["to"] == one.email),
    )  # fmt: skip


def test_who_lost_a_role_while_a_form_was_open_does_nothing_with_it(
    office: tuple[ShopServer, Member],
) -> None:
    """Each form says so in a sentence, each try is a line of the log, and nothing is half done."""
    shop, _ = office
    one, member = sold(shop, "keyed"), Member(shop)
    member.join("owner", "second@example.com")
    pages = {name: member.get(one.at(name)) for name in ACTIONS}
    shop.cli("staff", "role", "second@example.com", "viewer")
    before = what_is_kept(one)
    for name, fields in ACTIONS.items():
        form = form_on(pages[name], one.at(name)) | fields | WHY
        refused = member.http.post(one.at(name), data=form)
        assert refused.status_code == 403, name
        assert "Your role does not allow it." in refused.text, name
    assert what_is_kept(one) == before
    lines = lines_about(shop, one.order)
    assert {result for _, result in lines} == {"refused"}
    assert len(lines) == len(ACTIONS)
    shop.cli("staff", "disable", "second@example.com")
    out = member.http.post(one.at("note"), data=form_on(pages["note"], one.at("note")) | {"text": "rang"})
    assert out.headers["location"].startswith("/admin/sign-in")
    assert what_is_kept(one) == before


def test_a_refund_is_kept_while_stripe_hangs_and_made_once_it_answers(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("refund"))
    form = form_on(page, one.at("refund")) | {"amount": "4.00"} | WHY
    shop.sandbox.behave(stripe="hang")
    try:
        for _ in range(2):
            kept = owner.http.post(one.at("refund"), data=form)
            assert kept.headers["location"] == f"/admin/sales/{one.order}?done=refund-quietly"
        assert [asked["state"] for asked in requests_of(one)] == ["requested"]
        assert "try again" not in owner.get(f"/admin/sales/{one.order}").text.lower()
    finally:
        shop.sandbox.behave(stripe="")
    wait_until(lambda: [asked["state"] for asked in requests_of(one)] == ["done"], within=120)
    [asked] = requests_of(one)
    assert asked["amount"] == 400


@pytest.mark.parametrize("name", ["refund", "revoke", "address"])
def test_a_locked_database_gives_the_form_back_and_it_is_good_once(
    office: tuple[ShopServer, Member], name: str
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    form = form_on(owner.get(one.at(name)), one.at(name)) | ACTIONS[name] | WHY
    before = what_is_kept(one)
    lock = sqlite3.connect(shop.data / "coatcheck.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        busy = owner.http.post(one.at(name), data=form, timeout=60)
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "10")
    assert 'value="they wrote"' in busy.text
    assert what_is_kept(one) == before
    again = form_on(busy, one.at(name)) | ACTIONS[name] | WHY
    for _ in range(2):
        assert owner.http.post(one.at(name), data=again).status_code == 303
    assert [result for _, result in lines_about(shop, one.order)] == ["done"]
