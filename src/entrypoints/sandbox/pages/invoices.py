"""Invoices as a page and as a PDF."""

from __future__ import annotations

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.pages.rendering import SandboxPages, clock
from entrypoints.sandbox.stripe.money import money
from entrypoints.sandbox.world import Json, World


def rows_of(invoice: Json) -> list[tuple[str, str]]:
    """The totals of an invoice, formatted for display."""
    currency = invoice["currency"]
    rows = [
        (f"{line['quantity']} x {line['description']}", line["amount"]) for line in invoice["lines"]["data"]
    ]
    taxes = [(tax["amount"], tax["tax_behavior"]) for tax in invoice["total_taxes"]]
    added = sum(amount for amount, behavior in taxes if behavior == "exclusive")
    discount = invoice["subtotal"] + added - invoice["total"]
    if discount:
        rows.append(("Discount", -discount))
    rows += [("Tax" if behavior == "exclusive" else "Tax in it", amount) for amount, behavior in taxes]
    rows.append(("Paid", invoice["total"]))
    return [(what, money(amount, currency)) for what, amount in rows]


class InvoicePages:
    """GET /invoices/{id} and /invoices/{id}/pdf."""

    def __init__(self, world: World, pages: SandboxPages) -> None:
        self._world = world
        self._pages = pages

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers."""
        return [
            get("/invoices/{invoice:str}", status_code=200)(self.show),
            get("/invoices/{invoice:str}/pdf", status_code=200)(self.pdf),
        ]

    async def show(self, invoice: FromPath[str]) -> ASGIResponse:
        """The invoice as a page."""
        found = self._world.invoices.get(invoice)
        if found is None:
            return self._pages.over("no such invoice", self._world.shop_url, status=404)
        return self._pages.html("invoice.html", invoice=found, rows=rows_of(found))

    async def pdf(self, invoice: FromPath[str]) -> ASGIResponse:
        """The invoice as a PDF."""
        found = self._world.invoices.get(invoice)
        if found is None:
            return self._pages.over("no such invoice", self._world.shop_url, status=404)
        lines = [f"Invoice {found['number']}", f"Paid at {clock(found['created'])}",
                 f"For {found['customer_email']}", "", *(f"{what}: {amount}" for what, amount in rows_of(found)),
                 "", "A sandbox wrote this: no money moved."]  # fmt: skip
        name = f'inline; filename="{found["number"]}.pdf"'
        return ASGIResponse(
            body=one_page_pdf(lines), media_type="application/pdf", headers=[("content-disposition", name)]
        )


def one_page_pdf(lines: list[str]) -> bytes:
    """ISO 32000-1, §7.5: header, objects, cross-reference table, trailer."""
    text = "".join(f"({_escaped(line)}) '\n" for line in lines)
    stream = f"BT /F1 12 Tf 18 TL 60 780 Td\n{text}ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    body, begins = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        begins.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % begin for begin in begins)
    count = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    )


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
