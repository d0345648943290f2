"""Whom an email comes from: a display name and an address, as they are written in a header."""

from __future__ import annotations

import re
from typing import Final

from domain.frozen import frozen
from domain.values import EmailAddress, as_line

_NAMED: Final = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SPECIALS: Final = re.compile(r'[()<>\[\]:;@\\,."]')
"""They mean something outside of quotation marks: `Shop: Tickets` would be a group (RFC 5322 §3.2.3, §3.4)."""


@frozen
class Sender:
    """`address` is ASCII: an internationalised domain is written in A-labels (RFC 5890), as mail servers take it."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> Sender:
        """`Your Shop <orders@example.com>`, the name with or without quotation marks, or an address alone.

        Everything before the `<` is the name. Raises InvalidEmail.
        """
        line = as_line(text)
        named = _NAMED.fullmatch(line)
        name, typed = (named[1], named[2].strip()) if named else ("", line.strip())
        quoted = _QUOTED.fullmatch(name)
        if quoted is not None:
            name = re.sub(r"\\(.)", r"\1", quoted[1])
        canonical = EmailAddress.parse(typed).canonical
        local, _, domain = canonical.partition("@")
        as_typed = typed.rpartition("@")[0]
        return cls(name=name, address=f"{as_typed if as_typed.lower() == local else local}@{domain}")

    @property
    def domain(self) -> str:
        """The domain that must allow the shop's emails."""
        return self.address.rpartition("@")[2]

    def __str__(self) -> str:
        """One mailbox: the name is quoted where that is necessary."""
        if not self.name:
            return self.address
        return f"{quoted_name(self.name) if _SPECIALS.search(self.name) else self.name} <{self.address}>"


def quoted_name(name: str) -> str:
    """A quoted string (RFC 5322 §3.2.4)."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
