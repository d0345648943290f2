"""Whose browser a click acts for, over real HTTP: changes of address, corrections, public computers."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest

from testkit.engines import age_sign_ins, everything_in
from testkit.servers import BOOK, PAPERWORK, PHOTOS, Shopper, ShopServer
from testkit.shoppers import account_of, address, cookie_in, letter, masked, paid, press, signed_in
from testkit.waiting import wait_until

pytestmark = pytest.mark.engines


# ------------------------------------------------------------------ a change of address


def test_a_link_of_a_change_moves_nothing_in_a_browser_that_did_not_ask(shop: ShopServer) -> None:
    thiefs, victims = address(), address()
    thief, _ = signed_in(shop, thiefs, PHOTOS)
    victim, order = signed_in(shop, victims)
    assert thief.post("/account/email", {"email": victims}).status_code == 200
    link, code = letter(shop, victims, 2)
    page = victim.get(link)
    for words in (
        masked(thiefs),
        masked(victims),
        code,
        "Never give this code to anyone",
        "Both would be in one account",
    ):
        assert words in page.text
    assert thiefs not in page.text
    assert f'action="{link}"' not in page.text, "there is no button to press"
    pressed = victim.post(link)
    assert (pressed.status_code, code in pressed.text) == (409, True)
    assert "session=" not in str(pressed.headers.get_list("set-cookie"))
    assert (account_of(victim), account_of(thief)) == (victims, thiefs)
    assert victims in victim.get(f"/orders/{order}").text
    assert thief.get(f"/orders/{order}").status_code == 404
    assert thief.get(f"/view/{BOOK}").status_code == 403
    assert press(thief, letter(shop, thiefs, 2)[0]).status_code == 303, "he takes it back"
    assert "Your account is deleted" in thief.post("/account/erase", {"sure": "yes"}).text
    assert account_of(victim) == victims
    assert victim.get(f"/view/{BOOK}").status_code == 200


@pytest.mark.parametrize("how", ["link", "code"])
def test_a_change_completes_in_the_browser_that_asked_and_undoing_it_ends_that_session(
    shop: ShopServer, how: str
) -> None:
    old, new = address(), address()
    browser, order = signed_in(shop, old)
    browser.post("/account/email", {"email": new})
    link, code = letter(shop, new, 1)
    undo, _ = letter(shop, old, 2)
    done = press(browser, link) if how == "link" else browser.post("/login", {"code": code})
    assert done.status_code == 303
    assert (account_of(browser), new in browser.get(f"/orders/{order}").text) == (new, True)
    owner = Shopper(shop)
    page = owner.get(undo).text
    assert "Undo the change of address?" in page
    assert masked(new) in page
    assert owner.post(undo).status_code == 303
    assert old in owner.get(f"/orders/{order}").text
    assert browser.get("/library").headers["location"] == "/request-login"
    assert browser.get(f"/orders/{order}").status_code == 404
    assert browser.get("/account/data").headers["location"] == "/request-login"


@pytest.mark.parametrize(("minutes", "status"), [(55, 200), (60, 403)])
def test_a_change_needs_a_sign_in_of_the_last_hour(own_shop: ShopServer, minutes: int, status: int) -> None:
    old, new = address(), address()
    browser, _ = signed_in(own_shop, old)
    age_sign_ins(own_shop, minutes=minutes)
    answer = browser.post("/account/email", {"email": new})
    assert answer.status_code == status
    if status == 403:
        assert "sign in again" in answer.text
        assert new not in everything_in(own_shop)
        browser.post("/request-login", {"email": old})
        assert press(browser, letter(own_shop, old, 2)[0]).status_code == 303
        assert browser.post("/account/email", {"email": new}).status_code == 200
    assert letter(own_shop, new, 1)


def test_signing_out_everywhere_cancels_a_change_that_waits(shop: ShopServer) -> None:
    old, new = address(), address()
    browser, _ = signed_in(shop, old)
    browser.post("/account/email", {"email": new})
    link, code = letter(shop, new, 1)
    assert browser.post("/sessions", {"end": "all"}).headers["location"] == "/"
    assert browser.post("/login", {"code": code}).status_code == 400
    assert Shopper(shop).post(link).status_code == 410
    again = Shopper(shop)
    again.post("/request-login", {"email": old})
    assert press(again, letter(shop, old, 3)[0]).status_code == 303
    assert "The Last Cloakroom" in again.get("/library").text


# ------------------------------------------------------------------ the address given at a payment


def test_a_correction_signs_in_the_browser_that_confirms_and_gives_the_payers_nothing(
    shop: ShopServer,
) -> None:
    wrong, right = address(), address()
    owner, _ = signed_in(shop, right, PHOTOS)
    payer, order = paid(shop, wrong)
    payer.post(f"/orders/{order}/address", {"email": right})
    link, _ = letter(shop, right, 2)
    page = owner.get(link).text
    assert "The Last Cloakroom" in page
    assert masked(wrong) in page
    assert owner.post(link).status_code == 303
    assert right in owner.get(f"/orders/{order}").text
    assert account_of(payer) is None
    assert right not in payer.get(f"/orders/{order}").text
    assert "This purchase now belongs to the corrected address." in payer.get(f"/view/{BOOK}").text
    assert payer.get(f"/view/{PHOTOS}").status_code == 403
    assert payer.get(f"/view/{BOOK}").status_code == 200, "what it paid for, for a day"


def test_a_wrong_code_of_a_change_does_not_send_its_reader_to_another_device(shop: ShopServer) -> None:
    asker, _ = signed_in(shop, address())
    new = address()
    asker.post("/account/email", {"email": new})
    wrong = asker.post("/login", {"code": "AAAA-AAAA"})
    assert (wrong.status_code, "4 tries left" in wrong.text) == (400, True)
    assert "on any device" not in wrong.text
    assert "in the browser where you asked for it" in wrong.text


@pytest.mark.parametrize(
    ("back", "link"),
    [("/account", "/account"), (f"/products/{BOOK}", f"/products/{BOOK}"), ("//evil.example", "/request-login"),
     ("/account/../login", "/request-login"), ("", "/request-login")],
)  # fmt: skip
def test_after_a_wrong_code_the_address_is_checked_where_it_was_given(
    shop: ShopServer, back: str, link: str
) -> None:
    asker, _ = signed_in(shop, address())
    asked = unescape(asker.post("/account/email", {"email": address()}).text)
    assert '<a href="/account">check the address and ask again</a>' in asked
    assert '<input type="hidden" name="back" value="/account">' in asked
    wrong = unescape(asker.post("/login", {"code": "AAAA-AAAA", "back": back}).text)
    assert f'<a href="{link}">check the address and ask again</a>' in wrong


def test_the_email_of_a_correction_warns_against_passing_its_code_on(shop: ShopServer) -> None:
    payer, order = paid(shop, address())
    right = address()
    payer.post(f"/orders/{order}/address", {"email": right})
    text = shop.sandbox.wait_for_mail(right)["text"]
    assert "Never give the code to anyone" in text
    assert "for you alone" not in text  # the browser that paid opens it, too, for a day


def test_a_correction_is_answered_alike_whether_the_address_was_ever_verified(shop: ShopServer) -> None:
    new = address()
    pages = []
    for verified in (True, False):
        email = address()
        payer, order = paid(shop, email)
        if verified:
            assert press(Shopper(shop), payer.link_from(email)).status_code == 303
        wait_until(lambda payer=payer: "An access link was sent" in payer.get(f"/view/{BOOK}").text)
        before = payer.get(f"/view/{BOOK}")
        after = payer.post(f"/orders/{order}/address", {"email": new})
        pages.append(
            (
                before.text.replace(order, "").replace(order[:16], "").replace(email, ""),
                after.status_code,
                after.text.replace(order, ""),
            )
        )
    assert pages[0] == pages[1]
    shop.sandbox.wait_for_mail(new)
    assert shop.mails_queued_for(new) == 1, "nothing is sent where the owner is known"


def test_a_correction_that_waits_takes_nothing_from_an_owner_who_signs_in_and_changes_her_address(
    shop: ShopServer,
) -> None:
    hers, his, new = address(), address(), address()
    shared, order = paid(shop, hers)
    access = shared.link_from(hers)
    shared.post(f"/orders/{order}/address", {"email": his})
    waiting, code = letter(shop, his, 1)
    owner = Shopper(shop)
    assert press(owner, access).status_code == 303
    owner.post("/account/email", {"email": new})
    assert press(owner, letter(shop, new, 1)[0]).status_code == 303
    assert Shopper(shop).post(waiting).status_code == 410
    assert shared.post("/login", {"code": code}).status_code in (400, 410)
    assert new in owner.get(f"/orders/{order}").text


# ------------------------------------------------------------------ the browser that paid


def test_the_checkout_alone_shows_the_address_while_it_can_be_corrected_and_neither_invoice_nor_card(
    own_shop: ShopServer,
) -> None:
    own_shop.settle("[payment]\ninvoices = true\n")
    email = address()
    payer, order = paid(own_shop, email)
    receipt = payer.get(f"/orders/{order}").text
    assert (email in receipt, "/invoice" in receipt, "ending in 4242" in receipt) == (True, False, False)
    assert payer.get(f"/orders/{order}/invoice").status_code == 404
    owner = Shopper(own_shop)
    assert press(owner, owner.link_from(email)).status_code == 303
    receipt = owner.get(f"/orders/{order}").text
    assert (email in receipt, "/invoice" in receipt, "ending in 4242" in receipt) == (True, True, True)
    assert owner.get(f"/orders/{order}/invoice").status_code == 303


def test_the_owner_sees_and_ends_the_browser_that_paid(shop: ShopServer) -> None:
    email = address()
    public, order = paid(shop, email)
    owner = Shopper(shop)
    assert press(owner, owner.link_from(email)).status_code == 303
    page = owner.get("/sessions").text
    assert "Browsers that started a checkout" in page
    [ending] = re.findall(
        r'name="end" value="([^"]+)"',
        page.partition("Browsers that started a checkout")[2].partition("all")[0],
    )
    stranger, _ = signed_in(shop, address(), PHOTOS)
    stranger.post("/sessions", {"end": ending})
    assert public.get(f"/view/{BOOK}").status_code == 200, "only the owner can end it"
    assert owner.post("/sessions", {"end": ending}).headers["location"] == "/sessions"
    assert public.get(f"/view/{BOOK}").status_code == 403
    assert public.get(f"/orders/{order}").status_code == 404
    assert "Browsers that started a checkout" not in owner.get("/sessions").text
    assert owner.get(f"/view/{BOOK}").status_code == 200


def test_signing_out_everywhere_reaches_the_browser_that_paid(shop: ShopServer) -> None:
    email = address()
    public, order = paid(shop, email)
    owner = Shopper(shop)
    assert press(owner, owner.link_from(email)).status_code == 303
    owner.post("/sessions", {"end": "all"})
    assert public.get(f"/view/{BOOK}").status_code == 403
    assert public.get(f"/orders/{order}").status_code == 404


SIGN_IN = '<a href="/request-login">Sign in</a>'
"""Of the header."""


def test_a_browser_that_has_bought_nothing_is_not_offered_to_sign_out(shop: ShopServer) -> None:
    guest = Shopper(shop)
    guest.buy(PHOTOS)
    for path in ("/", f"/products/{PHOTOS}", "/library"):
        page = guest.get(path).text
        assert SIGN_IN in page, path
        assert ">Sign out<" not in page.partition("</header>")[0], path
    guest.buy_and_pay(address())
    for path in ("/", f"/products/{PHOTOS}", "/library"):
        page = guest.get(path).text
        assert SIGN_IN not in page, path
        assert ">Sign out<" in page.partition("</header>")[0], path


def test_every_page_of_a_guest_who_paid_offers_to_sign_out_and_that_ends_it(shop: ShopServer) -> None:
    email = address()
    guest, order = paid(shop, email)
    unpaid = guest.buy(PHOTOS)
    pages = [
        guest.get(path)
        for path in (
            "/", f"/products/{BOOK}", f"/products/{PHOTOS}", f"/buy/{PHOTOS}", f"/view/{BOOK}", f"/view/{PHOTOS}",
            f"/view/{PHOTOS}?session_id={unpaid}", f"/view/{BOOK}?session_id=cs_test_nothing", "/library", "/sessions",
            f"/orders/{order}", f"/orders/{uuid.uuid4().hex}", "/request-login", "/pages/terms", "/nothing",
            guest.link_from(email), "/login/short",
        )
    ]  # fmt: skip
    pages += [
        guest.post(f"/buy/{BOOK}"),
        guest.post(f"/orders/{order}/access-link"),
        guest.post(f"/orders/{order}/address", {"email": address()}),
        guest.post("/request-login", {"email": address()}),
        guest.post("/request-login", {"email": "nobody"}),
        guest.post("/login", {"code": "AAAA-AAAA"}),
    ]
    for page in pages:
        assert 'action="/logout"' in page.text, page.url
        assert ">Sign out<" in page.text, page.url
        assert 'href="/library">Library<' in page.text, page.url
        assert SIGN_IN not in page.text, f"beside “Sign out” on {page.url}"
    token = guest.http.cookies["session"]
    left = guest.post("/logout")
    assert "session=;" in str(cookie_in(left, "session"))
    for browser in (guest, Shopper(shop)):
        if browser is not guest:
            browser.http.cookies.set("session", token)  # somebody kept a copy
        assert browser.get(f"/view/{BOOK}").status_code == 403
        assert browser.get(f"/orders/{order}").status_code == 404
        assert browser.get("/library").headers["location"] == "/request-login"


def test_the_next_person_who_signs_in_at_a_browser_that_paid_finds_nothing_there(shop: ShopServer) -> None:
    hers, his = address(), address()
    shared, order = paid(shop, hers)
    Shopper(shop).buy_and_pay(his, PHOTOS)
    assert press(shared, shared.link_from(his)).status_code == 303
    library = shared.get("/library").text
    assert ("Harbour" in library, "Cloakroom</a>" in library) == (True, False)
    assert shared.get(f"/view/{BOOK}").status_code == 403
    assert shared.get(f"/orders/{order}").status_code == 404
    assert shared.post(f"/orders/{order}/address", {"email": his}).status_code == 409


def test_only_the_browser_that_left_an_account_during_a_checkout_learns_where_the_link_went(
    shop: ShopServer,
) -> None:
    first, second = address(), f"z{address()}"
    Shopper(shop).buy_and_pay(second, PHOTOS)
    browser, _ = signed_in(shop, first)
    cs = browser.buy(PAPERWORK)
    assert press(browser, browser.link_from(second)).status_code == 303
    shop.sandbox.pay(cs, email=first, copies=1)
    back = f"/view/{PAPERWORK}?session_id={cs}"
    assert masked(first) in browser.get(back).text
    for other in (Shopper(shop), paid(shop, address())[0], signed_in(shop, address())[0]):
        page = other.get(back)
        assert page.status_code == 200
        assert masked(first) not in page.text
        assert first.partition("@")[0][:4] not in page.text
        assert other.get(f"/view/{PAPERWORK}").status_code == 403
