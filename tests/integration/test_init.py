"""`coatcheck init`: what it asks, makes and refuses, and a shop that is served from what it made."""

from __future__ import annotations

import os
import pty
import re
import select
import stat
import subprocess
import sys
import textwrap
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.files.catalogue import FolderCatalogue
from adapters.memory.goods import MemoryGoods
from domain.currencies import CURRENCIES
from entrypoints.environment import SHORTEST_SECRET, read_environment
from entrypoints.maintenance.checks.example_texts import EXAMPLE_MARK, example_files
from entrypoints.new_shop import TEMPLATE, Answers, InTheWay, files_of, in_the_way, write_shop
from testkit.servers import EXAMPLES, STARTER, WEBHOOK_SECRET, Shopper, ShopServer, clean_environment
from testkit.tools import program

INIT = [sys.executable, "-m", "entrypoints.cli", "init"]
GIVEN = ("--name", "Paper & Ink", "--support", "help@paper.example")
PRODUCT = "first-product"
FILES = {
    ".env",
    ".gitignore",
    "coatcheck.service",
    "compose.yaml",
    "catalogue/shop.toml",
    f"catalogue/{PRODUCT}/product.toml",
    f"catalogue/{PRODUCT}/about.md",
    f"catalogue/{PRODUCT}/content.md",
    f"catalogue/{PRODUCT}/files/example.txt",
    "catalogue/pages/terms.md",
    "catalogue/pages/refunds.md",
    "catalogue/pages/privacy.md",
}
TEXTS = {
    name.removeprefix("catalogue/") for name in FILES if name.startswith("catalogue/") and "shop" not in name
}


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Without a terminal; in the folder above."""
    command, env = [*INIT, *arguments], clean_environment()
    return STARTER.run(command, cwd=folder, env=env, timeout=60, warm=True)


def made_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def shop_toml(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "catalogue" / "shop.toml").read_text())


def load(folder: Path) -> FolderCatalogue:
    return FolderCatalogue(
        folder / "catalogue", complain=pytest.fail, warn=pytest.fail, shelve=MemoryGoods().shelve
    )


def filled_in(folder: Path, *, name: str = "Paper", currency: str = "usd") -> dict[str, bytes]:
    answers = Answers(name=name, currency=currency, support="help@paper.example")
    return files_of(answers, folder=folder, program=Path("/opt/shop/bin/coatcheck"), secret="x" * 40)


# ------------------------------------------------------------------ what it makes


def test_options_make_a_whole_shop_and_the_next_commands_are_named(tmp_path: Path) -> None:
    done = init(tmp_path, "new/shop", *GIVEN, "--currency", "EUR")
    assert (done.returncode, done.stderr) == (0, "")
    assert made_in(tmp_path / "new" / "shop") == FILES
    assert shop_toml(tmp_path / "new" / "shop") == {
        "name": "Paper & Ink", "currency": "eur", "support": "help@paper.example", "law": {"withdrawal": True},
    }  # fmt: skip
    for path in sorted(FILES):
        assert any(path.startswith(line.split()[0]) for line in done.stdout.splitlines()[1:8]), path
    assert re.findall(r"coatcheck ([a-z-]+)  ", done.stdout) == ["stripe-setup", "doctor", "serve"]


def test_secrets_are_new_each_time_and_for_the_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    shell = f'umask 000; exec "{sys.executable}" -m entrypoints.cli init "$@"'
    for name in ("a", "b"):
        command = ["sh", "-c", shell, "sh", name, *GIVEN]
        subprocess.run(command, cwd=tmp_path, env=clean_environment(), check=True, capture_output=True)
        assert stat.S_IMODE((tmp_path / name / ".env").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / name / "compose.yaml").stat().st_mode) == 0o666
    found = [read_environment({}, dotenv=tmp_path / name / ".env") for name in ("a", "b")]
    assert found[0].session_secret != found[1].session_secret
    assert all(len(one.session_secret) > SHORTEST_SECRET for one in found)
    assert (found[0].catalogue, found[0].data_dir, found[0].base_url) == ("catalogue", "data", "")


LISTENING = """
import os, sys
from pathlib import Path
from entrypoints.new_shop import write_shop

def listen(event, told):
    if event in ("open", "os.chmod") and str(told[0]).startswith(sys.argv[1]):
        print(event, bool(event == "open" and told[2] & os.O_EXCL), flush=True)

sys.addaudithook(listen)
os.umask(0)
write_shop(Path(sys.argv[1]), {".env": b"SESSION_SECRET=x"})
"""


def test_env_is_created_with_its_mode_and_not_given_it_later(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LISTENING, str(tmp_path)]
    done = subprocess.run(command, env=clean_environment(), check=True, capture_output=True, text=True)
    assert done.stdout == "open True\n"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_an_empty_folder_and_one_with_other_files_are_filled(tmp_path: Path) -> None:
    for name in ("empty", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    for name in ("empty", "other"):
        assert init(tmp_path, name, *GIVEN).returncode == 0
    assert made_in(tmp_path / "empty") == FILES
    assert made_in(tmp_path / "other") == {*FILES, "notes.txt"}


@pytest.mark.parametrize("name", ['The "Quoted" \\ Shop', "a & <b> *c* {{ secret }}", "紙とインク", "# '''"])
def test_any_name_is_written_as_it_was_given(tmp_path: Path, name: str) -> None:
    write_shop(tmp_path, filled_in(tmp_path, name=name))
    assert load(tmp_path).current().shop.name == name


def test_in_every_currency_the_catalogue_loads_without_a_warning(tmp_path: Path) -> None:
    write_shop(tmp_path, filled_in(tmp_path))
    for currency in CURRENCIES:
        for name, content in filled_in(tmp_path, currency=currency).items():
            (tmp_path / name).write_bytes(content)
        edition = load(tmp_path).current()
        [product] = edition.present
        assert (product.price.currency, edition.pages.keys()) == (currency, {"privacy", "refunds", "terms"})
        assert product.price.amount >= CURRENCIES[currency].least
        assert [file.name for file in product.files] == ["example.txt"]


def test_the_unit_runs_this_program_in_this_folder_without_privileges(tmp_path: Path) -> None:
    folder = tmp_path / "100% paper"
    unit = filled_in(folder)["coatcheck.service"].decode()
    place = f"{tmp_path}/100%% paper"
    for line in (
        f"WorkingDirectory={place}", f"EnvironmentFile={place}/.env", f'ReadWritePaths="{place}/data"',
        'ExecStart="/opt/shop/bin/coatcheck" serve', "User=coatcheck", "Restart=always", "NoNewPrivileges=yes",
        "ProtectSystem=strict",
    ):  # fmt: skip
        assert f"\n{line}\n" in unit


def test_git_and_compose_are_told_what_is_secret_and_which_proxy_to_trust(tmp_path: Path) -> None:
    files = {name: content.decode() for name, content in filled_in(tmp_path).items()}
    assert {".env", "data/"} <= set(files[".gitignore"].splitlines())
    compose = files["compose.yaml"]
    [trusted] = re.findall(r"TRUSTED_PROXIES: (\S+)", compose)
    assert re.findall(r"ipv4_address: (\S+)", compose) == [trusted]
    assert "{{" not in "".join(files.values())


def test_caddy_takes_the_configuration_in_the_compose_file(tmp_path: Path) -> None:
    compose = filled_in(tmp_path)["compose.yaml"].decode()
    content = textwrap.dedent(compose.partition("    content: |\n")[2].partition("\nnetworks:")[0])
    (tmp_path / "Caddyfile").write_text(
        content.replace("${BASE_URL:?set it in .env}", "https://shop.example")
    )
    command = [program("caddy"), "adapt", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(command, env=clean_environment(), check=True, capture_output=True, text=True)
    assert '"host":["shop.example"]' in done.stdout
    assert '"dial":"shop:8000"' in done.stdout


# ------------------------------------------------------------------ what it asks


def on_a_terminal(folder: Path, *arguments: str, answers: tuple[str, ...]) -> tuple[int, str]:
    """Its exit code and the terminal's text. Each answer is typed when a question waits."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*INIT, *arguments], cwd=folder, env=clean_environment(TERM="dumb"), stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    text, asked, left = "", 0, list(answers)
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    text += os.read(ours, 65536).decode()
                except OSError:  # the other end is closed
                    break
            if left and text[asked:].endswith(": "):
                asked = len(text)
                os.write(ours, f"{left.pop(0)}\n".encode())
        return process.wait(20), text.replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_on_a_terminal_it_asks_and_asks_again_after_a_bad_answer(tmp_path: Path) -> None:
    answers = ("", "Paper\x16\x07", "Paper", "doubloons", "", "help at paper", "Help@Paper.example")
    code, text = on_a_terminal(tmp_path, "shop", answers=answers)
    assert code == 0, text
    assert shop_toml(tmp_path / "shop") == {
        "name": "Paper", "currency": "usd", "support": "help@paper.example", "law": {"withdrawal": True},
    }  # fmt: skip
    assert re.findall(r"^(\w[\w ]+?)(?: \[usd\])?: ", text, re.MULTILINE) == [
        "Name of the shop", "Name of the shop", "Error", "Name of the shop", "Currency", "Error", "Currency",
        "Support address", "Error", "Support address",
    ]  # fmt: skip
    assert "currency is 'doubloons', which Stripe does not charge" in text


def test_what_an_option_gives_is_not_asked(tmp_path: Path) -> None:
    code, text = on_a_terminal(tmp_path, "shop", *GIVEN, answers=("chf",))
    assert (code, shop_toml(tmp_path / "shop")["currency"]) == (0, "chf")
    assert "Name of the shop" not in text
    assert "Support address" not in text


def test_a_question_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    code, text = on_a_terminal(tmp_path, "shop", answers=("Paper", "\x04"))
    assert (code, "Aborted!" in text, made_in(tmp_path)) == (1, True, set())


# ------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), ["--name", "--support", "--currency", "usd"]),
        (("--name", "Paper", "--currency", "eur"), ["--support"]),
        ((*GIVEN, "--currency", "doubloons"), ["--currency is 'doubloons', which Stripe does not charge"]),
        ((*GIVEN, "--name", " "), ["--name is empty or too long"]),
        ((*GIVEN, "--name", "x" * 201), ["--name is empty or too long"]),
        ((*GIVEN, "--name", "Paper\nInk"), ["--name has a control character or a line break in it"]),
        ((*GIVEN, "--support", "paper.example"), ["--support is 'paper.example'"]),
    ],
)
def test_without_a_terminal_a_missing_or_bad_answer_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], named: list[str]
) -> None:
    done = init(tmp_path, "shop", *arguments)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    [line] = done.stderr.splitlines()
    assert all(words in line for words in named), line


@pytest.mark.parametrize("name", [".env", ".gitignore", "catalogue", "coatcheck.service", "compose.yaml"])
@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_written_over(tmp_path: Path, name: str, link: bool) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    if link:
        (folder / name).symlink_to(tmp_path / "nowhere")
    else:
        (folder / name).write_text("mine")
    done = init(tmp_path, "shop", *GIVEN)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"coatcheck: shop has {name} already: name another folder; nothing was written\n")
    assert made_in(tmp_path) == {f"shop/{name}"}


def test_a_file_that_appears_meanwhile_is_kept_and_nothing_else_is_left(tmp_path: Path) -> None:
    """Between the look and the write: so each file is created only if there is none."""
    folder, files = tmp_path / "shop", filled_in(tmp_path)
    last = list(files)[-1]
    (folder / last).parent.mkdir(parents=True)
    (folder / last).write_text("theirs")
    with pytest.raises(InTheWay):
        write_shop(folder, files)
    assert made_in(folder) == {last}
    assert (folder / last).read_text() == "theirs"
    assert in_the_way(folder) == [last.partition("/")[0]]


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place, words in (
        ("file", "is not a folder"),
        ("file/shop", "Not a directory"),
        ('a"b', "quotation mark"),
    ):
        done = init(tmp_path, place, *GIVEN)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert made_in(tmp_path) == {"file"}


# ------------------------------------------------------------------ example texts


def test_every_text_of_the_template_is_found_and_none_once_it_is_replaced(tmp_path: Path) -> None:
    write_shop(tmp_path, filled_in(tmp_path))
    assert set(example_files(load(tmp_path).current())) == TEXTS
    for name in sorted(TEXTS):
        path = tmp_path / "catalogue" / name
        path.write_text(path.read_text().replace(EXAMPLE_MARK, "Our own words."))
        left = {other for other in TEXTS if other > name}
        assert set(example_files(load(tmp_path).current())) == left


def test_the_demo_catalogue_has_example_pages_and_its_products_are_none(tmp_path: Path) -> None:
    (tmp_path / "catalogue").symlink_to(EXAMPLES)
    found = set(example_files(load(tmp_path).current()))
    assert found == {"pages/privacy.md", "pages/refunds.md", "pages/terms.md"}


def test_the_template_has_no_file_that_is_not_made() -> None:
    assert len([path for path in TEMPLATE.rglob("*") if path.is_file()]) == len(FILES)


# ------------------------------------------------------------------ from init to the first sale


@pytest.fixture
def new_shop(tmp_path: Path) -> Iterator[ShopServer]:
    """As its merchant has it who ran `init` and filled in .env: no setting comes from anywhere else."""
    assert init(tmp_path, "shop", *GIVEN).returncode == 0
    shop = ShopServer(tmp_path / "shop", warm=True)
    settings = {
        "BASE_URL": shop.url, "STRIPE_SECRET_KEY": "sk_test_ofthetests", "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "RESEND_API_KEY": "re_ofthetests", "EMAIL_FROM": '"Paper & Ink <orders@cloakroom.example>"',
    }  # fmt: skip
    env = shop.folder / ".env"
    text = env.read_text()
    for name, value in settings.items():
        text, times = re.subn(rf"^#{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        assert times == 1, name
    env.write_text(f"{text}STRIPE_API_BASE={shop.sandbox.url}\nRESEND_API_URL={shop.sandbox.url}\n")
    shop.environment.clear()
    shop.environment.update(clean_environment())
    shop.sandbox.start()
    try:
        yield shop
    finally:
        for client in shop.clients:
            client.close()
        shop.process.stop()
        shop.sandbox.stop()


def test_doctor_says_what_env_lacks(tmp_path: Path) -> None:
    assert init(tmp_path, "shop", *GIVEN).returncode == 0
    command, env = [*INIT[:3], "doctor"], clean_environment()
    done = STARTER.run(command, cwd=tmp_path / "shop", env=env, timeout=60, warm=True)
    assert done.returncode == 1
    missing = [line.split()[2] for line in done.stdout.splitlines()]
    assert missing == ["BASE_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "RESEND_API_KEY"]


def test_doctor_warns_of_example_texts_by_name_until_they_are_replaced(new_shop: ShopServer) -> None:
    new_shop.start()
    before = new_shop.cli("doctor").stdout
    assert "!!" not in before
    warned = {line for line in before.splitlines() if "example text" in line}
    assert warned == {
        f"  !  example text: catalogue/{name} is still an example: replace it before you sell"
        for name in TEXTS
    }
    for name in TEXTS:
        path = new_shop.catalogue / name
        path.write_text(path.read_text().replace(EXAMPLE_MARK, "Our own words."))
    after = new_shop.cli("doctor").stdout
    assert "example text" not in after
    assert "1 product of Paper & Ink" in after


def test_the_new_shop_sells(new_shop: ShopServer) -> None:
    new_shop.start()
    anna = Shopper(new_shop)
    anna.buy_and_pay("anna@example.com", PRODUCT)
    assert "Only customers can read this page" in anna.get(f"/view/{PRODUCT}").text
    assert anna.get(f"/files/{PRODUCT}/example.txt").text.startswith(EXAMPLE_MARK)
    for page in ("terms", "refunds", "privacy"):
        assert EXAMPLE_MARK in anna.get(f"/pages/{page}").text
    assert [line for line in new_shop.log_lines if line["level"] not in ("INFO", "info")] == []
    assert sorted(path.name for path in new_shop.folder.iterdir() if path.is_dir()) == ["catalogue", "data"]
