"""Settings fail closed: each refusal is one sentence that names the variable and says what to set."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

from adapters.smtp.mailer import SmtpMailer
from entrypoints.bucket import Bucket
from entrypoints.environment import HELP, SettingsRefused, read_environment
from entrypoints.settings import PostgresAddress, load_settings, read_database, settle
from entrypoints.testing import an_edition
from testkit.pages_in_memory import Town

GOOD = {
    "BASE_URL": "https://shop.example.com",
    "SESSION_SECRET": "x" * 32,
    "STRIPE_SECRET_KEY": "sk_live_abcdefgh",
    "STRIPE_WEBHOOK_SECRET": "whsec_1",
    "RESEND_API_KEY": "re_1",
    "EMAIL_FROM": "Shop <tickets@example.com>",
}


def problems(**change: str) -> tuple[str, ...]:
    try:
        settle(read_environment({**GOOD, **change}, dotenv=None))
    except SettingsRefused as refused:
        return refused.problems
    return ()


def test_a_complete_set_is_taken() -> None:
    assert problems() == ()
    assert problems(RESEND_API_KEY="", SMTP_URL="smtps://u:p@mail.example.com") == ()
    assert (
        problems(BASE_URL="http://localhost:8000", STRIPE_SECRET_KEY="sk_test_abcdefgh", RESEND_API_KEY="")
        == ()
    )
    assert problems(STRIPE_SECRET_KEY="rk_test_abcdefgh", TEST_MODE="1") == ()
    assert problems(SESSION_SECRET=f"{'a' * 32}, {'b' * 40}", STRIPE_WEBHOOK_SECRET="whsec_1,whsec_2") == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"BASE_URL": ""}, "BASE_URL"),
        ({"BASE_URL": "shop.example.com"}, "BASE_URL"),
        ({"BASE_URL": "https://shop.example.com/path"}, "BASE_URL"),
        ({"BASE_URL": "https://shop.example.com:x"}, "BASE_URL"),
        ({"BASE_URL": "http://shop.example.com"}, "BASE_URL"),
        ({"SESSION_SECRET": ""}, "SESSION_SECRET"),
        ({"SESSION_SECRET": "short"}, "SESSION_SECRET"),
        ({"SESSION_SECRET": f"{'a' * 32},short"}, "SESSION_SECRET"),
        ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "pk_live_abcdefgh"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_test_abcdefgh"}, "TEST_MODE"),
        ({"BASE_URL": "http://localhost:8000"}, "https://"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": "secret"}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_API_BASE": "https://evil.example"}, "STRIPE_API_BASE"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1"}, "live key"),
        ({"RESEND_API_KEY": ""}, "RESEND_API_KEY"),
        ({"RESEND_API_URL": "http://mail.example"}, "RESEND_API_URL"),
        ({"SMTP_URL": "smtp://mail.example"}, "RESEND_API_KEY, SMTP_URL: set only one of them"),
        ({"RESEND_API_KEY": "", "SMTP_URL": "mail.example"}, "SMTP_URL"),
        ({"EMAIL_FROM": ""}, "EMAIL_FROM"),
        ({"EMAIL_FROM": "Shop"}, "EMAIL_FROM"),
        ({"EMAIL_FROM": "Shop <a@x.com"}, "EMAIL_FROM"),
        ({"EMAIL_FROM": "Shop <a@-bücher.example>"}, "EMAIL_FROM"),
        ({"EMAIL_FROM": "Shop <é@x.com>"}, "EMAIL_FROM"),
        ({"EMAIL_FROM": "=?utf-8?q?=0ABcc?= <a@x.com>"}, "EMAIL_FROM"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://shop:secret@db.example.com"}, "names no database"),
        ({"TRUSTED_PROXIES": "everyone"}, "TRUSTED_PROXIES"),
        ({"TEST_MODE": "yes"}, "TEST_MODE"),
    ],
)
def test_what_is_missing_or_dangerous_is_refused_by_name(change: dict[str, str], named: str) -> None:
    found = problems(**change)
    assert any(named in problem for problem in found), found
    for secret in ("sk_live_abcdefgh", "sk_test_abcdefgh", "x" * 32):
        assert not any(secret in problem for problem in found)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://shop:p%40ss@db:5432/shop", "postgresql://db:5432/shop"),
        ("postgres://db/shop?password=pass", "postgresql://db/shop"),
        ("postgresql://shop:pass@a:1,b:2/shop?target_session_attrs=read-write", "postgresql://a:1,b:2/shop"),
        ("postgresql:///shop?host=/run/postgresql", "postgresql:///shop"),
    ],
)
def test_a_database_on_postgresql_is_passed_on_as_written_and_shown_without_its_password(
    url: str, shown: str
) -> None:
    settings = settle(read_environment({**GOOD, "DATABASE_URL": url}, dotenv=None))
    assert isinstance(settings.database, PostgresAddress)
    assert settings.database.url.partition("://")[2] == url.partition("://")[2]
    assert str(settings.database) == shown
    assert "pass@" not in repr(settings)
    assert "password=" not in repr(settings)


IN_S3 = {
    "GOODS_URL": "s3://my-goods/shop/one",
    "AWS_ACCESS_KEY_ID": "AKIA1",
    "AWS_SECRET_ACCESS_KEY": "the secret of the bucket",
    "AWS_REGION": "eu-central-1",
}


def test_goods_are_kept_in_a_folder_unless_a_bucket_is_named() -> None:
    settings = settle(read_environment({**GOOD, **IN_S3, "GOODS_URL": "", "DATA_DIR": "d"}, dotenv=None))
    assert (settings.goods_bucket, settings.goods_dir) == (None, Path("d/goods"))


def test_a_bucket_has_a_name_a_prefix_and_a_place() -> None:
    settings = settle(read_environment({**GOOD, **IN_S3}, dotenv=None))
    assert settings.goods_bucket == Bucket(
        name="my-goods",
        prefix="shop/one",
        region="eu-central-1",
        endpoint=None,
        key_id="AKIA1",
        secret="the secret of the bucket",
    )
    assert "the secret of the bucket" not in repr(settings)
    elsewhere = {
        "AWS_REGION": "",
        "AWS_ENDPOINT_URL": "https://s3.example.com/",
        "GOODS_URL": "s3://b.ucket/",
    }
    other = settle(read_environment({**GOOD, **IN_S3, **elsewhere}, dotenv=None)).goods_bucket
    assert other is not None
    assert (other.name, other.prefix, other.region, other.endpoint) == (
        "b.ucket",
        "",
        "us-east-1",
        "https://s3.example.com",
    )
    assert settings.goods_bucket is not None
    assert other.label != settings.goods_bucket.label, "what was stored in one is not in the other"
    assert problems(**IN_S3, AWS_ENDPOINT_URL="http://127.0.0.1:9000") == ()
    assert problems(**{name: value for name, value in IN_S3.items() if name != "GOODS_URL"}) == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"GOODS_URL": "my-goods"}, "GOODS_URL"),
        ({"GOODS_URL": "https://my-goods.s3.amazonaws.com/x"}, "GOODS_URL"),
        ({"GOODS_URL": "s3://"}, "GOODS_URL"),
        ({"GOODS_URL": "s3://a//b"}, "GOODS_URL"),
        ({"GOODS_URL": "s3://bucket/../other"}, "GOODS_URL"),
        ({"GOODS_URL": "s3://bucket/a?b"}, "GOODS_URL"),
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_REGION": ""}, "AWS_REGION"),
        ({"AWS_ENDPOINT_URL": "http://s3.example.com"}, "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "s3.example.com"}, "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "https://s3.example.com/path"}, "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "https://s3.example.com:x"}, "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "https://user@s3.example.com"}, "AWS_ENDPOINT_URL"),
    ],
)
def test_a_bucket_that_cannot_be_reached_like_this_is_refused_by_name(
    change: dict[str, str], named: str
) -> None:
    found = problems(**{**IN_S3, **change})
    assert any(problem.startswith(named) for problem in found), found
    assert not any("the secret of the bucket" in problem for problem in found)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://shop.example.com", "shop.example.com"),
        ("https://Shop.Example.com/", "shop.example.com"),
        ("https://shop.example.com.", "shop.example.com"),
        ("https://shop.example.com:443", "shop.example.com"),
        ("https://shop.example.com:", "shop.example.com"),
        ("https://shop.example.com:8443", "shop.example.com:8443"),
        ("HTTPS://shop.example.com:0443/", "shop.example.com"),
        ("https://my_shop.example.com", "my_shop.example.com"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://BÜCHER.example:443", "xn--bcher-kva.example"),
        ("https://bu\u0308cher.example", "xn--bcher-kva.example"),
        ("https://faß.example", "xn--fa-hia.example"),
        ("https://例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://[2001:DB8:0:0::1]:443", "[2001:db8::1]"),
        ("https://192.0.2.1", "192.0.2.1"),
    ],
)
def test_the_base_url_is_what_a_browser_makes_of_it(tmp_path: Path, written: str, asked: str) -> None:
    """A browser asks for the A-label and leaves out the port of the scheme: any other form would be 400 for ever."""
    settings = settle(read_environment({**GOOD, "BASE_URL": written}, dotenv=None))
    assert (settings.base_url, settings.host) == (f"https://{asked}", asked)
    environment = {"BASE_URL": written, "TEST_MODE": "1", "RESEND_API_KEY": "re_1", "EMAIL_FROM": "a@x.com"}
    client = Town(tmp_path, an_edition(), lambda where, html: None, environment=environment).client()
    asyncio.run(client.get("/", host=asked))
    if ":8443" not in asked:
        asyncio.run(client.get("/", host=f"{asked}:443"))
        asyncio.run(client.get("/", host=f"{asked}:80", status=400))
    asyncio.run(client.get("/", host="another.example.com", status=400))


@pytest.mark.parametrize(
    "written",
    [
        "https://", "https://.", "https://shop..example.com", "https://-shop.example.com", "https://a b.example",
        f"https://{'a' * 64}.example", "https://❤.example", "https://shop.example.com:0", "https://shop.example.com:99999",
        "https://1.2.3", "https://[::1", "https://[fe80::1%25eth0]", "https://shop.example.com\u2100",
        "https://%73hop.example.com", "https://user:hunter2@shop.example.com", "https://:hunter2@shop.example.com",
        "https://@shop.example.com", "https://shop.example.com\\evil.example",
    ],
)  # fmt: skip
def test_a_base_url_that_no_browser_could_ask_for_is_refused(written: str) -> None:
    found = problems(BASE_URL=written)
    assert [problem.startswith("BASE_URL") for problem in found] == [True], found
    assert "hunter2" not in found[0]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize(
    "password", ["hun#ter2", "hun/ter2", "hun?ter2", "hun[ter2", "hun]ter2", "hun ter2", "hun℀ter2"]
)
def test_a_mail_password_with_characters_of_an_address_is_refused_without_a_part_of_it(
    scheme: str, password: str
) -> None:
    [problem] = problems(RESEND_API_KEY="", SMTP_URL=f"{scheme}://user:{password}@mail.example.com:587")
    assert problem.startswith("SMTP_URL")
    assert "%23" in problem
    assert "hun" not in problem
    assert "ter2" not in problem
    written = quote(password, safe="")
    url = f"{scheme}://us%40er:{written}@mail.example.com:587"
    assert problems(RESEND_API_KEY="", SMTP_URL=url) == ()
    mailer = SmtpMailer(url=url, sender="a@example.com")
    assert (mailer._username, mailer._password) == ("us@er", password)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://", "smtp://user:hunter2@", "smtp://mail.example.com:hunter2", "smtp://user:hunter2@mail.example.com:0",
        "smtp://user:hunter2@mail.example.com:99999", "smtp://user:hunter2@mail.example.com/inbox",
        "smtp://user:hunter2@mail.example.com?tls=1", "smtp://user:hunter2@a:b:c", "mail.example.com:587", "smtp:user:hunter2",
    ],
)  # fmt: skip
def test_a_mail_server_that_cannot_be_called_is_refused(url: str) -> None:
    [problem] = problems(RESEND_API_KEY="", SMTP_URL=url)
    assert problem.startswith("SMTP_URL")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "url", ["smtp://mail", "smtps://[::1]:465", "smtp://u:p@ss@10.0.0.1:25/", "smtp://u@mail:2525"]
)
def test_other_mail_servers_are_taken(url: str) -> None:
    assert problems(RESEND_API_KEY="", SMTP_URL=url) == ()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db/shop?password=hunt@er2", "postgresql://u:hunt/er2@db/shop", "postgresql://u:hunt?er2@db/shop",
        "postgresql://u:hunt#er2@db/shop", "postgresql://u:hunt@er2@db/shop", "postgresql://u:p@db/shop?password=hunt/er2",
    ],
)  # fmt: skip
def test_no_form_of_a_databases_address_shows_a_part_of_its_password(url: str) -> None:
    told: list[str] = []
    address = read_database(url, problems=told)
    shown = f"{address} {address!r} {told}"
    assert "hunt" not in shown
    assert "er2" not in shown


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("BASE_URL=https://a.example\nEMAIL_FROM=Büro <a@x.com>\n".encode("latin-1"), 2),
        ("BASE_URL=https://a.example\n".encode("utf-16"), 1),
        ("BASE_URL=https://a.example\n".encode("utf-16-le"), 1),
        (b"# ok\r\n# ok\r\n\xff=1", 3),
        (b"A=1\nB=\x00\n", 2),
    ],
)
def test_a_dotenv_that_is_not_utf8_is_refused_with_its_line(
    tmp_path: Path, content: bytes, line: int
) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(SettingsRefused) as refused:
        load_settings(GOOD, dotenv=file)
    assert refused.value.problems == (f".env, line {line}: not UTF-8 text; save the file as UTF-8",)


def test_a_dotenv_with_the_mark_of_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes("\ufeffBASE_URL=https://bücher.example\r\n".encode())
    assert read_environment({}, dotenv=file).base_url == "https://bücher.example"


def test_a_dotenv_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.symlink_to(file)
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (file, folder):
        with pytest.raises(SettingsRefused, match=r"cannot be read"):
            load_settings(GOOD, dotenv=path)
    assert load_settings(GOOD, dotenv=tmp_path / "none").base_url == GOOD["BASE_URL"]


def test_a_variable_that_is_not_utf8_is_refused_by_name() -> None:
    odd = "x" * 32 + "\udcff"  # how Python shows a byte that is no UTF-8
    [problem] = problems(SESSION_SECRET=odd)
    assert problem.startswith("SESSION_SECRET is not UTF-8")


def test_every_problem_is_told_at_once() -> None:
    assert len(problems(BASE_URL="", SESSION_SECRET="", STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="")) == 4


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('BASE_URL=https://file.example\nEMAIL_FROM="Shop <a@x.com>"\nSESSION_SECRET=$HOME\n')
    env = read_environment({"BASE_URL": "https://process.example", "HOME": "/nowhere"}, dotenv=file)
    assert (env.base_url, env.email_from, env.session_secret) == (
        "https://process.example",
        "Shop <a@x.com>",
        "$HOME",
    )


def test_secrets_do_not_show() -> None:
    settings = settle(read_environment(GOOD, dotenv=None))
    assert "sk_live" not in repr(settings)
    assert "x" * 32 not in repr(settings)


def test_every_variable_is_explained() -> None:
    from entrypoints.environment import Environment

    assert [name.upper() for name in Environment.__struct_fields__] == list(HELP)


def test_a_command_outside_a_shops_folder_is_led_to_it_or_to_a_new_one(tmp_path: Path) -> None:
    def first_problem(**environ: str) -> str:
        with pytest.raises(SettingsRefused) as refused:
            load_settings(environ, dotenv=tmp_path / ".env")
        return refused.value.problems[0]

    assert first_problem().startswith(
        "there is no .env in this folder: run commands in the folder of your shop"
    )
    assert "coatcheck init DIR" in first_problem()
    assert first_problem(BASE_URL="https://shop.example.com").startswith("SESSION_SECRET"), (
        "as in a container"
    )
    (tmp_path / ".env").write_text("")
    assert first_problem().startswith("BASE_URL is not set")
