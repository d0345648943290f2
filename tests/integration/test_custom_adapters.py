"""MAILER, GOODS and PAYMENTS: a maintainer's own module takes the place of ours, in a shop that really runs."""

from __future__ import annotations

import asyncio
import mailbox
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.memory.payments import MemoryPayments
from adapters.system import SystemClock
from entrypoints.container import Container
from entrypoints.custom_adapters import CustomAdapterRefused, Factory, custom_goods, custom_mailer
from entrypoints.environment import SettingsRefused, read_environment
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.settings import settle
from testkit.documented import blocks
from testkit.servers import BOOK, EXAMPLES, ROOT, Shopper, ShopServer
from testkit.settings import some_settings

pytestmark = pytest.mark.long

GOODS = """
from pathlib import Path
from adapters.memory.goods import MemoryGoods

class InMemory(MemoryGoods):
    elsewhere = "the memory of shop_goods"

    def __init__(self, diary):
        super().__init__()
        self.diary = diary

    async def open(self, file, *, start, stop):
        self.diary.write_text(f"{file.name} {start} {stop}")
        return await super().open(file, start=start, stop=stop)

def in_memory(environment):
    return InMemory(Path(environment["GOODS_DIARY"]))
"""
PAYMENTS = """
from adapters.memory.payments import MemoryPayments
from adapters.system import SystemClock

class EverybodyPays(MemoryPayments):
    signature_header = "x-pay-signature"

    async def retrieve_checkout(self, ref):
        self.pay(ref, email="anna@example.com")
        return await super().retrieve_checkout(ref)

def everybody_pays(environment):
    return EverybodyPays(clock=SystemClock())
"""
OF_STRIPE = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE")
OF_MAIL = ("RESEND_API_KEY", "RESEND_API_URL")


@pytest.fixture
def plain_shop(tmp_path: Path) -> Iterator[ShopServer]:
    """A shop that is not started yet, and can import what lies in its folder."""
    (tmp_path / "plugins").mkdir()
    shop = ShopServer(tmp_path, more={"PYTHONPATH": f"{ROOT / 'src'}:{tmp_path / 'plugins'}"})
    shop.sandbox.start()
    yield shop
    for client in shop.clients:
        client.close()
    shop.process.stop()
    shop.sandbox.stop()


def put(shop: ShopServer, module: str, code: str, *, without: tuple[str, ...] = (), **variables: str) -> None:
    (shop.folder / "plugins" / f"{module}.py").write_text(code)
    for name in without:
        del shop.environment[name]
    shop.environment.update(variables)


def findings(shop: ShopServer) -> dict[str, str]:
    done = shop.cli("doctor", check=False)
    assert not done.stderr, done.stderr
    return {
        line[5:].partition(": ")[0]: f"{line[:4].strip()} {line[5:]}" for line in done.stdout.splitlines()
    }


# ---------------------------------------------------------------------- in place


def test_a_mailer_of_ones_own_delivers(plain_shop: ShopServer, tmp_path: Path) -> None:
    """The one of docs/adapters.md, with a variable of its own in .env."""
    code = "\n".join([blocks()[0], next(block for block in blocks() if "def maildir(" in block)])
    put(plain_shop, "shop_mail", code, without=OF_MAIL, MAILER="shop_mail:maildir")
    (plain_shop.folder / ".env").write_text(f"MAILDIR={tmp_path / 'spool'}\n")
    plain_shop.start()
    cs = Shopper(plain_shop).buy()
    plain_shop.sandbox.pay(cs, email="anna@example.com", copies=1)
    box = mailbox.Maildir(tmp_path / "spool")
    assert wait_for(lambda: [message["To"] for message in box]) == ["anna@example.com"]
    assert plain_shop.sandbox.mails == []
    found = findings(plain_shop)
    assert found["mail"] == "ok mail: MAILER=shop_mail:maildir is ready"
    assert found["sender"].startswith("ok sender: see that the mail server may send as Cloakroom Press")


def test_goods_of_ones_own_are_handed_out(plain_shop: ShopServer, tmp_path: Path) -> None:
    diary = tmp_path / "diary.txt"
    put(
        plain_shop,
        "shop_goods",
        GOODS,
        GOODS="shop_goods:in_memory",
        GOODS_DIARY=str(diary),
        GOODS_URL="no bucket",
    )
    plain_shop.start()
    anna = Shopper(plain_shop)
    anna.buy_and_pay("anna@example.com")
    source = next((EXAMPLES / BOOK / "files").iterdir())
    assert anna.get(f"/files/{BOOK}/{source.name}").content == source.read_bytes()
    assert diary.read_text() == f"{source.name} 0 {source.stat().st_size}"
    assert not list((plain_shop.data / "goods").glob("[0-9a-f][0-9a-f]/*"))
    assert "contents are held in memory" in findings(plain_shop)["goods"]
    said = plain_shop.cli("backup", str(tmp_path / "backups")).stdout
    assert "goods stay in the memory of shop_goods" in said


def test_payments_of_ones_own_are_taken_without_any_key_of_stripes(plain_shop: ShopServer) -> None:
    put(plain_shop, "shop_pay", PAYMENTS, without=OF_STRIPE, PAYMENTS="shop_pay:everybody_pays")
    plain_shop.start()
    anna = Shopper(plain_shop)
    away = anna.post(f"/buy/{BOOK}", {"again": "yes"})
    assert away.headers["location"].startswith("https://pay.example/cs_test_")
    assert "https://pay.example" in away.headers["content-security-policy"]
    cs = away.headers["location"].rpartition("/")[2]
    assert anna.get(f"/view/{BOOK}", params={"session_id": cs}).status_code == 303
    assert anna.get(f"/view/{BOOK}").status_code == 200
    [purchase] = plain_shop.export()["purchase"]
    assert (purchase["checkout_session"], purchase["livemode"]) == (cs, False)

    delivery = MemoryPayments(clock=SystemClock()).sign(event="evt_1", kind="other", reading=None)
    for header, status in (("x-pay-signature", 200), ("stripe-signature", 400)):
        told = anna.post("/webhook", content=delivery.body, headers={header: delivery.signature})
        assert told.status_code == status, header

    found = findings(plain_shop)
    assert found["payments"] == "ok payments: PAYMENTS=shop_pay:everybody_pays is ready"
    assert found["clock"] == "ok clock: within a few seconds of shop_pay's"
    assert "Stripe" not in found
    refused = plain_shop.cli("stripe-setup", check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "there is nothing to set up at Stripe" in refused.stderr


def wait_for(look: Any, *, tries: int = 200) -> Any:
    for _ in range(tries):
        if found := look():
            return found
        asyncio.run(asyncio.sleep(0.05))
    return look()


# ---------------------------------------------------------------------- what is no longer asked for

BARE = {
    "BASE_URL": "https://shop.example.com", "SESSION_SECRET": "x" * 32, "STRIPE_SECRET_KEY": "sk_live_abcdefgh",
    "STRIPE_WEBHOOK_SECRET": "whsec_1", "RESEND_API_KEY": "re_1", "EMAIL_FROM": "a@example.com",
}  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "left_out", "nonsense"),
    [
        ("MAILER", ("RESEND_API_KEY", "EMAIL_FROM"), {"SMTP_URL": "mine", "RESEND_API_URL": "mine"}),
        ("GOODS", (), {"GOODS_URL": "mine"}),
        ("PAYMENTS", ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"), {"STRIPE_API_BASE": "mine"}),
    ],
)
def test_the_variables_of_what_is_replaced_are_neither_required_nor_checked(
    variable: str, left_out: tuple[str, ...], nonsense: dict[str, str]
) -> None:
    rest = {name: value for name, value in BARE.items() if name not in left_out} | nonsense

    def problems(**more: str) -> tuple[str, ...]:
        try:
            settle(read_environment({**rest, **more}, dotenv=None))
        except SettingsRefused as refused:
            return refused.problems
        return ()

    assert problems()
    assert problems(**{variable: "package.module:factory"}) == ()


# ---------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("code", "value", "words"),
    [
        ("", "shop_mail", "MAILER is 'shop_mail': write it like package.module:function"),
        ("", "shop_mail:", "write it like package.module:function"),
        ("", "../shop_mail:make", "write it like package.module:function"),
        ("", "nowhere:make", "there is no module nowhere: install its package, or put its folder on PYTHONPATH"),
        ("", "nowhere.at.all:make", "there is no module nowhere: install its package"),
        ("import missing_dependency", "{}:make", "raised ModuleNotFoundError ({}.py, line 1)"),
        ("def make(:", "{}:make", "the module cannot be imported, it raised SyntaxError"),
        ("raise SystemExit(3)", "{}:make", "raised SystemExit ({}.py, line 1): 3"),
        ("", "{}:make", "{}.py has no make: name the function in it"),
        ("make = 3", "{}:make", "make is of type int: name a plain function"),
        ("async def make(environment): ...", "{}:make", "make is an async function: name a plain function"),
        ("def make(): ...", "{}:make", "raised TypeError"),
        ("def make(environment): ...", "{}:make", "returned an object of type NoneType, which lacks check, close, send, sender_found"),
        ("class Make:\n def __init__(self, environment): ...\n async def send(self, e): ...", "{}:Make", "returned an object of type Make, which lacks check, close, sender_found: have it return an object with every method of domain.ports.Mailer"),
        ("from adapters.memory.mailer import MemoryMailer\ndef make(environment): return MemoryMailer", "{}:make", "returned the class MemoryMailer"),
        ("def make(environment):\n return environment['MAILDIR']", "{}:make", "raised KeyError ({}.py, line 2): 'MAILDIR': set or mend what it names, or leave MAILER out and set RESEND_API_KEY or SMTP_URL"),
        ("def make(environment):\n raise ValueError('sk_live_abc1\\nis\\nwrong')", "{}:make", "raised ValueError ({}.py, line 2): [sk] is wrong: set"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_sentence_that_says_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    code: str,
    value: str,
    words: str,
) -> None:
    module = f"a_mailer_{abs(hash(request.node.name))}"
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)

    async def main() -> None:
        await open_shop(Container(settings=some_settings(tmp_path, MAILER=value.replace("{}", module))))

    with pytest.raises(SettingsRefused) as refused:
        asyncio.run(main())
    [problem] = refused.value.problems
    assert problem.startswith("MAILER")
    assert words.replace("{}", module) in problem
    assert "\n" not in problem


def test_what_is_wrong_with_several_is_said_at_once(tmp_path: Path) -> None:
    wrong = dict.fromkeys(("MAILER", "GOODS", "PAYMENTS"), "nowhere:make")
    with pytest.raises(SettingsRefused) as refused:
        asyncio.run(open_shop(Container(settings=some_settings(tmp_path, **wrong))))
    assert [problem.partition("=")[0] for problem in refused.value.problems] == [
        "PAYMENTS",
        "MAILER",
        "GOODS",
    ]


def test_serve_and_doctor_say_it(plain_shop: ShopServer) -> None:
    put(plain_shop, "shop_mail", "make = 3", MAILER="shop_mail:make")
    sentence = "MAILER=shop_mail:make: make is of type int: name a plain function that takes the environment and returns the adapter"
    refused = plain_shop.cli("serve", check=False)
    assert (refused.returncode, refused.stderr) == (2, f"coatcheck: {sentence}\n")
    doctor = plain_shop.cli("doctor", check=False)
    assert (doctor.returncode, doctor.stderr) == (1, "")
    assert doctor.stdout == f" !!  settings: {sentence}\n"


def test_a_check_that_raises_is_a_finding(plain_shop: ShopServer) -> None:
    code = """
from adapters.memory.mailer import MemoryMailer

class Broken(MemoryMailer):
    async def check(self):
        return 1 / 0

    async def close(self):
        raise OSError("not closed")

def make(environment):
    return Broken()
"""
    put(plain_shop, "shop_mail", code, MAILER="shop_mail:make")
    found = findings(plain_shop)
    words = "its check raised ZeroDivisionError (shop_mail.py, line 6): division by zero"
    assert found["mail"] == f"!! mail: MAILER=shop_mail:make: {words}: mend it"
    assert "OSError: not closed" in found["closing"]


@pytest.mark.parametrize(
    ("live", "change", "words"),
    [
        (True, {}, "PAYMENTS=own_pay:make moves real money, so BASE_URL must begin with https://"),
        (True, {"BASE_URL": "https://shop.example.com"}, ""),
        (False, {"BASE_URL": "https://shop.example.com"}, "goods would go out for no money"),
        (False, {"BASE_URL": "https://shop.example.com", "TEST_MODE": "1"}, ""),
        (False, {}, ""),
    ],
)
def test_the_mode_of_ones_own_payments_is_judged_as_a_key_of_stripes_is(
    tmp_path: Path, live: bool, change: dict[str, str], words: str
) -> None:
    payments = MemoryPayments(clock=SystemClock())
    payments.livemode = live
    more = {"PAYMENTS": "own_pay:make", "MAILER": "own_mail:make", "STRIPE_SECRET_KEY": "", **change}
    container = Container(settings=some_settings(tmp_path, **more), payments=payments, mailer=MailerOfNoUse())

    async def main() -> str:
        try:
            await open_shop(container)
        except SettingsRefused as refused:
            return str(refused)
        banner = container.banner()
        await close_shop(container)
        assert (banner is not None) == (change.get("TEST_MODE") == "1")
        return ""

    said = asyncio.run(main())
    assert words in said
    assert bool(said) == bool(words)


class MailerOfNoUse:
    async def close(self) -> None:
        """Nothing is held."""


def test_the_environment_is_all_that_is_set_and_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_looking.py").write_text(
        "from adapters.memory.goods import MemoryGoods\nseen = []\n"
        "def make(environment):\n seen.append(environment)\n return MemoryGoods()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    settings = some_settings(tmp_path, GOODS="own_looking:make", BUCKET_OF_MY_OWN="b", EMPTY="")
    Container(settings=settings).goods()
    import own_looking

    [environment] = own_looking.seen
    assert environment["BUCKET_OF_MY_OWN"] == "b"
    assert "EMPTY" not in environment
    assert "BUCKET_OF_MY_OWN" not in repr(settings)
    with pytest.raises(TypeError):
        environment["X"] = "y"


def test_a_factory_for_another_port_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_mixed_up.py").write_text(
        "from adapters.memory.goods import MemoryGoods\ndef make(environment): return MemoryGoods()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert custom_goods(Factory("GOODS", "own_mixed_up", "make"), {})
    with pytest.raises(CustomAdapterRefused, match=r"lacks send, sender_found: .* domain\.ports\.Mailer"):
        custom_mailer(Factory("MAILER", "own_mixed_up", "make"), {})
