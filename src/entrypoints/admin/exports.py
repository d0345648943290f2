"""Exports: a form, and the file that it downloads."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from litestar import post, route

from domain.export import ADDRESSES, COLUMNS, ExportKind
from domain.local_time import day_of
from domain.purchase import Source
from domain.rights import NotAllowed, Verdict
from domain.sale_list import AddressState, SaleState
from domain.staff import Role
from domain.usecases.export_list import ExportEnded, ExportList
from domain.usecases.list_sales import ListSales
from domain.usecases.staff_access import SignedInStaff
from domain.values import ProductId
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.sale_filter import choices, product_options
from entrypoints.export_table import SALE_FILTERS, BadChoice, choice_of, export_of, format_of, named, written
from entrypoints.http.page import PERSONAL, AnyRequest
from entrypoints.http.request_body import fields_of, parsed_fields
from entrypoints.http.responses import CutShort, RawResponse, StreamedResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE
from entrypoints.sale_names import SaleNames

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_AT: Final = "/admin/exports"
_MOST_FIELDS: Final = 60
_KINDS: Final = {
    ExportKind.SALES: N_("Sales"),
    ExportKind.CUSTOMERS: N_("Customers"),
    ExportKind.DOWNLOADS: N_("Downloads"),
    ExportKind.EMAILS: N_("Emails"),
    ExportKind.AUDIT: N_("Audit log"),
}
_WRONG: Final = {
    "format": N_("Please choose a format."),
    "timezone": N_("This time zone is not known. Write a name such as Europe/Berlin."),
    "from": N_("Please check the dates: the first must not be after the last."),
    "to": N_("Please check the dates: the first must not be after the last."),
    "currency": N_("Please write the currency as three letters, such as EUR."),
    "least": N_("Please check the amounts: write them as 12.50, with the digits that the currency has."),
    "most": N_("Please check the amounts: write them as 12.50, with the digits that the currency has."),
    "text": N_(
        "Please write the beginning of an address that one to 20 customers have, or a domain such as @example.org."
    ),
}
_STATES: Final = {
    SaleState.OPEN: N_("Open"), SaleState.PARTLY_REFUNDED: N_("Partly refunded"), SaleState.REFUNDED: N_("Refunded"),
    SaleState.DISPUTED: N_("Disputed"), SaleState.SUSPENDED: N_("Suspended"),
    SaleState.CHARGED_BACK: N_("Charged back"), SaleState.REVOKED: N_("Revoked"),
}  # fmt: skip
_SOURCES: Final = {
    Source.SALE: N_("Sale"), Source.FREE: N_("Free order"), Source.GRANT: N_("Grant"), Source.IMPORT: N_("Import"),
}  # fmt: skip
_EXPLAINED: Final = {"tax_rate": N_("in percent, calculated from the amounts")}
"""Columns whose name does not say enough."""
_ADDRESS_STATES: Final = {
    AddressState.UNVERIFIED: N_("Not verified"),
    AddressState.BOUNCED: N_("Emails bounce"),
    AddressState.NONE: N_("No address"),
}


@dataclass(frozen=True, slots=True)
class ExportPages:
    """The form, and the download."""

    frame: AdminFrame
    export: ExportList
    names: SaleNames
    list_sales: ListSales
    livemode: bool
    """Whether the shop takes real money: then test purchases can be left out."""

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(_AT, http_method=PAGE, status_code=200)(self.choosing),
            post(_AT, status_code=200)(self.download),
        ]

    async def choosing(self, request: AnyRequest) -> RawResponse:
        """The form, filled in with what the address says: so it is after a passkey was used again, too."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        pairs = _filled(parsed_fields(request.scope["query_string"], most=_MOST_FIELDS))
        return await self._form(request, here, dict(pairs), _columns(pairs))

    async def download(self, request: AnyRequest) -> RawResponse:
        """The file, made while it is sent."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        pairs = _filled(await fields_of(request, most=_MOST_FIELDS))
        chosen, columns = dict(pairs), _columns(pairs)
        shop, kind = self.frame.catalogue.current().shop, _kind(chosen)
        try:
            wanted = export_of(kind, chosen, columns, zone=shop.zone, currency=shop.currency)
            form = format_of(chosen, zone=shop.zone)
            wanted = await named(wanted, chosen, self.names)
        except BadChoice as error:
            why = _(_WRONG.get(error.field, N_("Please check what you chose.")))
            return await self._form(request, here, chosen, columns, why=why, status=422)
        table = await self.export(wanted, actor=self.frame.actor(here), form=self.frame.form_id(chosen))
        if isinstance(table, NotAllowed):
            if table.verdict is Verdict.PROVE_AGAIN:
                again = [(name, value) for name, value in pairs if name != "form"]
                return self.frame.prove(f"{_AT}?{urlencode(again)}")
            return self.frame.refused(request, here)
        today = day_of(self.frame.clock.now(), form.zone)
        name = f'attachment; filename="{kind.value}-{today.isoformat()}.{form.ending}"'
        headers = [PERSONAL, ("x-robots-tag", "noindex"), ("content-disposition", name)]
        parts = _while_allowed(written(table, wanted.columns, form))
        return StreamedResponse(parts, media_type=form.media_type, headers=headers)

    async def _form(
        self,
        request: AnyRequest,
        here: SignedInStaff,
        chosen: Mapping[str, str],
        columns: Sequence[str],
        *,
        why: str = "",
        status: int = 200,
    ) -> RawResponse:
        product = ProductId(chosen["product"]) if chosen.get("product") else None
        kind, edition = _kind(chosen), self.frame.catalogue.current()
        owner, terms = here.member.role is Role.OWNER, edition.shop.payment
        offered = [name for name in COLUMNS[kind] if owner or name not in ADDRESSES]
        ticked = columns or [name for name in offered if name not in ADDRESSES]
        return self.frame.html(
            request, "exports.html", here=here, status=status, why=why,
            kind=kind.value, kinds=[(one.value, _(name)) for one, name in _KINDS.items()],
            columns=[
                (name, name in ticked, name in ADDRESSES, _(_EXPLAINED[name]) if name in _EXPLAINED else "")
                for name in offered
            ],
            typed={**dict.fromkeys((*SALE_FILTERS, "bom"), ""), **chosen,
                   "timezone": chosen.get("timezone") or edition.shop.timezone},
            formats=[("csv", _("CSV, for spreadsheets")), ("jsonl", _("JSON lines, for programs"))],
            states=_options({choice_of(one): name for one, name in _STATES.items()}),
            sources=_options({one.value: name for one, name in _SOURCES.items()}),
            addresses=_options({choice_of(one): name for one, name in _ADDRESS_STATES.items()}),
            codes=terms.promotion_codes or bool(terms.code_links),
            marks_tests=self.livemode, tests=choices()["tests"],
            opened=_options({"yes": N_("Opened"), "no": N_("Never opened")}),
            products=[("", _("All")), *product_options(await self.list_sales.products(), edition, chosen=product)],
        )  # fmt: skip


async def _while_allowed(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same parts, and CutShort in place of those that may not be read any more."""
    async with aclosing(parts):
        try:
            async for part in parts:
                yield part
        except ExportEnded as error:
            raise CutShort from error


def _filled(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that say something."""
    return [pair for pair in pairs if pair[1]]


def _columns(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [value for name, value in pairs if name == "column"]


def _kind(chosen: Mapping[str, str]) -> ExportKind:
    try:
        return ExportKind(chosen.get("kind", ""))
    except ValueError:
        return ExportKind.SALES


def _options(names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("", _("All")), *((value, _(name)) for value, name in names.items())]
