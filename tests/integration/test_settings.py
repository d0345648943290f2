"""Settings fail closed: each refusal is one sentence that names the variable and says what to set."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrypoints.bucket import Bucket
from entrypoints.environment import HELP, read_environment
from entrypoints.settings import PostgresAddress, SettingsRefused, settle

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
        ({"SMTP_URL": "smtp://mail.example"}, "SMTP_URL"),
        ({"RESEND_API_KEY": "", "SMTP_URL": "mail.example"}, "SMTP_URL"),
        ({"EMAIL_FROM": ""}, "EMAIL_FROM"),
        ({"EMAIL_FROM": "Shop"}, "EMAIL_FROM"),
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
