"""Sentences of `coatcheck doctor` and `coatcheck status` about products that the catalogue lacks."""

from __future__ import annotations

from collections.abc import Iterable

from domain.values import ProductId


def lacking_lines(*, gone: Iterable[ProductId], lost: Iterable[ProductId]) -> list[str]:
    """One for each product that customers own and the catalogue does not have."""
    return [
        *(
            f"{pid}: customers own it, but its folder is not in the catalogue: they keep its last good form, and "
            'nobody can buy it. Put the folder back; to end the sale, set status = "retired" in product.toml'
            for pid in gone
        ),
        *(
            f"{pid}: customers own it, but it is not in the catalogue, and no good form of it is kept: "
            "they cannot open it. Put its folder back"
            for pid in lost
        ),
    ]
