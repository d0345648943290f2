"""The shape of a TOML text, seen before it is parsed: how deep its keys and brackets go.

A key of 20,000 dots costs the parser 1.6 GB, and 20,000 brackets its stack; our settings go two deep.
"""

from __future__ import annotations

import re
from typing import Final

DEEPEST: Final = 4

# Comments and strings, distinguished as TOML does; one that does not end reaches as far as the parser would read.
_QUOTED: Final = re.compile(
    r"""
    \#[^\n]*
    | \"\"\"(?:\\.|.)*?(?:"{3,5}|\Z)
    | '''.*?(?:'{3,5}|\Z)
    | "(?:\\.|[^"\n])*+"?
    | '[^'\n]*+'?
    """,
    re.DOTALL | re.VERBOSE,
)
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_KEY_ENDS: Final = re.compile(r"[\n=,\[\]{}]")


def is_too_deep(text: str) -> bool:
    """Whether a key has more than `DEEPEST` dots, or brackets are nested deeper. Takes linear time."""
    bare = _QUOTED.sub("", text)
    if any(piece.count(".") > DEEPEST for piece in _KEY_ENDS.split(bare)):
        return True
    depth = 0
    for bracket in _BRACKETS.findall(bare):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        if depth > DEEPEST:
            return True
    return False
