"""A paid sale whose address cannot be emailed: the link that the merchant sends, and what follows for its books."""

from __future__ import annotations

from domain.emails import AccessLink
from domain.product import Licences
from domain.usecases.link_outcomes import LinkError, LinkRejected, SignedIn, StillUnowned
from domain.usecases.request_login import NotAnAddress
from domain.usecases.send_owner_link import OwnerLink
from domain.values import EmailAddress, EmailProblem, ProviderRef
from entrypoints.testing import BOOK, Browser, Shop, a_product, an_edition
from testkit.stepping import run
from testkit.without_address import ANNA, BEN, access_emails, by_merchant, name, paid, purchase_of

# ------------------------------------------------------------------ the merchant sends the link


def test_the_merchants_link_works_in_any_browser_for_a_day_and_assigns_nothing_by_itself() -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    shop.clock.tick(days=10)
    assert by_merchant(shop, order[:16], ANNA) is OwnerLink.QUEUED, "by the number that people see"
    assert shop.memory.tables.purchases[order].mailbox is None
    assert shop.memory.tables.users == {}
    [letter] = shop.letters_to(ANNA)
    assert "code" not in letter.text
    shop.clock.tick(hours=23)
    phone = Browser(shop)
    assert isinstance(phone.press(shop.last_link(ANNA)), SignedIn)
    assert phone.owned == {BOOK}
    assert access_emails(shop) == [EmailAddress(ANNA)]


def test_the_merchants_link_expires_and_can_be_sent_again() -> None:
    shop = Shop()
    order = paid(shop, Browser(shop)).checkout
    by_merchant(shop, order, ANNA)
    shop.clock.tick(hours=24)
    unowned = StillUnowned(order=order, here=False)
    assert Browser(shop).press(shop.last_link(ANNA)) == LinkRejected(LinkError.EXPIRED, unowned=unowned)
    assert by_merchant(shop, order, ANNA) is OwnerLink.QUEUED
    assert isinstance(Browser(shop).press(shop.last_link(ANNA)), SignedIn)


def test_the_merchant_sends_no_link_where_there_is_nothing_to_give() -> None:
    shop = Shop()
    anna = Browser(shop)
    ref = anna.buy_and_pay(ANNA)
    order = paid(shop, Browser(shop)).checkout
    assert by_merchant(shop, purchase_of(shop, ref).checkout, BEN) is OwnerLink.HAS_OWNER
    assert by_merchant(shop, "nothing", BEN) is OwnerLink.NO_SUCH_ORDER
    assert by_merchant(shop, "", BEN) is OwnerLink.NO_SUCH_ORDER
    assert by_merchant(shop, order[:2], BEN) is OwnerLink.AMBIGUOUS
    assert by_merchant(shop, order, "ben") == NotAnAddress(EmailProblem.NOT_ONE_AT)
    anna.press(shop.last_link(ANNA))
    run(shop.erase(anna.visitor))
    assert by_merchant(shop, purchase_of(shop, ref).checkout, BEN) is OwnerLink.ERASED
    assert shop.letters_to(BEN) == []


# ------------------------------------------------------------------ what follows it


def test_status_and_export_list_it_until_it_has_an_address() -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    status = run(shop.report())
    assert [held.purchase.checkout for held in status.without_owner] == [order]
    assert not status.all_well
    name(shop, browser, order, ANNA)
    browser.press(shop.last_link(ANNA))
    status = run(shop.report())
    assert (list(status.without_owner), status.all_well) == ([], True)
    run(shop.erase(browser.visitor))
    status = run(shop.report())
    assert (list(status.without_owner), status.all_well) == ([], True), "an erased sale is none of those"


def test_erasing_the_person_takes_what_was_sent_to_mistyped_addresses_too() -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    name(shop, browser, order, "anan@example.com")
    by_merchant(shop, order, "other@example.com")
    name(shop, browser, order, ANNA)
    browser.press(shop.last_link(ANNA))
    shop.deliver_mail()
    run(shop.erase(browser.visitor))
    tables = shop.memory.tables
    assert (tables.links, tables.outbox, tables.users) == ({}, {}, {})
    assert tables.purchases[order].mailbox is None
    assert shop.hear_of(ProviderRef(str(tables.purchases[order].provider_ref)), event="evt_9") == "known"


def test_own_data_has_it_once_the_address_is_verified() -> None:
    shop = Shop()
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    name(shop, browser, order, ANNA)
    own = run(shop.own_data(browser.visitor))
    assert own is None, "nobody's data before the address is verified"
    browser.press(shop.last_link(ANNA))
    own = run(shop.own_data(browser.visitor))
    assert own is not None
    assert [held.purchase.checkout for held in own.holdings] == [order]


def test_its_licence_key_shows_in_the_browser_that_paid_and_is_in_the_access_email() -> None:
    shop = Shop(edition=an_edition(a_product(BOOK, licences=Licences(listed=None))))
    browser = Browser(shop)
    order = paid(shop, browser).checkout
    [holding] = browser.viewer.holdings
    [licence] = holding.usable_keys(shop.clock.now())
    name(shop, browser, order, ANNA)
    browser.press(shop.last_link(ANNA))
    [email] = [m.email for m in shop.memory.tables.outbox.values() if isinstance(m.email, AccessLink)]
    assert [line.key for line in email.licences] == [licence.key]
