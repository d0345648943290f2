"""A shop on PostgreSQL: when its database goes away, is another than it should be, or cannot be spoken to."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from testkit.engines import everything_in, files_of
from testkit.postgres import PASSWORD, PostgresServer, a_postgres
from testkit.servers import Shopper, ShopServer, a_shop
from testkit.settings import some_settings
from testkit.waiting import wait_until

pytestmark = pytest.mark.long


@pytest.fixture
def there(tmp_path: Path, postgres: PostgresServer) -> Iterator[ShopServer]:
    with a_shop(tmp_path, DATABASE_URL=postgres.url(postgres.new_database())) as shop:
        yield shop


def test_a_database_that_goes_down_is_503_and_no_sale_is_lost(tmp_path: Path) -> None:
    """Twice: as if the power went, and in order; both times in the middle of a sale."""
    with a_postgres() as server, a_shop(tmp_path, DATABASE_URL=server.url(server.new_database())) as shop:
        for number, how in enumerate((signal.SIGQUIT, signal.SIGINT)):
            anna, email = Shopper(shop), f"anna{number}@example.com"
            cs = anna.buy()
            event = shop.sandbox.pay(cs, email=email, copies=0)
            headers = {"stripe-signature": event["signature"]}
            server.stop(how)
            for answer in (
                httpx.post(f"{shop.url}/webhook", content=event["body"], headers=headers, timeout=60),
                anna.get("/library"),
                anna.get("/readyz"),
            ):
                assert answer.status_code == 503
            assert anna.get("/healthz").status_code == 200
            server.start()
            wait_until(lambda: Shopper(shop).get("/readyz").status_code == 200)
            told = httpx.post(f"{shop.url}/webhook", content=event["body"], headers=headers, timeout=60)
            assert told.text in ("booked", "known")
            shop.sandbox.wait_for_mail(email)
        assert [m["attempts"] for m in shop.export()["mail"]] == [1, 1]
        assert PASSWORD not in shop.log.read_text()


def test_a_lock_that_somebody_holds_is_503_and_passes(there: ShopServer) -> None:
    shop = there
    cs = Shopper(shop).buy()
    event = shop.sandbox.pay(cs, email="anna@example.com", copies=0)
    headers = {"stripe-signature": event["signature"]}
    with psycopg.connect(shop.more["DATABASE_URL"]) as locker:
        locker.execute("LOCK TABLE purchases IN EXCLUSIVE MODE")
        answer = httpx.post(f"{shop.url}/webhook", content=event["body"], headers=headers, timeout=60)
        assert answer.status_code == 503
        assert Shopper(shop).get("/").status_code == 200, "reading goes on"
        locker.rollback()
    assert httpx.post(f"{shop.url}/webhook", content=event["body"], headers=headers).text == "booked"


def test_whom_an_older_dump_brings_back_is_erased_again(there: ShopServer, postgres: PostgresServer) -> None:
    """What docs/postgresql.md says: dump, erase, restore the dump, erase again."""
    anna, email = Shopper(there), "anna@example.com"
    anna.buy_and_pay(email)
    assert anna.post(anna.link_from(email)).status_code == 303
    address = there.more["DATABASE_URL"]
    dump = there.folder / "shop.dump"
    program = [str(postgres.bindir / "pg_dump"), "--format=custom", f"--file={dump}", f"--dbname={address}"]
    subprocess.run(program, check=True, capture_output=True)
    assert "Your account is deleted" in anna.post("/account/erase", {"sure": "yes"}).text
    erased = there.cli("erasures").stdout
    [purchase] = there.export()["purchase"]
    assert erased.splitlines()[0] == purchase["id"]
    assert email not in erased, "an address is named by its hash"
    there.process.stop()
    restored = postgres.url(postgres.new_database())
    program = [str(postgres.bindir / "pg_restore"), "--exit-on-error", f"--dbname={restored}", str(dump)]
    subprocess.run(program, check=True, capture_output=True)
    there.environment["DATABASE_URL"] = there.more["DATABASE_URL"] = restored
    assert email in everything_in(there)
    (there.folder / "erased.txt").write_text(erased)
    assert "orders are erased" in there.cli("erasures", "--again", "erased.txt").stdout
    assert email not in everything_in(there)
    assert [path.name for path in files_of(there, postgres) if email.encode() in path.read_bytes()] == []


def test_without_its_package_a_shop_on_postgresql_says_what_to_install_and_one_on_sqlite_runs(
    tmp_path: Path,
) -> None:
    away = "import sys; sys.modules.update(psycopg=None, psycopg_pool=None); from entrypoints.cli import main; main()"
    shop = ShopServer(tmp_path)
    shop.sandbox.http.close()

    def export(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", away, "export"], env={**shop.environment, **more}, cwd=tmp_path, text=True,
            capture_output=True, check=False,
        )  # fmt: skip

    refused = export(DATABASE_URL="postgresql://localhost/shop")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert 'pip install "coatcheck[postgres]"' in refused.stderr
    assert export().returncode == 0


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://shop:the%20secret@127.0.0.1:1/shop",
        "postgresql://shop:the%zzsecret@127.0.0.1:1/shop",
        "postgresql://shop:the secret@127.0.0.1:notaport/shop",
        "postgresql://shop:the?secret@127.0.0.1:1/shop",
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence_without_the_password(
    tmp_path: Path, address: str
) -> None:
    shop = ShopServer(tmp_path, more={"DATABASE_URL": address}, warm=True)
    shop.sandbox.http.close()
    done = shop.cli("doctor", check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "!!  catalogue and database:" in done.stdout
    assert "secret" not in done.stdout
    settings = some_settings(tmp_path, DATABASE_URL=address)
    assert "secret" not in repr(settings) + str(settings.database)


def test_a_server_that_is_not_durable_keeps_the_shop_closed(tmp_path: Path) -> None:
    with a_postgres(fsync="off") as server:
        shop = ShopServer(tmp_path, more={"DATABASE_URL": server.url("postgres")})
        shop.sandbox.http.close()
        done = shop.cli("serve", check=False)
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            "coatcheck: the database says fsync is off, so it could lose a sale: set fsync = on in postgresql.conf"
        ]


def test_nodes_share_sessions_limits_and_mail(tmp_path: Path, postgres: PostgresServer) -> None:
    """Two nodes on one database: who came in at one is in at the other, and nobody is mailed twice."""
    address = postgres.url(postgres.new_database())
    with a_shop(tmp_path, DATABASE_URL=address) as one:
        two = ShopServer(one.folder, more={"DATABASE_URL": address})
        two.sandbox.http.close()
        two.environment["BASE_URL"] = one.environment["BASE_URL"]
        for name in ("STRIPE_API_BASE", "RESEND_API_URL"):
            two.environment[name] = one.environment[name]
        two.process.environment = two.environment
        two.process.start(f"http://localhost:{two.port}/healthz")
        try:
            anna = Shopper(one)
            for _ in range(4):
                anna.buy_and_pay("anna@example.com", "small-shop-paperwork")
            there = f"http://localhost:{two.port}"
            cookies, host = dict(anna.http.cookies), {"host": one.environment["BASE_URL"].partition("//")[2]}
            page = httpx.get(f"{there}/view/small-shop-paperwork", cookies=cookies, headers=host)
            assert "It opens in this browser for a day" in page.text
            assert [(m["state"], m["attempts"]) for m in one.export()["mail"]] == [("sent", 1)] * 4
            anna.post("/logout")
            gone = httpx.get(f"{there}/view/small-shop-paperwork", cookies=cookies, headers=host)
            assert "It opens in this browser for a day" not in gone.text
        finally:
            two.process.stop()
