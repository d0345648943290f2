"""Uploaded files of other shops' sales, in pieces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment
from domain.csv_rows import CsvProblem, Piece
from domain.import_plan import Field, Plan
from domain.imports import Reason
from domain.uploads import Report, Upload, UploadState
from domain.values import ProductId

COLUMNS: Final = """id, name, asked_by, at, expires_at, due_at, state, size, lines, header, delimiter, plan, line,
  report, problem, problem_line, version"""
_PIECE: Final = "upload_id, number, line, packed"
_WORKED_ON: Final = "state IN ('checking', 'importing')"
_ADD: Final = insert("uploads", COLUMNS)
_BY_ID: Final = f"SELECT {COLUMNS} FROM uploads WHERE id = ?"
_NEWEST: Final = f"SELECT {COLUMNS} FROM uploads ORDER BY id DESC LIMIT ?"
_DUE: Final = f"""SELECT {COLUMNS} FROM uploads WHERE {_WORKED_ON} AND due_at <= :now AND expires_at > :now
  ORDER BY due_at, id LIMIT 1"""
_REPLACE: Final = """UPDATE uploads SET expires_at = ?, due_at = ?, state = ?, size = ?, lines = ?, header = ?,
  delimiter = ?, plan = ?, line = ?, report = ?, problem = ?, problem_line = ?, version = version + 1
  WHERE id = ? AND version = ?"""
_ADD_PIECE: Final = f"""INSERT INTO upload_pieces ({_PIECE}) SELECT ?, ?, ?, ?
  WHERE EXISTS (SELECT 1 FROM uploads WHERE id = ? AND state = 'arriving')"""
_PIECE_AT: Final = "SELECT number, line, packed FROM upload_pieces WHERE upload_id = ? AND number = ?"
_PIECE_WITH: Final = """SELECT number, line, packed FROM upload_pieces WHERE upload_id = ? AND line <= ?
  ORDER BY number DESC LIMIT 1"""
_DROP_PIECES: Final = "DELETE FROM upload_pieces WHERE upload_id = ?"
_HOLDS_FILE: Final = "state IN ('arriving', 'ready', 'checking', 'checked', 'importing', 'broken')"
FORGET: Final = (
    f"DELETE FROM upload_pieces WHERE upload_id IN (SELECT id FROM uploads WHERE {_HOLDS_FILE})",
    f"UPDATE uploads SET state = 'forgotten', version = version + 1 WHERE {_HOLDS_FILE}",
)
"""A file may name anybody, in any spelling: so an erasure deletes every one that waits."""


class Uploads(Record):
    tables: ClassVar = [
        Table("uploads", COLUMNS, key="id"),
        Table("upload_pieces", _PIECE, key="upload_id, number"),
    ]

    def get(self, upload: str) -> Upload | None:
        return self._one(_from_row, _BY_ID, (upload,))

    def newest(self, *, limit: int) -> Sequence[Upload]:
        return self._all(_from_row, _NEWEST, (limit,))

    def piece(self, upload: str, number: int) -> Piece | None:
        return self._one(_piece, _PIECE_AT, (upload, number))

    def piece_with(self, upload: str, line: int) -> Piece | None:
        return self._one(_piece, _PIECE_WITH, (upload, line))

    def add(self, upload: Upload) -> None:
        made = (upload.id, upload.name, upload.by, micros(upload.at))
        self._sql(_ADD, (*made, *_written(upload), upload.version))

    def add_piece(self, upload: str, piece: Piece) -> bool:
        values = (upload, piece.number, piece.line, piece.packed, upload)
        return self._changed(_ADD_PIECE, values)

    def due(self, *, now: datetime) -> Upload | None:
        return self._one(_from_row, _DUE, {"now": micros(now)})

    def replace(self, held: Upload, by: Upload) -> bool:
        return self._changed(_REPLACE, (*_written(by), held.id, held.version))

    def drop_pieces(self, upload: str) -> int:
        return self._sql(_DROP_PIECES, (upload,)).rowcount

    def drop(self, upload: str) -> bool:
        self.drop_pieces(upload)
        return self._changed("DELETE FROM uploads WHERE id = ?", (upload,))


def _written(one: Upload) -> Row:
    """What may change of a file."""
    return (
        micros(one.expires_at), micros(one.due_at), one.state.value, one.size, one.lines,
        json.dumps(one.header), one.delimiter, maybe(_plan_text, one.plan), one.line, _report_text(one.report),
        one.problem and one.problem.value, one.problem_line,
    )  # fmt: skip


def _from_row(row: Row) -> Upload:
    return Upload(
        id=row[0], name=row[1], by=row[2], at=moment(row[3]), expires_at=moment(row[4]), due_at=moment(row[5]),
        state=UploadState(row[6]), size=row[7], lines=row[8], header=tuple(json.loads(row[9])), delimiter=row[10],
        plan=maybe(_plan, row[11]), line=row[12], report=_report(row[13]), problem=maybe(CsvProblem, row[14]),
        problem_line=row[15], version=row[16],
    )  # fmt: skip


def _piece(row: Row) -> Piece:
    return Piece(number=row[0], line=row[1], packed=bytes(row[2]))


def _plan_text(plan: Plan) -> str:
    return json.dumps(
        {
            "preset": plan.preset,
            "source": plan.source,
            "columns": {field.value: list(names) for field, names in plan.columns.items()},
            "fixed": {field.value: text for field, text in plan.fixed.items()},
            "products": dict(plan.products),
            "email": plan.email,
        }
    )


def _plan(text: str) -> Plan:
    held: dict[str, Any] = json.loads(text)
    return Plan(
        preset=held["preset"],
        source=held["source"],
        columns={Field(name): tuple(names) for name, names in held["columns"].items()},
        fixed={Field(name): value for name, value in held["fixed"].items()},
        products={name: ProductId(product) for name, product in held["products"].items()},
        email=held["email"],
    )


def _report_text(report: Report) -> str:
    return json.dumps(
        {
            "new": report.new,
            "known": report.known,
            "refused": {reason.value: count for reason, count in report.refused.items()},
            "lines": {reason.value: list(lines) for reason, lines in report.lines.items()},
            "products": dict(report.products),
        }
    )


def _report(text: str) -> Report:
    held: dict[str, Any] = json.loads(text)
    return Report(
        new=held["new"],
        known=held["known"],
        refused={Reason(name): count for name, count in held["refused"].items()},
        lines={Reason(name): tuple(lines) for name, lines in held["lines"].items()},
        products=held["products"],
    )
