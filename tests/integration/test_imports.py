"""Files of other shops over HTTP and on the command line: from the upload to the library of who bought there."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from testkit.importing import GUMROAD, OWN, STRIPE
from testkit.office import Member, asks_for_passkey, form_on, upload
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

NAMES = ("--product", f"The Book={BOOK}", "--product", f"The Photos={PHOTOS}")
HEADER = "external_id,address,product,currency,paid,at,licence_key\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, Member]]:
    """A shop and its owner."""
    with a_shop(tmp_path_factory.mktemp("office")) as running:
        owner = Member(running)
        owner.join()
        yield running, owner


def purchases(shop: ShopServer) -> dict[str, dict[str, Any]]:
    return {one["email"]: one for one in shop.export()["purchase"]}


def path_of(page: httpx.Response) -> str:
    return page.url.path


def submit(member: Member, page: httpx.Response, **fields: str) -> httpx.Response:
    """Submit the form of a page that does `do`; the page that follows."""
    path, form = path_of(page), form_on(page, path_of(page))["form"]
    answer = member.http.post(path, data={"form": form} | fields, headers=member.elsewhere())
    return answer if not answer.is_redirect else settled(member, answer.headers["location"])


def settled(member: Member, path: str) -> httpx.Response:
    """A page once nothing is worked on any more."""
    found: list[httpx.Response] = []

    def done() -> bool:
        found.append(member.get(path))
        return "so far" not in found[-1].text

    wait_until(done)
    return found[-1]


def figures(page: httpx.Response) -> dict[str, str]:
    """The list of figures on a page."""
    return dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page.text))


def plan_of_page(page: httpx.Response) -> dict[str, str]:
    """The mapping as the page offers it."""
    fields = {"preset": re.findall(r'name="preset" value="(\w+)"', page.text)[0]}
    for name, options in re.findall(r'<select[^>]* name="([\w-]+)">(.*?)</select>', page.text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields | dict(re.findall(r'<input id="[\w-]+" name="([\w-]+)" value="([^"]*)"', page.text))


# ------------------------------------------------------------------ the command line


@pytest.mark.engines
def test_gumroads_file_on_the_command_line(own_shop: ShopServer) -> None:
    shop, file = own_shop, str(GUMROAD)
    dry = shop.cli("import", file, "--preset", "gumroad", "--dry-run", check=False)
    assert dry.returncode == 1
    assert dry.stdout.splitlines()[0] == "10 rows: 0 would be imported, 0 known already, 10 refused."
    assert "  5 rows of 'The Book': say what it is here with --product 'The Book'=ID" in dry.stdout
    assert purchases(shop) == {}
    done = shop.cli("import", file, "--preset", "gumroad", *NAMES, check=False)
    assert done.stdout.splitlines() == [
        "10 rows: 5 imported, 1 known already, 4 refused.",
        "  A product that this shop does not have: line 9",
        "  No email address that can be emailed: line 10",
        "  Refunded in full: line 5",
        "  Disputed by the buyer: line 7",
        "  1 row of '=Prints, signed': say what it is here with --product '=Prints, signed'=ID",
    ]
    held = purchases(shop)
    assert sorted(held) == [f"{name}@example.com" for name in ("ada", "carl", "emil", "gina", "ina")]
    assert {one["source"] for one in held.values()} == {"import"}
    assert held["ada@example.com"]["booked_at"].startswith("2023-05-03T14:22:01")
    again = shop.cli("import", file, "--preset", "gumroad", *NAMES, check=False)
    assert again.stdout.startswith("10 rows: 0 imported, 6 known already, 4 refused.")
    other = shop.cli(
        "import",
        file,
        "--preset",
        "gumroad",
        *NAMES,
        check=False,
        SESSION_SECRET="another secret that is long enough",
    )
    assert other.stdout.startswith("10 rows: 0 imported, 6 known already, 4 refused.")
    assert purchases(shop) == held
    lines = shop.cli("audit").stdout.splitlines()
    assert [" import " in line for line in lines] == [True, True, True]
    assert shop.sandbox.mails_to("ada@example.com") == []

    ada = Shopper(shop)
    ada.post("/request-login", {"email": "Ada@example.com"})
    shop.sandbox.wait_for_mail("ada@example.com")
    assert ada.post(ada.link_from("ada@example.com")).status_code == 303
    content = ada.get(f"/view/{BOOK}")
    assert content.status_code == 200
    assert "6F0E4C97-B72A4E69-A11BF6C4-AF6517E7" in ada.get("/library").text + content.text
    assert ada.post("/account/erase", {"sure": "yes"}).status_code in (200, 303)
    erased = shop.cli("import", file, "--preset", "gumroad", *NAMES, check=False)
    assert erased.stdout.startswith("10 rows: 0 imported, 4 known already, 6 refused.")
    assert "  The buyer deleted their account here: lines 2 and 11" in erased.stdout.splitlines()
    assert "ada@example.com" not in purchases(shop)


@pytest.mark.engines
def test_stripes_file_and_our_own_sales_in_it(shop: ShopServer) -> None:
    email = f"{uuid.uuid4().hex[:10]}@example.com"
    Shopper(shop).buy_and_pay(email)
    ours = purchases(shop)[email]["payment_intent"]
    run, mark = uuid.uuid4().hex[:8], "pi_3Ohand0000000000000001"
    content = (
        STRIPE.read_text()
        .replace(mark, ours)
        .replace("pi_3Ohand", f"pi_{run}")
        .replace("example.com", f"{run}.example")
    )
    file = shop.folder / "stripe.csv"
    file.write_text(content)
    done = shop.cli("import", str(file), "--preset", "stripe", *NAMES, check=False)
    assert done.stdout.splitlines()[0] == "9 rows: 3 imported, 1 known already, 5 refused."
    held = purchases(shop)
    assert held[f"leo@{run}.example"]["payment_intent"] == f"pi_{run}0000000000000002"
    assert f"kim@{run}.example" not in held
    assert held[f"pia@{run}.example"]["currency"] == "jpy"
    mapped = shop.cli(
        "import",
        str(file),
        "--preset",
        "stripe",
        "--set",
        f"product={BOOK}",
        "--map",
        "paid=",
        "--dry-run",
        check=False,
    )
    assert mapped.stdout.splitlines()[0] == "9 rows: 0 would be imported, 4 known already, 5 refused."


@pytest.mark.engines
def test_our_own_format_with_emails(own_shop: ShopServer) -> None:
    shop = own_shop
    file = shop.folder / "sales.csv"
    file.write_text(HEADER + f"1,tom@example.com,{BOOK},usd,9.00,2022-01-05,TOM-KEY\n")
    assert (
        shop.cli("import", str(file), "--preset", "own").stdout
        == "1 row: 1 imported, 0 known already, 0 refused.\n"
    )
    file.write_text(
        HEADER + f"1,tom@example.com,{BOOK},usd,9,,\n2,uma@example.com,{BOOK},usd,9.00,2022-01-05,\n"
    )
    told = shop.cli("import", str(file), "--preset", "own", "--email")
    assert told.stdout == "2 rows: 1 imported, 1 known already, 0 refused.\n"
    mail = shop.sandbox.wait_for_mail("uma@example.com")
    assert "/login/" in mail["text"]
    uma = Shopper(shop)
    assert uma.post(uma.link_from("uma@example.com")).status_code == 303
    assert uma.get(f"/view/{BOOK}").status_code == 200
    assert shop.sandbox.mails_to("tom@example.com") == []


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", ("--preset", "own"), "The file is empty."),
        (b"a,b\n1,M\xfcller\n", ("--preset", "own"), "line 2: The file is not encoded in UTF-8"),
        (b"PK\x03\x04\x00", ("--preset", "own"), "This is not a text file."),
        (b"Purchase ID,x\n1,2\n", ("--preset", "gumroad"), "has no column Purchase Email / Buyer Email, Item Name"),
        (OWN.read_bytes(), ("--preset", "own", "--map", "price=paid"), "--map is written like NAME=VALUE with one of external_id"),
        (OWN.read_bytes(), ("--preset", "own", "--set", "address=x"), "--set is written like NAME=VALUE with one of product"),
        (OWN.read_bytes(), ("--preset", "own", "--product", "x"), "--product is written like NAME=VALUE, not 'x'"),
        (OWN.read_bytes(), ("--preset", "own", "--source", "Lemon Squeezy"), "--source is up to 40 lower-case letters"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(
    shop: ShopServer, content: bytes, options: tuple[str, ...], words: str
) -> None:
    file = shop.folder / f"{uuid.uuid4().hex}.csv"
    file.write_bytes(content)
    done = shop.cli("import", str(file), *options, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


# ------------------------------------------------------------------ the back office


def test_an_owner_uploads_checks_and_imports_a_file(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    owner.prove()
    page = upload(owner, GUMROAD.read_bytes(), name="C:\\My sales.csv")
    assert page.status_code == 200
    assert "<h1>My sales.csv</h1>" in page.text
    fields = plan_of_page(page)
    assert fields["preset"] == "gumroad"
    assert fields["column-external_id"] == "0"
    checked = submit(owner, page, do="plan", **fields)
    assert figures(checked) == {"Rows": "10", "New": "0", "Known already": "0", "Refused": "10"}
    assert "=Prints, signed" in checked.text
    numbers = {
        name: number for number, name in re.findall(r'<label for="product-(\d+)">([^<]*) <span', checked.text)
    }
    chosen = {f"product-{numbers['The Book']}": BOOK, f"product-{numbers['The Photos']}": PHOTOS}
    again = submit(owner, checked, do="products", **chosen)
    assert figures(again) == {"Rows": "10", "New": "5", "Known already": "1", "Refused": "4"}
    assert "ada@example.com" in again.text
    assert purchases(shop) == {}
    done = submit(owner, again, do="start")
    assert figures(done) == {"Rows": "10", "Imported": "5", "Known already": "1", "Refused": "4"}
    assert "Nobody was emailed." in done.text
    assert '<a href="/admin/sales?source=import">All imported sales</a>' in done.text
    assert "Sales, imported: 5" in owner.get("/admin/sales?source=import").text
    assert len(purchases(shop)) == 5
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        assert database.execute("SELECT count(*) FROM upload_pieces").fetchone() == (0,)
    listed = owner.get("/admin/imports").text
    assert "5 imported of 10" in listed
    assert f"import {path_of(done).rpartition('/')[2]}  done" in shop.cli("audit").stdout
    second = submit(owner, upload(owner, GUMROAD.read_bytes()), do="plan", **fields)
    second = submit(owner, second, do="products", **chosen)
    assert figures(second) == {"Rows": "10", "New": "0", "Known already": "6", "Refused": "4"}
    assert "There is nothing to import." in second.text
    gone = submit(owner, second, do="drop")
    assert path_of(gone) == "/admin/imports"
    assert owner.get(path_of(second)).status_code == 404


def test_a_file_of_another_shop_is_mapped_by_hand(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    owner.prove()
    name = uuid.uuid4().hex[:8]
    content = f"Nr;Kunde;Betrag\n7;{name}@example.com;12,50\n8;;9,00\n".encode()
    page = upload(owner, content)
    fields = plan_of_page(page)
    assert (fields["preset"], fields["column-address"]) == ("own", "")
    refused = submit(owner, page, do="plan", **fields)
    assert (refused.status_code, "The file has no column" in refused.text) == (409, True)
    mapped = fields | {
        "source": "laden", "column-external_id": "0", "column-address": "1", "column-paid": "2",
        "always-product": BOOK, "always-currency": "eur",
    }  # fmt: skip
    checked = submit(owner, page, do="plan", **mapped)
    assert figures(checked) == {"Rows": "2", "New": "1", "Known already": "0", "Refused": "1"}
    done = submit(owner, checked, do="start", email="yes")
    assert "Each new owner was emailed" in done.text
    shop.sandbox.wait_for_mail(f"{name}@example.com")
    held = purchases(shop)[f"{name}@example.com"]
    assert (held["currency"], held["paid"] if "paid" in held else held["amount"]) == ("eur", 1250)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 422, "The file is empty."),
        (b"a,b\n1,M\xfcller\n", 422, "The problem is on line 2."),
        (b"PK\x03\x04" + bytes(300_000), 422, "This is not a text file."),
        (b"a,b\n" + b"x" * 70_000, 422, "A line is longer than 65,536 characters"),
        (b"a" * 101_000_000, 413, "larger than 100 MB"),
    ],
)
def test_what_is_no_csv_is_refused_and_leaves_nothing(
    office: tuple[ShopServer, Member], content: bytes, status: int, words: str
) -> None:
    shop, owner = office
    owner.prove()
    page = upload(owner, content)
    assert (page.status_code, words in page.text) == (status, True), page.text
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        assert database.execute("SELECT count(*) FROM upload_pieces").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM uploads WHERE state = 'arriving'").fetchone() == (0,)


def test_no_file_and_no_form_at_all(office: tuple[ShopServer, Member]) -> None:
    _shop, owner = office
    owner.prove()
    for files in ({"file": ("", b"")}, {"other": (None, b"x")}):
        answer = owner.http.post("/admin/imports/new", files=files, headers=owner.elsewhere())
        assert (answer.status_code, "Please choose a file." in answer.text) == (400, True)
    for kind, body in (
        ("text/plain", b"x"), ("multipart/form-data", b"x"), ("multipart/form-data; boundary=x", b"--y\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" + b"y" * 9000),
    ):  # fmt: skip
        headers = {"content-type": kind} | owner.elsewhere()
        answer = owner.http.post("/admin/imports/new", content=body, headers=headers)
        assert answer.status_code in (400, 413), (kind, body[:40])


def test_hostile_text_in_every_cell_and_heading_is_only_text(office: tuple[ShopServer, Member]) -> None:
    _shop, owner = office
    owner.prove()
    bad = "<script>alert(1)</script>{{ 71*1801 }}\"'&\u202e"
    quoted = '"' + bad.replace('"', '""') + '"'
    content = f"{HEADER.strip()},{quoted}\n" + ",".join([quoted] * 8) + "\n"
    page = upload(owner, content.encode(), name=bad + ".csv")
    checked = submit(owner, page, do="plan", **plan_of_page(page))
    for one in (page, checked, owner.get("/admin/imports"), owner.get(f"{path_of(page)}?columns=1")):
        assert one.status_code == 200
        assert "<script>alert" not in one.text
        assert "127871" not in one.text
    assert figures(checked)["Refused"] == "1"


def test_a_large_file_arrives_in_little_memory(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    owner.prove()
    row = f"{{}},p{{}}@example.com,{BOOK},usd,9.00,2024-01-01,{'K' * 150}\n"
    content = (HEADER + "".join(row.format(n, n) for n in range(150_000))).encode()
    assert len(content) > 30_000_000
    before = resident(shop)
    page = upload(owner, content)
    assert page.status_code == 200
    assert resident(shop) - before < 20_000_000
    submit(owner, page, do="drop")


def resident(shop: ShopServer) -> int:
    """Bytes of memory that the server's processes hold."""
    status = Path(f"/proc/{shop.process.child.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


def test_support_and_viewers_and_guests_get_nowhere(office: tuple[ShopServer, Member]) -> None:
    shop, owner = office
    owner.prove()
    page = upload(owner, OWN.read_bytes())
    for role in ("support", "viewer"):
        member = Member(shop)
        member.join(role, f"{uuid.uuid4().hex[:8]}@example.com")
        for path in ("/admin/imports", "/admin/imports/new", path_of(page)):
            assert member.get(path).headers["location"] == "/admin?done=not-yours"
        answer = member.http.post(path_of(page), data={"do": "drop"}, headers=member.elsewhere())
        assert answer.status_code == 403
        sent = member.http.post(
            "/admin/imports/new", files={"file": ("a.csv", b"a,b\n")}, headers=member.elsewhere()
        )
        assert sent.status_code == 403
        assert "  import " in shop.cli("audit").stdout.splitlines()[-1]
        assert shop.cli("audit").stdout.splitlines()[-1].endswith("  refused")
    guest = Member(shop)
    sent = guest.http.post(
        "/admin/imports/new", files={"file": ("a.csv", b"a,b\n")}, headers=guest.elsewhere()
    )
    assert sent.headers["location"] == "/admin/sign-in"
    assert owner.get(path_of(page)).status_code == 200


def test_a_stale_passkey_is_asked_for_before_a_file_is_taken_or_imported(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        owner = Member(shop)
        owner.join()
        page = upload(owner, f"{HEADER}1,a@example.com,{BOOK},usd,9,,\n".encode())
        with sqlite3.connect(shop.data / "coatcheck.db") as database:
            database.execute("UPDATE staff_sessions SET proved_at = proved_at - 600000000")
        checked = submit(owner, page, do="plan", **plan_of_page(page))
        assert figures(checked)["New"] == "1"
        start = {"do": "start", "form": form_on(checked, path_of(page))["form"]}
        asked = owner.http.post(path_of(page), data=start | {"email": "yes"}, headers=owner.elsewhere())
        assert asks_for_passkey(asked)
        for sent in (
            owner.get("/admin/imports/new"),
            owner.http.post(
                "/admin/imports/new", files={"file": ("a.csv", b"a,b\n")}, headers=owner.elsewhere()
            ),
        ):
            assert sent.headers["location"] == "/admin/prove?to=%2Fadmin%2Fimports%2Fnew"
        assert purchases(shop) == {}
        back = owner.prove_on(asked)
        assert 'name="email" value="yes" checked>' in back.text
        assert purchases(shop) == {}, "it is to be confirmed"
        for _ in range(2):  # submitted twice, it happens once
            assert owner.http.post(path_of(page), data=start, headers=owner.elsewhere()).status_code == 303
        assert figures(settled(owner, path_of(page)))["Imported"] == "1"
        assert shop.cli("audit").stdout.count("  done") == 3, "invited, joined, imported"


def test_an_import_goes_on_after_kill_9(tmp_path: Path) -> None:
    rows = "".join(f"{n},p{n}@example.com,{BOOK},usd,9,2024-01-01,\n" for n in range(6_000))
    with a_shop(tmp_path) as shop:
        owner = Member(shop)
        owner.join()
        page = upload(owner, (HEADER + rows).encode())
        checked = submit(owner, page, do="plan", **plan_of_page(page))
        assert figures(checked)["New"] == "6,000"
        form = form_on(checked, path_of(page))["form"]

        def imported() -> int:
            with sqlite3.connect(shop.data / "coatcheck.db") as database:
                return int(database.execute("SELECT count(*) FROM purchases").fetchone()[0])

        with ThreadPoolExecutor(1) as browser:  # its answer comes when the import is over, or never
            start = {"do": "start", "form": form}
            browser.submit(owner.http.post, path_of(page), data=start, headers=owner.elsewhere())
            wait_until(lambda: imported() > 200)
            shop.process.kill()
        half = imported()
        with sqlite3.connect(shop.data / "coatcheck.db") as database:  # its lease is over
            database.execute("UPDATE uploads SET due_at = due_at - 60000000")
        shop.start()
        wait_until(lambda: imported() == 6_000, within=60)
        done = settled(owner, path_of(page))
        assert half < 6_000
        assert figures(done) == {"Rows": "6,000", "Imported": "6,000", "Known already": "0", "Refused": "0"}
