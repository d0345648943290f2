"""Preview links: signed, for one product, for a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.keys import Key, Keyring, PreviewGrant
from domain.product import Status
from domain.usecases.preview_product import LASTS
from domain.values import ProductId
from entrypoints.testing import BASE_URL, Shop
from entrypoints.testing.fakes import SECRET
from testkit.statuses import FREE, LAMP, a_lamp, become, edition_of

UNTIL = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
TOKEN = Key.of(SECRET).preview_of(LAMP, UNTIL)
KEYRING = Keyring.of((SECRET,))


def a_shop() -> Shop:
    return Shop(edition=edition_of(a_lamp(status=Status.DRAFT)))


def token_for(shop: Shop) -> str:
    link = shop.preview_product.link(LAMP)
    assert link is not None
    address, _, token = link.url.rpartition("/")
    assert address == f"{BASE_URL}/preview"
    return token


def test_a_token_names_its_product_and_its_end() -> None:
    assert KEYRING.previews(TOKEN) == PreviewGrant(LAMP, until=UNTIL)


@given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=33, max_codepoint=0x2FF))
def test_a_token_with_any_character_changed_is_none(place: int, char: str) -> None:
    changed = TOKEN[:place] + char + TOKEN[place + 1 :]
    if changed != TOKEN:
        assert KEYRING.previews(changed) is None


@given(st.text(max_size=80) | st.text(st.sampled_from("abcdef0123456789.-"), max_size=120))
def test_nothing_else_is_a_token(text: str) -> None:
    name = KEYRING.signing.name
    for token in (
        text,
        f"{name}.{text}",
        f"{name}.lamp.{text}",
        TOKEN + text if text else "",
        text + TOKEN if text else "",
    ):
        assert KEYRING.previews(token) is None


@pytest.mark.parametrize("cut", range(len(TOKEN)))
def test_a_part_of_a_token_is_none(cut: int) -> None:
    assert KEYRING.previews(TOKEN[:cut]) is None


def test_what_was_signed_for_other_ends_shows_nothing() -> None:
    """Each kind of token has a key of its own."""
    key = KEYRING.signing
    named = f"{LAMP}.{int(UNTIL.timestamp())}"
    others = [field for field in Key.__dataclass_fields__ if field not in ("name", "preview")]
    assert len({getattr(key, field) for field in (*others, "preview")}) == len(others) + 1
    opts_out = key.opt_out_of(named)  # type: ignore[arg-type]  # an id that looks like ours
    assert KEYRING.previews(opts_out) is None


def test_a_link_outlives_the_secret_that_signs_but_not_its_own() -> None:
    other = "another secret that is long enough for tests"
    assert Keyring.of((other, SECRET)).previews(TOKEN) is not None
    assert Keyring.of((other,)).previews(TOKEN) is None


def test_a_link_works_for_a_week_to_the_minute() -> None:
    shop = a_shop()
    shop.clock.tick(seconds=40)
    link = shop.preview_product.link(LAMP)
    assert link is not None
    assert link.until == shop.clock.now() - timedelta(seconds=40) + LASTS
    token = token_for(shop)
    shop.clock.time = link.until - timedelta(microseconds=1)
    preview = shop.preview_product(token)
    assert preview is not None
    assert (preview.product.id, preview.until) == (LAMP, link.until)
    shop.clock.time = link.until
    assert shop.preview_product(token) is None


@pytest.mark.parametrize("status", Status)
def test_every_product_can_be_previewed_as_it_is_at_that_moment(status: Status) -> None:
    shop = a_shop()
    token = token_for(shop)
    opens = shop.clock.now() + timedelta(days=1)
    become(shop, status=status, available_from=opens, summary="Edited.")
    preview = shop.preview_product(token)
    assert preview is not None
    assert preview.product.summary == "Edited."
    assert preview.opens == (None if status is Status.RETIRED else opens)
    shop.clock.tick(days=1)
    preview = shop.preview_product(token)
    assert preview is not None
    assert preview.opens is None


def test_there_is_no_link_to_what_the_catalogue_does_not_have() -> None:
    shop = a_shop()
    token = token_for(shop)
    assert shop.preview_product.link(ProductId("none")) is None
    become(shop, present=False)
    assert shop.preview_product.link(LAMP) is None
    assert shop.preview_product(token) is None
    shop.catalogue.edition = Shop().catalogue.edition
    assert shop.preview_product(token) is None


def test_a_link_shows_its_own_product_only() -> None:
    shop = a_shop()
    name, _, rest = token_for(shop).partition(".")
    _, _, rest = rest.partition(".")
    assert shop.preview_product(f"{name}.{FREE}.{rest}") is None
