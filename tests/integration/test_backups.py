"""Backups of a running shop, and what stands after they are restored."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testkit.office import Member, link_of
from testkit.s3 import KEY, SECRET, a_bucket
from testkit.servers import BOOK, SESSION_SECRET, WEBHOOK_SECRET, Shopper, ShopServer

pytestmark = pytest.mark.long


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def database(shop: ShopServer) -> Path:
    return shop.folder / "data" / "coatcheck.db"


def lose(shop: ShopServer, *, goods: bool = False) -> None:
    """The machine is gone: no server, no database, perhaps no goods."""
    shop.process.kill()
    for path in database(shop).parent.glob("coatcheck.db*"):
        path.unlink()
    if goods:
        for path in (shop.folder / "data" / "goods").rglob("*"):
            if path.is_file():
                path.unlink()


def complete(backups: Path) -> list[Path]:
    return sorted(path.parent for path in backups.glob("*/manifest.json"))


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def erase(shop: ShopServer, who: Shopper, email: str) -> None:
    """With a fresh proof of the mailbox."""
    assert who.post(who.link_from(email)).status_code == 303
    answer = who.post("/account/erase", {"sure": "yes"})
    assert answer.status_code in (200, 303), answer.text
    assert email not in json.dumps(shop.export())


def test_a_backup_holds_database_goods_and_no_secret(own_shop: ShopServer, backups: Path) -> None:
    anna = Shopper(own_shop)
    anna.buy_and_pay("anna@example.com")
    said = own_shop.cli("backup", str(backups)).stdout
    assert "1 sales, 1 buyers" in said
    [made] = complete(backups)
    manifest = json.loads((made / "manifest.json").read_text())
    assert (manifest["purchases"], manifest["format"]) == (1, 1)
    kept = {path.name for path in (own_shop.folder / "data" / "goods").glob("[0-9a-f][0-9a-f]/*")}
    assert {content["sha256"] for content in manifest["goods"]} == kept != set()
    held = raw(backups)
    for secret in (
        SESSION_SECRET,
        WEBHOOK_SECRET,
        anna.http.cookies["session"],
        anna.link_from("anna@example.com")[7:],
    ):
        assert secret.encode() not in held
    assert not list(backups.glob(".incoming")), "nothing half done is left"


def test_contents_that_are_there_are_not_copied_again(own_shop: ShopServer, backups: Path) -> None:
    own_shop.cli("backup", str(backups))
    before = {path: path.stat().st_ino for path in backups.glob("goods/*/*")}
    assert "0 contents were new" in own_shop.cli("backup", str(backups)).stdout
    assert {path: path.stat().st_ino for path in backups.glob("goods/*/*")} == before != {}
    assert len(complete(backups)) == 2


def test_a_check_reads_everything_and_changes_nothing(own_shop: ShopServer, backups: Path) -> None:
    Shopper(own_shop).buy_and_pay("anna@example.com")
    own_shop.cli("backup", str(backups))
    before = raw(backups)
    sound = own_shop.cli("restore", "--check", str(backups))
    assert "Every file is what it was" in sound.stdout
    assert "would have to be moved away" in sound.stdout
    assert raw(backups) == before
    own_shop.cli("export")
    content = next(backups.glob("goods/*/*"))
    content.chmod(0o600)
    content.write_bytes(content.read_bytes()[:-1] + b"?")
    damaged = own_shop.cli("restore", "--check", str(backups), check=False)
    assert (damaged.returncode, f"DAMAGED: the content {content.name}" in damaged.stdout) == (1, True)


def test_a_damaged_database_is_found_before_anything_is_restored(own_shop: ShopServer, backups: Path) -> None:
    own_shop.cli("backup", str(backups))
    [made] = complete(backups)
    copy = made / "coatcheck.db"
    copy.chmod(0o600)
    copy.write_bytes(copy.read_bytes()[:-1] + b"?")
    lose(own_shop)
    for command in (["--check", str(backups)], [str(backups)]):
        done = own_shop.cli("restore", *command, check=False)
        assert (done.returncode, "is damaged" in done.stderr) == (2, True)
    assert not list(database(own_shop).parent.glob("*coatcheck.db*restoring*"))
    assert not database(own_shop).exists()


def test_a_backup_that_was_broken_off_is_not_there(own_shop: ShopServer, backups: Path) -> None:
    own_shop.cli("backup", str(backups))
    [made] = complete(backups)
    (made / "manifest.json").unlink()
    done = own_shop.cli("restore", str(backups), check=False)
    assert (done.returncode, "no complete backup" in done.stderr) == (2, True)


def test_nothing_is_overwritten_and_nothing_restored_under_a_server(
    own_shop: ShopServer, backups: Path
) -> None:
    own_shop.cli("backup", str(backups))
    served = own_shop.cli("restore", str(backups), check=False)
    assert (served.returncode, "stop it first" in served.stderr) == (2, True)
    own_shop.process.stop()
    there = own_shop.cli("restore", str(backups), check=False)
    assert (there.returncode, "nothing is overwritten" in there.stderr) == (2, True)
    held = database(own_shop).read_bytes()
    database(own_shop).rename(database(own_shop).with_name("aside.db"))
    log = database(own_shop).with_name("coatcheck.db-wal")
    log.write_bytes(b"of the old one")
    assert own_shop.cli("restore", str(backups), check=False).returncode == 2, (
        "its log would be read into the new one"
    )
    log.unlink()
    own_shop.cli("restore", str(backups))
    assert database(own_shop).with_name("aside.db").read_bytes() == held
    assert database(own_shop).stat().st_mode & 0o077 == 0


def test_everything_is_restored_and_the_sweep_brings_back_what_was_sold_since(
    own_shop: ShopServer, backups: Path
) -> None:
    anna, ben = Shopper(own_shop), Shopper(own_shop)
    anna.buy_and_pay("anna@example.com")
    own_shop.cli("backup", str(backups))
    ben.buy_and_pay("ben@example.com")
    exported = own_shop.export()
    lose(own_shop, goods=True)
    said = own_shop.cli("restore", str(backups)).stdout
    assert "1 sales" in said
    assert "Everybody has to sign in again" in said
    assert "Changes of address made after this backup are lost" in said
    assert "coatcheck reconcile" in said
    assert own_shop.cli("reconcile", check=False).returncode == 1, "it had to repair"
    assert own_shop.cli("reconcile").returncode == 0
    own_shop.start()
    assert [p["checkout_session"] for p in own_shop.export()["purchase"]] == [
        p["checkout_session"] for p in exported["purchase"]
    ]
    assert anna.get("/library").status_code != 200, "she signs in again"
    assert anna.post(anna.link_from("anna@example.com")).status_code == 303
    assert BOOK in anna.get("/library").text
    file = next(line for line in anna.get(f"/view/{BOOK}").text.split('"') if line.startswith("/files/"))
    assert anna.get(file).status_code == 200


def test_staff_comes_in_again_after_a_restore_and_an_old_link_lets_nobody_in(
    own_shop: ShopServer, backups: Path
) -> None:
    anna = Member(own_shop)
    anna.join()
    link = link_of(own_shop, "link", "anna@example.com")
    own_shop.cli("backup", str(backups))
    lose(own_shop)
    own_shop.cli("restore", str(backups))
    own_shop.start()
    assert anna.get("/admin").headers["location"] == "/admin/sign-in"
    assert Member(own_shop).get(link).status_code == 410
    assert anna.sign_in().headers["location"] == "/admin"
    assert anna.get("/admin").status_code == 200


def test_a_shop_backed_up_before_its_first_sale_finds_all_of_them(
    own_shop: ShopServer, backups: Path
) -> None:
    own_shop.cli("backup", str(backups))
    cs = Shopper(own_shop).buy_and_pay("anna@example.com")
    lose(own_shop)
    own_shop.cli("restore", str(backups))
    assert f"booked {cs}" in own_shop.cli("reconcile", check=False).stdout


def test_an_older_backup_is_restored_without_those_who_were_erased_since(
    own_shop: ShopServer, backups: Path
) -> None:
    """The oldest backup of three; the erasure is carried beside them. No byte of the address comes back."""
    anna, ben, carol = Shopper(own_shop), Shopper(own_shop), Shopper(own_shop)
    anna.buy_and_pay("anna@example.com")
    ben.buy_and_pay("ben@example.com")
    own_shop.cli("backup", str(backups))
    [oldest] = complete(backups)
    carol.buy_and_pay(
        "carol@example.com"
    )  # the sweep after the restore finds her sale at Stripe, and her address
    erase(own_shop, anna, "anna@example.com")
    erase(own_shop, carol, "carol@example.com")
    assert "noted apart: 2 orders" in own_shop.cli("backup", str(backups)).stdout
    assert "noted apart" not in own_shop.cli("backup", str(backups)).stdout
    assert b"anna@example.com" in raw(oldest)
    lose(own_shop)
    checked = own_shop.cli("restore", "--check", str(oldest)).stdout
    assert "2 orders of people erased since" in checked
    assert "erased again: 2 orders" in own_shop.cli("restore", str(oldest)).stdout
    assert own_shop.cli("reconcile", check=False).returncode in (0, 1)
    own_shop.start()
    exported = own_shop.export()
    assert [user["email"] for user in exported["user"]] == ["ben@example.com"]
    assert len(exported["purchase"]) == 3, "the sales stay in the store"
    assert b"ben@example.com" in raw(own_shop.folder / "data")
    for erased in (b"anna@example.com", b"carol@example.com"):
        assert erased not in raw(own_shop.folder / "data")
        assert erased.decode() not in own_shop.log.read_text()


def test_what_was_queued_at_the_backup_may_have_been_sent_since(own_shop: ShopServer, backups: Path) -> None:
    """Beyond the time in which the email provider knows the key again, it is the merchant's to send."""
    own_shop.sandbox.behave(mail="down")
    cs = Shopper(own_shop).buy()
    own_shop.sandbox.pay(cs, email="anna@example.com", copies=1)
    own_shop.process.stop()
    own_shop.cli("backup", str(backups))
    for path in database(own_shop).parent.glob("coatcheck.db*"):
        path.unlink()
    own_shop.cli("restore", str(backups))
    with contextlib.closing(sqlite3.connect(database(own_shop))) as db:
        [(unknown, queued)] = db.execute("SELECT unknown_since, queued_at FROM outbox WHERE state = 'queued'")
    assert unknown is not None
    assert unknown > queued


def test_one_place_is_for_one_shop(own_shop: ShopServer, backups: Path) -> None:
    own_shop.cli("backup", str(backups))
    [made] = complete(backups)
    manifest = made / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text(manifest.read_text().replace('"shop": "', '"shop": "not-'))
    done = own_shop.cli("backup", str(backups), check=False)
    assert (done.returncode, "another shop" in done.stderr) == (2, True)


def test_a_backup_in_a_bucket_is_restored(own_shop: ShopServer, s3: str) -> None:
    bucket: Any = a_bucket(s3)
    own_shop.environment |= {
        "AWS_ENDPOINT_URL": s3, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
    }  # fmt: skip
    target = f"s3://{bucket.name}/backups"
    anna = Shopper(own_shop)
    anna.buy_and_pay("anna@example.com")
    own_shop.cli("backup", target)
    assert "Every file is what it was" in own_shop.cli("restore", "--check", target).stdout
    lose(own_shop, goods=True)
    assert "1 sales" in own_shop.cli("restore", target).stdout
    own_shop.start()
    assert len(own_shop.export()["purchase"]) == 1
    del own_shop.environment["AWS_SECRET_ACCESS_KEY"]
    done = own_shop.cli("backup", target, check=False)
    assert (done.returncode, "AWS_SECRET_ACCESS_KEY is not set" in done.stderr) == (2, True)


def test_progress_is_shown_at_a_terminal_and_nowhere_else(own_shop: ShopServer, backups: Path) -> None:
    piped = own_shop.cli("backup", str(backups))
    assert piped.stderr == ""
    terminal, ours = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "backup", str(backups)], cwd=own_shop.folder,
        env=own_shop.environment, stdout=subprocess.PIPE, stderr=ours, timeout=60, check=True,
    )  # fmt: skip
    os.close(ours)
    shown = os.read(terminal, 65536)
    os.close(terminal)
    assert b"Backing up" in shown
    assert b"100%" in shown
    assert b"Backing up" not in done.stdout
