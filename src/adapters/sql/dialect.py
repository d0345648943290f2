"""What differs between SQLite and PostgreSQL. Everything else is written once, in the form that SQLite takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Final

ANY_OF: Final = "IN (SELECT value FROM json_each(?))"
"""One of several texts; the value is `texts(…)`."""
LISTED: Final = "(SELECT value, key AS place FROM json_each(?)) AS listed"
"""Several texts as rows, with their places from 0 on; the value is `texts(…)`."""
LOCKED: Final = "/* locked */"
"""At the end of a SELECT: for us alone, passing over what others have locked. SQLite has one writer anyway."""

_ROWS_ON_POSTGRES: Final = """(SELECT value, number - 1 AS place FROM jsonb_array_elements_text(CAST(? AS jsonb))
  WITH ORDINALITY AS one (value, number)) AS listed"""
_ON_POSTGRES: Final = (
    ("%", "%%"),
    (ANY_OF, "= ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(? AS jsonb))))"),
    (LISTED, _ROWS_ON_POSTGRES),
    (LOCKED, "FOR UPDATE SKIP LOCKED"),
    ("instr(", "strpos("),
    ("?", "%s"),
)
_INDEX: Final = re.compile(r" INDEXED BY \w+")
"""SQLite gets an explicit index; PostgreSQL chooses one by its statistics."""
_NAMED: Final = re.compile(r":([a-z_]+)")
_COLUMN_TYPES: Final = (
    ("TEXT", 'text COLLATE "C"'),
    ("INTEGER", "BIGINT"),
    ("BLOB", "BYTEA"),
    ("instr(", "strpos("),
)
_TABLE_OPTIONS: Final = re.compile(r"\)\s+STRICT(, WITHOUT ROWID)?$")


def texts(values: Iterable[str]) -> str:
    """Several texts as one value."""
    return json.dumps(list(values))


@cache
def for_psycopg(statement: str) -> str:
    """A statement as psycopg takes it: `%s` for `?`, `%(name)s` for `:name`."""
    for ours, theirs in _ON_POSTGRES:
        statement = statement.replace(ours, theirs)
    statement = _INDEX.sub("", statement)
    return _NAMED.sub(r"%(\1)s", statement)


def postgres_schema(statement: str) -> str:
    """A statement of the schema as PostgreSQL takes it. Text is in the order of its bytes, as on SQLite."""
    for ours, theirs in _COLUMN_TYPES:
        statement = statement.replace(ours, theirs)
    return _TABLE_OPTIONS.sub(")", statement)
