"""The actions of the back office over HTTP: what a page says, and that each happens once, whoever sends what."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest

from testkit.acting import Sold, lines_about, sold, submit
from testkit.bazaar import stock_a_bazaar
from testkit.office import Member, asks_for_passkey, form_on
from testkit.servers import BOOK, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

WHY = {"reason": "they wrote"}
_WHY = ("--reason", "they wrote")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, Member]]:
    folder = tmp_path_factory.mktemp("acting")
    stock_a_bazaar(folder / "catalogue")
    with a_shop(folder) as shop:
        owner = Member(shop)
        owner.join()
        yield shop, owner


def age(shop: ShopServer) -> None:
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        database.execute("UPDATE staff_sessions SET proved_at = proved_at - 300000000")


def refunds_of(one: Sold) -> list[dict[str, object]]:
    return [r for r in one.shop.export().get("refund_request", []) if r["order"] == one.order]


# ------------------------------------------------------------------ each does what its page says, once


def test_what_the_address_filled_in_is_still_there_after_a_passkey_was_used_again(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    wanted = f"{sold(shop, 'abroad').at('refund')}?cause=fraudulent"
    age(shop)
    sent = owner.get(wanted)
    assert sent.headers["location"] == "/admin/prove?" + urlencode({"to": wanted})
    back = owner.prove(to=wanted)
    assert back.headers["location"] == wanted
    assert re.search(r'name="fraudulent"[^>]* checked', owner.get(wanted).text)


def test_a_refund_is_requested_once_and_the_customer_hears_of_it(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("refund"))
    assert "refunds of card payments wait at Stripe until it is funded" in page.text
    assert "refunds of other payment methods fail" in page.text
    assert one.email in page.text
    assert "$9.00 of $9.00 can be refunded" in page.text
    assert 'name="amount" type="text" value="9.00"' in page.text
    form = {"amount": "3,00", "tell": "yes", **WHY}
    for _ in range(2):
        answer = submit(owner, one.at("refund"), page, **form)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/admin/sales/{one.order}?done=refund",
        )
    [request] = refunds_of(one)
    assert (request["amount"], request["reason"]) == (300, "they wrote")
    assert lines_about(shop, one.order) == [("refund", "done")]
    log = owner.get("/admin/audit").text
    assert f'<a href="/admin/sales/{one.order}"><code>{one.order[:16]}</code></a>' in log
    assert '<td class="rest">asked for a refund' in log
    assert shop.sandbox.wait_for_mail(one.email, number=2)["subject"].startswith("Your refund")
    again = owner.get(one.at("refund"))
    assert "$6.00 of $9.00 can be refunded" in again.text
    assert submit(owner, one.at("refund"), amount="6.00", close="yes", **WHY).status_code == 303
    wait_until(lambda: [r["state"] for r in refunds_of(one)] == ["done", "done"])
    assert "Nothing is left to refund" in owner.get(one.at("refund")).text


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1,000", "That amount is ambiguous"), ("9.01", "$9.00 can be refunded, and no more"), ("0", "The amount is 0"),
        ("ten", "in digits"), ("", "Please write the amount"), ("€ 3", "paid in USD"), ("0.005", "as fine as that"),
    ],
)  # fmt: skip
def test_an_amount_that_is_none_comes_back_with_the_form_filled_in(
    office: tuple[ShopServer, Member], amount: str, words: str
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    answer = submit(owner, one.at("refund"), amount=amount, **WHY)
    assert answer.status_code == 409
    assert words in answer.text
    assert 'value="they wrote"' in answer.text
    assert refunds_of(one) == []


def test_a_disputed_payment_is_answered_at_stripe_instead(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("refund"))
    shop.sandbox.post(f"/_sandbox/sessions/{one.ref}/dispute", status="needs_response")
    wait_until(lambda: "Answer the dispute instead" in owner.get(one.at("refund")).text)
    for path in (f"/admin/sales/{one.order}", "/admin/todo"):
        assert "Evidence is due by " in owner.get(path).text
    refused = owner.get(one.at("refund"))
    assert "https://dashboard.stripe.com/test/payments/pi_" in refused.text
    assert "<button class" not in refused.text.partition("<main")[2]
    stale = submit(owner, one.at("refund"), page, amount="9.00", **WHY)
    assert stale.status_code == 409
    assert refunds_of(one) == []


def test_nothing_is_refunded_of_what_was_free(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    shop.cli("grant", "abroad", "given@example.com", "--reason", "x")
    [order] = [o["id"] for o in shop.export()["purchase"] if o["email"] == "given@example.com"]
    owner.prove()
    assert "Nothing was paid for this order" in owner.get(f"/admin/sales/{order}/refund").text


def test_closing_and_restoring_tell_the_customer_unless_that_is_unticked(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad", verified=True)
    owner.prove()
    page = owner.get(one.at("revoke"))
    assert 'name="tell" value="yes" checked' in page.text
    assert f"What {one.email} is emailed" in page.text
    assert "You no longer have access to it." in page.text
    assert "page will say: “The seller closed this purchase on " in page.text
    for _ in range(2):
        closed = submit(owner, one.at("revoke"), page, tell="yes", **WHY)
        assert closed.headers["location"] == f"/admin/sales/{one.order}?done=revoked"
    assert "has ended" in shop.sandbox.wait_for_mail(one.email, number=2)["subject"]
    assert one.buyer.get("/view/abroad").status_code != 200
    twice = submit(owner, one.at("revoke"), **WHY)
    assert (twice.status_code, "closed by hand before" in twice.text) == (409, True)
    assert "Nobody is emailed" in twice.text
    assert 'name="tell"' not in twice.text
    assert "is restored." in owner.get(one.at("restore")).text.partition('class="letter"')[2]
    opened = submit(owner, one.at("restore"), **WHY)
    assert opened.headers["location"] == f"/admin/sales/{one.order}?done=restored"
    assert "Access is restored." not in owner.get(f"/admin/sales/{one.order}").text, (
        "another page that is open"
    )
    assert "Access is restored." in owner.get(opened.headers["location"]).text
    assert "Access is restored." not in owner.get(opened.headers["location"]).text, (
        "the same page, loaded again"
    )
    assert "Access is revoked." not in owner.get(f"/admin/sales/{one.order}?done=revoked").text, "a bookmark"
    assert one.buyer.get("/view/abroad").status_code == 200
    assert "nothing to restore" in submit(owner, one.at("restore"), **WHY).text
    assert shop.mails_queued_for(one.email) == 2, "it was unticked"


def test_a_link_is_sent_again_to_the_address_on_file(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    page = owner.get(one.at("resend"))
    assert one.email in page.text
    for _ in range(2):
        assert submit(owner, one.at("resend"), page).status_code == 303
    assert shop.mails_queued_for(one.email) == 2


def test_a_key_is_replaced_a_note_kept_and_both_shown_once(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one = sold(shop, "keyed")
    before = one.sale["licence_keys"]
    owner.prove()
    page = owner.get(one.at("key"))
    for _ in range(2):
        done = submit(owner, one.at("key"), page, product="keyed", **WHY)
        assert done.headers["location"] == f"/admin/sales/{one.order}?done=key"
    assert one.sale["licence_keys"] != before
    assert "licence key" in shop.sandbox.wait_for_mail(one.email, number=2)["subject"]
    assert submit(owner, one.at("note"), text="rang <b>twice</b>").status_code == 303
    assert "rang &lt;b&gt;twice&lt;&#x2f;b&gt;" in owner.get(one.at("note")).text
    [note] = [n for n in shop.export()["note"] if n["order"] == one.order]
    assert note["text"] == "rang <b>twice</b>"
    long = submit(owner, one.at("note"), text="x" * 2001)
    assert (long.status_code, "at most 2000 characters" in long.text) == (409, True)


def test_viewers_see_no_whole_key_in_the_text_of_an_email(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one, viewer = sold(shop, "keyed"), Member(shop)
    viewer.join("viewer", "reader@example.com")
    before = key_of(one)
    assert submit(owner, one.at("key"), product="keyed", **WHY).status_code == 303
    shop.sandbox.wait_for_mail(one.email, number=2)
    after = key_of(one)
    emails = [
        f"/admin/emails/{quote(mail['id'], safe='')}"
        for mail in shop.export()["mail"]
        if mail["to"] == one.email
    ]
    assert len(emails) == 2
    for path in (one.at_customer("").rstrip("/"), *emails):
        assert "••••" in viewer.get(path).text
        for key in (before, after):
            assert key not in viewer.get(path).text, path
    assert before in owner.get(emails[0]).text + owner.get(emails[1]).text


def key_of(one: Sold) -> str:
    found = re.findall(r"'key': '([^']+)'", str(one.sale["licence_keys"]))
    assert len(found) == 1
    return str(found[0])


def test_a_corrected_address_waits_for_its_owner_who_opens_it_in_any_browser(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one, right = sold(shop, "abroad"), "right-one@example.com"
    path = one.at_customer("address")
    owner.prove()
    page = owner.get(path)
    for _ in range(2):
        assert submit(owner, path, page, email=right, **WHY).headers["location"].endswith("?done=address")
    other = submit(owner, one.at("address"), email="x@example.com", **WHY)
    assert "waits to be confirmed" in other.text
    assert "exactly one @" in submit(owner, path, email="nobody", **WHY).text
    reader = Shopper(shop)
    shop.sandbox.wait_for_mail(right)
    link = reader.link_from(right)
    looked = reader.get(link)
    assert "was asked to change the address of the account" in looked.text
    assert one.sale["email"] == one.email
    assert reader.post(link).status_code == 303
    assert one.sale["email"] == right
    assert reader.get("/view/abroad").status_code == 200
    shop.sandbox.wait_for_mail(one.email, number=2)
    back = Shopper(shop)
    assert back.post(back.link_from(one.email)).status_code == 303
    assert one.sale["email"] == one.email


def test_customers_are_merged_signed_out_and_deleted(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one, other = sold(shop, "abroad", verified=True), sold(shop, "keyed")
    wrong = submit(owner, one.at_customer("address"), email=other.email, **WHY)
    assert "another customer" in wrong.text
    merged = submit(owner, one.at_customer("merge"), email=other.email, **WHY)
    assert merged.status_code == 303
    assert "confirm" in shop.sandbox.wait_for_mail(other.email, number=2)["subject"].lower()
    assert one.buyer.get("/library").status_code == 200
    out = submit(owner, one.at_customer("sign-out"))
    assert out.headers["location"].endswith("?done=signed-out")
    assert one.buyer.get("/library").status_code == 303
    path = other.at_customer("erase")
    page = owner.get(path)
    assert other.email in page.text
    for _ in range(2):
        gone = owner.http.post(path, data=form_on(page, path) | WHY)
        assert gone.headers["location"] == "/admin/customers?done=erased"
    assert shop.sandbox.wait_for_mail(other.email, number=3)["subject"] == "Your data was deleted"
    assert other.sale["email"] is None
    assert owner.get(path).status_code == 404


def test_a_free_copy_is_given_once_and_to_whoever_has_it_only_if_asked_again(
    office: tuple[ShopServer, Member],
) -> None:
    _, owner = office
    owner.prove()
    page = owner.get("/admin/grant?product=abroad&address=reviewer@example.com")
    assert 'value="reviewer@example.com"' in page.text
    form = form_on(page, "/admin/grant") | {"product": "abroad", "email": "reviewer@example.com", **WHY}
    first, second = (owner.http.post("/admin/grant", data=form) for _ in range(2))
    assert first.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    again = submit(owner, "/admin/grant", product="abroad", email="reviewer@example.com", **WHY)
    assert (again.status_code, "They have it already" in again.text) == (409, True)
    assert '<input type="checkbox" name="again" value="yes">' in again.text
    form = form_on(again, "/admin/grant") | {"product": "abroad", "email": "reviewer@example.com", **WHY}
    second = owner.http.post("/admin/grant", data=form | {"again": "yes"})
    assert second.status_code == 303
    assert second.headers["location"] != first.headers["location"]


def test_a_quarantined_payment_of_ours_is_booked_once(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    ref = Shopper(shop).buy("abroad")
    shop.sandbox.pay(
        ref, email="payer@example.com", copies=1, change={"amount_subtotal": 700, "amount_total": 700}
    )
    wait_until(lambda: any(q["id"] == ref for q in shop.export()["quarantine"]))
    path = f"/admin/payments/{ref}/book"
    owner.prove()
    page = owner.get(path)
    assert "Asked: $9.00." in page.text, page.text
    shop.sandbox.behave(stripe="down")
    away = owner.http.post(path, data=form_on(page, path) | WHY)
    assert "Stripe does not answer" in away.text
    shop.sandbox.behave(stripe="")
    assert all(q["closed_at"] is None for q in shop.export()["quarantine"] if q["id"] == ref)
    first, second = (owner.http.post(path, data=form_on(page, path) | WHY) for _ in range(2))
    [order] = [one for one in shop.export()["purchase"] if one["checkout_session"] == ref]
    assert first.headers["location"] == f"/admin/sales/{order['id']}?done=booked"
    assert second.headers["location"] == first.headers["location"]
    assert (order["amount"], order["email"]) == (700, "payer@example.com")
    shop.sandbox.wait_for_mail("payer@example.com")
    assert "not in quarantine any more" in owner.get(path).text


def test_support_books_a_payment_and_is_told_that_it_counts(tmp_path: Path) -> None:
    stock_a_bazaar(tmp_path / "catalogue")
    with a_shop(tmp_path) as shop:
        support = Member(shop)
        support.join("support", "support@example.com")
        ref = Shopper(shop).buy("abroad")
        less = {"amount_subtotal": 700, "amount_total": 700}
        shop.sandbox.pay(ref, email="payer@example.com", copies=1, change=less)
        wait_until(lambda: any(q["id"] == ref for q in shop.export()["quarantine"]))
        path = f"/admin/payments/{ref}/book"
        for listed in ("/admin/stripe", "/admin/todo"):
            assert path in support.get(listed).text
        page = support.get(path)
        assert "you may do 10 a day" in page.text
        assert "you may do 10 a day" in support.get("/admin/grant").text
        booked = submit(support, path, page, **WHY)
        assert booked.headers["location"].endswith("?done=booked")
        shop.sandbox.wait_for_mail("payer@example.com")


# ------------------------------------------------------------------ whoever sends it, and whenever


def test_a_changed_sale_is_shown_again_and_done_once_it_is_confirmed(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("refund"))
    shop.cli("refund", one.order, "2.00", "--reason", "a colleague")
    stopped = submit(owner, one.at("refund"), page, amount="9.00", **WHY)
    assert stopped.status_code == 409
    assert "This has changed since you opened the page" in stopped.text
    assert "A refund was requested, or answered" in stopped.text
    assert len(refunds_of(one)) == 1
    wait_until(lambda: refunds_of(one)[0]["state"] == "done")
    fresh = owner.get(one.at("refund"))
    assert submit(owner, one.at("refund"), fresh, amount="7.00", **WHY).status_code == 303


def test_a_changed_customer_or_payment_is_shown_again_and_confirmed(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    page = owner.get(one.at_customer("sign-out"))
    shop.cli("grant", "keyed", one.email, "--reason", "a colleague")
    stopped = submit(owner, one.at_customer("sign-out"), page)
    assert stopped.status_code == 409
    assert "The purchases or the address of this customer changed." in stopped.text
    assert ("sign-out-customer", "done") not in lines_about(shop, one.order)
    path = one.at_customer("sign-out")
    assert owner.http.post(path, data=form_on(stopped, path)).status_code == 303
    ref = Shopper(shop).buy("abroad")
    less = {"amount_subtotal": 700, "amount_total": 700}
    shop.sandbox.pay(ref, email="payer2@example.com", copies=1, change=less)
    wait_until(lambda: any(q["id"] == ref for q in shop.export()["quarantine"]))
    path = f"/admin/payments/{ref}/book"
    owner.prove()
    page = owner.get(path)
    other = owner.http.post(path, data=form_on(page, path) | {"seen": "600usd"} | WHY)
    assert (other.status_code, "Something else was paid than you saw." in other.text) == (409, True)
    assert owner.http.post(path, data=form_on(other, path) | WHY).status_code == 303


def test_a_form_of_an_hour_ago_leads_to_the_passkey_and_is_good_afterwards(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("revoke"))
    age(shop)
    stale = owner.http.post(one.at("revoke"), data=form_on(page, one.at("revoke")) | WHY)
    assert asks_for_passkey(stale)
    assert lines_about(shop, one.order) == [("revoke", "refused")]
    assert submit(owner, one.at("revoke"), page, **WHY).status_code == 303


def test_what_was_typed_comes_back_after_the_passkey_and_is_done_once_it_is_confirmed(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("refund"))
    age(shop)
    form = form_on(page, one.at("refund"))
    typed = form | {"amount": "3.50", "close": "yes", "reason": 'a "long" <story> of åäö'}
    asked = owner.http.post(one.at("refund"), data=typed)
    assert (asked.status_code, asked.headers["cache-control"]) == (403, "no-store")
    wrong = owner.prove_on(asked, answer="{}")
    assert (wrong.status_code, "does not open this back office" in wrong.text) == (403, True)
    back = owner.prove_on(wrong)
    assert (back.status_code, "Nothing was done yet" in back.text) == (200, True)
    assert 'name="amount" type="text" value="3.50"' in back.text
    assert re.search(r'name="close"[^>]* checked', back.text)
    assert not re.search(r'name="tell"[^>]* checked', back.text), "it was unticked"
    assert "a &quot;long&quot; &lt;story&gt; of åäö" in back.text
    assert form_on(back, one.at("refund"))["form"] == form["form"]
    assert refunds_of(one) == [], "it is to be confirmed"
    fields = typed | form_on(back, one.at("refund"))
    for _ in range(2):
        assert owner.http.post(one.at("refund"), data=fields).status_code == 303
    assert [(r["amount"], r["reason"]) for r in refunds_of(one)] == [(350, typed["reason"])]
    assert not [line for line in shop.log_lines if "story" in str(line) or "kept_" in str(line)]


def test_what_comes_back_after_the_passkey_says_what_changed_meanwhile(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("refund"))
    age(shop)
    asked = owner.http.post(
        one.at("refund"), data=form_on(page, one.at("refund")) | {"amount": "9.00", **WHY}
    )
    shop.cli("refund", one.order, "2.00", "--reason", "a colleague")
    back = owner.prove_on(asked)
    assert "A refund was requested, or answered" in back.text
    assert 'name="amount" type="text" value="9.00"' in back.text
    assert len(refunds_of(one)) == 1


@contextmanager
def locked(shop: ShopServer) -> Iterator[None]:
    """Nothing can be written."""
    lock = sqlite3.connect(shop.data / "coatcheck.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


@pytest.mark.long
def test_a_busy_database_gives_even_a_form_back_that_came_too_late(
    office: tuple[ShopServer, Member],
) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("refund"))
    age(shop)
    fields = form_on(page, one.at("refund")) | {"amount": "1.00", **WHY}
    with locked(shop):
        busy = owner.http.post(one.at("refund"), data=fields, timeout=60)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "10")
    assert form_on(busy, one.at("refund")) == fields
    asked = owner.http.post(one.at("refund"), data=form_on(busy, one.at("refund")))
    assert 'value="1.00"' in owner.prove_on(asked).text
    assert refunds_of(one) == []


@pytest.mark.long
def test_a_busy_database_gives_the_form_back(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one = sold(shop, "abroad")
    owner.prove()
    page = owner.get(one.at("note"))
    with sqlite3.connect(shop.data / "coatcheck.db") as database:  # "last seen" is to be written, too
        database.execute("UPDATE staff_sessions SET seen_at = seen_at - 90000000")
    with locked(shop):
        busy = owner.http.post(
            one.at("note"), data=form_on(page, one.at("note")) | {"text": "kept"}, timeout=60
        )
    assert busy.status_code == 503
    assert ">kept</textarea>" in busy.text
    assert busy.headers["retry-after"] == "10"
    again = owner.http.post(one.at("note"), data=form_on(busy, one.at("note")) | {"text": "kept"})
    assert again.status_code == 303


def test_forms_from_elsewhere_and_customers_cookies_do_nothing(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    one = sold(shop, "abroad", verified=True)
    paths = [
        *(one.at(name) for name in ("refund", "revoke", "restore", "resend", "address", "key", "note")),
        *(one.at_customer(name) for name in ("address", "merge", "sign-out", "erase")),
        "/admin/grant", f"/admin/payments/{one.ref}/book",
    ]  # fmt: skip
    before = shop.export()["audit"]
    planted = {"admin": one.buyer.http.cookies["session"]}
    for path in paths:
        foreign = owner.http.post(path, data=WHY, headers={"sec-fetch-site": "cross-site"})
        assert foreign.status_code == 403, path
        for method in ("GET", "POST"):
            own = {"sec-fetch-site": "same-origin"}
            answer = httpx.request(method, f"{shop.url}{path}", cookies=planted, headers=own, verify=False)
            assert answer.headers["location"].startswith("/admin/sign-in"), path
    assert shop.export()["audit"] == before
    for path in ("/admin/sales/nothing/refund", "/admin/customers/nobody/erase"):
        owner.prove()
        assert owner.get(path).status_code == 404


def test_a_key_that_may_not_refund_leads_to_stripe(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        owner = Member(shop)
        owner.join()
        one = sold(shop, BOOK)
        shop.sandbox.behave(permissions=["checkout_session_write", "payment_intent_read", "charge_read"])
        page = owner.get(one.at("refund"))
        assert "it needs Charges and Refunds write" in page.text
        assert "Open it at Stripe" in page.text
        assert 'name="amount"' not in page.text
        shop.sandbox.behave(permissions=None)
        assert 'name="amount"' in owner.get(one.at("refund")).text


def test_each_action_has_a_command(office: tuple[ShopServer, Member]) -> None:
    shop, _ = office
    one, other = sold(shop, "keyed"), sold(shop, "abroad")
    before = one.sale["licence_keys"]
    assert "has a new licence key" in shop.cli("replace-key", one.order, *_WHY).stdout
    assert one.sale["licence_keys"] != before
    assert "has this note now" in shop.cli("note", one.order, "a note").stdout
    assert "signed out everywhere" in shop.cli("sign-out", one.email).stdout
    assert "undoes it for 72 hours" in shop.cli("correct", one.order, "x1@example.com", *_WHY).stdout
    assert "another customer" in shop.cli("correct", other.email, one.email, *_WHY, check=False).stderr
    assert "Everything that the old address bought" in shop.cli("merge", other.email, one.email, *_WHY).stdout
    third = sold(shop, "abroad")
    assert "is deleted" in shop.cli("erase", third.email, "--yes", *_WHY).stdout
    assert third.sale["email"] is None
    refused = shop.cli("book", one.ref, *_WHY, check=False)
    assert (refused.returncode, "not in quarantine" in refused.stderr) == (1, True)


def test_support_refunds_up_to_the_limit_and_is_told_that_it_was_the_limit(tmp_path: Path) -> None:
    stock_a_bazaar(tmp_path / "catalogue")
    with a_shop(tmp_path) as shop:
        one, support = sold(shop, "abroad"), Member(shop)
        support.join("support", "support@example.com")
        assert one.at("refund") not in support.get(f"/admin/sales/{one.order}").text
        shop.settle('\n[admin]\nsupport_refunds = "5.00"\n')
        assert one.at("refund") in support.get(f"/admin/sales/{one.order}").text
        page = support.get(one.at("refund"))
        above = submit(support, one.at("refund"), page, amount="5.01", **WHY)
        assert (above.status_code, "more than your role allows" in above.text) == (403, True)
        assert refunds_of(one) == []
        within = submit(support, one.at("refund"), page, amount="5.00", **WHY)
        # The box that has the customer emailed was not ticked.
        assert (within.status_code, within.headers["location"]) == (
            303,
            f"/admin/sales/{one.order}?done=refund-quietly",
        )
        assert [request["amount"] for request in refunds_of(one)] == [500]
