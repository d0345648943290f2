"""The id of a form comes from a browser, which may send any: nothing is done, or refused, without a line of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from domain import usecases
from domain.audit import AuditLine, AuditResult
from domain.export import Export, ExportKind
from domain.rights import NotAllowed, Verdict
from domain.sale_list import SaleFilter
from domain.staff import Role
from domain.usecases.erase_customer import CustomerErased
from domain.usecases.grant_outcomes import Granted
from domain.usecases.manage_staff import StaffChange
from domain.usecases.refund_outcomes import RefundAsked
from domain.values import CheckoutId
from entrypoints.testing import BOOK, PHOTOS, Browser
from entrypoints.testing.office import Colleague, Office
from testkit.by_hand import log
from testkit.stepping import run

WRONG_ROLE = NotAllowed(Verdict.WRONG_ROLE)
_APPENDS = {"authorise.py", "link_audit.py"}
"""The modules that add lines themselves: the one that all others call, and the timer that counts refused sign-ins."""


@pytest.fixture
def office() -> Office:
    office = Office()
    browser = Browser(office.shop)
    browser.buy_and_pay("anna@example.com")
    office.shop.deliver_mail()
    return office


def order_of(office: Office) -> CheckoutId:
    return min(office.shop.memory.tables.purchases)


def used_form(office: Office, colleague: Colleague) -> str:
    """One that named the export of a list: an act that is about no purchase."""
    form, wanted = office.form(), Export.of(ExportKind.AUDIT, frozenset(), sales=SaleFilter())
    assert not isinstance(run(office.export(wanted, actor=colleague.actor, form=form)), NotAllowed)
    return form


def lines_of(office: Office, action: str) -> list[AuditLine]:
    return [line for line in log(office.shop) if line.action.value == action]


ACTS: dict[str, Any] = {
    "grant": lambda shop, office, order, told: shop.grant_product(PHOTOS, "b@example.com", reason="gift", **told),
    "refund": lambda shop, office, order, told: shop.request_refund(order, "1.00", reason="late", **told),
    "revoke": lambda shop, office, order, told: shop.revoke(order, reason="stolen", **told),
    "announce": lambda shop, office, order, told: shop.announce(BOOK, **told),
    "write-note": lambda shop, office, order, told: office.write_note(order, "hello", **told),
    "correct-address": lambda shop, office, order, told: office.correct_address.order(
        order, "new@example.com", reason="typo", **told
    ),
    "merge-customers": lambda shop, office, order, told: office.merge_customers(
        "anna@example.com", "ben@example.com", reason="one", **told
    ),
    "hand-over-data": lambda shop, office, order, told: shop.hand_over_data("anna@example.com", **told),
    "reconcile": lambda shop, office, order, told: office.reconcile(**told),
    "invite-staff": lambda shop, office, order, told: office.invite("new@example.com", Role.VIEWER, **told),
}  # fmt: skip


@pytest.mark.parametrize("action", ACTS)
def test_a_form_that_named_something_else_hides_no_act(office: Office, action: str) -> None:
    Browser(office.shop).buy_and_pay("ben@example.com")
    owner = office.member("owner@example.com")
    form, before = used_form(office, owner), lines_of(office, action)
    told: dict[str, Any] = {"actor": owner.actor, "form": form}
    run(ACTS[action](office.shop, office, order_of(office), told))
    [line] = [line for line in lines_of(office, action) if line not in before]
    assert (line.actor, line.result, form in line.form) == (owner.actor.name, AuditResult.DONE, True)


def test_every_download_of_a_list_is_a_line_also_from_one_page(office: Office) -> None:
    owner = office.member("owner@example.com")
    wanted = Export.of(ExportKind.CUSTOMERS, frozenset({"address"}), sales=SaleFilter())
    for _ in range(3):
        assert not isinstance(run(office.export(wanted, actor=owner.actor, form="f" * 32)), NotAllowed)
    assert len(lines_of(office, "export-with-addresses")) == 3


def test_each_thing_that_is_refused_is_a_line_and_the_same_again_is_none(office: Office) -> None:
    viewer, shop, form = office.member("v@example.com", Role.VIEWER), office.shop, "f" * 32
    order, told = order_of(office), {"actor": viewer.actor, "form": form}
    for _ in range(2):
        assert run(shop.revoke(order, reason="x", **told)) == WRONG_ROLE
        assert run(shop.restore(order, reason="x", **told)) != WRONG_ROLE, "there is nothing to restore"
        assert run(shop.grant_product(PHOTOS, "b@example.com", reason="x", **told)) == WRONG_ROLE
        assert run(office.write_note(order, "x", **told)) == WRONG_ROLE
    refused = [
        (line.action.value, line.object_id) for line in log(shop) if line.result is AuditResult.REFUSED
    ]
    assert sorted(refused) == [("grant", PHOTOS), ("revoke", order), ("write-note", order)]


@pytest.mark.parametrize(
    "typed", ["victim@example.com", "victim%40example.com", "he took it", "=cmd()", "a\nb", "x" * 201, "é"]
)
def test_the_log_holds_nothing_that_was_typed(office: Office, typed: str) -> None:
    viewer = office.member("v@example.com", Role.VIEWER)
    for known in (order_of(office), typed):
        run(office.manage.disable(known, actor=viewer.actor, form=office.form()))  # type: ignore[arg-type]  # typed
    assert [line.object_id for line in lines_of(office, "disable-staff")] == [order_of(office), ""]


def test_no_reason_is_kept_about_somebody_who_was_deleted(office: Office) -> None:
    order, owner = order_of(office), office.member("owner@example.com")
    told: dict[str, Any] = {"actor": owner.actor, "reason": "Anna Smith lied"}
    assert run(office.erase_customer("anna@example.com", form=office.form(), **told)) == CustomerErased()
    run(office.shop.revoke(order, form=office.form(), **told))
    run(office.shop.restore(order, form=office.form(), **told))
    found = {line.action.value: line for line in log(office.shop) if line.actor == owner.actor.name}
    assert {"erase-customer", "revoke", "restore"} <= found.keys()
    assert all(line.reason == line.salt == "" for line in found.values())
    assert found["revoke"].reason_hash, "that there was one stays"


def test_no_use_case_adds_a_line_past_the_one_function_that_loses_none() -> None:
    folder = Path(str(usecases.__file__)).parent
    found = {path.name for path in folder.glob("*.py") if re.search(r"\baudit\.append\b", path.read_text())}
    assert found == _APPENDS


# ------------------------------------------------------------------ whoever asked may have changed meanwhile


def after(office: Office, owner: Colleague, change: str) -> None:
    """What happened to an owner while their request was on its way."""
    boss = office.member("boss@example.com")
    here = owner.here
    assert here is not None
    told: dict[str, Any] = {"actor": boss.actor, "form": office.form()}
    match change:
        case "disabled":
            assert run(office.manage.disable(here.member.id, **told)) is StaffChange.DONE
        case "demoted":
            assert run(office.manage.set_role(here.member.id, Role.SUPPORT, **told)) is StaffChange.DONE
        case "signed out":
            assert run(office.sign_out(owner.visitor))
        case _:
            other = Colleague(office, "owner@example.com")
            other.device = owner.device
            other.sign_in()
            assert run(office.sign_out.others(other.visitor, form=office.form())) == 1


@pytest.mark.parametrize("change", ["disabled", "demoted", "signed out", "signed out elsewhere"])
def test_a_request_that_arrives_slowly_does_nothing_for_whoever_may_not_any_more(
    office: Office, change: str
) -> None:
    owner, shop = office.member("owner@example.com"), office.shop
    asked_by, order = owner.actor, order_of(office)
    after(office, owner, change)
    told: dict[str, Any] = {"actor": asked_by}
    answers = [
        run(office.invite("friend@example.com", Role.OWNER, form=office.form(), **told)),
        run(shop.request_refund(order, "", form=office.form(), reason="x", **told)),
        run(shop.grant_product(PHOTOS, "b@example.com", form=office.form(), reason="x", **told)),
        run(office.manage.enable(asked_by.staff or order, form=office.form(), **told)),  # type: ignore[arg-type]  # has one
    ]
    assert answers == [WRONG_ROLE] * 4
    refused = [line for line in log(shop) if line.result is AuditResult.REFUSED]
    assert {line.actor for line in refused} == {asked_by.name}
    assert len(refused) == 4


def test_a_session_goes_on_under_a_new_token(office: Office) -> None:
    """A passkey that is used again while a request is on its way takes nothing from it."""
    owner, order = office.member("owner@example.com"), order_of(office)
    asked_by = owner.actor
    owner.prove_again()
    asked = run(office.shop.request_refund(order, "", actor=asked_by, form=office.form(), reason="x"))
    assert isinstance(asked, RefundAsked)
    assert isinstance(
        run(
            office.shop.grant_product(PHOTOS, "b@example.com", actor=asked_by, form=office.form(), reason="x")
        ),
        Granted,
    )
