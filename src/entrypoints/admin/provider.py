"""The page "Stripe": what it has that the shop does not, and the other way round; and asking it by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from litestar import post, route
from litestar.params import FromPath

from domain.audit import AuditAction, reason_of
from domain.ports import PaymentsRefused, PaymentsUnreachable, StoreUnavailable
from domain.rights import NotAllowed, Verdict, verdict
from domain.usecases.compare_with_provider import CompareWithProvider
from domain.usecases.read_again import AskProvider, ReadAgain
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.report_status import ReportStatus
from domain.usecases.staff_access import SignedInStaff
from entrypoints.admin import words
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.sale_words import dashboard
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _, ngettext
from entrypoints.http.shop import PAGE
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

STRIPE: Final = "/admin/stripe"
_AT_ONCE: Final = 50
_WAITS: Final = 20.0
"""Seconds that a page waits for a sweep, which goes on without it."""
_READ: Final = {
    ReadAgain.REPAIRED: N_("Stripe had something new: it is booked or noted now."),
    ReadAgain.KNOWN: N_("The shop knows it as Stripe does: nothing changed."),
    ReadAgain.AWAITING: N_("Its money is under way: the bank has not answered yet."),
    ReadAgain.FOREIGN: N_("It is no sale of this shop."),
    ReadAgain.REFUSED: N_("The shop does not act on it: it is in quarantine, with the reason."),
    ReadAgain.NOT_THERE: N_("Stripe knows no such payment, or nothing was paid."),
    ReadAgain.UNREACHABLE: N_("Stripe could not be reached. The payment is asked about again by itself."),
    ReadAgain.NOT_AN_ID: N_("Write the id of a payment (pi_…) or of a checkout session (cs_…)."),
}


@dataclass(slots=True)
class LastSweep:
    """What a sweep that was asked for in this process found."""

    at: datetime | None = None
    found: Reconciled | None = None
    problem: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self.task is not None and not self.task.done()

    @property
    def word(self) -> str:
        """Of `entrypoints.admin.notices`; "" if it failed, which the page says itself."""
        if self.running:
            return "reconciling"
        return "" if self.found is None else "reconciled"


@dataclass(frozen=True, slots=True)
class ProviderPages:
    """stripe."""

    frame: AdminFrame
    compare: CompareWithProvider
    ask: AskProvider
    report_status: ReportStatus
    livemode: bool
    """Of the key: where the dashboard shows what it names."""
    last: LastSweep

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(STRIPE, http_method=PAGE, status_code=200)(self.page),
            route(f"{STRIPE}/reconcile", http_method=PAGE, status_code=200)(self.sweeping),
            post(f"{STRIPE}/reconcile", status_code=303)(self.swept),
            post(f"{STRIPE}/read", status_code=200)(self.read_any),
            route(f"{STRIPE}/{{ref:str}}/read", http_method=PAGE, status_code=200)(self.reading),
            post(f"{STRIPE}/{{ref:str}}/read", status_code=200)(self.read),
            route(f"{STRIPE}/{{ref:str}}/dismiss", http_method=PAGE, status_code=200)(self.dismissing),
            post(f"{STRIPE}/{{ref:str}}/dismiss", status_code=303)(self.dismissed),
        ]

    async def page(self, request: AnyRequest) -> RawResponse:
        """What differs, and the log of webhooks (`before`: the time and id of one)."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found = await self.compare()
        events = await self.compare.events(before=_mark(request), limit=_AT_ONCE + 1)
        last, more = events[_AT_ONCE - 1 : _AT_ONCE], len(events) > _AT_ONCE
        older = f"{STRIPE}?before={last[0].at.timestamp():.6f}-{last[0].event.id}#events" if more else ""
        return self.frame.html(
            request, "stripe.html", here=here, found=found, events=events[:_AT_ONCE], older=older,
            reasons={entry.ref: _(words.REASONS[entry.reason]) for entry in found.quarantined},
            foreign=foreign_words(found.foreign), dashboard=partial(dashboard, livemode=self.livemode),
            last=self.last, running=self.last.running,
            books=verdict(self.frame.actor(here), AuditAction.BOOK_PAYMENT) is not Verdict.WRONG_ROLE,
            acts=verdict(self.frame.actor(here), AuditAction.RECONCILE) is Verdict.MAY,
        )  # fmt: skip

    async def sweeping(self, request: AnyRequest) -> RawResponse:
        """What reconciling does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        effects = [
            _(
                "Stripe is asked for its checkouts, refunds and disputes. What no webhook brought is booked or noted."
            ),
            _(
                "Customers of sales that were missed are emailed their access links. This may take some minutes."
            ),
        ]
        return self.frame.fresh(here, AuditAction.RECONCILE, STRIPE) or self.frame.action(
            request,
            here,
            title=_("Reconcile now"),
            effects=effects,
            button=_("Reconcile"),
            back=STRIPE,
            reason=False,
        )

    async def swept(self, request: AnyRequest) -> RawResponse:
        """Reconcile. What takes longer than the page waits goes on without it."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.frame.submitted(request)
        actor = self.frame.actor(here)
        if verdict(actor, AuditAction.RECONCILE) is not Verdict.MAY:
            await self.ask.sweep(actor=actor, form=form)  # writes down that it was refused
            return self.frame.refused(request, here)
        if not self.last.running:
            self.last.task = asyncio.create_task(self._sweep(self.ask.sweep(actor=actor, form=form)))
        assert self.last.task is not None
        await asyncio.wait([self.last.task], timeout=_WAITS)
        self.frame.waiting.forget()
        return self.frame.done(STRIPE, self.last.word)

    async def _sweep(self, sweep: Coroutine[object, object, Reconciled | NotAllowed]) -> None:
        try:
            found = await sweep
            self.last.found, self.last.problem = (None, "") if isinstance(found, NotAllowed) else (found, "")
        except (PaymentsUnreachable, PaymentsRefused, StoreUnavailable) as error:
            self.last.found, self.last.problem = None, str(error) or _("Stripe could not be reached.")
        except Exception as error:  # nobody awaits the result of its task
            self.last.found, self.last.problem = None, _("It broke off. The log of the shop says why.")
            log.error("a comparison with the payment provider broke off", exc_info=error)
        self.last.at = self.frame.clock.now()

    async def reading(self, request: AnyRequest, ref: FromPath[str]) -> RawResponse:
        """What reading again does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        effects = [
            _(
                "Stripe is asked about %(ref)s. A sale that fits by now is booked, and its customer is emailed.",
                ref=ref,
            )
        ]
        return self.frame.fresh(here, AuditAction.READ_AGAIN, STRIPE) or self.frame.action(
            request,
            here,
            title=_("Read it again"),
            effects=effects,
            button=_("Read"),
            back=STRIPE,
            reason=False,
        )

    async def read(self, request: AnyRequest, ref: FromPath[str]) -> RawResponse:
        """Read what the address names."""
        return await self._read(request, ref)

    async def read_any(self, request: AnyRequest) -> RawResponse:
        """Read what was typed."""
        return await self._read(request, None)

    async def _read(self, request: AnyRequest, ref: str | None) -> RawResponse:
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        wanted = fields.get("ref", "").strip() if ref is None else ref
        try:
            found = await self.ask.read(wanted, actor=self.frame.actor(here), form=form)
        except PaymentsUnreachable:
            found = ReadAgain.UNREACHABLE
        except PaymentsRefused as error:
            return self.frame.notice(
                request, here, _("Stripe refused to answer"), str(error), status=502, back=STRIPE
            )
        if isinstance(found, NotAllowed):
            return self.frame.refused(request, here)
        status = 400 if found is ReadAgain.NOT_AN_ID else 200
        return self.frame.notice(
            request, here, wanted[:200] or _("Nothing typed"), _(_READ[found]), status=status, back=STRIPE
        )

    async def dismissing(self, request: AnyRequest, ref: FromPath[str]) -> RawResponse:
        """What dismissing a payment does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        return self.frame.fresh(here, AuditAction.DISMISS_PAYMENT, STRIPE) or self._dismissal(
            request, here, ref
        )

    async def dismissed(self, request: AnyRequest, ref: FromPath[str]) -> RawResponse:
        """Dismiss a payment, for a reason."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        reason, actor = reason_of(fields.get("reason", "")), self.frame.actor(here)
        if reason is None and verdict(actor, AuditAction.DISMISS_PAYMENT) is Verdict.MAY:
            why = _("Please give a reason of at most 500 characters.")
            return self._dismissal(request, here, ref, typed=fields, why=why, status=400)
        done = await self.report_status.dismiss(ref, actor=actor, form=form, reason=reason or "")
        if isinstance(done, NotAllowed):
            return self.frame.refused(request, here)
        return self.frame.done(STRIPE, "dismissed" if done is True else "gone")

    def _dismissal(
        self, request: AnyRequest, here: SignedInStaff, ref: str, *, typed: Mapping[str, str] | None = None,
        why: str = "", status: int = 200,
    ) -> RawResponse:  # fmt: skip
        effects = [
            _("%(ref)s leaves the list. Nothing is booked, no money moves, and nobody is emailed.", ref=ref),
            _("If it was a payment to this shop, refund it in Stripe's dashboard."),
        ]
        return self.frame.action(
            request, here, title=_("Dismiss this payment"), effects=effects, button=_("Dismiss"), back=STRIPE,
            typed=typed, why=why, status=status,
        )  # fmt: skip


def _mark(request: AnyRequest) -> tuple[datetime, str] | None:
    at, _dash, event = request.query_params.get("before", "").partition("-")
    try:
        return datetime.fromtimestamp(float(at), tz=UTC), event
    except (ValueError, OverflowError, OSError):
        return None


def foreign_words(number: int) -> str:
    """How many payments are none of this shop's; "" for none."""
    if not number:
        return ""
    return ngettext(
        "Not listed: %(number)d payment of another program on the same Stripe account, in the last 90 days.",
        "Not listed: %(number)d payments of other programs on the same Stripe account, in the last 90 days.",
        number,
    )
