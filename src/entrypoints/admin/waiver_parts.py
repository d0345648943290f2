"""What the page of a sale says of the waiver of the right of withdrawal."""

from __future__ import annotations

from datetime import datetime, tzinfo

from domain.law import LawTerms
from domain.usecases.show_sale import SaleShown
from domain.waiver_proof import WaiverProof
from entrypoints.admin.sale_words import short_moment
from entrypoints.http.sentences import _


def waiver_rows(sale: SaleShown, law: LawTerms, zone: tzinfo) -> list[tuple[str, str]]:
    """Names and values: what became of the right, when it was waived, confirmed and opened, and beside which text."""
    proof, opens_at = sale.waiver, sale.held.purchase.opens_at
    if opens_at is not None:
        kept = _("not waived: the purchase waits until the 14 days are over")
        return [(_("Right of withdrawal"), kept), (_("Opens"), short_moment(opens_at, zone, now=sale.now))]
    if proof is None:
        return []
    waiver, text = proof.waiver, law.text_of(proof.waiver.text)
    not_yet = _("not yet")

    def moment(at: datetime | None) -> str:
        return not_yet if at is None else short_moment(at, zone, now=sale.now)

    rows = [
        (_("Right of withdrawal"), _state(proof, erased=sale.erased)),
        (_("Waived"), moment(waiver.given_at)),
        (
            _("Confirmed"),
            _("the email was deleted with the customer") if sale.erased else moment(proof.confirmed_at),
        ),
        (_("First opened"), moment(proof.opened_at)),
    ]
    if text is not None:
        rows += [(_("Agreed to"), sentence) for sentence in text.sentences]
    return [*rows, (_("Hash of the text"), f"{waiver.text} ({waiver.language})")]


def _state(proof: WaiverProof, *, erased: bool) -> str:
    if proof.holds:
        return _("lost: waived, confirmed and opened")
    if erased:
        return _("waived; there is no proof that it was confirmed any more")
    if proof.confirmed_at is None:
        return _("stays: the waiver is not confirmed by an email that arrived")
    return _("stays until the purchase is opened")
