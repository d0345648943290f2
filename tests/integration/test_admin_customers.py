"""Customers in the back office over HTTP: the list, one customer of each kind, who sees what, and the file of their data."""

from __future__ import annotations

import html
import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

import httpx
import pytest

from testkit.every_sale import HOSTILE, HOSTILE_ADDRESS, KEY, PAPERWORK, fill
from testkit.office import Member
from testkit.servers import BOOK, Shopper, ShopServer, a_shop

pytestmark = pytest.mark.long

MANY = 105
Office = tuple[ShopServer, dict[str, Member], datetime]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A shop with customers of every kind and 105 plain ones, and one member of each role."""
    with a_shop(tmp_path_factory.mktemp("customers")) as running:
        now = fill(running, more=MANY)
        members = {}
        for role in ("owner", "support", "viewer"):
            members[role] = Member(running)
            members[role].join(role, f"{role}@example.com")
        yield running, members, now


def text_of(page: httpx.Response) -> str:
    """What a page says, without its tags."""
    main = page.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def rows_of(page: httpx.Response) -> dict[str, str]:
    """What the rows of a list say, by address, in their order."""
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
        [address] = re.findall(r"<a href[^>]*>(.*?)</a>", row)
        found[html.unescape(address)] = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", row)).split())
    return found


def names_of(page: httpx.Response) -> list[str]:
    return [address.partition("@")[0] for address in rows_of(page)]


def caption_of(page: httpx.Response) -> str:
    found = re.search(r'<caption id="caption">(.*?)</caption>', page.text)
    return "" if found is None else html.unescape(found[1])


def at(shop: ShopServer, address: str) -> str:
    """The page of a customer."""
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        [found] = database.execute("SELECT id FROM users WHERE email = ?", (address,)).fetchone()
    return f"/admin/customers/{found}"


def section(page: httpx.Response, name: str) -> str:
    """What one part of a page says."""
    found = re.search(rf'<section aria-labelledby="{name}"[^>]*>(.*?)</section>', page.text, re.DOTALL)
    return "" if found is None else " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1])).split())


# ------------------------------------------------------------------ the list

ALL = 17 + MANY - 1 - 1  # the sale without an address has no customer, and one customer bought twice
FILTERS = [
    (f"bought={PAPERWORK}", "yen", "Customers, newest first, bought “Small Shop Paperwork”: 1"),
    (
        f"opened=never&without={PAPERWORK}",
        "gone unopened",
        "Customers, newest first, did not buy “Small Shop Paperwork”, opened nothing yet: 2",
    ),
    (f"bought={BOOK}&without={BOOK}", "", ""),
    ("bought=not-sold-any-more", str(HOSTILE_ADDRESS).partition("@")[0], f"Customers, newest first, bought “{HOSTILE}”: 1"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "names", "caption"), FILTERS)
def test_every_filter_shows_its_customers_and_says_so(
    office: Office, query: str, names: str, caption: str
) -> None:
    page = office[1]["viewer"].get(f"/admin/customers?{query}")
    assert page.status_code == 200
    assert (names_of(page), caption_of(page)) == (names.split(), caption)
    if not names:
        assert "No customer matches" in text_of(page)


def test_the_list_says_in_which_time_zone_its_dates_are(office: Office) -> None:
    for query in ("", f"?bought={BOOK}", f"?bought={BOOK}&without={BOOK}"):
        assert "Times are those of UTC." in text_of(office[1]["viewer"].get(f"/admin/customers{query}"))


ROWS = [
    ("plain@example.com", "Open $9.00"),
    ("part@example.com", "Open $6.00"),
    ("full@example.com", "1 of 2 open $9.00"),
    ("lost@example.com", "Charged back –"),
    ("asked@example.com", "Disputed $9.00"),
    ("unopened@example.com", "not verified"),
    ("unopened@example.com", "Never opened $9.00"),
    ("yen@example.com", "Open ¥1,200"),
    ("dinar@example.com", "KWD 12.340"),
    ("press@example.com", "Open –"),
    (str(HOSTILE_ADDRESS), "Open $9.00"),
]


@pytest.mark.parametrize(("address", "said"), ROWS)
def test_a_row_says_what_a_customer_bought_spent_and_has(office: Office, address: str, said: str) -> None:
    older = office[1]["viewer"].get("/admin/customers?after=u1000")
    assert said in rows_of(older)[address]


def test_pages_lead_on_and_back_and_every_customer_is_on_one(office: Office) -> None:
    viewer, seen, path = office[1]["viewer"], [], "/admin/customers"
    pages = []
    while path:
        page = viewer.get(path)
        assert caption_of(page) == f"Customers, newest first: {ALL}"
        pages.append(names_of(page))
        seen += pages[-1]
        older = re.search(r'rel="next" href="([^"]*)"', page.text)
        path = "" if older is None else html.unescape(older[1])
    assert (len(seen), len(set(seen)), [len(one) for one in pages]) == (ALL, ALL, [50, 50, ALL - 100])
    newer = re.search(r'rel="prev" href="([^"]*)"', page.text)
    assert newer is not None
    assert names_of(viewer.get(html.unescape(newer[1]))) == pages[1]


@pytest.mark.parametrize(
    ("sort", "caption", "head"),
    [
        ("oldest", "Customers, oldest first", '<th scope="col" class="rest" aria-sort="ascending"><a href="/admin/customers">Since'),
        ("a-z", "Customers, by address", '<th scope="col" aria-sort="ascending"><a href="/admin/customers?sort=z-a">Customer'),
        (
            "z-a",
            "Customers, by address from Z to A",
            '<th scope="col" aria-sort="descending"><a href="/admin/customers?sort=a-z">Customer',
        ),
    ],
)  # fmt: skip
def test_each_order_leads_on_and_back_and_shows_every_customer_once(
    office: Office, sort: str, caption: str, head: str
) -> None:
    viewer, path, seen = office[1]["viewer"], f"/admin/customers?sort={sort}", list[str]()
    pages = []
    while path:
        page = viewer.get(path)
        assert caption_of(page) == f"{caption}: {ALL}"
        assert page.text.count("aria-sort=") == 1
        assert head in page.text
        pages.append(list(rows_of(page)))
        seen += pages[-1]
        next_one = re.search(r'rel="next" href="([^"]*)">Next<', page.text)
        path = "" if next_one is None else html.unescape(next_one[1])
    assert (len(seen), len(set(seen)), [len(one) for one in pages]) == (ALL, ALL, [50, 50, ALL - 100])
    if sort != "oldest":
        assert seen == sorted(seen, reverse=sort == "z-a")
    previous = re.search(r'rel="prev" href="([^"]*)">Previous<', page.text)
    assert previous is not None
    assert list(rows_of(viewer.get(html.unescape(previous[1])))) == pages[1]


def test_a_filter_stays_when_the_list_is_sorted(office: Office) -> None:
    page = office[1]["viewer"].get(f"/admin/customers?without={PAPERWORK}&opened=never")
    assert (
        f'<a href="/admin/customers?without={PAPERWORK}&amp;opened=never&amp;sort=a-z">Customer' in page.text
    )
    turned = office[1]["viewer"].get(f"/admin/customers?without={PAPERWORK}&opened=never&sort=z-a")
    assert names_of(turned) == ["unopened", "gone"]


def test_what_cannot_be_meant_is_left_open(office: Office) -> None:
    page = office[1]["viewer"].get(
        "/admin/customers?bought=%00&without=../x&opened=maybe&after=%22&before=" + "x" * 99
    )
    assert caption_of(page) == f"Customers, newest first: {ALL}"


# ------------------------------------------------------------------ one customer

WHY = [
    ("plain@example.com", "Opens The Last Cloakroom Bought on"),
    ("full@example.com", "Opens The Last Cloakroom Bought on"),
    ("lost@example.com", "Closed The Last Cloakroom The customer's bank took the payment back on"),
    ("asked@example.com", "Closed The Last Cloakroom The payment has been in dispute since"),
    ("revoked@example.com", "Closed The Last Cloakroom Access was closed by hand on"),
    ("press@example.com", "Opens The Last Cloakroom A free copy, given on"),
    ("free@example.com", "Opens The Last Cloakroom Ordered for free on"),
    ("old@example.com", "Opens The Last Cloakroom Imported, bought on"),
    ("unopened@example.com", "Nobody has verified the address yet: the link in the access email does that."),
    (
        str(HOSTILE_ADDRESS),
        f"Closed {HOSTILE} Bought on",
    ),
    (str(HOSTILE_ADDRESS), "but the catalogue does not have it, and no good form of it is kept."),
]


@pytest.mark.parametrize(("address", "why"), WHY)
def test_why_a_product_opens_or_does_not_in_one_sentence(office: Office, address: str, why: str) -> None:
    shop, members, _ = office
    page = members["viewer"].get(at(shop, address))
    assert page.status_code == 200
    assert why in section(page, "access")


def test_another_product_is_explained_on_demand(office: Office) -> None:
    shop, members, _ = office
    path = at(shop, "plain@example.com")
    before = section(members["viewer"].get(path), "access")
    assert "Nothing that was bought" not in before
    assert "Why not another product? Harbour, Five Hours Small Shop Paperwork Explain" in before
    asked = section(members["viewer"].get(f"{path}?product={PAPERWORK}"), "access")
    assert "Closed Small Shop Paperwork Nothing that was bought with this address opens it." in asked


def test_the_page_of_a_customer_shows_all_that_is_theirs(office: Office) -> None:
    shop, members, _ = office
    page = members["support"].get(at(shop, "keyed@example.com"))
    assert "The Last Cloakroom $10.71 Open" in section(page, "purchases")
    assert "paid with another@example.com" in section(page, "purchases")
    assert section(page, "keys") == f"Licence keys {KEY} The Last Cloakroom"
    assert "Access email" in section(page, "emails")
    assert "delivered" in section(page, "emails")
    assert "Paid $10.71" in section(page, "timeline")
    twice = members["support"].get(at(shop, "full@example.com"))
    assert section(twice, "timeline").count("The Last Cloakroom") >= 5, "each line says which product"
    assert "Refund of $9.00: refunded" in section(twice, "timeline")
    bounced = text_of(members["support"].get(at(shop, "gone@bounce.example")))
    assert "The last email to this address bounced" in bounced
    assert "not verified Nobody has verified this address yet" in bounced
    assert "1,000 downloads of the-last-cloakroom.epub" in (
        section(members["support"].get(at(shop, "plain@example.com")), "timeline").replace("1000", "1,000")
    )


def test_viewers_see_no_whole_key_and_no_action(office: Office) -> None:
    shop, members, _ = office
    page = members["viewer"].get(at(shop, "keyed@example.com"))
    assert KEY not in page.text
    assert "••••1234" in section(page, "keys")
    assert section(page, "actions") == ""


def test_viewers_see_no_whole_key_in_the_text_of_an_email(office: Office) -> None:
    """Neither one that the customer still has nor one that was replaced, on whichever page the text is shown."""
    shop, members, _ = office
    anna = Shopper(shop)
    anna.buy_and_pay("emailed@example.com")
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        query = "SELECT key, parameters, text FROM outbox WHERE mailbox = 'emailed@example.com'"
        [(name, told, text)] = database.execute(query).fetchall()
        told = json.dumps({**json.loads(told), "licences": [{"key": KEY, "of": ""}]})
        values = (told, f"{text}\nYour key: {KEY}\n", name)
        database.execute("UPDATE outbox SET parameters = ?, text = ? WHERE key = ?", values)
    database.close()
    for path in (f"/admin/emails/{quote(name, safe='')}", at(shop, "emailed@example.com")):
        assert f"Your key: {KEY}" in members["support"].get(path).text, path
        seen = members["viewer"].get(path).text
        assert "Your key: ••••1234" in seen, path
        assert KEY not in seen, path


ACTIONS = {
    "owner": "Send the access link again|Correct the address|Give a free copy|Merge with another customer|"
    "Download their data|Delete their data",
    "support": "Send the access link again|Correct the address|Give a free copy",
    "viewer": "",
}


@pytest.mark.parametrize("role", ["owner", "support", "viewer"])
def test_actions_are_offered_to_those_who_may_do_them(office: Office, role: str) -> None:
    shop, members, _ = office
    path = at(shop, "plain@example.com")
    page = members[role].get(path)
    found = re.findall(r'<a class="button quiet[^"]*" href="([^"]+)">(.*?)</a>', page.text)
    assert "|".join(name for _at, name in found) == ACTIONS[role]
    for where, _name in found:
        answer = members[role].get(where.replace("&amp;", "&"))
        assert answer.status_code == 200 or answer.headers["location"].startswith("/admin/prove"), where


def test_actions_that_would_do_nothing_are_not_offered(office: Office) -> None:
    shop, members, _ = office
    assert "Send the access link again" not in text_of(members["owner"].get(at(shop, "lost@example.com")))
    anna = Shopper(shop)
    anna.buy_and_pay("anna@example.com")
    anna.get(anna.link_from("anna@example.com"))
    page = members["owner"].get(at(shop, "anna@example.com"))
    assert "In no browser" in section(page, "browsers")
    assert "Sign out everywhere" not in section(page, "actions")


def test_an_email_is_shown_without_its_link_and_code(office: Office) -> None:
    shop, members, _ = office
    ben = Shopper(shop)
    ben.buy_and_pay("ben@example.com")
    link = ben.link_from("ben@example.com")
    page = members["owner"].get(at(shop, "ben@example.com"))
    said = section(page, "emails")
    assert "The Last Cloakroom" in said
    assert "[link]" in said
    assert "coatcheck:" not in page.text
    assert link.rpartition("/")[2] not in page.text


def test_hostile_text_stays_text(office: Office) -> None:
    shop, members, _ = office
    for path in (
        "/admin/customers",
        at(shop, str(HOSTILE_ADDRESS)),
        "/admin/customers?bought=not-sold-any-more",
    ):
        page = members["owner"].get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "49" not in re.findall(r"<h1>(.*?)</h1>", page.text)[0]


def test_a_customer_who_is_not_there_is_a_page_that_says_so(office: Office) -> None:
    _, members, _ = office
    for wanted in ("0" * 32, "erased@example.com", "%00", "x" * 300, "'; DROP TABLE users"):
        page = members["viewer"].get(f"/admin/customers/{wanted}")
        assert page.status_code == 404, wanted
        assert "There is no such customer" in text_of(page)
    by_address = members["viewer"].get("/admin/customers/plain@example.com")
    assert by_address.text.count("plain@example.com")
    assert by_address.status_code == 200


# ------------------------------------------------------------------ the file with their data


def test_an_owner_downloads_the_data_of_a_customer_and_the_audit_log_says_so(office: Office) -> None:
    shop, members, _ = office
    owner, path = members["owner"], at(shop, "keyed@example.com") + "/data"
    owner.prove()
    page = owner.get(path)
    assert "Nobody is emailed" in text_of(page)
    answer = owner.post(path, page)
    assert answer.headers["content-disposition"] == 'attachment; filename="customer-data.json"'
    told = json.loads(answer.text)
    assert (told["email"], len(told["purchases"])) == ("keyed@example.com", 1)
    assert owner.post(path, page).text == answer.text
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        lines = database.execute("SELECT result FROM audit WHERE action = 'hand-over-data'").fetchall()
    assert lines == [("done",), ("done",)], "downloaded twice, it is two lines"
    assert "File with the customer's data downloaded" in section(
        owner.get(path.removesuffix("/data")), "timeline"
    )


def test_a_locked_store_is_a_page_that_says_so(office: Office) -> None:
    shop, members, _ = office
    path = at(shop, "plain@example.com") + "/data"
    members["owner"].prove()
    page = members["owner"].get(path)
    locker = sqlite3.connect(shop.data / "coatcheck.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        answer = members["owner"].post(path, page)
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert members["viewer"].get("/admin/customers").status_code == 200, "reading goes on"
    finally:
        locker.execute("ROLLBACK")
        locker.close()
    assert members["owner"].post(path, page).status_code == 200
