"""Colours: parsed strictly, and always readable, whatever the merchant chose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.colour import BLACK, WHITE, Colour, readable_on, text_on

COLOURS = st.builds(Colour, *(st.integers(0, 255) for _ in range(3)))
LIGHT = (Colour(0xF6, 0xEF, 0xE2), Colour(0xFF, 0xFD, 0xF8), Colour(0xF0, 0xE4, 0xCB))
DARK = (Colour(0x17, 0x19, 0x1F), Colour(0x20, 0x23, 0x2B), Colour(0x2B, 0x2A, 0x28))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("#24483e", (0x24, 0x48, 0x3E)),
        ("#1A6", (0x11, 0xAA, 0x66)),
        (" #FFFFFF ", (255, 255, 255)),
        ("#000", (0, 0, 0)),
    ],
)
def test_a_colour_is_three_or_six_hex_digits(text: str, parts: tuple[int, int, int]) -> None:
    found = Colour.parse(text)
    assert found is not None
    assert found.parts == parts


@pytest.mark.parametrize(
    "text", ["", "red", "#12", "#12345", "#1234567", "24483e", "#24483g", "url(#a)", "#１２３", "#123;}"]
)
def test_anything_else_is_none(text: str) -> None:
    assert Colour.parse(text) is None


def test_contrast_is_that_of_wcag() -> None:
    """The examples of https://webaim.org/resources/contrastchecker/: #777 on white is just too little."""
    grey, darker = Colour(0x77, 0x77, 0x77), Colour(0x76, 0x76, 0x76)
    assert BLACK.contrast(WHITE) == pytest.approx(21)
    assert grey.contrast(WHITE) == pytest.approx(4.48, abs=0.005)
    assert darker.contrast(WHITE) == pytest.approx(4.54, abs=0.005)
    assert Colour(0x33, 0x33, 0x33).contrast(WHITE) == pytest.approx(12.63, abs=0.005)
    assert grey.contrast(grey) == pytest.approx(1)


@given(COLOURS)
def test_a_label_can_be_read_on_any_accent_and_any_accent_as_a_word(accent: Colour) -> None:
    assert text_on(accent).contrast(accent) >= 4.5
    for grounds in (LIGHT, DARK):
        word = readable_on(accent, *grounds)
        assert all(word.contrast(ground) >= 4.5 for ground in grounds)
    assert Colour.parse(str(accent)) == accent


def test_an_accent_that_can_be_read_stays_as_it_is() -> None:
    assert readable_on(Colour(0x24, 0x48, 0x3E), *LIGHT) == Colour(0x24, 0x48, 0x3E)
    assert readable_on(Colour(0xFF, 0xD4, 0x00), *LIGHT) != Colour(0xFF, 0xD4, 0x00)
