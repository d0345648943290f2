"""The file of a shop built along the tutorial is moved into a shop of this catalogue, on either engine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlite_utils import Database

from testkit.postgres import PostgresServer
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer

pytestmark = pytest.mark.long

NAMES = ("--product", f"p1={BOOK}", "--product", f"p2={PHOTOS}")


def the_tutorials(path: Path) -> Path:
    """As bench/speed/peer/seed_app.py makes it, with what its races and its forms leave behind."""
    db = Database(path)
    db.table("users").create({"id": int, "email": str}, pk="id").create_index(["email"], unique=True)
    db.table("magic_links").create(
        {"id": int, "email": str, "token": str, "expires": str, "used": bool}, pk="id"
    )
    db.table("purchases").create(
        {"id": int, "user_id": int, "prod_id": str, "sess_id": str, "amt": int}, pk="id"
    )
    emails = ("anna@example.com", "Anna@Example.COM", "ben@example.com", "no address", "idle@example.com")
    db.table("users").insert_all({"id": n, "email": email} for n, email in enumerate(emails, 1))
    db.table("magic_links").insert(
        {"email": "anna@example.com", "token": "in-clear", "expires": "2099-01-01T00:00:00", "used": 0}
    )
    sales = (
        (1, "p1", "cs_test_1", 1999),
        (2, "p2", "cs_test_2", 2999),
        (3, "p1", "cs_test_3", 1999),
        (3, "p1", "cs_test_3", 1999),
        (4, "p1", "cs_test_4", 1999),
        (3, "p9", "cs_test_5", 100),
        (99, "p1", "cs_test_6", 1999),
        (3, "p1", None, None),
    )
    db.table("purchases").insert_all(
        {"user_id": user, "prod_id": product, "sess_id": ref, "amt": amount}
        for user, product, ref, amount in sales
    )
    db.close()
    return path


def records_of(shop: ShopServer) -> list[str]:
    """All but the audit log: each move is an entry there."""
    lines = shop.cli("export").stdout.splitlines()
    assert all('"action":"move"' in line for line in lines if line.startswith('{"kind":"audit"'))
    return [line for line in lines if not line.startswith('{"kind":"audit"')]


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_its_buyers_find_here_what_they_bought_there(
    tmp_path: Path, postgres: PostgresServer, engine: str
) -> None:
    source = the_tutorials(tmp_path / "seed.db")
    held = hashlib.sha256(source.read_bytes()).hexdigest()
    target = f"sqlite:///{tmp_path}/new.db" if engine == "sqlite" else postgres.url(postgres.new_database())
    shop = ShopServer(tmp_path, more={"DATABASE_URL": target})
    shop.sandbox.start()
    try:
        said = shop.cli("move", f"sqlite:///{source}", target, *NAMES, check=False)
        assert (said.returncode, said.stderr) == (1, ""), said.stderr
        assert "3 sales were moved" in said.stdout
        assert "each sale was moved once" in said.stdout
        assert "Users without a purchase: 1" in said.stdout
        for row, why in (
            (5, "no address"),
            (6, "--product p9=ITS-ID"),
            (7, "no address"),
            (8, "no Stripe session"),
        ):
            [line] = [line for line in said.stdout.splitlines() if line.startswith(f"purchases row {row} ")]
            assert why in line
        assert "example.com" not in said.stdout
        assert "request-login" in said.stdout
        exported = records_of(shop)
        again = shop.cli("move", f"sqlite:///{source}", target, *NAMES, check=False)
        assert "0 sales were moved, 3 stood there already" in again.stdout
        assert records_of(shop) == exported
        assert hashlib.sha256(source.read_bytes()).hexdigest() == held
        found = shop.export()
        assert sorted(user["email"] for user in found["user"]) == ["anna@example.com", "ben@example.com"]
        assert [found["mail"], found["quarantine"]] == [[], []]
        assert {sale["checkout_session"] for sale in found["purchase"]} == {
            "cs_test_1",
            "cs_test_2",
            "cs_test_3",
        }
        shop.start()
        anna = Shopper(shop)
        assert anna.get("/login/in-clear").status_code != 200
        anna.post("/request-login", {"email": "anna@example.com"})
        shop.sandbox.wait_for_mail("anna@example.com")
        assert anna.post(anna.link_from("anna@example.com")).status_code == 303
        for product in (BOOK, PHOTOS):
            assert "/files/" in anna.get(f"/view/{product}").text
        assert len(shop.sandbox.mails) == 1, "the link she asked for, and nothing else"
        if engine == "sqlite":
            served = shop.cli("move", f"sqlite:///{tmp_path}/new.db", postgres.url("postgres"), check=False)
            assert (served.returncode, "stop it first" in served.stderr) == (2, True), (
                "it is a shop of ours now"
            )
    finally:
        for client in shop.clients:
            client.close()
        shop.process.stop()
        shop.sandbox.stop()


def test_it_is_moved_to_a_shop_of_its_own_and_never_onto_itself(tmp_path: Path) -> None:
    source = the_tutorials(tmp_path / "seed.db")
    Database(tmp_path / "cats.db").table("cats").insert({"name": "Tom"})
    before = source.read_bytes()
    shop = ShopServer(tmp_path)
    for there in (source, tmp_path / "cats.db"):
        done = shop.cli("move", f"sqlite:///{source}", f"sqlite:///{there}", *NAMES, check=False)
        assert (done.returncode, "is no shop's database" in done.stderr) == (2, True)
    wrong = shop.cli(
        "move", f"sqlite:///{source}", f"sqlite:///{tmp_path}/n.db", "--product", "p1", check=False
    )
    assert (wrong.returncode, "--product is written like" in wrong.stderr) == (2, True)
    assert source.read_bytes() == before
    assert not (tmp_path / "n.db").exists()
