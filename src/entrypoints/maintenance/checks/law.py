"""Whether the shop offers what consumers in the European Union have a right to."""

from __future__ import annotations

from typing import Final

from domain.product import CatalogueEdition
from entrypoints.maintenance.checks.finding import Finding

_CURRENCIES: Final = frozenset({"eur", "czk", "dkk", "huf", "pln", "ron", "sek"})
"""Those of the member states."""


def law_findings(edition: CatalogueEdition) -> list[Finding]:
    """A warning for a shop with prices in such a currency and no function of withdrawal."""
    found = sorted(_CURRENCIES & set(edition.currencies))
    if edition.shop.law.withdrawal or not found:
        return []
    words = (
        f"prices are in {', '.join(code.upper() for code in found)}, and no page leads to a function of withdrawal, "
        "which the law of the European Union asks for since 19 June 2026: set withdrawal = true in [law] of shop.toml, "
        "or ask your lawyer (docs/law.md)"
    )
    return [Finding("law", True, words, warns=True)]
