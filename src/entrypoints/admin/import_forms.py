"""What the page of an uploaded file shows, and what its forms say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.csv_rows import CsvProblem
from domain.import_plan import (
    ASKED,
    FIXABLE,
    PRESETS,
    REQUIRED,
    Field,
    Plan,
    folded,
    guess,
    is_source,
    plan_of,
)
from domain.imports import Refused
from domain.product import CatalogueEdition
from domain.uploads import Fate, Report, UploadState
from domain.usecases.manage_uploads import Seen
from domain.values import ProductId
from entrypoints.http.sentences import _
from entrypoints.import_sentences import FIELDS, PROBLEMS, REASONS

_LONGEST_CELL = 60


def planned(seen: Seen, fields: Mapping[str, str]) -> Plan | str:
    """The plan that the form says, or what is wrong with it."""
    header, preset = seen.upload.header, PRESETS.get(fields.get("preset", ""))
    if preset is None:
        return _("Please choose where the file comes from.")
    source = fields.get("source", "").strip().lower() or preset.name
    if not is_source(source):
        return _("The name of the other shop has up to 40 lower-case letters, digits and hyphens.")
    before = plan_of(preset)
    columns: dict[Field, Sequence[str]] = {}
    for field in ASKED:
        place = fields.get(f"column-{field.value}")
        if place is None or place == _place_of(before.columns.get(field, ()), header):
            continue
        is_one = place.isdecimal() and len(place) < 4 and int(place) < len(header)
        columns[field] = (header[int(place)],) if is_one else ()
    fixed = {field: fields.get(f"always-{field.value}", "").strip() for field in FIXABLE}
    held = seen.upload.plan
    return plan_of(
        preset,
        source=source,
        columns=columns,
        fixed=fixed,
        products=held.products if held is not None and held.preset == preset.name else {},
    )


def chosen_products(seen: Seen, fields: Mapping[str, str]) -> Plan | str:
    """The plan with the products that the form names. They are numbered as in the report."""
    plan = seen.upload.plan
    if plan is None:
        return _("Please say first which column is what.")
    chosen = {
        name: ProductId(fields[f"product-{number}"])
        for number, name in enumerate(seen.upload.report.products)
        if fields.get(f"product-{number}")
    }
    return replace(plan, products={**plan.products, **chosen})


def context_of(
    seen: Seen, *, edition: CatalogueEdition, now: datetime, preset: str, columns: bool
) -> dict[str, Any]:
    """Everything that the template needs. `preset`: the one that was asked for; `columns`: whether its form was."""
    upload = seen.upload
    state = "expired" if upload.is_expired(now=now) and upload.state.holds_file else upload.state.value
    plannable = state in (UploadState.READY.value, UploadState.BROKEN.value)
    asks = plannable or (columns and state == UploadState.CHECKED.value)
    return {
        "upload": upload,
        "state": state,
        "asks": asks and bool(upload.header),
        "problem": "" if upload.problem is None else problem_text(upload.problem, upload.problem_line),
        "sample": [[_short(cell) for cell in record.cells] for record in seen.sample],
        "mapping": _mapping(seen, edition, preset) if asks else None,
        "rows": [_row(row, outcome) for row, outcome in seen.rows],
        "report": _report(upload.report),
        "products": _products(edition),
        "lines": f"{upload.lines:,}",
        "line": f"{max(upload.line - 1, 0):,}",
        "tells": upload.plan is not None and upload.plan.email,
    }


def _mapping(seen: Seen, edition: CatalogueEdition, wanted: str) -> dict[str, Any]:
    upload, held = seen.upload, seen.upload.plan
    name = wanted or (held.preset if held is not None else "") or guess(upload.header) or "own"
    plan = held if held is not None and held.preset == name else plan_of(PRESETS[name])
    first = seen.sample[0].cells if seen.sample else ()
    examples = [*map(_short, first), *[""] * len(upload.header)]
    choices = [
        (f"{place}", title or _("Column %(number)d", number=place + 1), examples[place])
        for place, title in enumerate(upload.header)
    ]
    return {
        "preset": name,
        "presets": [("gumroad", "Gumroad"), ("stripe", "Stripe"), ("own", _("another shop"))],
        "source": plan.source,
        "fields": [
            {
                "name": field.value,
                "title": _(FIELDS[field]),
                "place": _place_of(plan.columns.get(field, ()), upload.header),
                "required": field in REQUIRED,
                "always": plan.fixed.get(field, "") if field in FIXABLE else None,
            }
            for field in ASKED
        ],
        "choices": choices,
        "currencies": edition.currencies,
    }


def _place_of(names: Sequence[str], header: Sequence[str]) -> str:
    """Where the first of these headings that is there stands; "" if none is."""
    at = [folded(title) for title in header]
    return next((f"{at.index(folded(name))}" for name in names if folded(name) in at), "")


def _report(report: Report) -> dict[str, Any]:
    return {
        "rows": f"{report.rows:,}",
        "new": report.new,
        "new_text": f"{report.new:,}",
        "known": f"{report.known:,}",
        "refused": f"{sum(report.refused.values()):,}",
        "reasons": [
            (_(REASONS[reason]), f"{count:,}", _lines(report.lines.get(reason, ()), count), reason.is_usual)
            for reason, count in sorted(report.refused.items(), key=lambda pair: (pair[0].is_usual, -pair[1]))
        ],
        "products": [(name, f"{count:,}") for name, count in report.products.items()],
    }


def _lines(lines: Sequence[int], count: int) -> str:
    listed = ", ".join(f"{line:,}" for line in lines)
    return f"{listed}, …" if count > len(lines) else listed


def _row(row: Any, outcome: object) -> dict[str, Any]:
    names = {Fate.NEW: _("New"), Fate.KNOWN: _("Known already")}
    return {
        "line": row.line,
        "owner": row.owner.canonical,
        "product": row.product.name,
        "paid": row.paid,
        "at": row.at,
        "key": row.licence_key,
        "outcome": _(REASONS[outcome.reason]) if isinstance(outcome, Refused) else names[outcome],  # type: ignore[index]  # it is a fate
    }


def problem_text(problem: CsvProblem, line: int) -> str:
    """Why a file cannot be read, and where."""
    words = _(PROBLEMS[problem])
    return f"{words} " + _("The problem is on line %(line)s.", line=f"{line:,}") if line > 1 else words


def _products(edition: CatalogueEdition) -> list[tuple[str, str]]:
    return [(product.id, product.name) for product in edition.products.values()]


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_CELL else f"{cell[:_LONGEST_CELL]}…"
