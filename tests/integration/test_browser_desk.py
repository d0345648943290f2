"""After the sale, in a real Chromium: refunds and disputes by clicking, the right address, one's data and its end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import LOOKS, Demo, MakeDevice, look_at, newest_link, pay
from testkit.servers import BOOK, PAPERWORK, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.browser


def buy(page: Page, demo: Demo, *, email: str, product: str = BOOK) -> None:
    page.goto(f"{demo.shop}/products/{product}")
    page.click("button:has-text('Buy')")
    pay(page, email=email)
    page.wait_for_url(f"{demo.shop}/view/{product}")


def at_the_stand_in(page: Page, demo: Demo, *buttons: str) -> None:
    """Press these on the newest payment, one after the other."""
    for button in buttons:
        page.goto(demo.sandbox)
        with page.expect_navigation():
            page.locator(f"button:has-text('{button}')").first.click()


def test_a_refund_closes_with_the_reason_and_one_that_fails_opens_again(
    demo: Demo, device: MakeDevice
) -> None:
    page, stripe = device().page, device().page
    buy(page, demo, email="refund@example.com", product=PAPERWORK)
    at_the_stand_in(stripe, demo, "let it fail")
    page.reload()
    expect(page.locator("h1")).to_have_text("Small Shop Paperwork is closed")
    at_the_stand_in(stripe, demo, "Fail it")
    page.reload()
    expect(page.locator("h1").first).to_have_text("Small Shop Paperwork")
    at_the_stand_in(stripe, demo, "Refund all")
    page.reload()
    expect(page.locator("main")).to_contain_text("was refunded on")
    page.click("text=See the receipt")
    expect(page.locator("main")).to_contain_text("Refunded")
    newest_link(demo, stripe, to="refund@example.com", subject="You have access again")
    stripe.goto(f"{demo.sandbox}/mailbox")
    expect(stripe.locator("tr:has-text('refund@example.com'):has-text('Your refund')")).to_have_count(2)


def test_the_access_email_shows_the_product(demo: Demo, device: MakeDevice) -> None:
    page, mail = device().page, device().page
    buy(page, demo, email="picture@example.com", product=PAPERWORK)
    newest_link(demo, mail, to="picture@example.com", subject="Your purchase")
    picture = mail.frame_locator("iframe").locator("img").first
    expect(picture).to_have_attribute("alt", "Small Shop Paperwork")
    picture.evaluate("picture => picture.decode()")
    assert picture.evaluate("picture => picture.naturalWidth") == 1200


def test_a_dispute_suspends_and_a_won_one_shows_the_content_again(demo: Demo, device: MakeDevice) -> None:
    page, stripe = device().page, device().page
    buy(page, demo, email="dispute@example.com")
    at_the_stand_in(stripe, demo, "Inquiry")
    page.reload()
    expect(page.locator("article")).to_contain_text("Ottilie")
    at_the_stand_in(stripe, demo, "Close the inquiry", "Dispute")
    page.reload()
    expect(page.locator("main")).to_contain_text("in dispute since")
    at_the_stand_in(stripe, demo, "Win")
    page.reload()
    expect(page.locator("article")).to_contain_text("Ottilie")


def test_a_mistyped_address_is_corrected(demo: Demo, device: MakeDevice) -> None:
    page, mail = device().page, device().page
    buy(page, demo, email="typo@exmaple.com")
    page.click("summary")
    page.fill("#right", "typo@example.com")
    page.click("button:has-text('Correct it')")
    expect(page.locator("h1")).to_have_text("Check your email")
    link = newest_link(demo, mail, to="typo@example.com", subject="Is this your order?")
    page.goto(link)
    page.click("main button")
    page.goto(f"{demo.shop}/library")
    expect(page.locator("main")).to_contain_text("typo@example.com")
    expect(page.locator(".list li")).to_have_count(1)
    page.goto(link)  # used already; its owner is signed in here
    expect(page.locator("h1")).to_have_text("Your library")
    old = device().page
    old.goto(newest_link(demo, mail, to="typo@exmaple.com", subject="address is about to change"))
    old.click("main button")
    old.goto(f"{demo.shop}/library")
    expect(old.locator(".list li")).to_have_count(1)
    page.reload()


def test_an_access_email_that_comes_back_is_told_where_it_was_paid(demo: Demo, device: MakeDevice) -> None:
    page = device().page
    buy(page, demo, email="bounce-me@example.com")
    note = page.locator("aside", has_text="Your access email bounced")

    def has_come() -> bool:
        page.reload()
        return note.count() > 0

    wait_until(has_come, pause=0.25)
    expect(note).to_contain_text("Correct it")


def test_one_changes_ones_address_takes_ones_data_along_and_is_erased(
    demo: Demo, device: MakeDevice, tmp_path: Path
) -> None:
    page, mail = device(accept_downloads=True).page, device().page
    first, second = "leaves@example.com", "leaving@example.com"
    buy(page, demo, email=first)
    page.goto(newest_link(demo, mail, to=first, subject="Your purchase"))
    page.click("main button")
    page.goto(f"{demo.shop}/account")
    page.fill("#email", second)
    page.click("button:has-text('Email a code there')")
    page.goto(newest_link(demo, mail, to=second, subject="Confirm your new email address"))
    page.click("main button")
    page.goto(f"{demo.shop}/account")
    expect(page.locator("main")).to_contain_text(second)
    with page.expect_download() as download:
        page.click("text=Download it")
    file = tmp_path / "data.json"
    download.value.save_as(file)
    data = json.loads(file.read_text())
    assert (data["email"], len(data["purchases"])) == (second, 1)
    page.goto(f"{demo.shop}/account/erase")
    expect(page.locator("h1")).to_have_text("Not just now")
    page.goto(f"{demo.shop}/library")
    page.click("text=Sign out")
    # The old address may still take it back; it does, and then there is nothing in the way.
    old = device().page
    old.goto(newest_link(demo, mail, to=first, subject="address is about to change"))
    old.click("main button")
    old.goto(f"{demo.shop}/account/erase")
    expect(old.locator("main")).to_contain_text("The Last Cloakroom")
    old.click("button:has-text('Delete my account')")
    expect(old.locator(".error")).to_contain_text("tick the box")
    old.check("input[type=checkbox]")
    old.click("button:has-text('Delete my account')")
    expect(old.locator("h1")).to_have_text("Your account is deleted")
    old.goto(f"{demo.shop}/library")
    expect(old.locator("h1")).to_have_text("Sign in")
    page.goto(f"{demo.shop}/view/{BOOK}")
    expect(page.locator("h1")).to_contain_text("not open in this browser")
    assert _traces(demo.folder, first) == []
    assert _traces(demo.folder, second) == []


def _traces(folder: Path, text: str) -> list[str]:
    """Files of the demo that hold a text: its database, what belongs to it, and its logs.

    The stand-in keeps its own records of payments and emails, as Stripe and the email provider do.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "sandbox.json"]
    return [path.name for path in files if text.encode() in path.read_bytes()]


@pytest.mark.parametrize("look", list(LOOKS))
def test_every_page_of_the_desk_is_accessible_in_every_look(
    bazaar: ShopServer, device: MakeDevice, look: str
) -> None:
    one = device(**LOOKS[look])
    page, email = one.page, f"desk-{look}@example.com"
    one.context.set_extra_http_headers({"x-forwarded-for": f"203.0.113.{list(LOOKS).index(look) + 9}"})
    for path, name in (("/", "bazaar"), ("/products/your-price", "your-price"), ("/products/abroad", "currencies"),
                       ("/products/the-lot", "bundle")):  # fmt: skip
        page.goto(f"{bazaar.url}{path}")
        look_at(page, name, look)
    page.goto(f"{bazaar.url}/products/your-price")
    page.fill("#amount", "1,000")
    page.click("button:has-text('Buy')")
    expect(page.locator("#problem")).to_contain_text("without a thousands separator, for example 10.00")
    page.fill("#amount", "1")
    page.click("button:has-text('Buy')")
    look_at(page, "your-price-refused", look)
    page.goto(f"{bazaar.url}/products/abroad")
    page.eval_on_selector("form[action^='/buy'] [name=currency]", "field => field.value = 'gbp'")
    page.click("button:has-text('Buy')")
    expect(page.get_by_role("alert")).to_contain_text("no longer offered in the currency you saw")
    look_at(page, "currency-removed", look)
    page.goto(f"{bazaar.url}/products/a-gift")
    page.click("button:has-text('Get')")
    look_at(page, "whose-is-it", look)
    page.goto(f"{bazaar.url}/products/the-lot")
    page.click("button:has-text('Buy')")
    pay(page, email=email)
    page.wait_for_url("**/view/**")
    page.click("summary")
    look_at(page, "view-bundle", look)
    bazaar.sandbox.wait_for_mail(email)
    [mail] = [m for m in bazaar.sandbox.mails if email in m["fields"]["to"]]
    bazaar.sandbox.post(f"/_sandbox/mails/{mail['id']}/report", type="email.bounced")
    page.reload()
    look_at(page, "view-bounced", look)
    page.goto(f"{bazaar.url}/library")
    look_at(page, "library-bounced", look)
    page.goto(f"{bazaar.url}/view/keyed")
    look_at(page, "view-licence", look)
    page.goto(f"{bazaar.url}/login/" + mail["fields"]["text"].partition("/login/")[2].split()[0])
    page.click("main button")
    page.click("a:has-text('Order')")
    look_at(page, "receipt", look)
    page.click("text=Email me the access link again")
    look_at(page, "notice", look)
    for path, name in (("/account", "account"), ("/account/erase", "erase")):
        page.goto(f"{bazaar.url}{path}")
        look_at(page, name, look)
    page.goto(f"{bazaar.url}/account")
    page.fill("#email", f"new-{email}")
    page.click("button:has-text('Email a code there')")
    look_at(page, "check-mail-move", look)
    for to, name in ((f"new-{email}", "confirm-move"), (email, "confirm-undo")):
        text = bazaar.sandbox.wait_for_mail(to, number=1 if to != email else 3)["text"]
        page.goto(f"{bazaar.url}/login/" + text.partition("/login/")[2].split()[0])
        look_at(page, name, look)
    dispute = next(p for p in bazaar.export()["purchase"] if p["email"] == email)
    bazaar.sandbox.post(f"/_sandbox/sessions/{dispute['checkout_session']}/refund")
    page.goto(f"{bazaar.url}/library")
    look_at(page, "library-refunded", look)
    page.goto(f"{bazaar.url}/account/erase")
    page.check("input[type=checkbox]")
    page.click("button:has-text('Delete my account')")
    look_at(page, "erased", look)
    assert re.search("deleted", page.inner_text("h1"))
