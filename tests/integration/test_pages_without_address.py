"""The pages of a sale whose address cannot be emailed, and what the command line says of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from domain.claim import RejectReason
from domain.usecases.send_owner_link import OwnerLink
from entrypoints.cli_output import export_lines, status_lines
from entrypoints.order_lines import owner_link_line
from entrypoints.testing import an_edition
from testkit.by_hand import CLI
from testkit.pages_in_memory import Client, Town

pytestmark = pytest.mark.anyio
UNUSABLE = "a..b@docomo.ne.jp"
ANNA = "anna@example.com"
CANNOT = "We cannot send email to the address you gave when you paid"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, an_edition(), lambda place, html: None)


async def paid(town: Town, client: Client) -> tuple[str, str]:
    """A browser that paid with such an address; Stripe's session and the order."""
    ref = await town.bought(client, UNUSABLE)
    await client.get(f"/view/book?session_id={ref}", status=303)
    assert client.headers["location"] == "/view/book"
    await client.get("/view/book")
    return ref, town.order(client)


async def test_it_opens_where_it_was_paid_and_says_so_and_nowhere_claims_an_email(town: Town) -> None:
    anna, other = town.client(), town.client()
    ref, order = await paid(town, anna)
    assert "The secret of the book" in anna.html
    assert CANNOT in anna.html
    assert "on its way" not in anna.html
    assert f'action="/orders/{order}/address"' in anna.html
    page = await anna.get("/library")
    assert 'href="/view/book"' in page
    assert "Add an address to The book" in page
    assert 'action="/request-login"' not in page
    page = await anna.get(f"/orders/{order}")
    assert "access-link" not in page
    await anna.post(f"/orders/{order}/access-link", status=404)
    page = await other.get(f"/view/book?session_id={ref}")
    assert "This purchase does not open here" in page
    assert "emailed to" not in page
    assert "help@shop.example" in page
    assert "The secret" not in await other.get("/view/book", status=403)
    assert town.shop.mailer.mailbox == {}


async def test_the_browser_that_paid_names_an_address_and_only_it_can_use_the_link(town: Town) -> None:
    anna, other = town.client(), town.client()
    _, order = await paid(town, anna)
    page = await anna.post(f"/orders/{order}/address", status=400, email="änne@example.com")
    assert "plain ASCII" in page
    page = await anna.post(f"/orders/{order}/address", email=ANNA)
    assert "Open its link in this browser, or type its code here" in page
    link = town.link(ANNA)
    page = await other.get(link)
    assert "nothing changes in this browser" in page
    assert f'action="{link}"' not in page, "there is no button to press"
    assert ANNA not in page
    page = await other.post(link, status=409)
    assert "session" not in other.cookies
    assert "nothing changes in this browser" in page
    assert "Is this your purchase?" in await anna.get(link)
    await anna.post(link, status=303)
    assert anna.headers["location"] == "/view/book"
    page = await anna.get("/view/book")
    assert CANNOT not in page
    assert ANNA in await anna.get(f"/orders/{order}")
    town.shop.deliver_mail()
    assert [mail.subject for mail in town.shop.letters_to(ANNA)] == [
        "Is this your purchase? The book",
        "Your purchase: The book",
    ]


async def test_each_of_several_orders_has_a_form_of_its_own_also_after_the_first_has_its_address(
    town: Town,
) -> None:
    anna, other = town.client(), town.client()
    _, first = await paid(town, anna)
    again = await town.bought(anna, UNUSABLE, again="yes")
    photos = await town.bought(anna, UNUSABLE, "photos")
    page = await anna.get("/library")
    orders = re.findall(r'href="/orders/([0-9a-f]{32})">Add an address', page)
    assert len(set(orders)) == 3, "two of them are of one product"
    assert first in orders
    for order in orders:
        assert f'action="/orders/{order}/address"' in await anna.get(f"/orders/{order}")
    await anna.post(f"/orders/{first}/address", email=ANNA)
    await town.follow(anna, ANNA)
    page = await anna.get("/library")
    left = re.findall(r'href="/orders/([0-9a-f]{32})">Add an address', page)
    assert sorted(left) == sorted(set(orders) - {first})
    [of_photos] = [c for c, p in town.shop.memory.tables.purchases.items() if p.provider_ref == photos]
    page = await anna.get(f"/view/photos?session_id={photos}")
    assert f'href="/orders/{of_photos}"' in page
    assert "add the address that you are signed in with" in page
    await anna.get("/view/photos", status=303)
    assert anna.headers["location"] == f"/orders/{of_photos}"
    page = await anna.get(f"/orders/{of_photos}")
    assert f'value="{ANNA}" readonly' in page
    assert "three addresses" not in page, "there is only one to choose"
    assert "Receipt" not in page
    await anna.post(f"/orders/{of_photos}/address", status=409, email="other@example.com")
    assert "Only the one that you are signed in with can be added here." in anna.html
    assert "/orders/" not in await other.get(f"/view/book?session_id={again}")
    await other.get(f"/orders/{of_photos}", status=404)
    await anna.post(f"/orders/{of_photos}/address", email=ANNA)
    await town.follow(anna, ANNA)
    assert "The secret of the photos" in await anna.get("/view/photos")
    assert "Receipt" in await anna.get(f"/orders/{of_photos}")


async def test_a_fourth_address_and_another_browser_are_refused_with_the_reason(town: Town) -> None:
    anna, other = town.client(), town.client()
    _, order = await paid(town, anna)
    await town.started(other, "photos")
    assert "Only the browser that started the checkout" in await other.post(
        f"/orders/{order}/address", status=409, email=ANNA
    )
    for number in range(3):
        await anna.post(f"/orders/{order}/address", email=f"a{number}@example.com")
    page = await anna.post(f"/orders/{order}/address", status=409, email=ANNA)
    assert "You have tried three addresses for this purchase" in page


async def test_a_link_that_has_expired_leads_back_to_the_form_where_the_purchase_was_paid(town: Town) -> None:
    anna, other = town.client(), town.client()
    _, order = await paid(town, anna)
    await anna.post(f"/orders/{order}/address", email=ANNA)
    link = town.link(ANNA)
    code = town.shop.last_code(ANNA)
    town.shop.clock.tick(minutes=16)
    for page in (
        await anna.get(link, status=410), await anna.post(link, status=410),
        await anna.post("/login", status=410, code=code),
    ):  # fmt: skip
        assert f'href="/orders/{order}">Add the address again' in page
        assert 'class="button" href="/request-login"' not in page, "no user has that address"
    page = await other.get(link, status=410)
    assert "of the browser that paid" in page
    assert 'class="button"' not in page
    assert order not in page
    await anna.post(f"/orders/{order}/address", email=ANNA)
    await town.follow(anna, ANNA)
    assert "/request-login" in await other.get(link, status=410), "it has an address now"
    assert "no address yet" not in other.html


async def test_a_link_whose_purchase_has_an_owner_says_so(town: Town) -> None:
    anna, ben = town.client(), town.client()
    _, order = await paid(town, anna)
    await anna.post(f"/orders/{order}/address", email=ANNA)
    link = town.link(ANNA)
    await town.container.send_link()(order, "ben@example.com", actor=CLI, form="f1")
    await town.follow(ben, "ben@example.com")
    assert "This purchase has an address already" in await anna.post(link, status=410)
    assert "ben@example.com" not in anna.html


async def test_status_export_and_the_command_name_the_order(town: Town) -> None:
    ref, order = await paid(town, town.client())
    report = await status_lines(town.container, dismiss=None, send_again=None, send_refused=False)
    text = "\n".join(report.lines)
    assert not report.all_well
    assert "1 purchase has no address yet, because the one given at the payment cannot be emailed." in text
    assert "coatcheck send-link ORDER ADDRESS" in text
    assert re.search(rf"  {order}  The book, \$9\.00, since .* UTC: {ref}", text)
    exported = [json.loads(line) async for line in export_lines(town.container)]
    [purchase] = [record for record in exported if record["kind"] == "purchase"]
    assert (purchase["id"], purchase["email"], purchase["without_address"]) == (order, None, True)
    sent = await town.container.send_link()(order[:16], ANNA, actor=CLI, form="f1")
    assert owner_link_line(sent, order=order[:16]).startswith("The link is on its way.")
    await town.follow(town.client(), ANNA)
    report = await status_lines(town.container, dismiss=None, send_again=None, send_refused=False)
    assert (report.all_well, report.lines[-1]) == (True, "Nothing is waiting for you.")
    exported = [json.loads(line) async for line in export_lines(town.container)]
    [purchase] = [record for record in exported if record["kind"] == "purchase"]
    assert (purchase["email"], purchase["without_address"]) == (ANNA, False)


async def test_it_is_listed_for_good_and_waits_for_thirty_days(town: Town) -> None:
    await paid(town, town.client())
    town.shop.clock.tick(days=30)
    report = await status_lines(town.container, dismiss=None, send_again=None, send_refused=False)
    assert report.all_well
    assert "send-link" in "\n".join(report.lines)


async def test_every_answer_of_the_command_has_a_sentence(town: Town) -> None:
    said = [owner_link_line(answer, order="c1") for answer in OwnerLink]
    assert len({*said}) == len(OwnerLink)
    assert all(said)


async def test_a_payment_that_is_not_acted_on_shows_one_page_and_not_two_in_turn(town: Town) -> None:
    client = town.client()
    ref = await town.started(client)
    town.shop.payments.pay(ref, email=ANNA)
    told = town.shop.payments.sessions[ref]
    town.shop.payments.sessions[ref] = type(told)(
        **{name: getattr(told, name) for name in told.__slots__} | {"subtotal": 1}
    )
    for _ in range(3):
        page = await client.get(f"/view/book?session_id={ref}", status=409)
        assert "The merchant has to look at this payment" in page
    assert town.shop.memory.tables.quarantined[ref].reason is RejectReason.WRONG_AMOUNT
