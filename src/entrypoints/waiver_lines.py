"""What the command line says of a waiver of the right of withdrawal."""

from __future__ import annotations

from domain.waiver_proof import WaiverProof
from entrypoints.cli_words import minute


def waiver_line(proof: WaiverProof) -> str:
    """When it was given, beside which text, when it was confirmed, when the purchase was opened, and what follows."""
    waiver = proof.waiver
    given = f"Right of withdrawal waived {minute(waiver.given_at)} (text {waiver.text}, {waiver.language})"
    confirmed = (
        "not confirmed" if proof.confirmed_at is None else f"confirmed by email {minute(proof.confirmed_at)}"
    )
    opened = "not opened" if proof.opened_at is None else f"opened {minute(proof.opened_at)}"
    return f"{given}, {confirmed}, {opened}: the right {'is lost' if proof.holds else 'stays'}."
