"""A database that was served under another BASE_URL: a copy beside the real shop, or a shop that moved."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from pathlib import Path

import httpx
import pytest

from entrypoints.cli import main as coatcheck
from entrypoints.container import Container
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.testing import an_edition
from testkit.pages_in_memory import Town
from testkit.postgres import PostgresServer
from testkit.servers import BOOK, EXAMPLES, Shopper, ShopServer, a_shop, free_port
from testkit.settings import some_settings
from testkit.waiting import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.long]


def serve_elsewhere(shop: ShopServer) -> tuple[str, str]:
    """Serve the same database under another address; the former and the new one."""
    former = shop.url
    shop.process.stop()
    shop.port = free_port()
    shop.url = f"http://localhost:{shop.port}"
    shop.environment["BASE_URL"] = shop.url
    shop.process.command[-1] = str(shop.port)
    shop.start()
    return former, shop.url


def names(text: str, former: str, here: str) -> bool:
    """Whether a sentence names both addresses and the two ways on."""
    return all(part in text for part in (former, here, "confirm-address", "--copy", "SESSION_SECRET"))


def test_a_copy_beside_the_real_shop_shows_its_pages_and_does_nothing_else(own_shop: ShopServer) -> None:
    Shopper(own_shop).buy_and_pay("anna@example.com")
    missed = Shopper(own_shop).buy()
    own_shop.sandbox.behave(mail="down")
    cs = Shopper(own_shop).buy()
    own_shop.sandbox.pay(cs, email="ben@example.com", copies=1)
    wait_until(lambda: len(own_shop.export()["purchase"]) == 2)
    former, here = serve_elsewhere(own_shop)
    own_shop.sandbox.behave(mail="")
    own_shop.sandbox.pay(missed, email="carol@example.com")
    visitor = Shopper(own_shop)
    for page in ("/", f"/products/{BOOK}", "/request-login"):
        assert visitor.get(page).status_code == 200, page
    for form, fields in (
        (f"/buy/{BOOK}", {}), ("/request-login", {"email": "anna@example.com"}), ("/login", {"code": "ABCD"}),
        ("/login/abc", {}),
    ):  # fmt: skip
        answer = visitor.post(form, fields)
        assert answer.status_code == 503, form
        assert "until the merchant confirms this address" in answer.text
    body = b'{"id": "evt_1", "object": "event", "type": "checkout.session.completed"}'
    signed = {"stripe-signature": own_shop.sandbox.signature(body)}
    for webhook in ("/webhook", "/mail-events"):
        assert httpx.post(f"{here}{webhook}", content=body, headers=signed).status_code == 503, webhook
    assert visitor.get(f"/view/{BOOK}", params={"session_id": missed}).status_code == 503
    wait_until(lambda: 'timer="mail"' in httpx.get(f"{here}/metrics").text)  # it has looked for emails
    assert len(own_shop.export()["purchase"]) == 2, "nothing is claimed"
    assert own_shop.sandbox.mails_to("ben@example.com") == [], "nothing is sent"
    assert own_shop.sandbox.mails_to("carol@example.com") == []
    [logged] = [line for line in own_shop.log_lines if "confirm-address" in line.get("message", "")]
    assert names(logged["message"], former, here)
    told = own_shop.cli("doctor", check=False)
    assert (told.returncode, names(told.stdout, former, here)) == (1, True), told.stdout
    told = own_shop.cli("status", check=False)
    assert (told.returncode, names(told.stdout, former, here)) == (1, True), told.stdout
    for command in (["reconcile"], ["announce", BOOK], ["status", "--send-again", "access:1"]):
        refused = own_shop.cli(*command, check=False)
        assert (refused.returncode, names(refused.stderr, former, here)) == (2, True), command
    assert len(own_shop.export()["purchase"]) == 2

    said = own_shop.cli("confirm-address").stdout
    assert former in said
    assert here in said
    wait_until(lambda: Shopper(own_shop).post(f"/buy/{BOOK}", {}).status_code == 303)
    own_shop.sandbox.wait_for_mail("ben@example.com")
    assert f"{here}/login/" in own_shop.sandbox.mails_to("ben@example.com")[-1]["text"]
    own_shop.cli("reconcile", check=False)
    assert len(own_shop.export()["purchase"]) == 3
    assert own_shop.cli("doctor").returncode == 0


REFUSED = (
    "status --send-refused", "status --send-again access:1", "resend anna@example.com", "send-link 1 a@example.com",
    f"grant {BOOK} a@example.com --reason x", "refund 1 --reason x", "revoke 1 --reason x", "reopen 1 --reason x",
    "withdrawals --accept 1", f"announce {BOOK}", "reconcile", "staff invite a@example.com --role owner", "staff link a@example.com",
    "import /dev/null --preset own", "staff role a@example.com viewer", "staff disable a@example.com", "staff enable a@example.com",
    "correct 1 a@example.com --reason x", "merge a@example.com b@example.com --reason x", "replace-key 1 --reason x",
    "note 1 hello", "sign-out a@example.com", "erase a@example.com --reason x --yes", "book cs_test_1 --reason x",
)  # fmt: skip
"""Every command that books, pays, emails or lets somebody in."""
OTHERS = {
    "audit", "backup", "confirm-address", "customer", "demo", "doctor", "emails", "erasures", "export", "init", "move",
    "preview", "restore", "sales", "serve", "stripe-setup", "sums",
}  # fmt: skip


def test_under_another_address_every_command_that_acts_is_refused(shop: ShopServer) -> None:
    assert {line.split()[0] for line in REFUSED} | OTHERS == set(coatcheck.commands)
    here = "http://localhost:1"
    for line in REFUSED:
        told = shop.cli(*line.split(), check=False, BASE_URL=here)
        assert (told.returncode, told.stdout, names(told.stderr, shop.url, here)) == (2, "", True), line


# ------------------------------------------------------------------ a copy that becomes a shop of its own


def test_a_copy_becomes_another_shop_with_a_secret_and_an_id_of_its_own(own_shop: ShopServer) -> None:
    """It keeps what it holds, books no payment that was begun at the real shop, and emails nobody for it."""
    Shopper(own_shop).buy_and_pay("anna@example.com")
    open_there = Shopper(own_shop).buy()
    own_shop.sandbox.behave(mail="down")
    Shopper(own_shop).post("/request-login", {"email": "anna@example.com"})
    wait_until(lambda: len(own_shop.export()["mail"]) == 2)
    before = own_shop.cli("doctor", check=False).stdout
    serve_elsewhere(own_shop)
    refused = own_shop.cli("confirm-address", "--copy", check=False)
    assert (refused.returncode, "SESSION_SECRET still holds" in refused.stderr) == (2, True)
    own_shop.process.stop()
    own_shop.environment["SESSION_SECRET"] = "a secret that no other shop has ever had"
    said = own_shop.cli("confirm-address", "--copy").stdout
    shop_id = said.partition("It is shop ")[2].split()[0]
    assert shop_id not in before
    own_shop.sandbox.behave(mail="")
    own_shop.start()
    assert shop_id in own_shop.cli("doctor").stdout
    own_shop.sandbox.pay(open_there, email="ben@example.com")
    own_shop.cli("reconcile", check=False)
    assert [sale["email"] for sale in own_shop.export()["purchase"]] == ["anna@example.com"]
    assert {mail["state"] for mail in own_shop.export()["mail"]} == {"sent", "dropped"}
    assert len(own_shop.sandbox.mails_to("anna@example.com")) == 1, "what waited is not sent from here"
    Shopper(own_shop).buy_and_pay("carol@example.com")
    again = own_shop.cli("confirm-address", "--copy", check=False)
    assert (again.returncode, "cannot be told from the original" in again.stderr) == (2, True)


def test_a_database_that_was_served_here_cannot_become_a_copy(own_shop: ShopServer) -> None:
    refused = own_shop.cli("confirm-address", "--copy", check=False)
    assert (refused.returncode, "cannot be told from the original" in refused.stderr) == (2, True)
    assert "Nothing is left to do" in own_shop.cli("confirm-address").stdout


# ------------------------------------------------------------------ nodes


async def nodes(folder: Path, database: str, *base_urls: str) -> list[Container]:
    """Servers on one database, each with its own idea of the address."""
    made = []
    for url in base_urls:
        settings = some_settings(folder, BASE_URL=url, DATABASE_URL=database)
        made.append(Container(settings=settings, serving=True))
        await open_shop(made[-1])
    return made


def test_nodes_compare_with_the_database_and_notice_when_it_changes(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    old, new = "http://localhost:1", "http://localhost:2"

    async def main() -> None:
        database = postgres.url(postgres.new_database())
        first, wrong, second = await nodes(tmp_path, database, old, new, old)
        watches = [node.address_watch() for node in (first, wrong, second)]
        found = [watch.elsewhere for watch in watches]
        assert [f and (f.there, f.here) for f in found] == [None, (old, new), None]
        await wrong.address_watch().confirm()
        assert not await first.lease_mail()(), "not even before it notices"
        for watch in watches:
            await watch.look()
        found = [watch.elsewhere for watch in watches]
        assert [f and (f.there, f.here) for f in found] == [(new, old), None, (new, old)]
        for node in (first, wrong, second):
            await close_shop(node)

    asyncio.run(main())


def test_no_email_leaves_with_a_link_to_an_address_that_is_not_the_databases(tmp_path: Path) -> None:
    """Even in the moment in which an address was confirmed and another node has not noticed."""
    town = Town(tmp_path, an_edition(), lambda where, html: None)

    async def main() -> list[int]:
        store, leased = town.shop.store, []
        client = town.client()
        await store.transact(lambda tx: tx.shop.open("s"))
        await client.post("/request-login", email="anna@example.com")
        ref = await town.started(client)
        town.shop.payments.pay(ref, email="anna@example.com")
        await client.get(f"/view/book?session_id={ref}", status=303)
        for url in ("http://elsewhere.example", "http://localhost:1"):
            await store.transact(lambda tx, url=url: tx.shop.confirm_address(url))
            leased.append(len(await town.container.lease_mail()()))
        return leased

    assert asyncio.run(main()) == [0, 2]


def test_under_another_address_every_form_of_every_page_is_refused(tmp_path: Path) -> None:
    """Each route that takes a POST, but those that only change the visitor's own browser; no page is missing."""
    town = Town(tmp_path, an_edition(), lambda where, html: None)
    watch = town.container.address_watch()
    routes = {re.sub("{.*?}", "abc", route) for route in town.routes("POST")}
    assert {"/buy/abc", "/webhook", "/mail-events", "/login/abc", "/account/erase"} <= routes

    async def main() -> dict[str, int]:
        store = town.shop.store
        await store.transact(lambda tx: tx.shop.open(town.shop.catalogue.current().shop.id))
        await store.transact(lambda tx: tx.shop.confirm_address("http://elsewhere.example"))
        await watch.look()
        client = town.client()
        found = {}
        for path in sorted(routes):
            await client.post(path, status=0)
            found[path] = client.status
        for path in ("/view/book?session_id=cs_test_1", "/view/book?a=b&session%5Fid=cs_test_1"):
            await client.get(path, status=503)
        for path in ("/", "/products/book", "/request-login", "/robots.txt"):
            await client.get(path)
        await store.transact(lambda tx: tx.shop.confirm_address("http://localhost:1"))
        await watch.look()
        await client.post("/buy/book", status=303)
        return found

    found = asyncio.run(main())
    assert {path for path, status in found.items() if status != 503} == {"/logout", "/currency", "/language"}


# ------------------------------------------------------------------ move, restore, demo


def test_a_demo_confirms_its_address_by_itself(tmp_path: Path) -> None:
    """Its port is chosen anew each time."""

    async def main() -> list[object]:
        found: list[object] = []
        for port in (1, 2):
            settings = some_settings(tmp_path, BASE_URL=f"http://localhost:{port}")
            container = Container(settings=settings, serving=True, confirms_address=True)
            await open_shop(container)
            found += [container.address_watch().elsewhere, await container.address_watch().own_address.look()]
            await close_shop(container)
        return found

    assert asyncio.run(main()) == [None] * 4


def test_a_command_before_the_first_start_does_not_decide_the_address(tmp_path: Path) -> None:
    async def main() -> list[object]:
        found: list[object] = []
        for port, serving in ((1, False), (2, True), (2, False), (1, False)):
            settings = some_settings(tmp_path, BASE_URL=f"http://localhost:{port}")
            container = Container(settings=settings, serving=serving)
            await open_shop(container)
            elsewhere = container.address_watch().elsewhere
            found.append(elsewhere and elsewhere.there)
            await close_shop(container)
        return found

    assert asyncio.run(main()) == [None, None, None, "http://localhost:2"]


def test_a_restored_backup_says_where_it_was_served(
    own_shop: ShopServer, engine: str, tmp_path: Path
) -> None:
    if engine == "postgres":  # its own tools restore it; the first test above is what follows
        return
    own_shop.cli("backup", str(tmp_path / "backups"))
    former, copy = own_shop.url, tmp_path / "copy"
    shutil.copytree(EXAMPLES, copy / "catalogue")
    there = {"DATA_DIR": str(copy / "data"), "BASE_URL": "http://localhost:1"}
    for command in (["restore", "--check"], ["restore"]):
        said = own_shop.cli(*command, str(tmp_path / "backups"), **there).stdout
        assert names(said, former, "http://localhost:1"), said
    assert own_shop.cli("reconcile", check=False, **there).returncode == 2
    shutil.rmtree(copy / "data")
    same = own_shop.cli("restore", str(tmp_path / "backups"), **{**there, "BASE_URL": former}).stdout
    assert "confirm-address" not in same
    assert own_shop.cli("reconcile", **{**there, "BASE_URL": former}).returncode == 0


def test_a_moved_database_keeps_its_address(tmp_path: Path, postgres: PostgresServer) -> None:
    name = postgres.new_database()
    target = postgres.url(name)
    with a_shop(tmp_path) as shop:
        source = f"sqlite:///{shop.data}/coatcheck.db"
        Shopper(shop).buy_and_pay("anna@example.com")
        shop.process.stop()
        shop.cli("move", source, target)
        assert postgres.execute("SELECT base_url FROM shop", database=name) == [(shop.url,)]
        assert "Nothing is left to do" in shop.cli("move", source, target).stdout
        with sqlite3.connect(shop.data / "coatcheck.db") as database:
            database.execute("UPDATE shop SET base_url = 'http://localhost:2'")
        shop.cli("move", source, target)
        assert postgres.execute("SELECT base_url FROM shop", database=name) == [("http://localhost:2",)]
        postgres.execute("UPDATE shop SET base_url = 'http://localhost:3'", database=name)
        refused = shop.cli("move", source, target, check=False)
        assert (refused.returncode, "in its BASE_URL" in refused.stderr) == (2, True), refused.stderr
