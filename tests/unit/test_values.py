"""Values that cannot be wrong once made."""

from __future__ import annotations

import unicodedata

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.values import (
    EmailAddress,
    InvalidEmail,
    as_line,
    is_product_id,
    is_provider_ref,
    line_problem,
    mask,
    sortable_id,
)
from entrypoints.http.form_errors import email_error
from entrypoints.testing import HandClock


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Bob@X.com", "bob@x.com"),
        ("  bob@x.com\n", "bob@x.com"),
        ("bob＠x.com", "bob@x.com"),  # full-width @
        ("\u212aate@x.com", "kate@x.com"),  # the Kelvin sign is a K
        ("bob@\u212aelvin.com", "bob@kelvin.com"),
        ("bob@faß.de", "bob@xn--fa-hia.de"),  # not fass.de, which is somebody else's
        ("bob@bücher.example", "bob@xn--bcher-kva.example"),
        ("bob@XN--BCHER-KVA.example", "bob@xn--bcher-kva.example"),
        ("o'neil+tag@x.co.uk", "o'neil+tag@x.co.uk"),
        ("bob@x。com", "bob@x.com"),  # ideographic full stop
    ],
)
def test_one_mailbox_has_one_canonical_form(typed: str, canonical: str) -> None:
    assert EmailAddress.parse(typed).canonical == canonical


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "bob", "@x.com", "bob@", "bob@x", "a@b@x.com", '"bob"@x.com', "bob,eve@x.com", "bob@x.com,eve@x.com",
        "bob@x.com\r\nBcc: eve@x.com", "bob\x00@x.com", "bob @x.com", "bob@x .com", "bob@[127.0.0.1]", "bob@1.2.3.4",
        "bøb@x.com", "x" * 65 + "@x.com", "a@" + "x" * 300 + ".com", "b" * 300, ".bob@x.com", "bob.@x.com", "b..b@x.com",
        "bob@-x.com", "bob@x..com", "bob@x.com.", "<bob@x.com>", "bob@x_y.com", "bob(c)@x.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(InvalidEmail) as refused:
        EmailAddress.parse(typed)
    assert email_error(refused.value.problem).endswith((".", ").")), refused.value
    assert str(refused.value) == refused.value.problem.value


@given(st.emails(), st.booleans())
def test_the_canonical_form_is_a_fixed_point_whatever_the_case(address: str, upper: bool) -> None:
    try:
        once = EmailAddress.parse(address.upper() if upper else address)
    except InvalidEmail:
        return
    assert EmailAddress.parse(once.canonical) == once
    assert EmailAddress.parse(f" {once.canonical.upper()} ") == once


@given(st.from_regex(r"[A-Za-z0-9._+-]{1,70}@[A-Za-z0-9.-]{1,70}", fullmatch=True))
@example("a@ab--cd.com")
@example("A@xn--a.com")
def test_the_short_way_for_plain_addresses_agrees_with_the_long_way(address: str) -> None:
    """Most addresses skip NFKC and IDNA; that must never change the outcome."""
    try:
        short: str | None = EmailAddress.parse(address).canonical
    except InvalidEmail:
        short = None
    try:
        # A leading no-break space, which NFKC and strip take away, forces the long way.
        long: str | None = EmailAddress.parse("\u00a0" + address).canonical
    except InvalidEmail:
        long = None
    assert short == long
    if short is not None:
        domain = short.partition("@")[2]
        assert idna.encode(domain, uts46=True, std3_rules=True).decode() == domain
        assert unicodedata.normalize("NFKC", short) == short


@pytest.mark.parametrize("text", ["../x", "a/b", "A", "-a", "a-", "", "a" * 65, "a.b", "a\n"])
def test_only_slugs_are_product_ids(text: str) -> None:
    assert not is_product_id(text)


@pytest.mark.parametrize(
    "text", ["", "..", "cs_", "cs_test_", "cs_prod_a", "cs_test_a/b", "cs_test_a\n", "pi_123"]
)
def test_only_checkout_sessions_are_asked_about(text: str) -> None:
    assert not is_provider_ref(text)
    assert is_provider_ref("cs_test_a1B2")


def test_ids_sort_by_time_and_a_mask_shows_one_letter() -> None:
    clock = HandClock()
    early = sortable_id(now=clock.now(), entropy=b"\xff" * 10)
    clock.tick(seconds=0.001)
    assert early < sortable_id(now=clock.now(), entropy=b"\x00" * 10)
    assert mask(EmailAddress("bob@x.com")) == "b•••@x.com"


@given(st.text())
def test_a_text_made_into_a_line_is_one_and_a_good_one_stays_as_it_is(text: str) -> None:
    assert line_problem(as_line(text)) is None
    if line_problem(text) is None:
        assert as_line(text) == text


@pytest.mark.parametrize("bad", ["\n", "\r", "\0", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "=?"])
def test_what_could_end_a_line_or_begin_an_encoded_word_is_no_part_of_a_name(bad: str) -> None:
    assert line_problem(f"Book{bad}Bcc: thief@example.com") is not None
    assert bad not in as_line(f"Book{bad}{bad}Bcc: thief@example.com")


@pytest.mark.parametrize(
    "good", ["Émile, or “Education”", "x = 2? Yes", "a\u00a0b", "\U0001f469\u200d\U0001f4bb"]
)
def test_names_in_any_language_are_fine(good: str) -> None:
    assert line_problem(good) is None
