"""Covers of every kind, good and hostile, and a reader of PNGs."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from typing import Final

SVG: Final = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 80 60">{}</svg>'
JPEG: Final = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8"
    "ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAG"
    "AAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAwX/"
    "xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCIAaw//9k="
)
WEBP: Final = b64decode(
    "UklGRjgAAABXRUJQVlA4ICwAAABwAQCdASoIAAYABABoJbACdAFAAAD+6W0i5KxFCGkQg//iHP8Cv9K2FQAAAA=="
)
GIF: Final = b64decode("R0lGODdhCAAGAIEAAMgePAAA/wAAAAAAACwAAAAACAAGAAAIDwABCBw4MADBgwgTKlQYEAA7")
"""Each 8 × 6 pixels, nearly all of them red."""


def a_png(width: int, height: int) -> bytes:
    """A picture in one red."""
    return _png(width, height, zlib.compress((b"\0" + b"\xc8\x1e\x3c" * width) * height))


def a_bomb() -> bytes:
    """A PNG of 5 MB at most, and of 2.7 GB when it is unpacked: the same 300 rows again and again."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    rows = packer.compress((b"\0" + b"\xc8\x1e\x3c" * 30_000) * 300) + packer.flush(zlib.Z_FULL_FLUSH)
    return _png(30_000, 30_000, b"\x78\xda" + rows * 100 + b"\x03\0" + b"\0" * 4)


def _png(width: int, height: int, packed: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))


def read_png(png: bytes) -> tuple[tuple[int, int], bytes]:
    """Width and height, and the rows as the filters of PNG left them; every checksum is checked."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, size, packed = 8, (0, 0), b""
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        held = png[at + 8 : at + 8 + length]
        assert png[at : at + 12 + length] == _chunk(kind, held)
        if kind == b"IHDR":
            size = struct.unpack(">II", held[:8])
        packed += held if kind == b"IDAT" else b""
        at += 12 + length
    assert kind == b"IEND"
    return size, zlib.decompress(packed)


def colours_of(png: bytes) -> set[tuple[int, int, int]]:
    """The colours of all pixels, decoded: the filters are undone (https://www.w3.org/TR/png-3/#9Filters)."""
    (width, height), rows = read_png(png)
    depth = (len(rows) // height - 1) // width
    above, found = bytearray(width * depth), set()
    for top in range(0, len(rows), width * depth + 1):
        kind, row = rows[top], bytearray(rows[top + 1 : top + 1 + width * depth])
        for at in range(len(row)):
            left, corner = (row[at - depth], above[at - depth]) if at >= depth else (0, 0)
            up = above[at]
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda one, guess=guess: abs(guess - one))
            row[at] = (row[at] + (0, left, up, (left + up) // 2, paeth)[kind]) & 0xFF
        found.update(zip(row[0::depth], row[1::depth], row[2::depth], strict=True))
        above = row
    return found
