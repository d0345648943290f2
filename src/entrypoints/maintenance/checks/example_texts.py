"""Whether customers can read a text that `coatcheck init` or the demo's catalogue gave as an example."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.product import CatalogueEdition
from entrypoints.maintenance.checks.finding import Finding
from entrypoints.new_shop import TEMPLATE

EXAMPLE_MARK: Final = "Example text: replace it before you sell."
"""The sentence in each example text. A merchant who has replaced the text has deleted it."""


def example_findings(edition: CatalogueEdition, *, folder: Path) -> list[Finding]:
    """A warning for each file of the catalogue (`folder`) whose example text is served."""
    words = "is still an example: replace it before you sell"
    return [
        Finding("example text", True, f"{folder / file} {words}", warns=True)
        for file in sorted(example_files(edition))
    ]


def example_files(edition: CatalogueEdition) -> Iterator[str]:
    """The files, relative to the catalogue, that carry the mark in what is served, or are for sale as they came."""
    for slug, page in edition.pages.items():
        if EXAMPLE_MARK in page.html:
            yield f"pages/{slug}.md"
    untouched = {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in TEMPLATE.glob("catalogue/*/files/*")
    }
    for product in edition.present:
        if not product.public:
            continue
        texts = {
            "product.toml": product.summary, "about.md": product.description_html, "content.md": product.content_html,
        }  # fmt: skip
        yield from (f"{product.id}/{name}" for name, text in texts.items() if EXAMPLE_MARK in text)
        yield from (f"{product.id}/files/{file.name}" for file in product.files if file.sha256 in untouched)
