"""What the shop speaks, and which translations are not finished."""

from __future__ import annotations

from typing import Final

from domain.ports import Languages
from domain.product import ShopInfo
from entrypoints.cli_words import counted
from entrypoints.maintenance.checks.finding import Finding

_MOST_QUOTED: Final = 3


def language_findings(languages: Languages, shop: ShopInfo) -> list[Finding]:
    """`pages and emails are in de; others to choose from: en, es, fr`; and a warning for each unfinished language."""
    others = ", ".join(code for code in languages.offered if code not in shop.languages)
    words = f"pages and emails are in {', '.join(shop.languages)}"
    return [
        Finding("languages", True, words + (f"; others to choose from: {others}" if others else "")),
        *(_unfinished(code, sentences) for code, sentences in languages.missing().items()),
    ]


def _unfinished(code: str, sentences: tuple[str, ...]) -> Finding:
    quoted = ", ".join(f"“{sentence}”" for sentence in sentences[:_MOST_QUOTED])
    more = f" and {len(sentences) - _MOST_QUOTED} more" if len(sentences) > _MOST_QUOTED else ""
    words = f"{code} cannot be chosen: its translation lacks {counted(len(sentences), 'sentence')}: {quoted}{more}"
    return Finding("languages", True, words, warns=True)
