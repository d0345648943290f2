"""A merchant's day: one story, told with the keyboard alone, with fingers on a phone, and without any script.

A customer wrote that nothing arrived. Their address was mistyped at the payment.
"""

from __future__ import annotations

import calendar
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from domain.purchase import order_number
from domain.values import CheckoutId
from testkit.browsing import MakeDevice, look_at
from testkit.hands import Fingers, Hands, Keys, Mouse
from testkit.passkeys import Authenticator, a_link
from testkit.servers import BOOK, PAPERWORK, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
REASON = "Reason, for the audit log"


@dataclass(frozen=True)
class Customer:
    """Somebody who paid for two products, and got one of them refunded."""

    shop: ShopServer
    wrong: str
    right: str
    orders: tuple[CheckoutId, ...]

    @classmethod
    def of(cls, shop: ShopServer, name: str) -> Customer:
        wrong = f"{name}@exmaple.com"
        refs = [Shopper(shop).buy_and_pay(wrong, product) for product in (BOOK, PAPERWORK)]
        shop.sandbox.post(f"/_sandbox/sessions/{refs[1]}/refund")
        shop.sandbox.wait_for_mail(wrong, number=3)
        booked = {one["checkout_session"]: one["id"] for one in shop.export()["purchase"]}
        return cls(shop, wrong, f"{name}@example.com", tuple(CheckoutId(booked[ref]) for ref in refs))

    def follow_the_newest_link(self) -> None:
        """In a browser of their own."""
        reader = Shopper(self.shop)
        assert reader.post(reader.link_from(self.right)).status_code == 303
        assert reader.get(f"/view/{BOOK}").status_code == 200


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("day")) as running:
        yield running


def test_with_the_keyboard_alone(office: ShopServer, device: MakeDevice) -> None:
    page = device(locale="en-US").page
    hands = Keys(page)
    Authenticator.on(page)
    page.goto(a_link(office, "invite", "anna@example.com", "--role", "owner"))
    hands.press(page.get_by_role("button", name="Add a passkey"))
    the_day(page, hands, Customer.of(office, "jana.novak"), asked="jana.novak@example.com")


def test_on_a_phone(office: ShopServer, device: MakeDevice) -> None:
    page = device(**PHONE).page
    hands = Fingers(page)
    Authenticator.on(page)
    page.goto(a_link(office, "invite", "ben@example.com", "--role", "owner"))
    hands.press(page.get_by_role("button", name="Add a passkey"))
    the_day(page, hands, Customer.of(office, "oskar.lind"), asked="Oskar.L", looks="phone-touch")


def test_without_script(office: ShopServer, device: MakeDevice) -> None:
    page = device(java_script_enabled=False).page
    hands = Mouse(page)
    office.cli("staff", "invite", "cleo@example.com", "--role", "owner")
    page.goto(a_link(office, "link", "cleo@example.com"))
    hands.press(page.get_by_role("button", name="Sign in"))
    the_day(page, hands, Customer.of(office, "mia+shop"), asked="mia+shop@examp1e.com")


def the_day(page: Page, hands: Hands, customer: Customer, *, asked: str, looks: str = "") -> None:
    """`asked`: what the merchant types in first, which is nobody's whole address."""
    expect(page.locator("h1")).to_have_text("Home")
    find(page, hands, customer, asked)
    see_why(page, hands)
    look(page, "admin-day-customer", looks)
    correct_the_address(page, hands, customer)
    send_the_link_again(page, hands, customer)
    refund_a_part(page, hands, customer)
    look(page, "admin-day-sale", looks)
    read_the_email(page, hands, customer)
    export_the_month(page, hands, customer)
    look(page, "admin-day-exports", looks)


def look(page: Page, name: str, looks: str) -> None:
    if looks:
        look_at(page, name, looks)


def find(page: Page, hands: Hands, customer: Customer, asked: str) -> None:
    """Nobody has the address that was typed in; somebody has one like it."""
    hands.search(asked)
    expect(page.locator("h1")).to_contain_text("Search for")
    hands.open_row(customer.wrong)
    expect(page.locator("h1")).to_have_text(customer.wrong)


def see_why(page: Page, hands: Hands) -> None:
    """A sentence for each product, and one for a product that they did not buy."""
    sentences = page.locator(".reasons li")
    expect(sentences).to_have_count(2)
    expect(sentences.filter(has_text="The Last Cloakroom")).to_contain_text(
        "Nobody has verified the address yet: the link in the access email does that."
    )
    expect(sentences.filter(has_text="Small Shop Paperwork")).to_contain_text("Refunded in full on ")
    hands.choose(page.get_by_label("Why not another product?"), "Harbour, Five Hours")
    hands.press(page.get_by_role("button", name="Explain"))
    expect(sentences).to_have_count(3)
    expect(sentences.filter(has_text="Harbour")).to_contain_text(
        "Nothing that was bought with this address opens it."
    )


def correct_the_address(page: Page, hands: Hands, customer: Customer) -> None:
    """Nothing moves before the new address has confirmed it."""
    hands.press(page.locator(".deeds").get_by_role("link", name="Correct the address"))
    expect(page.locator("main")).to_contain_text("Nothing changes until then.")
    hands.write(page.get_by_label("The right address"), customer.right)
    hands.write(page.get_by_label(REASON), "mistyped when they paid")
    hands.press(page.get_by_role("button", name="Ask for confirmation"))
    expect(page.get_by_role("status")).to_contain_text("Nothing moves until the new one confirms it.")
    expect(page.locator(".timeline")).to_contain_text("Correction of the address requested")
    customer.shop.sandbox.wait_for_mail(customer.right)
    customer.shop.sandbox.wait_for_mail(customer.wrong, number=4)
    customer.follow_the_newest_link()
    hands.search(customer.right)
    expect(page.locator("h1")).to_have_text(customer.right)
    expect(page.locator(".reasons li").filter(has_text="The Last Cloakroom")).not_to_contain_text("Nobody")


def send_the_link_again(page: Page, hands: Hands, customer: Customer) -> None:
    hands.press(page.get_by_role("link", name="Send the access link again"))
    expect(page.locator("main")).to_contain_text(customer.right)
    before = len(customer.shop.sandbox.mails_to(customer.right))
    hands.press(page.get_by_role("button", name="Send it"))
    expect(page.get_by_role("status")).to_have_text("The access link is on its way.")
    customer.shop.sandbox.wait_for_mail(customer.right, number=before + 1)
    customer.follow_the_newest_link()


def refund_a_part(page: Page, hands: Hands, customer: Customer) -> None:
    """It is requested, then confirmed, and access stays."""
    before = len(customer.shop.sandbox.mails_to(customer.right))
    hands.press(page.get_by_role("link", name="Refund", exact=True))
    hands.write(page.get_by_label("Amount in USD"), "3.00")
    hands.write(page.get_by_label(REASON), "they paid twice for a chapter")
    hands.press(page.get_by_role("button", name="Refund"))
    expect(page.get_by_role("status")).to_contain_text("The refund was requested.")
    mail = customer.shop.sandbox.wait_for_mail(customer.right, number=before + 1)
    assert "$3.00" in mail["text"]

    def is_told() -> bool:
        page.reload()
        return "Email about a refund: not sent yet" not in page.locator(".timeline").inner_text()

    wait_until(is_told)
    expect(page.locator(".standing")).to_contain_text("$3.00 of $9.00 refunded")
    timeline = page.locator(".timeline li")
    for words in ("Refund requested", "Refund of $3.00", "Email about a refund"):
        expect(timeline.filter(has_text=words).first).to_be_visible()


def read_the_email(page: Page, hands: Hands, customer: Customer) -> None:
    hands.press(page.get_by_text("More", exact=True))
    hands.press(page.get_by_role("navigation").get_by_role("link", name="Emails"))
    expect(page.locator("h1")).to_have_text("Emails")
    hands.write(page.get_by_label("To", exact=True), customer.right)
    hands.press(page.get_by_role("button", name="Show"))
    expect(page.locator("caption")).to_contain_text(f"Emails to {customer.right}")
    hands.open_row("Your refund: The Last Cloakroom")
    expect(page.locator(".letter")).to_contain_text("$3.00")


def export_the_month(page: Page, hands: Hands, customer: Customer) -> None:
    """The file has every sale of the month, and of each what is left of it."""
    sales = {one["id"]: one for one in customer.shop.export()["purchase"]}
    first, last = month_of(str(sales[customer.orders[0]]["booked_at"]))
    hands.press(page.get_by_text("More", exact=True))
    hands.press(page.get_by_role("navigation").get_by_role("link", name="Exports"))
    hands.write_day(page.get_by_label("From", exact=True), first)
    hands.write_day(page.get_by_label("To", exact=True), last)
    hands.tick(page.locator('input[name="column"][value="address"]'))
    with page.expect_download() as downloading:
        hands.press(page.get_by_role("button", name="Export"))
    rows = {row["order"]: row for row in rows_of(downloading.value.path())}
    wanted = {
        order_number(order)
        for order, one in sales.items()
        if month_of(str(one["booked_at"])) == (first, last)
    }
    assert rows.keys() == wanted
    row = rows[order_number(customer.orders[0])]
    assert (row["paid"], row["refunded"], row["net"]) == ("9.00", "3.00", "6.00")
    assert (row["state"], row["address"]) == ("partly-refunded", customer.right)
    refunded = rows.get(order_number(customer.orders[1]))
    assert refunded is None or (refunded["state"], refunded["net"]) == ("refunded", "0.00")


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def month_of(moment: str) -> tuple[datetime, datetime]:
    """First and last day of the month of a moment."""
    day = datetime.fromisoformat(moment).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return day, day + timedelta(days=calendar.monthrange(day.year, day.month)[1] - 1)
