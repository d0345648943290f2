"""How many products there are, and which are not sold as usual."""

from __future__ import annotations

from typing import Final

from domain.product import CatalogueEdition, Status
from entrypoints.cli_words import counted
from entrypoints.maintenance.checks.finding import Finding

_NOT_AS_USUAL: Final = {Status.DRAFT: "drafts", Status.UNLISTED: "unlisted", Status.RETIRED: "retired"}
_MOST_NAMED: Final = 10


def products_finding(edition: CatalogueEdition) -> Finding:
    """`12 products of A Shop; drafts: lamp; retired: chair, table`"""
    words = f"{counted(len(edition.present), 'product')} of {edition.shop.name}"
    for status, called in _NOT_AS_USUAL.items():
        found = [product.id for product in edition.present if product.status is status]
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        words += f"; {called}: {', '.join(found[:_MOST_NAMED])}{more}" if found else ""
    return Finding("catalogue", True, words)
