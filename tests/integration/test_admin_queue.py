"""What waits, Stripe's side and emails, over HTTP: what the pages show, and what their buttons do."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from testkit import past
from testkit.office import Member
from testkit.servers import ShopServer, a_shop


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, Member, list[str]]]:
    """A shop with a past, and its owner."""
    with a_shop(tmp_path_factory.mktemp("queue")) as shop:
        orders = past.fill(shop.data)
        anna = Member(shop)
        anna.join()
        yield shop, anna, list(orders)


def email_at(order: str) -> str:
    return f"/admin/emails/{quote(f'access:{order}', safe='')}"


def test_the_queue_names_what_why_and_the_likeliest_buttons(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, orders = filled
    page = anna.get("/admin/todo")
    rows = re.findall(r"<li>\s*<div>.*?</li>", page.text, re.DOTALL)
    [dispute] = [row for row in rows if "dispute about" in row]
    assert 'href="https://dashboard.stripe.com/test/disputes/du_1"' in dispute
    assert f'href="/admin/sales/{orders[past.DISPUTED]}"' in dispute
    [stuck] = [row for row in rows if "is not verified" in row]
    assert f'href="{email_at(orders[past.STUCK])}/send"' in stuck
    assert all(1 <= row.count('<a class="button') <= 2 for row in rows)
    assert "buyer34@example.com was not sent" in page.text
    assert "Never opened: buyer34@example.com" not in page.text, "its email says why"


def test_one_task_alone_is_an_address_and_an_unknown_one_shows_all(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, _orders = filled
    assert anna.get("/admin/todo?only=disputes").text.count("<li>\n  <div>") == 1
    everything = anna.get("/admin/todo").text.count("<li>\n  <div>")
    assert anna.http.get("/admin/todo", params={"only": "%_'\""}).text.count("<li>\n  <div>") == everything


def test_status_lists_the_same(filled: tuple[ShopServer, Member, list[str]]) -> None:
    shop, _anna, orders = filled
    said = shop.cli("status", check=False)
    assert said.returncode == 1
    assert f"du_1  order {orders[past.DISPUTED][:16]}" in said.stdout
    assert "and never opened" in said.stdout
    assert "buyer4@" not in said.stdout, "addresses are masked"


def test_stripes_page_says_when_it_was_heard_and_lists_its_webhooks_in_pages(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, _orders = filled
    page = anna.get("/admin/stripe")
    assert page.text.count("checkout.<wbr>session.<wbr>completed") == 50
    assert re.search(r'href="https://dashboard.stripe.com/test/events/(evt_\w+)">\1</a>', page.text)
    assert re.search(
        r'href="https://dashboard.stripe.com/test/search\?query=(cs_test_\w+)">\1</a>', page.text
    )
    older = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert older is not None
    assert anna.get(html.unescape(older[1])).text.count("checkout.<wbr>session.<wbr>completed") == 10
    for odd in ("x", "1e99-evt", "-", "nan-evt_1", "inf-x"):
        assert anna.http.get("/admin/stripe", params={"before": odd}).status_code == 200


def test_a_payment_is_dismissed_for_a_reason_once_and_leaves_the_list(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, _orders = filled
    path = "/admin/stripe/cs_test_odd/dismiss"
    page = anna.get(path)
    assert anna.post(path, page, reason=" ").status_code == 400
    for _ in range(2):
        done = anna.post(path, page, reason="refunded by hand")
        assert done.headers["location"] == "/admin/stripe?done=dismissed"
    after = anna.get(done.headers["location"])
    assert "It is off the list." in after.text
    assert "cs_test_odd" not in after.text.partition('id="events"')[0]
    assert anna.get("/admin/audit").text.count('<td class="rest">dismissed a quarantined payment') == 1
    assert "refunded by hand" in anna.get("/admin/audit").text
    log = anna.get("/admin/audit?action=dismiss-payment")
    assert log.text.count('<th scope="row">') == 1
    assert '<option value="dismiss-payment" selected>dismissed a quarantined payment' in log.text
    assert "There is no such entry." in anna.get("/admin/audit?action=dismiss-payment&who=cli:").text
    whole = anna.get("/admin/audit").text.count('<th scope="row">')
    assert anna.get("/admin/audit?action=nothing&who=nobody").text.count('<th scope="row">') == whole > 1


def test_what_is_read_again_is_said_and_nonsense_is_refused(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, _orders = filled
    page = anna.get("/admin/stripe")
    assert "Stripe knows no such payment" in anna.post("/admin/stripe/read", page, ref="cs_test_nothing").text
    for typed in ("", "..", "ch_1", "x" * 9000):
        assert anna.post("/admin/stripe/read", anna.get("/admin/stripe"), ref=typed).status_code == 400


def test_reconciling_by_hand_says_what_it_found(filled: tuple[ShopServer, Member, list[str]]) -> None:
    _shop, anna, _orders = filled
    path = "/admin/stripe/reconcile"
    done = anna.post(path, anna.get(path))
    assert done.headers["location"] == "/admin/stripe?done=reconciled"
    assert "Compared on" in anna.get(done.headers["location"]).text


def test_emails_that_wait_those_of_a_kind_and_those_of_an_address(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, orders = filled
    waiting = anna.get("/admin/emails")
    assert "may have been sent" in waiting.text
    assert "buyer13@example.com" in waiting.text
    assert '<span class="state bad">may have been sent</span>' in waiting.text
    assert '<span class="state bad">bounced</span>' in waiting.text
    assert '<span class="state bad">sent' not in waiting.text
    access = anna.get("/admin/emails?kind=access")
    assert access.text.count("Your access to") == 50
    older = re.search(r'rel="next" href="([^"]+)"', access.text)
    assert older is not None
    assert anna.get(html.unescape(older[1])).text.count("Your access to") == 10
    assert f'href="{email_at(orders[7])}"' in anna.get("/admin/emails?to=BUYER7@example.com").text
    for typed in ("nobody", "%@_", "x" * 5000):
        assert anna.http.get("/admin/emails", params={"to": typed}).status_code == 200


def test_a_page_of_emails_ends_after_two_hundred(filled: tuple[ShopServer, Member, list[str]]) -> None:
    shop, anna, _orders = filled
    past.write_to(shop.data, "everybody@example.com", number=200)
    page = anna.get("/admin/emails?to=everybody@example.com")
    assert page.text.count("<tr>") == 201
    assert "are shown" not in page.text
    past.write_to(shop.data, "everybody@example.com", number=201)
    page = anna.get("/admin/emails?to=everybody@example.com")
    assert page.text.count("<tr>") == 201
    assert "Emails to everybody@example.com: 201. The newest 200 are shown." in page.text


def test_an_email_shows_its_text_without_link_and_code(filled: tuple[ShopServer, Member, list[str]]) -> None:
    _shop, anna, orders = filled
    page = anna.get(email_at(orders[0]))
    assert "Open it: [the link]" in page.text
    assert "Code: [the code]" in page.text
    assert "coatcheck:" not in page.text
    assert '<a href="/admin/emails">Emails</a>' in page.text
    customer = re.search(r'<a href="(/admin/customers/\w+)">buyer0@example.com</a>', page.text)
    assert customer is not None
    theirs = anna.get(customer[1])
    assert "buyer0@example.com" in theirs.text
    assert f'<a href="{email_at(orders[0])}">Access email' in theirs.text, "the timeline leads back"
    assert f'<a href="{email_at(orders[0])}">Access email' in anna.get(f"/admin/sales/{orders[0]}").text
    assert "Next try" not in page.text
    assert "<dt>Language</dt>" not in page.text, "it is written in that of the shop"
    hostile = anna.get(email_at(orders[5]))
    assert past.HOSTILE not in hostile.text
    assert past.HOSTILE in html.unescape(hostile.text)
    assert anna.get("/admin/emails/access%3Anone").status_code == 404


def test_an_email_is_sent_again_once_and_its_history_says_so(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    shop, anna, orders = filled
    at = email_at(orders[past.STUCK])
    page = anna.get(f"{at}/send")
    assert "buyer21@example.com is emailed the same again" in page.text
    for _ in range(2):
        assert anna.post(f"{at}/send", page).headers["location"] == f"{at}?done=sent-again"
    after = anna.get(at)
    assert "The same, queued again" in after.text
    assert "<span>Sent an email again: done</span>" in after.text
    again = anna.post(f"{at}/send", anna.get(f"{at}/send"))
    assert again.status_code == 409
    assert shop.sandbox.wait_for_mail("buyer21@example.com")


def test_a_bounce_is_dismissed_and_leaves_the_queue(filled: tuple[ShopServer, Member, list[str]]) -> None:
    _shop, anna, orders = filled
    path = f"{email_at(orders[past.BOUNCED])}/dismiss"
    assert "Access email to buyer13" in anna.get("/admin/todo").text
    assert anna.post(path, anna.get(path)).headers["location"] == "/admin/emails?done=dismissed"
    assert "Access email to buyer13" not in anna.get("/admin/todo").text
