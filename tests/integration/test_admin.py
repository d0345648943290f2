"""The back office over HTTP: whether it is there at all, who may open and do what, and its headers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from testkit.authenticator import SoftAuthenticator
from testkit.office import Member, asks_for_passkey, form_on, link_of, options_on
from testkit.servers import Shopper, ShopServer, a_shop

PAGES = (
    "/admin", "/admin/staff", "/admin/audit", "/admin/exports", "/admin/account", "/admin/imports", "/admin/prove",
    "/admin/sales", "/admin/sales/new", "/admin/search",
)  # fmt: skip
# Address of a page; who sees it; whether a passkey must have been used in the last five minutes.
LOOKED_AT = [
    ("/admin", "owner support viewer", False),
    ("/admin/figures.csv", "owner support viewer", False),
    ("/admin/todo", "owner support viewer", False),
    ("/admin/todo/refunds/r1/dismiss", "owner support", False),
    ("/admin/stripe", "owner support viewer", False),
    ("/admin/stripe/reconcile", "owner support", False),
    ("/admin/stripe/cs_test_1/read", "owner support", False),
    ("/admin/stripe/cs_test_1/dismiss", "owner support", False),
    ("/admin/withdrawals", "owner support viewer", False),
    ("/admin/withdrawals/w1/accept", "owner support", True),
    ("/admin/withdrawals/w1/refuse", "owner support", False),
    ("/admin/emails", "owner support viewer", False),
    ("/admin/emails/send-refused", "owner support", False),
    ("/admin/emails/{email}", "owner support viewer", False),
    ("/admin/emails/{email}/send", "owner support", False),
    ("/admin/emails/{email}/dismiss", "owner support", False),
    ("/admin/staff", "owner support viewer", False),
    ("/admin/audit", "owner support viewer", False),
    ("/admin/customers", "owner support viewer", False),
    ("/admin/customers/{user}", "owner support viewer", False),
    ("/admin/customers/{user}/data", "owner", True),
    ("/admin/products", "owner support viewer", False),
    ("/admin/products/the-last-cloakroom", "owner support viewer", False),
    ("/admin/products/the-last-cloakroom/cover", "owner support viewer", False),
    ("/admin/products/the-last-cloakroom/figures.csv", "owner support viewer", False),
    ("/admin/products/the-last-cloakroom/announce", "owner", True),
    ("/admin/exports", "owner support viewer", False),
    ("/admin/doctor", "owner support viewer", False),
    ("/admin/settings", "owner support viewer", False),
    ("/admin/account", "owner support viewer", False),
    ("/admin/sales", "owner support viewer", False),
    ("/admin/sales/new", "owner support viewer", False),
    ("/admin/sales/{order}", "owner support viewer", False),
    ("/admin/search", "owner support viewer", False),
    ("/admin/account/passkey", "owner support viewer", True),
    ("/admin/imports", "owner", False),
    ("/admin/imports/new", "owner", True),
    ("/admin/staff/invite", "owner", True),
    ("/admin/staff/{member}", "owner", True),
    ("/admin/sales/{order}/refund", "owner support", True),
    ("/admin/sales/{order}/revoke", "owner support", True),
    ("/admin/sales/{order}/restore", "owner support", True),
    ("/admin/sales/{order}/resend", "owner support", False),
    ("/admin/sales/{order}/address", "owner support", True),
    ("/admin/sales/{order}/key", "owner support", True),
    ("/admin/sales/{order}/note", "owner support", False),
    ("/admin/customers/{user}/address", "owner support", True),
    ("/admin/customers/{user}/merge", "owner", True),
    ("/admin/customers/{user}/sign-out", "owner support", False),
    ("/admin/customers/{user}/erase", "owner", True),
    ("/admin/grant", "owner support", True),
    ("/admin/payments/cs_test_1/book", "owner support", True),
]
# Address of a form; its fields; who may submit it; whether a passkey must have been used in the last five minutes.
SUBMITTED = [
    ("/admin/todo/refunds/r1/dismiss", {}, "owner support", False),
    ("/admin/stripe/reconcile", {}, "owner support", False),
    ("/admin/stripe/read", {"ref": "cs_test_1"}, "owner support", False),
    ("/admin/stripe/cs_test_1/read", {}, "owner support", False),
    ("/admin/stripe/cs_test_1/dismiss", {"reason": "not ours"}, "owner support", False),
    ("/admin/withdrawals/w1/accept", {}, "owner support", True),
    ("/admin/withdrawals/w1/refuse", {"reason": "x"}, "owner support", False),
    ("/admin/emails/send-refused", {}, "owner support", False),
    ("/admin/emails/{email}/send", {}, "owner support", False),
    ("/admin/emails/{email}/dismiss", {}, "owner support", False),
    ("/admin/staff/invite", {"email": "new@example.com", "role": "viewer"}, "owner", True),
    ("/admin/staff/{member}", {"do": "role", "role": "viewer"}, "owner", True),
    ("/admin/staff/{member}", {"do": "disable"}, "owner", True),
    ("/admin/staff/{member}", {"do": "enable"}, "owner", True),
    ("/admin/imports/x", {"do": "start"}, "owner", True),
    ("/admin/imports/x", {"do": "plan", "preset": "own"}, "owner", False),
    ("/admin/imports/x", {"do": "products"}, "owner", False),
    ("/admin/imports/x", {"do": "drop"}, "owner", False),
    ("/admin/customers/{user}/data", {}, "owner", True),
    ("/admin/exports", {"kind": "sales", "column": "order"}, "owner support viewer", False),
    ("/admin/exports", {"kind": "sales", "column": "address"}, "owner", True),
    ("/admin/account/remove", {"passkey": "x"}, "owner support viewer", True),
    ("/admin/account/sessions", {"end": "others"}, "owner support viewer", False),
    ("/admin/products/the-last-cloakroom/announce/test", {}, "owner", True),
    ("/admin/products/the-last-cloakroom/announce", {}, "owner", True),
    # Without what the page carried of the object, each is shown again: what they do is in test_admin_actions.py.
    ("/admin/sales/{order}/refund", {"amount": "9.00", "reason": "x"}, "owner support", True),
    ("/admin/sales/{order}/revoke", {"reason": "x"}, "owner support", True),
    ("/admin/sales/{order}/restore", {"reason": "x"}, "owner support", True),
    ("/admin/sales/{order}/resend", {}, "owner support", False),
    ("/admin/sales/{order}/address", {"email": "x@example.com", "reason": "x"}, "owner support", True),
    ("/admin/sales/{order}/key", {"reason": "x"}, "owner support", True),
    ("/admin/sales/{order}/note", {"text": "x"}, "owner support", False),
    ("/admin/customers/{user}/address", {"email": "x@example.com", "reason": "x"}, "owner support", True),
    ("/admin/customers/{user}/merge", {"email": "x@example.com", "reason": "x"}, "owner", True),
    ("/admin/customers/{user}/sign-out", {}, "owner support", False),
    ("/admin/customers/{user}/erase", {"reason": "x"}, "owner", True),
    ("/admin/grant", {"product": "none", "email": "x@example.com", "reason": "x"}, "owner support", True),
    ("/admin/payments/cs_test_1/book", {"reason": "x"}, "owner support", True),
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    with a_shop(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, dict[str, Member]]]:
    """A shop with one member of each role, and a further one on whom the others try what they may do."""
    with a_shop(tmp_path_factory.mktemp("staffed")) as running:
        members = {}
        for role in ("owner", "support", "viewer"):
            members[role] = Member(running)
            members[role].join(role, f"{role}@example.com")
        Member(running).join("support", "target@example.com")
        Shopper(running).buy_and_pay("somebody@example.com")
        running.sandbox.wait_for_mail("somebody@example.com")
        with sqlite3.connect(running.data / "coatcheck.db") as database:
            database.execute("""INSERT INTO withdrawals VALUES
              ('w1', 'N', 'C', NULL, NULL, 1, NULL, 'open', NULL, '', '', '', 1)""")
        database.close()
        yield running, members


def age(shop: ShopServer, *, minutes: int) -> None:
    """Let the last use of a passkey be so long ago, in every session; and every try, of which an hour has twenty."""
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        database.execute("DELETE FROM limits")
        database.execute("UPDATE staff_sessions SET proved_at = proved_at - ?", (minutes * 60_000_000,))


def member_of(shop: ShopServer, email: str) -> str:
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        [found] = database.execute("SELECT id FROM staff WHERE email = ?", (email,)).fetchone()
        return str(found)


def email_of(shop: ShopServer) -> str:
    """The key of some email, as an address has it."""
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        return quote(database.execute("SELECT min(key) FROM outbox").fetchone()[0], safe="")


def filled(shop: ShopServer, path: str) -> str:
    """The address with the ids of a member, a sale and its customer."""
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        query = "SELECT checkout_id, user_id FROM purchases WHERE mailbox = 'somebody@example.com'"
        [order, user] = database.execute(query).fetchone() or ("", "")
    return path.format(
        member=member_of(shop, "target@example.com"), order=order, user=user, email=email_of(shop)
    )


# ------------------------------------------------------------------ whether it is there


def test_without_staff_the_back_office_is_a_page_that_does_not_exist(shop: ShopServer) -> None:
    guest = Member(shop)
    ordinary = guest.get("/nothing-here")
    for path in (*PAGES, "/admin/sign-in", "/admin/join/x", "/admin/static/admin.css", "/admin/nothing"):
        answer = guest.get(path)
        assert answer.status_code == 404, path
        assert re.sub(r"[0-9a-f]{16}", "", answer.text) == re.sub(r"[0-9a-f]{16}", "", ordinary.text)
    for path in ("/admin", "/admin/sign-in", "/admin/prove", "/admin/staff/invite", "/admin/audit"):
        assert guest.http.post(path, data={"answer": "{}"}).status_code == 404
        for method in ("OPTIONS", "PUT", "DELETE", "TRACE"):
            answer = guest.http.request(method, path)
            assert (answer.status_code, answer.headers.get("allow")) == (404, None), (method, path)


def test_with_an_open_invitation_only_that_is_there(shop: ShopServer) -> None:
    path, guest = link_of(shop, "invite", "anna@example.com", "--role", "owner"), Member(shop)
    assert guest.get(path).status_code == 200
    assert guest.get("/admin/static/admin.css").status_code == 200
    assert guest.get("/admin/join/" + "0" * 64).status_code == 410
    for other in (*PAGES, "/admin/sign-in"):
        assert guest.get(other).status_code == 404, other


def test_looking_at_a_link_uses_nothing_up_and_pressing_its_button_does(shop: ShopServer) -> None:
    path, anna = link_of(shop, "invite", "anna@example.com", "--role", "owner"), Member(shop)
    for _ in range(3):
        assert anna.get(path).status_code == 200
        assert anna.http.head(path).status_code == 200
    assert anna.use(path).headers["location"] == "/admin"
    assert Member(shop).get(path).status_code == 410
    assert anna.get("/admin").status_code == 200


# ------------------------------------------------------------------ who may


WRONG = ("/admin/nothing", "/admin/sales/none/of/this", "/admin/emails/none", "/admin/sign-out")


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_address_is_a_page_of_the_back_office_for_its_members_alone(
    staffed: tuple[ShopServer, dict[str, Member]], path: str
) -> None:
    shop, members = staffed
    seen = members["viewer"].get(path)
    assert seen.status_code == 404
    assert '<nav aria-label="Back office">' in seen.text
    assert "This page does not exist, or no longer exists" in seen.text
    assert (seen.headers["cache-control"], seen.headers["x-robots-tag"]) == ("no-store", "noindex")
    forged = Member(shop, headers={"cookie": "admin=" + "a" * 64})
    for guest in (Member(shop), forged):
        answer = guest.get(path)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/admin/sign-in"), "it is an address that there is"
            continue
        ordinary = guest.get("/nothing-here")
        assert answer.status_code == 404
        assert re.sub(r"[0-9a-f]{16}", "", answer.text) == re.sub(r"[0-9a-f]{16}", "", ordinary.text)


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page_and_on_from_there(
    staffed: tuple[ShopServer, dict[str, Member]],
) -> None:
    shop, members = staffed
    guest = Member(shop)
    for path in PAGES[1:]:
        assert guest.get(path).headers["location"] == "/admin/sign-in?to=" + path.replace("/", "%2F")
    again = Member(shop)
    again.device = members["viewer"].device
    assert again.sign_in("/admin/audit").headers["location"] == "/admin/audit"
    assert again.get("/admin/audit").status_code == 200
    for elsewhere in (
        "https://evil.example",
        "//evil.example",
        "/admin//evil.example/..",
        "/library",
        "/admin\\x",
        "x",
    ):
        assert again.http.get("/admin/sign-in", params={"to": elsewhere}).headers["location"] in (
            "/admin",
            "/admin//evil.example/..",
        )


@pytest.mark.parametrize(("path", "roles", "fresh"), LOOKED_AT)
@pytest.mark.parametrize("role", ["owner", "support", "viewer"])
def test_who_sees_which_page(
    staffed: tuple[ShopServer, dict[str, Member]], path: str, roles: str, fresh: bool, role: str
) -> None:
    shop, members = staffed
    path = filled(shop, path)
    may = role in roles.split()
    members[role].prove()
    answer = members[role].get(path)
    assert (answer.status_code, answer.headers.get("location")) == (
        (200, None) if may else (303, "/admin?done=not-yours")
    )
    age(shop, minutes=5)
    answer = members[role].get(path)
    if may and fresh:
        assert answer.headers["location"].startswith("/admin/prove?to=")
    else:
        assert answer.status_code == (200 if may else 303)


@pytest.mark.parametrize(("path", "fields", "roles", "fresh"), SUBMITTED)
@pytest.mark.parametrize("role", ["owner", "support", "viewer"])
def test_who_may_submit_which_form(
    staffed: tuple[ShopServer, dict[str, Member]],
    path: str,
    fields: dict[str, str],
    roles: str,
    fresh: bool,
    role: str,
) -> None:
    shop, members = staffed
    path = filled(shop, path)
    member, may = members[role], role in roles.split()
    form = f"{abs(hash((path, tuple(fields), role, tuple(fields.values())))):032x}"[:32]
    age(shop, minutes=5)
    stale = member.http.post(path, data=fields | {"form": form})
    if not may:
        assert stale.status_code == 403
        assert "You may not do that" in stale.text
    elif fresh:
        assert asks_for_passkey(stale)
    member.prove()
    done = member.http.post(path, data=fields | {"form": form})
    assert done.status_code in ((200, 303, 409) if may else (403,))
    assert "prove" not in done.headers.get("location", "")


@pytest.mark.parametrize("path", [*PAGES, "/admin/staff/invite", "/admin/account/passkey"])
def test_a_customers_session_opens_nothing_here_nor_staffs_there(
    staffed: tuple[ShopServer, dict[str, Member]], path: str
) -> None:
    shop, members = staffed
    anna = Shopper(shop)
    anna.buy_and_pay("customer@example.com")
    assert anna.get("/library").status_code == 200
    planted = {"admin": anna.http.cookies["session"]}
    answer = httpx.get(f"{shop.url}{path}", cookies=planted, verify=False)
    assert answer.headers["location"].startswith("/admin/sign-in")
    token = members["viewer"].http.cookies["admin"]
    there = httpx.get(f"{shop.url}/library", cookies={"session": token}, verify=False)
    assert there.headers["location"] == "/request-login"


def test_a_form_from_another_site_is_refused(staffed: tuple[ShopServer, dict[str, Member]]) -> None:
    _, members = staffed
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        answer = members["owner"].http.post("/admin/sign-out", headers=headers)
        assert answer.status_code == 403
    assert members["owner"].get("/admin").status_code == 200


# ------------------------------------------------------------------ passkeys


def test_a_replayed_answer_and_one_from_another_origin_do_not_sign_in(shop: ShopServer) -> None:
    anna, thief = Member(shop), Member(shop)
    anna.join()
    page = thief.get("/admin/sign-in")
    answer = anna.device.get(options_on(page))
    fields = form_on(page, "/admin/sign-in")
    assert thief.http.post("/admin/sign-in", data=fields | {"answer": answer}).status_code == 303
    thief.http.cookies.clear()
    again = thief.http.post("/admin/sign-in", data=fields | {"answer": answer})
    assert again.status_code == 403
    assert "sent twice" in again.text

    elsewhere = SoftAuthenticator(origin="https://evil.example")
    elsewhere.keys = anna.device.keys
    page = thief.get("/admin/sign-in")
    told = form_on(page, "/admin/sign-in") | {"answer": elsewhere.get(options_on(page))}
    assert thief.http.post("/admin/sign-in", data=told).status_code == 403


def test_ten_tries_in_ten_minutes_and_the_sentence_says_so(shop: ShopServer) -> None:
    anna, thief = Member(shop), Member(shop)
    anna.join()
    page = thief.get("/admin/sign-in")
    answers = [
        thief.http.post("/admin/sign-in", data=form_on(page, "/admin/sign-in") | {"answer": "{}"})
        for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert "wait ten minutes" in answers[-1].text


def test_a_form_that_is_sent_twice_makes_one_link(staffed: tuple[ShopServer, dict[str, Member]]) -> None:
    _, members = staffed
    owner = members["owner"]
    owner.prove()
    page = owner.get("/admin/staff/invite")
    told = {"email": "twice@example.com", "role": "viewer"}
    links = {
        re.search(r"/admin/join/([0-9a-f]{64})", owner.post("/admin/staff/invite", page, **told).text)[1]  # type: ignore[index]  # it is there, or this fails
        for _ in range(2)
    }
    assert len(links) == 1


# ------------------------------------------------------------------ how it is served


def test_its_pages_are_stored_nowhere_and_show_nothing_from_elsewhere(
    staffed: tuple[ShopServer, dict[str, Member]],
) -> None:
    _, members = staffed
    answer = members["owner"].get("/admin")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "content-encoding" not in answer.headers
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["img-src"], policy["form-action"]) == ("'none'", "'self'", "'self'")
    again = Member(members["owner"].shop)
    again.device = members["owner"].device
    cookie = again.sign_in().headers["set-cookie"]
    assert {"SameSite=Strict", "HttpOnly", "Path=/"} <= set(cookie.split("; "))


def test_a_host_of_its_own(tmp_path: Path) -> None:
    with a_shop(tmp_path, ADMIN_HOST="127.0.0.1:1") as shop:
        path = link_of(shop, "invite", "anna@example.com", "--role", "owner")
        assert httpx.get(f"{shop.url}{path}", verify=False).status_code == 404
        office = {"host": "127.0.0.1:1"}
        assert httpx.get(f"{shop.url}{path}", headers=office, verify=False).status_code == 200
        assert httpx.get(f"{shop.url}/", headers=office, verify=False).status_code == 404
        assert httpx.get(f"{shop.url}/", verify=False).status_code == 200
        for same in (
            f"/{path}",
            f"//{path}",
            f"/%2f{path[1:]}",
            path.replace("/admin", "//admin/"),
            f"{path}/",
        ):
            assert httpx.get(f"{shop.url}{same}", verify=False).status_code == 404, same
            assert httpx.get(f"{shop.url}{same}", headers=office, verify=False).status_code == 200, same
        for theirs, ours, status in (
            (shop.url, "http://127.0.0.1:1", 403), ("http://127.0.0.1:1", "http://127.0.0.1:1", 404),
        ):  # fmt: skip
            host = {"host": ours.partition("//")[2], "origin": theirs}
            signed = httpx.post(f"{shop.url}/admin/sign-in", data={"to": ""}, headers=host, verify=False)
            assert signed.status_code == status, "404: nobody works there yet"
        out = httpx.post(f"{shop.url}/logout", headers={"origin": "http://127.0.0.1:1"}, verify=False)
        assert out.status_code == 403

        def post(to: str, *, origin: str, **headers: str) -> int:
            sent = {"origin": origin, **headers}  # as browsers do that send no Sec-Fetch-Site
            return httpx.post(f"{shop.url}{to}", headers=sent, verify=False).status_code

        assert post("/admin/sign-in", origin=shop.url, **office) == 403, "a form of the shop's"
        assert post("/admin/sign-in", origin="http://127.0.0.1:1", **office) == 404, "nobody works here"
        assert post("/request-login", origin="http://127.0.0.1:1") == 403
        assert post("/request-login", origin=shop.url) != 403


def test_an_address_with_several_slashes_is_the_one_with_one(
    staffed: tuple[ShopServer, dict[str, Member]],
) -> None:
    _, members = staffed
    plain, doubled = members["owner"].get("/admin/audit"), members["owner"].http.get("/%2fadmin//audit")
    assert doubled.status_code == 200
    assert doubled.headers["content-security-policy"] == plain.headers["content-security-policy"]


@pytest.mark.parametrize("to", ["/admin?\x00", "/admin?\x1b[31m", "/admin?€", "/admin?\x7f", "/admin?\ufeff"])
def test_wherever_somebody_wants_to_go_on_is_written_as_an_address(
    staffed: tuple[ShopServer, dict[str, Member]], to: str
) -> None:
    _, members = staffed
    answer = members["owner"].http.get("/admin/sign-in", params={"to": to})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/admin?" + quote(to.partition("?")[2], safe="[")


def test_a_form_for_a_member_of_a_strange_name_leads_back_to_no_other_header(
    staffed: tuple[ShopServer, dict[str, Member]],
) -> None:
    _, members = staffed
    members["owner"].prove()
    answer = members["owner"].http.post("/admin/staff/x%0d%0aset-cookie:%20a=b", data={"do": "nothing"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/staff/x%0D%0Aset-cookie:%20a=b")
    assert "set-cookie" not in answer.headers


def test_a_page_that_a_script_fetches_keeps_nobody_signed_in(
    staffed: tuple[ShopServer, dict[str, Member]],
) -> None:
    """The page of an import looks every two seconds how far it is, with nobody in front of the screen."""
    shop, members = staffed

    def seen(path: str, **headers: str) -> bool:
        with sqlite3.connect(shop.data / "coatcheck.db") as database:
            database.execute("UPDATE staff_sessions SET seen_at = seen_at - 120000000")
            before = database.execute("SELECT max(seen_at) FROM staff_sessions").fetchone()
        database.close()
        assert members["owner"].http.get(path, headers=headers).status_code == 200
        with sqlite3.connect(shop.data / "coatcheck.db") as database:
            after = database.execute("SELECT max(seen_at) FROM staff_sessions").fetchone()
        database.close()
        return bool(before != after)

    for path in ("/admin/imports", "/admin/sales"):
        assert not seen(path, **{"sec-fetch-dest": "empty"})
        assert seen(path, **{"sec-fetch-dest": "document"})


def test_two_forms_without_an_id_are_two_requests(shop: ShopServer) -> None:
    anna, elsewhere = Member(shop), Member(shop)
    anna.join()
    elsewhere.device = anna.device
    elsewhere.sign_in()
    assert anna.http.post("/admin/account/sessions", data={"end": "others"}).status_code == 303
    assert elsewhere.get("/admin").status_code == 303
    refused = anna.http.post("/admin/account/remove", data={"passkey": "none of hers"})
    assert refused.status_code == 409, "it is not answered as the other one was"
