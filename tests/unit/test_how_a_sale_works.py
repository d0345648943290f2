"""The table of states in docs/how-a-sale-works.md says what the rules compute, cell by cell."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from domain.fact import _RANKS, Fact, FactKind, newer
from domain.purchase import Purchase, PurchaseState, Source, standing
from domain.values import CheckoutId, EmailAddress, Money, ProductId, ProviderRef, UserId

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-a-sale-works.md"
HEAD = "| Fact ↓ · State → |"
STATES = {
    "live": PurchaseState.LIVE,
    "suspended": PurchaseState.SUSPENDED,
    "refunded": PurchaseState.REFUNDED,
    "charged back": PurchaseState.CHARGED_BACK,
    "revoked": PurchaseState.REVOKED,
}
PRICE = 900
PURCHASE = Purchase(
    checkout=CheckoutId("c1"), provider_ref=ProviderRef("cs_test_1"), payment="pi_1", user=UserId("u1"),
    mailbox=EmailAddress("anna@example.com"), paid_email=None, product=ProductId("book"), product_name="The book",
    paid=Money(PRICE, "usd"), livemode=False, session=None, booked_at=datetime(2026, 3, 1, tzinfo=UTC),
    source=Source.SALE,
)  # fmt: skip


class Cell(NamedTuple):
    fact: str
    before: str
    after: str


def cells() -> list[Cell]:
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    head = next(line for line in lines if line.startswith(HEAD))
    states = [word.strip() for word in head.strip("|").split("|")][1:]
    next(lines)
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        fact, *after = [word.strip() for word in line.strip("|").split("|")]
        found += [Cell(fact, before, word) for before, word in zip(states, after, strict=True)]
    return found


def fact_of(words: str, *, as_of: int) -> Fact:
    """`session paid`, `refund 1 pending, in full`, `dispute 2 won`."""
    told, _, part = words.partition(", ")
    kind, _, rest = told.partition(" ")
    number, _, status = rest.partition(" ") if kind in ("refund", "dispute", "warning") else ("", "", rest)
    return Fact(
        object_id=f"{kind} {number}".strip(),
        kind=FactKind(kind),
        payment="pi_1",
        as_of=as_of,
        status="a new word" if status == "other status" else status,
        amount=PRICE // 3 if part == "in part" else PRICE,
    )


def held_in(state: str) -> list[Fact]:
    """The facts that the page gives for a state."""
    if state not in STATES:
        return [fact_of(f"session {state}", as_of=1)]
    why = {"suspended": ["dispute 1 needs_response"], "refunded": ["refund 1 succeeded, in full"]}
    why |= {"charged back": ["dispute 1 lost"], "revoked": ["merchant revoked"]}
    return [fact_of(words, as_of=1) for words in ("session paid", *why.get(state, []))]


def state_of(facts: list[Fact]) -> str:
    [session] = [fact for fact in facts if fact.kind is FactKind.SESSION]
    if session.status != "paid":
        return session.status
    found = standing(PURCHASE, facts).state
    return next(name for name, state in STATES.items() if state is found)


def after(cell: Cell) -> str:
    told = fact_of(cell.fact, as_of=2)
    held = {fact.object_id: fact for fact in held_in(cell.before)}
    held[told.object_id] = newer(held.get(told.object_id), told)
    if cell.before not in STATES and told.kind is not FactKind.SESSION:
        assert state_of(list(held.values())) == cell.before
        return "kept"
    return state_of(list(held.values()))


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: f"{cell.before} + {cell.fact}")
def test_the_table_says_what_the_rules_compute(cell: Cell) -> None:
    assert state_of(held_in(cell.before)) == cell.before
    assert after(cell) == cell.after


def test_the_table_has_every_state_and_every_status_in_its_rank() -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = cells()
    assert {cell.before for cell in found} == {"open", "expired", "unpaid", "failed", *STATES}
    for kind in FactKind:
        line = re.search(rf"^- {kind.value}: ((?:`\w+`,?\s*)+)", page, re.MULTILINE)
        assert line is not None
        assert tuple(re.findall(r"\w+", line[1])) == _RANKS[kind]
        told = {fact_of(cell.fact, as_of=1).status for cell in found if cell.fact.startswith(kind.value)}
        assert told - {"a new word"} == set(_RANKS[kind])


def test_a_fact_that_was_kept_counts_once_the_sale_is_booked() -> None:
    found = {(cell.fact, cell.before): cell.after for cell in cells()}
    kept = [cell.fact for cell in cells() if cell.after == "kept"]
    assert kept
    for fact in kept:
        facts = [fact_of(fact, as_of=1), fact_of("session paid", as_of=2)]
        assert state_of(facts) == found[fact, "live"], fact
