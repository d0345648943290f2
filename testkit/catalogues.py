"""Catalogue folders for tests of their reader."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adapters.files.catalogue import FolderCatalogue
from adapters.files.last_good import LastGood
from adapters.files.reading import CatalogueRefused
from adapters.memory.goods import MemoryGoods


def a_catalogue(root: Path, *products: str, currency: str = "eur") -> Path:
    """A shop with these products at 19.99, each with a text and a file, and one page."""
    (root / "pages").mkdir(parents=True)
    (root / "pages" / "terms.md").write_text("# Our terms\n\nBe kind.\n")
    (root / "shop.toml").write_text(
        f'name = "A shop"\ncurrency = "{currency}"\nsupport = "help@shop.example"\n'
    )
    for product in products:
        (root / product / "files").mkdir(parents=True)
        (root / product / "product.toml").write_text(f'name = "The {product}"\nprice = "19.99"\n')
        (root / product / "content.md").write_text("Thank you.\n")
        (root / product / "files" / "a.txt").write_text(f"of the {product}")
    return root


def load(root: Path, *, told: list[str] | None = None, kept: Path | None = None) -> FolderCatalogue:
    """`told`: takes what is logged. `kept`: where the last good forms are kept; without it, in memory."""
    return FolderCatalogue(
        root,
        complain=(told if told is not None else []).append,
        warn=(told if told is not None else []).append,
        shelve=MemoryGoods().shelve,
        kept=None if kept is None else LastGood(kept),
    )


def look(catalogue: FolderCatalogue, *, times: int = 1) -> None:
    """As the timer does about every second."""
    for _ in range(times):
        asyncio.run(catalogue.refresh())


def problems_of(root: Path) -> tuple[str, ...]:
    """What is wrong with a catalogue that was never good: it holds something back, or all of it."""
    try:
        return load(root).problems
    except CatalogueRefused as error:
        return error.problems
