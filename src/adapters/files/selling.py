"""Whether a product is sold, and from when on, from TOML."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from adapters.files.reading import Reader, line_of_key
from domain.product import Status

OLD_KEYS: Final = {
    "on_sale": 'on_sale is no longer a setting: write status = "retired" to end the sale, or status = "on_sale"',
}
"""Keys that product.toml once had, and what to write instead."""


def read_status(reader: Reader, path: Path, text: str, written: str) -> Status:
    """What the merchant wants of a product; a problem is noted if it is none of what they can want."""
    try:
        return Status(written)
    except ValueError:
        known = ", ".join(f'"{status.value}"' for status in Status)
        reader.complain(path, f"status is one of {known}, not {written!r}", line=line_of_key(text, "status"))
        return Status.DRAFT


def read_opening(reader: Reader, path: Path, text: str, written: object) -> datetime | None:
    """When the sale begins, in UTC. What names no moment is a problem: a time without a zone is one in each of them."""
    if written is None:
        return None
    match written:
        case datetime(tzinfo=None):
            words = f"available_from has no time zone: write {written.isoformat()}Z for UTC"
        case datetime():
            try:
                return written.astimezone(UTC)
            except OverflowError:
                words = "available_from is outside the years 1 to 9999"
        case date():
            words = f"available_from is a day without a time: write {written.isoformat()}T00:00:00Z"
        case str():
            words = "available_from is written without quotes: 2026-12-24T18:00:00Z"
        case _:
            words = "available_from is a date and time with a time zone, such as 2026-12-24T18:00:00Z"
    reader.complain(path, words, line=line_of_key(text, "available_from"))
    return None
