"""What shop.toml says because of the law: [law]; and the texts that belong to it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from adapters.files.reading import Reader, line_of_key
from domain.law import LawTerms
from domain.waiver import WaiverText

WAIVER_TEXTS: Final = (
    WaiverText(
        language="en",
        wants=(
            "I want my purchase at once, and I expressly agree that you provide it before the 14 days in which I can "
            "withdraw from the contract are over."
        ),
        knows="I know that I lose my right of withdrawal as soon as I open my purchase or one of its files.",
    ),
    WaiverText(
        language="de",
        wants=(
            "Ich möchte meinen Kauf sofort und stimme ausdrücklich zu, dass Sie ihn vor Ablauf der 14 Tage "
            "bereitstellen, in denen ich den Vertrag widerrufen kann."
        ),
        knows=(
            "Mir ist bekannt, dass ich mein Widerrufsrecht verliere, sobald ich meinen Kauf oder eine seiner Dateien "
            "öffne."
        ),
    ),
)
"""The oldest first. A text that was ever released is the proof of sales: it stays, and a new one is added below it."""


class LawTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[law] in shop.toml."""

    waiver: Literal["off", "boxes"] = "off"
    without_waiver: Literal["refuse", "wait"] = "refuse"


def law_terms(reader: Reader, path: Path, text: str, table: LawTable) -> LawTerms:
    """Its meaning."""
    boxes, waits = table.waiver == "boxes", table.without_waiver == "wait"
    if waits and not boxes:
        words = 'without_waiver = "wait" is for shops with waiver = "boxes": add that, or leave it out'
        reader.complain(path, words, line=line_of_key(text, "without_waiver"))
    return LawTerms(waiver=boxes, waits=boxes and waits, waiver_texts=WAIVER_TEXTS)
