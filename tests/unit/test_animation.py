"""The README's animation is an animated PNG that every browser plays, and not too heavy."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import pytest

from testkit.animation import PICTURE, animated
from testkit.covers import a_png


def chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """By https://www.w3.org/TR/png-3/#5Chunk-layout, each with its checksum looked at."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(picture):
        length = int.from_bytes(picture[at : at + 4], "big")
        kind, body = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        assert int.from_bytes(picture[at + 8 + length : at + 12 + length], "big") == zlib.crc32(kind + body)
        yield kind, body
        at += length + 12


@pytest.mark.parametrize("picture", [animated([a_png(8, 6)] * 3, seconds=0.5), PICTURE.read_bytes()])
def test_frames_are_numbered_through_and_play_for_ever(picture: bytes) -> None:
    found = list(chunks(picture))
    assert [kind for kind, _ in found[:4]] == [b"IHDR", b"acTL", b"fcTL", b"IDAT"]
    frames, plays = struct.unpack(">II", found[1][1])
    assert plays == 0, "0 is for ever"
    assert sum(kind == b"fcTL" for kind, _ in found) == frames >= 3
    numbers = [int.from_bytes(body[:4], "big") for kind, body in found if kind in (b"fcTL", b"fdAT")]
    assert numbers == list(range(2 * frames - 1))
    assert found[-1] == (b"IEND", b"")


def test_the_readme_stays_light() -> None:
    assert PICTURE.stat().st_size < 700_000
    colour_type = dict(chunks(PICTURE.read_bytes()))[b"IHDR"][9]
    assert colour_type == 2, "true colour"
