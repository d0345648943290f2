"""Every page of the shop: what people do, as coroutines that visit a `Town` of testkit.shop_of_every_kind."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from domain.fact import FactKind
from domain.law import LawTerms
from domain.mail import Delivery
from domain.staff import Actor
from domain.values import ProductId, ProviderRef, UserId, digest_of
from domain.waiver import WaiverText, opening_day
from testkit.pages_in_memory import Client, Town, hidden_fields
from testkit.public_pages import PUBLIC, paths

ANNA, BERT = "anna@mail.test", "bert@mail.test"


async def public_pages(town: Town) -> None:
    guest = town.client()
    for path in (
        *paths(PUBLIC, product="book"),
        "/products/wish",
        "/products/rare",
        "/products/gone",
        "/products/old",
        "/products/quiet",
        "/products/later",
        "/products/set",
    ):
        await guest.get(path)
    for pid in ("old", "later", "secret"):
        link = town.container.preview_product().link(ProductId(pid))
        assert link is not None
        await guest.get(link.url.removeprefix(town.container.base_url()))
    await guest.post("/currency", status=303, currency="eur")
    await guest.get("/")
    await guest.get("/nowhere", status=404)
    await guest.get("/logout", status=405)
    await guest.get("/", status=400, host="elsewhere.example")
    await guest.get("/" + "a" * 5000, status=414)
    await guest.post("/buy/rare", status=410)
    await guest.post("/buy/gone", status=404)
    await guest.post("/buy/old", status=410)
    await guest.post("/buy/later", status=409)
    await guest.post("/buy/wish", status=400, amount="a lot")
    await guest.post("/buy/wish", status=400, amount="1")
    for typed in ("999999999", "9,000", "$5", "€5", "5.001"):
        await guest.post("/buy/wish", status=0, amount=typed)
    await guest.post("/buy/book", status=400, currency="gbp")
    await guest.ask("POST", "/request-login", b"{}", 400, {"content-type": "application/json"})
    await guest.ask("POST", "/logout", b"", 403, {"sec-fetch-site": "cross-site"})
    for status in (400, 403, 404, 405, 408, 410, 413, 414, 429, 500, 502, 503):
        town.look(str(status), town.container.problems().refusal(status, "0123456789abcdef").decode())


async def free_orders(town: Town) -> None:
    client = town.client()
    await client.post("/buy/gift")
    await client.post("/buy/gift", status=400, email="nobody")
    await client.post("/buy/gift", email=BERT)
    link = town.link(BERT)
    await client.get(link)
    await client.post(link, status=303)
    await client.get("/view/gift")
    await client.get("/library")
    await client.post("/buy/gift")


async def back_from_the_payment_page(town: Town) -> None:
    client = town.client()
    ref = await town.started(client)
    back = f"/view/book?session_id={ref}"
    await client.get(back, method="HEAD")
    await client.get(back)
    town.shop.payments.pay(ref, email=ANNA, status="unpaid")
    town.shop.clock.tick(minutes=1)
    await client.get(back)
    for status in ("failed", "expired"):
        other = town.client()
        town.shop.payments.pay(found := await town.started(other), email=ANNA, status=status)
        await other.get(f"/view/book?session_id={found}")
    town.shop.payments.pay(ref, email=ANNA)
    town.shop.clock.tick(minutes=1)
    town.shop.payments.failing = True
    await client.get(back)
    await client.post("/buy/photos", status=503)
    town.shop.payments.failing = False
    town.shop.hear_of(ref)
    town.shop.clock.tick(minutes=1)
    await town.client().get(back)
    await client.get(back, status=303)
    await client.get("/view/book?session_id=cs_test_unknown", status=404)
    await client.get("/view/book")
    town.shop.deliver_mail()
    await client.get("/view/book")
    await client.get("/library")
    await client.get("/sessions")
    await client.get("/")
    await client.get("/products/book")
    await client.post("/buy/book")
    await client.get("/view/photos", status=403)
    order = (await client.get("/library"), town.order(client))[1]
    await client.get(f"/orders/{order}")


async def a_sale_that_another_account_began(town: Town) -> None:
    client = await town.signed_in(ANNA)
    ref = await town.started(client, "photos")
    await town.bought(town.client(), BERT)
    await client.post("/request-login", email=BERT)
    await town.follow(client, BERT)
    town.shop.payments.pay(ref, email=ANNA)
    town.shop.hear_of(ref)
    await client.get(f"/view/photos?session_id={ref}")
    held = town.shop.payments.sessions[ref]
    other = await town.started(client, "set")
    town.shop.payments.sessions[other] = replace(held, ref=other, product="book", status="paid", subtotal=1)
    await client.get(f"/view/set?session_id={other}", status=409)


async def account_pages(town: Town) -> None:
    client = await town.signed_in(ANNA)
    for path in (
        "/",
        "/library",
        "/sessions",
        "/account",
        "/view/book",
        "/products/book",
        "/products/photos",
        "/pages/terms",
    ):
        await client.get(path)
    await client.post("/account/news", status=303, wanted="no")
    await client.get("/account")
    await client.post("/account/email", status=400, email="nobody")
    await client.post("/account/email", email=ANNA)
    await client.post("/account/email", email=BERT)
    link = town.link(BERT)
    await client.get(link)
    await town.client().get(link)
    await client.post("/login", status=400, code="AAAA-AAAA")
    await client.post(link, status=303)
    undo = town.link(ANNA)
    await town.client().get(undo)
    await client.get("/account/erase", status=409)
    await client.post("/account/erase", status=409, sure="yes")
    town.shop.clock.tick(days=4)
    await client.post("/account/email", status=403, email=ANNA)
    await client.get("/account/erase", status=403)
    await client.post("/account/erase", status=403, sure="yes")
    await client.post("/request-login", email=BERT)
    await town.follow(client, BERT)
    debit = await town.started(client, "wish", amount="3.00")
    for status, page in (("unpaid", 409), ("failed", 200)):
        town.shop.payments.pay(debit, email=BERT, status=status)
        town.shop.hear_of(debit, event=f"evt_{status}")
        await client.get("/account/erase", status=page)
    await client.post("/account/erase", status=400)
    await client.post("/account/erase", sure="yes")


async def orders(town: Town) -> None:
    client = town.client()
    await town.bought(client, ANNA, "photos")
    order = (await client.get("/library"), town.order(client))[1]
    await client.get("/view/photos")
    for status in (200, 200, 200, 429):
        await client.post(f"/orders/{order}/access-link", status=status)
        town.shop.deliver_mail()
    await client.post(f"/orders/{order}/address", status=400, email="nobody")
    await client.post(f"/orders/{order}/address", email=ANNA)
    await client.post(f"/orders/{order}/address", email=BERT)
    link = town.link(BERT)
    owner = town.client()
    await owner.get(link)
    await town.client().get(town.link(ANNA))
    await owner.post(link, status=303)
    await owner.get(f"/orders/{order}")
    await client.post(f"/orders/{order}/address", status=409, email=ANNA)
    town.shop.clock.tick(hours=1)
    other = await town.signed_in(ANNA, "set")
    order = (await other.get("/library"), town.order(other))[1]
    await other.get("/view/set")
    await other.get(f"/orders/{order}")
    await other.post(f"/orders/{order}/address", status=409, email=BERT)


async def what_was_taken_back(town: Town) -> None:
    client = await town.signed_in(ANNA)
    lost = await town.bought(client, ANNA, "photos")
    doubted = await town.bought(client, ANNA, "wish", amount="5")
    refunded = await town.bought(client, ANNA, "set")
    town.shop.hear_fact(town.shop.payments.tell(lost, FactKind.DISPUTE, "lost", amount=1400))
    town.shop.hear_fact(town.shop.payments.tell(doubted, FactKind.DISPUTE, "needs_response", amount=500))
    town.shop.hear_fact(town.shop.payments.tell(refunded, FactKind.REFUND, "succeeded", amount=900))
    await client.get("/library")
    for product in ("photos", "wish", "set"):
        await client.get(f"/view/{product}", status=403)
        order = town.order(client)
        await client.get(f"/orders/{order}")
    edition = town.shop.catalogue.current()
    left = {pid: product for pid, product in edition.products.items() if pid != "book"}
    town.shop.catalogue.edition = replace(edition, products=left, version="2")
    await client.get("/view/book", status=410)


async def links(town: Town) -> None:
    client = await town.signed_in(ANNA)
    used = town.link(ANNA)
    await client.get("/request-login")
    await client.post("/request-login", status=400, email="")
    await client.post("/request-login", email=ANNA)
    old = town.link(ANNA)
    await town.client().get(old)
    town.shop.clock.tick(minutes=1)
    await client.post("/request-login", email=ANNA)
    await client.get(used, status=303)
    await town.client().get(used, status=410)
    other = town.client()
    await other.get(town.link(ANNA))
    await other.post(town.link(ANNA), status=303)
    await town.client().get(old, status=410)
    town.shop.clock.tick(hours=25)
    await client.post("/request-login", email=ANNA)
    await client.get(old[:-5], status=404)
    await client.get("/login/" + "A" * 64, status=404)
    newest = town.link(ANNA)
    for _ in range(4):
        await client.post("/login", status=400, code="AAAA-AAAA")
    await client.post("/login", status=410, code="AAAA-AAAA")
    await client.post("/login", status=410, code="AAAA-AAAA")
    await town.client().post("/login", status=400, code="AAAA-AAAA")
    town.shop.clock.tick(hours=25)
    other = town.client()
    await other.get(newest, status=410)
    await other.post(newest, renew="1")
    for _ in range(100):
        await client.ask(
            "POST",
            "/request-login",
            b"email=c%40mail.test",
            0,
            {"content-type": "application/x-www-form-urlencoded"},
        )
        if client.status == 429:
            break
    token = town.shop.keyring.signing.opt_out_of(UserId("ab12"))
    await client.get(f"/no-more/{token}")
    await client.post(f"/no-more/{token}")
    await client.get("/no-more/nothing", status=404)


async def files(town: Town) -> None:
    client = await town.signed_in(ANNA)
    await client.get("/files/book/it.txt")
    await client.get("/files/book/it.txt", status=416, range="bytes=900-")
    await client.get("/files/book/it.txt", status=412, **{"if-match": '"other"'})
    await town.client().get("/files/photos/it.txt", status=403)
    town.shop.goods.failing = True
    await client.get("/files/book/it.txt", status=503)
    town.shop.goods.failing = False
    town.shop.goods.contents.clear()
    await client.get("/files/book/it.txt", status=404)
    downloads = town.container.file_pages().downloads
    session = digest_of(client.cookies["session"].encode())
    for held, status in ((session, 429), (None, 429)):
        for _ in range(40):
            downloads.begin(session=held, network="192.0.2.1", now=0)
        await client.get("/files/book/it.txt", status=status)


async def a_bounced_email(town: Town) -> None:
    client = town.client()
    await town.bought(client, ANNA)
    outbox = town.shop.memory.tables.outbox
    for key, mail in outbox.items():
        outbox[key] = replace(mail, delivery=Delivery.BOUNCED)
    await client.get("/view/book")
    await client.get("/library")
    town.shop.clock.tick(hours=1)
    await client.get("/view/book")


async def an_address_that_cannot_be_emailed(town: Town) -> None:
    client, other = town.client(), town.client()
    ref = await town.bought(client, "a..b@mail.test")
    await other.get(f"/view/book?session_id={ref}")
    order = (await client.get("/view/book"), town.order(client))[1]
    second = await town.started(client, "photos")
    await client.get("/library")
    await client.get(f"/orders/{order}")
    await client.post(f"/orders/{order}/address", status=400, email="nobody")
    await other.post(f"/orders/{order}/address", status=409, email=ANNA)
    for email in (ANNA, BERT, "c@mail.test"):
        await client.post(f"/orders/{order}/address", email=email)
    await client.post(f"/orders/{order}/address", status=409, email="d@mail.test")
    links = [town.link(email) for email in (ANNA, BERT)]
    await other.get(links[0])
    await other.post(links[0], status=409)
    await client.get(links[0])
    await client.post(links[0], status=303)
    await client.get(links[1], status=200)
    await client.post(links[1], status=410)
    await a_second_one_without_address(town, client, second)
    gone = town.client()
    ref = await town.bought(gone, "a..b@mail.test", "photos")
    order = (await gone.get("/view/photos"), town.order(gone))[1]
    town.shop.hear_fact(town.shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=1400))
    await gone.post(f"/orders/{order}/address", status=409, email=ANNA)


async def a_second_one_without_address(town: Town, client: Client, ref: ProviderRef) -> None:
    """Begun before the address was verified: it does not open, and gets its address on its own page."""
    town.shop.payments.pay(ref, email="a..b@mail.test")
    town.shop.hear_of(ref, event="evt_second")
    await client.get(f"/view/photos?session_id={ref}")
    order = next(p.checkout for p in town.shop.memory.tables.purchases.values() if p.provider_ref == ref)
    await client.get(f"/orders/{order}")
    await client.post(f"/orders/{order}/address", status=409, email=BERT)


async def a_payment_under_way(town: Town) -> None:
    client = town.client()
    ref = await town.started(client)
    town.shop.payments.pay(ref, email=ANNA, status="unpaid")
    town.shop.hear_of(ref)
    await client.get("/products/book")
    await client.get("/library")
    await client.post("/buy/book", currency="usd")
    await client.post("/buy/book", status=303, again="yes")


async def what_was_given(town: Town) -> None:
    product, actor = ProductId("photos"), Actor.on_host("ada")
    await town.container.supply_licences()()
    await town.container.grant_product()(product, ANNA, actor=actor, form="f1", reason="a review")
    client = town.client()
    await town.follow(client, ANNA)
    await client.get("/view/photos")
    await client.get("/library")
    await client.get(f"/orders/{town.order(client)}")


async def with_a_waiver_and_without(town: Town) -> None:
    edition = town.shop.catalogue.current()
    law = LawTerms(waiver=True, waits=True, waiver_texts=(WaiverText(language="en", wants="It", knows="It"),))
    town.shop.catalogue.edition = replace(edition, version="2", shop=replace(edition.shop, law=law))
    opens = opening_day(town.shop.clock.now(), edition.shop.zone).isoformat()
    [text] = law.waiver_texts
    client = town.client()
    for path in ("/", "/products/book", "/products/wish"):
        await client.get(path)
    await client.post("/buy/book", status=422, waiver_text=text.hash, waiver_wants="yes")
    await client.post("/buy/book", status=422, waiver_text="another", waiver_wants="yes", waiver_knows="yes")
    await client.post("/buy/book", status=422, wait="2020-01-01")
    await town.bought(client, ANNA, wait=opens)
    await client.post("/buy/book")
    await client.post("/buy/book", status=422, again="yes")
    await client.get("/view/book")
    await client.get("/library")
    await client.get(f"/orders/{town.order(client)}")
    await client.get("/files/book/it.txt", status=403)


async def withdrawals(town: Town) -> None:
    guest, client = town.client(), await town.signed_in(ANNA)
    await guest.get("/withdraw")
    await guest.post("/withdraw", status=422, email="nobody")
    await client.get("/withdraw")
    town.shop.clock.tick(days=30)
    client = town.client()
    await client.post("/request-login", email=ANNA)
    await town.follow(client, ANNA)
    await client.get("/withdraw")
    order = max(town.shop.memory.tables.purchases)
    for browser in (client, guest):
        for _ in range(2):
            typed = {"name": "1", "email": BERT, "contract": order}
            page = await browser.post("/withdraw", **typed, order=order if browser is client else "")
            done = await browser.post("/withdraw/confirm", **hidden_fields(page))
    await guest.post("/withdraw/confirm", status=409)
    await guest.get(re.findall(r'href="(/withdraw/[^"]+)" download', done)[0])


STORIES: Final = (
    public_pages, free_orders, back_from_the_payment_page, a_sale_that_another_account_began, account_pages, orders,
    what_was_taken_back, links, files, a_bounced_email, an_address_that_cannot_be_emailed, a_payment_under_way,
    what_was_given, with_a_waiver_and_without, withdrawals,
)  # fmt: skip
