"""What docs/testing.md shows works as it stands there, and its shop is put together as the container does it."""

from __future__ import annotations

import re

import pytest

from entrypoints.container import Container
from entrypoints.testing import Shop
from entrypoints.testing.office import Office
from testkit.servers import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)
ELSEWHERE = {
    "CheckStock", "ExportRecords", "ImportSales", "ListBouncedEmails", "OpenPurchase", "ShowReceipt",
    "HandleEmailWebhook", "BecomeCopy", "OwnAddress", "SumSales", "ListLedger", "ListAudit", "ChooseLanguage",
}  # fmt: skip
"""Use cases that their tests make themselves."""
PARTS = [(of, name) for of in (Shop, Office) for name in sorted(dir(of)) if not name.startswith("_")]


def test_the_code_of_the_page_runs_in_one_go() -> None:
    assert len(BLOCKS) == 3
    exec(compile("\n".join(BLOCKS), "docs/testing.md", "exec"), {})


def _use_cases(found: object) -> set[str]:
    return {type(found).__name__} if type(found).__module__.startswith("domain.usecases") else set()


def test_every_use_case_of_the_container_is_in_the_shop_for_tests() -> None:
    made = {
        provider.provides.__name__
        for provider in Container.providers.values()
        if getattr(getattr(provider, "provides", None), "__module__", "").startswith("domain.usecases")
    }
    here = set().union(*(_use_cases(getattr(of(), name)) for of, name in PARTS))
    assert len(made) > 25
    assert made - here == ELSEWHERE


@pytest.mark.parametrize(("of", "name"), PARTS)
def test_no_use_case_gets_another_part_than_in_the_container(of: type[Shop | Office], name: str) -> None:
    """By the names of its fields: what the container gives it, it is given here."""
    found = getattr(of(), name)
    if not _use_cases(found):
        return
    provider = next(
        one for one in Container.providers.values() if getattr(one, "provides", None) is type(found)
    )
    given = set(provider.kwargs)
    slots = {slot for slot in type(found).__dataclass_fields__ if getattr(found, slot) is not None}
    assert given <= slots
