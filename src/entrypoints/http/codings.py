"""Which content coding a client takes (RFC 9110 §12.5.3), and bytes in that coding."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

IDENTITY: Final = "identity"
CODINGS: Final = ("br", "zstd", "gzip")
"""What we have, the smallest first: it decides between codings that a client likes alike."""
_MEMBER: Final = re.compile(
    r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII
)
# RFC 9110 §8.4.1.3: an old name of the same coding.
_OTHER_NAMES: Final = {"x-gzip": "gzip"}
_LONGEST_KEPT: Final = 200


def coding_for(field: bytes | None, ready: Sequence[str] = CODINGS) -> str:
    """The coding of an answer to a request with this Accept-Encoding, of those that are `ready`, or `identity`.

    Without the field a client may well take anything, but says nothing of it: it gets the plain bytes. Where it takes
    nothing that we have, not even those, it gets them all the same, as the RFC advises: they beat an error.
    """
    if not field:
        return IDENTITY
    return _kept(field, tuple(ready)) if len(field) <= _LONGEST_KEPT else _chosen(field, tuple(ready))


def _chosen(field: bytes, ready: tuple[str, ...]) -> str:
    weights = _weights(field.decode("latin-1").lower())
    rest = weights.get("*", 0)
    best, found = 0, IDENTITY
    for coding in ready:
        weight = weights.get(coding, rest)
        if weight > best:
            best, found = weight, coding
    # Unless it is named, identity is what remains when nothing else is taken.
    return IDENTITY if weights.get(IDENTITY, 0) > best else found


_kept: Final = lru_cache(maxsize=256)(_chosen)
"""Browsers of a kind all send the same."""


def _weights(field: str) -> dict[str, int]:
    """What each coding is worth, in thousandths. The first word on one counts; what cannot be read is left out."""
    weights: dict[str, int] = {}
    for text in field.split(","):
        member = _MEMBER.fullmatch(text.strip(" \t"))
        if member is not None:
            name, weight = member[1], member[2]
            weights.setdefault(
                _OTHER_NAMES.get(name, name), 1000 if weight is None else round(float(weight) * 1000)
            )
    return weights


# ---------------------------------------------------------------------------------------------- the bytes

# Up to this size the best a coding can do costs some milliseconds; beyond it, seconds.
_SMALL: Final = 128_000


def encode(body: bytes, coding: str) -> bytes:
    """The body in a coding of CODINGS. Takes milliseconds: call it once, and beside the event loop."""
    return _ENCODERS[coding](body)


# The libraries are loaded when they are first needed: the first answer after a start needs none of them.
def _br(body: bytes) -> bytes:
    import brotli  # noqa: PLC0415 - see above

    return bytes(brotli.compress(body, quality=11 if len(body) <= _SMALL else 5))


def _zstd(body: bytes) -> bytes:
    import zstandard  # noqa: PLC0415 - see above

    return zstandard.ZstdCompressor(level=19 if len(body) <= _SMALL else 9).compress(body)


def _gzip(body: bytes) -> bytes:
    import gzip  # noqa: PLC0415 - see above

    return gzip.compress(body, compresslevel=9, mtime=0)


_ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"br": _br, "zstd": _zstd, "gzip": _gzip}
