"""Addresses that were probably mistyped: a domain one slip away from one that very many people have."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from domain.values import EmailAddress

# Those of consumers' mailboxes; a shop's customers rarely mistype the domain of their own company.
_COMMON: Final = (
    "gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "live.com",
    "msn.com", "me.com", "proton.me", "protonmail.com", "fastmail.com", "gmx.de", "gmx.net", "gmx.at", "gmx.com",
    "web.de", "t-online.de", "freenet.de", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "libero.it",
    "hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "hotmail.fr", "yahoo.fr", "hotmail.de", "yahoo.de", "outlook.de",
    "comcast.net", "verizon.net", "att.net", "qq.com", "163.com", "126.com", "naver.com", "yahoo.co.jp", "docomo.ne.jp",
    "mail.ru", "yandex.ru", "uol.com.br", "bol.com.br", "seznam.cz", "wp.pl", "ziggo.nl", "bluewin.ch",
)  # fmt: skip
# Real domains that look like a slip of one of those above.
_REAL: Final = frozenset(
    {"mail.com", "email.com", "ymail.com", "gmx.ch", "gmx.fr", "live.de", "live.fr", "outlook.fr", "aol.de", "hey.com",
     "free.com", "web.com", "rocketmail.com", "inbox.com", "pm.me", "mac.com", "yandex.com", "o2.pl",
     "online.de", "fastmail.fm", "protonmail.ch", "q.com", "139.com", "oi.com.br", "love.com", "proton.com"}
)  # fmt: skip
_NATIONAL: Final = frozenset({"yahoo", "hotmail", "outlook", "live", "gmx", "aol", "msn", "orange", "yandex"})
"""They exist under the domains of many countries: `hotmail.it` is no slip of `hotmail.fr`."""
_ALIKE: Final = 0.84
"""Of 1: `gmial.com` and `gmail.com` have .89, `hotmai.com` and `hotmail.com` .95, `fmail.com` and `gmail.com` .89."""


def likely_meant(address: EmailAddress) -> EmailAddress | None:
    """The address that was probably meant; None where nothing looks like a slip. A suggestion, never a correction."""
    local, _, domain = address.canonical.rpartition("@")
    meant = _likely_domain(domain)
    return None if meant is None else EmailAddress(f"{local}@{meant}")


@lru_cache(maxsize=1024)
def _likely_domain(domain: str) -> str | None:
    """Remembered, because comparing takes longer than rendering the page that shows it."""
    name, _, rest = domain.partition(".")
    if domain in _COMMON or domain in _REAL or (name in _NATIONAL and len(rest.rpartition(".")[2]) == 2):
        return None
    found = get_close_matches(domain, _COMMON, n=1, cutoff=_ALIKE)
    return found[0] if found else None
