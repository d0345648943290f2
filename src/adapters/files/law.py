"""What shop.toml says because of the law: [law]; and the texts that belong to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

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
    WaiverText(
        language="es",
        wants=(
            "Quiero mi compra de inmediato y acepto expresamente que me la faciliten antes de que terminen los 14 días "
            "en los que puedo desistir del contrato."
        ),
        knows="Sé que pierdo mi derecho de desistimiento en cuanto abro mi compra o uno de sus archivos.",
    ),
    WaiverText(
        language="fr",
        wants=(
            "Je veux mon achat immédiatement et j’accepte expressément que vous le fournissiez avant la fin des 14 "
            "jours pendant lesquels je peux me rétracter du contrat."
        ),
        knows=(
            "Je sais que je perds mon droit de rétractation dès que j’ouvre mon achat ou l’un de ses fichiers."
        ),
    ),
    WaiverText(
        language="it",
        wants=(
            "Voglio subito il mio acquisto e accetto espressamente che me lo forniate prima che siano trascorsi i 14 "
            "giorni entro i quali posso recedere dal contratto."
        ),
        knows="So che perdo il mio diritto di recesso non appena apro il mio acquisto o uno dei suoi file.",
    ),
    WaiverText(
        language="nl",
        wants=(
            "Ik wil mijn aankoop meteen en ga er uitdrukkelijk mee akkoord dat u die levert voordat de 14 dagen "
            "voorbij zijn waarin ik de overeenkomst kan herroepen."
        ),
        knows="Ik weet dat ik mijn herroepingsrecht verlies zodra ik mijn aankoop of een van de bestanden open.",
    ),
)
"""The oldest first. A text that was ever released is the proof of sales: it stays, and a new one is added below it."""


class LawTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[law] in shop.toml."""

    withdrawal: bool = False
    refunds: Literal["staff", "auto"] = "staff"
    buy_label: Annotated[str, msgspec.Meta(max_length=60)] = ""
    waiver: Literal["off", "boxes"] = "off"
    without_waiver: Literal["refuse", "wait"] = "refuse"


def law_terms(reader: Reader, path: Path, text: str, table: LawTable) -> LawTerms:
    """Its meaning."""
    boxes, waits = table.waiver == "boxes", table.without_waiver == "wait"
    if waits and not boxes:
        words = 'without_waiver = "wait" is for shops with waiver = "boxes": add that, or leave it out'
        reader.complain(path, words, line=line_of_key(text, "without_waiver"))
    return LawTerms(
        withdrawal=table.withdrawal,
        refunds_at_once=table.refunds == "auto",
        buy_label=" ".join(table.buy_label.split()),
        waiver=boxes,
        waits=boxes and waits,
        waiver_texts=WAIVER_TEXTS,
    )
