"""Withdrawals: which wait, with the days that are left; accepting and refusing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from litestar import post, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.purchase import order_number
from domain.rights import NotAllowed, Verdict, verdict
from domain.usecases.decide_withdrawal import DecideWithdrawal
from domain.usecases.list_withdrawals import PAGE as ROWS
from domain.usecases.list_withdrawals import ListWithdrawals, WithdrawalSeen
from domain.usecases.refund_outcomes import NotRefunded
from domain.usecases.staff_access import SignedInStaff
from domain.usecases.withdrawal_outcomes import DecidedOn, DecidingOnWithdrawal, WhyUndecided
from domain.withdrawal import WithdrawalState, in_time
from entrypoints.admin.frame import AdminFrame, address_of
from entrypoints.admin.sale_sheets import not_refunded_words
from entrypoints.admin.sale_words import short_moment
from entrypoints.admin.tasks import days_words
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

WITHDRAWALS: Final = "/admin/withdrawals"
_STATES: Final = {
    WithdrawalState.OPEN: N_("waits for you"),
    WithdrawalState.ACCEPTED: N_("accepted"),
    WithdrawalState.REFUSED: N_("refused"),
}
_UNDECIDED: Final = {
    WhyUndecided.NO_SUCH_WITHDRAWAL: N_("There is no such withdrawal."),
    WhyUndecided.DECIDED_BEFORE: N_("It was decided before."),
    WhyUndecided.NO_REASON: N_("Please give a reason of at most 500 characters: the customer is emailed it."),
    WhyUndecided.NO_PURCHASE: N_("It matches no order, so there is nothing to refund."),
    WhyUndecided.NOT_PROVED: N_(
        "The customer has not confirmed that it is theirs. They were emailed a link; anybody can state an order number."
    ),
}


@dataclass(frozen=True, slots=True)
class WithdrawalsPages:
    """withdrawals."""

    frame: AdminFrame
    list_withdrawals: ListWithdrawals
    decide: DecideWithdrawal

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        one = f"{WITHDRAWALS}/{{withdrawal:str}}"
        return [
            route(WITHDRAWALS, http_method=PAGE, status_code=200)(self.all),
            route(f"{one}/accept", http_method=PAGE, status_code=200)(self.accepting),
            post(f"{one}/accept", status_code=303)(self.accepted),
            route(f"{one}/refuse", http_method=PAGE, status_code=200)(self.refusing),
            post(f"{one}/refuse", status_code=303)(self.refused),
        ]

    async def all(self, request: AnyRequest) -> RawResponse:
        """Those about an order, the newest first; `unmatched`: those that match none. `before`: an id."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        unmatched = bool(request.query_params.get("unmatched", ""))
        before = request.query_params.get("before", "")[:64]
        found = await self.list_withdrawals(matched=not unmatched, before=before)
        shop, now = self.frame.catalogue.current().shop, self.frame.clock.now()
        asked = {"unmatched": "1"} if unmatched else {}
        more = len(found) > ROWS
        older = (
            f"{WITHDRAWALS}?{urlencode({**asked, 'before': found[ROWS - 1].withdrawal.id})}" if more else ""
        )
        acts = verdict(self.frame.actor(here), AuditAction.REFUSE_WITHDRAWAL) is not Verdict.WRONG_ROLE
        return self.frame.html(
            request, "withdrawals.html", here=here, unmatched=unmatched, older=older, acts=acts,
            rows=[_row(one, shop.zone, now) for one in found[:ROWS]], zone=shop.timezone,
        )  # fmt: skip

    async def accepting(self, request: AnyRequest, withdrawal: FromPath[str]) -> RawResponse:
        """What accepting does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        turned = self.frame.fresh(here, AuditAction.ACCEPT_WITHDRAWAL, address_of(request))
        return turned or await self._accepting(request, here, withdrawal)

    async def accepted(self, request: AnyRequest, withdrawal: FromPath[str]) -> RawResponse:
        """Accept one."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.frame.submitted(request)
        outcome = await self.decide.accept(withdrawal, actor=self.frame.actor(here), form=form)
        if isinstance(outcome, DecidedOn):
            return self.frame.done(WITHDRAWALS, "withdrawal-accepted")
        if isinstance(outcome, NotAllowed):
            return self._turned(request, here, outcome)
        return await self._accepting(request, here, withdrawal, why=_why(outcome), status=409)

    async def refusing(self, request: AnyRequest, withdrawal: FromPath[str]) -> RawResponse:
        """What refusing does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        turned = self.frame.fresh(here, AuditAction.REFUSE_WITHDRAWAL, address_of(request))
        return turned or await self._refusing(request, here, withdrawal)

    async def refused(self, request: AnyRequest, withdrawal: FromPath[str]) -> RawResponse:
        """Refuse one, for a reason."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        reason = fields.get("reason", "")
        outcome = await self.decide.refuse(withdrawal, actor=self.frame.actor(here), form=form, reason=reason)
        if isinstance(outcome, DecidedOn):
            return self.frame.done(WITHDRAWALS, "withdrawal-refused")
        if isinstance(outcome, NotAllowed):
            return self._turned(request, here, outcome)
        status = 400 if outcome.why is WhyUndecided.NO_REASON else 409
        return await self._refusing(
            request, here, withdrawal, typed=reason, form=form, why=_why(outcome), status=status
        )

    async def _accepting(
        self, request: AnyRequest, here: SignedInStaff, withdrawal: str, *, why: str = "", status: int = 200
    ) -> RawResponse:
        seen = await self._seen(withdrawal)
        effects = [*_about(seen, self.frame.catalogue.current().shop.zone)]
        if seen.left is not None and seen.left.amount:
            effects.append(
                _("Stripe is asked to refund %(left)s. Access ends while that refund counts.", left=seen.left)
            )
        else:
            effects.append(_("Nothing is left to refund."))
        if seen.waived:
            effects.append(
                _("The customer had waived the right, and opened the purchase: you need not accept it.")
            )
        effects.append(_("The customer is emailed that you accepted it."))
        return self.frame.action(
            request, here, title=_("Accept this withdrawal"), effects=effects, button=_("Accept"),
            back=WITHDRAWALS, reason=False, danger=True, why=why, status=status,
        )  # fmt: skip

    async def _refusing(
        self, request: AnyRequest, here: SignedInStaff, withdrawal: str, *, typed: str = "", form: str = "",
        why: str = "", status: int = 200,
    ) -> RawResponse:  # fmt: skip
        seen = await self._seen(withdrawal)
        effects = [
            *_about(seen, self.frame.catalogue.current().shop.zone),
            _("The customer keeps their purchase. They are emailed your reason, as you write it here."),
        ]
        proof = _proof(seen, self.frame.catalogue.current().shop.zone)
        return self.frame.action(
            request, here, title=_("Refuse this withdrawal"), effects=effects, button=_("Refuse"), back=WITHDRAWALS,
            typed={"reason": typed or proof, "form": form}, why=why, status=status,
        )  # fmt: skip

    async def _seen(self, withdrawal: str) -> WithdrawalSeen:
        found = await self.list_withdrawals.one(withdrawal)
        if found is None:
            raise NotFoundException
        return found

    def _turned(self, request: AnyRequest, here: SignedInStaff, refused: NotAllowed) -> RawResponse:
        if refused.verdict is Verdict.PROVE_AGAIN:
            return self.frame.prove(address_of(request))
        return self.frame.refused(request, here, refused.verdict)


def _why(outcome: DecidingOnWithdrawal) -> str:
    if isinstance(outcome, NotRefunded):
        return not_refunded_words(outcome.why)
    return "" if isinstance(outcome, (DecidedOn, NotAllowed)) else _(_UNDECIDED[outcome.why])


def _about(seen: WithdrawalSeen, zone: tzinfo) -> list[str]:
    one, held = seen.withdrawal, seen.held
    said = [_("“%(contract)s”, in the name of %(name)s.", contract=one.contract, name=one.name)]
    if held is None:
        return [*said, _("It matches no order.")]
    purchase = held.purchase
    said.append(
        _("%(product)s, %(paid)s, order %(order)s.", product=purchase.product_name, paid=purchase.paid,
          order=order_number(purchase.checkout))
    )  # fmt: skip
    if not in_time(purchase, one.received_at, zone):
        said.append(_("It came more than 14 days after the purchase."))
    return said


def _proof(seen: WithdrawalSeen, zone: tzinfo) -> str:
    """What to answer where the right was waived, and lost; "" otherwise."""
    proof = seen.waiver
    if proof is None or proof.confirmed_at is None or proof.opened_at is None:
        return ""
    given, confirmed, opened = (
        f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
        for at in (proof.waiver.given_at, proof.confirmed_at, proof.opened_at)
    )
    return _(
        "On %(given)s you agreed that your right of withdrawal ends once you open your purchase. We confirmed that by "
        "email on %(confirmed)s, and you opened it on %(opened)s.", given=given, confirmed=confirmed, opened=opened,
    )  # fmt: skip


def _row(seen: WithdrawalSeen, zone: tzinfo, now: datetime) -> dict[str, object]:
    one, purchase = seen.withdrawal, None if seen.held is None else seen.held.purchase
    return {
        "id": one.id,
        "at": short_moment(one.received_at, zone, now=now),
        "name": one.name or _("deleted"),
        "contract": one.contract,
        "email": "" if one.email is None else one.email.canonical,
        "sale": "" if purchase is None else f"/admin/sales/{purchase.checkout}",
        "product": "" if purchase is None else purchase.product_name,
        "state": _(_STATES[one.state]),
        "tone": "bad" if one.state is WithdrawalState.OPEN and purchase is not None else "",
        "open": one.state is WithdrawalState.OPEN,
        "proved": one.proved_at is not None,
        "left": days_words(one, zone, now) if purchase is not None else "",
        "reason": one.reason,
    }
