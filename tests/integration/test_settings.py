"""Settings fail closed: each refusal is one sentence that names the variable and says what to set."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrypoints.settings import HELP, SettingsRefused, read_environment, settle

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
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"TRUSTED_PROXIES": "everyone"}, "TRUSTED_PROXIES"),
        ({"TEST_MODE": "yes"}, "TEST_MODE"),
    ],
)
def test_what_is_missing_or_dangerous_is_refused_by_name(change: dict[str, str], named: str) -> None:
    found = problems(**change)
    assert any(named in problem for problem in found), found
    for secret in ("sk_live_abcdefgh", "sk_test_abcdefgh", "x" * 32):
        assert not any(secret in problem for problem in found)


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
    from entrypoints.settings import Environment

    assert [name.upper() for name in Environment.__struct_fields__] == list(HELP)
