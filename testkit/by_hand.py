"""What the merchant does by hand, each time as a request of its own unless its form is given."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from domain.audit import ENTROPY, AuditLine, ByHand
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.usecases.decision_outcomes import Deciding
from domain.usecases.list_audit import ListAudit
from domain.usecases.refund_outcomes import AskingForRefund
from domain.usecases.report_status import SentAgain
from domain.usecases.request_login import NotAnAddress
from domain.usecases.resend_outcomes import Resending
from domain.usecases.send_owner_link import OwnerLink
from domain.usecases.send_refused import Resent
from entrypoints.testing import Shop
from testkit.stepping import run

T = TypeVar("T")

CLI = Actor.on_host("ada")


def resend(shop: Shop, wanted: str, *, form: str = "") -> Resending:
    return run(shop.resend_to_customer(wanted, actor=CLI, form=form or _new(shop)))


def send_link(shop: Shop, order: str, typed: str, *, form: str = "") -> OwnerLink | NotAnAddress:
    return run(shop.send_owner_link(order, typed, actor=CLI, form=form or _new(shop)))


def dismiss(shop: Shop, ref: str, *, form: str = "") -> bool:
    found = _may(shop.report.dismiss(ref, actor=CLI, form=form or _new(shop), reason="not ours"))
    assert isinstance(found, bool)
    return found


def send_again(shop: Shop, key: str, *, form: str = "") -> SentAgain:
    return _may(shop.report.send_again(key, actor=CLI, form=form or _new(shop)))


def send_refused(shop: Shop, *, form: str = "") -> Resent:
    return _may(shop.send_refused(actor=CLI, form=form or _new(shop)))


def _may(act: Coroutine[Any, Any, T | NotAllowed]) -> T:
    outcome = run(act)
    assert not isinstance(outcome, NotAllowed)
    return outcome


def revoke(shop: Shop, order: str, *, form: str = "", reason: str = "stolen", tell: bool = True) -> Deciding:
    return run(shop.revoke(order, actor=CLI, form=form or _new(shop), reason=reason, tell=tell))


def restore(shop: Shop, order: str, *, form: str = "", reason: str = "sorry", tell: bool = True) -> Deciding:
    return run(shop.restore(order, actor=CLI, form=form or _new(shop), reason=reason, tell=tell))


def refund(
    shop: Shop, order: str, typed: str = "", *, form: str = "", reason: str = "too late", close: bool = False,
    tell: bool = True,
) -> AskingForRefund:  # fmt: skip
    form = form or _new(shop)
    return run(shop.request_refund(order, typed, actor=CLI, form=form, reason=reason, close=close, tell=tell))


def asked(shop: Shop) -> ByHand:
    """Something that a command does."""
    return ByHand.asked(CLI, form=_new(shop), now=shop.clock.now(), entropy=shop.randomness.token(ENTROPY))


def log(shop: Shop) -> list[AuditLine]:
    async def every() -> list[AuditLine]:
        return [line async for line in ListAudit(shop.store)()]

    return run(every())


def _new(shop: Shop) -> str:
    return shop.randomness.token(16).hex()
