"""Suggestions for addresses that were probably mistyped."""

from __future__ import annotations

import pytest

from domain.typing_mistakes import likely_meant
from domain.values import EmailAddress


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("anna@gmial.com", "anna@gmail.com"),
        ("anna@gmail.con", "anna@gmail.com"),
        ("anna@gmail.co", "anna@gmail.com"),
        ("anna@gamil.com", "anna@gmail.com"),
        ("anna@gnail.com", "anna@gmail.com"),
        ("anna@hotmial.com", "anna@hotmail.com"),
        ("anna@hotmai.com", "anna@hotmail.com"),
        ("anna@outlok.com", "anna@outlook.com"),
        ("anna@yaho.com", "anna@yahoo.com"),
        ("anna@iclould.com", "anna@icloud.com"),
        ("anna@t-onlin.de", "anna@t-online.de"),
        ("anna@yahoo.con", "anna@yahoo.com"),
        ("anna@btinternet.co", "anna@btinternet.com"),
    ],
)
def test_a_slip_in_a_common_domain_is_noticed(typed: str, meant: str) -> None:
    assert likely_meant(EmailAddress(typed)) == EmailAddress(meant)


@pytest.mark.parametrize(
    "typed",
    [
        "anna@gmail.com", "anna@mail.com", "anna@ymail.com", "anna@email.com", "anna@gmx.ch", "anna@live.de",
        "anna@example.com", "anna@goodmail.org", "anna@cloakroom.example", "anna@me.com", "anna@web.de", "anna@a.io",
        "anna@yahoo.fr", "anna@hotmail.de", "anna@xn--bcher-kva.example", "anna@hmail.university.example",
        "anna@online.de", "anna@fastmail.fm", "anna@protonmail.ch", "anna@q.com", "anna@139.com", "anna@oi.com.br",
        "anna@hotmail.it", "anna@yahoo.es", "anna@live.co.uk", "anna@outlook.com.br", "anna@orange.pl",
    ],
)  # fmt: skip
def test_what_may_well_be_right_is_left_alone(typed: str) -> None:
    assert likely_meant(EmailAddress(typed)) is None
