"""Withdraw from a contract: the form, the statement to confirm, and its acknowledgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from litestar import post, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.access import Holding
from domain.keys import Keyring
from domain.ports import Clock, Randomness
from domain.purchase import order_number
from domain.usecases.confirm_withdrawal import ConfirmWithdrawal
from domain.usecases.find_withdrawal import FindWithdrawal
from domain.usecases.identify_viewer import Viewer
from domain.usecases.withdrawal_outcomes import Statement
from domain.values import CheckoutId, EmailAddress, InvalidEmail, sortable_id
from domain.withdrawal import LONGEST, Withdrawal, can_be_withdrawn, in_time, written
from entrypoints.http.dates import day
from entrypoints.http.form_errors import email_error
from entrypoints.http.page import PERSONAL, AnyRequest, PageFrame
from entrypoints.http.request_body import form_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _, money
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

AT: Final = "/withdraw"
_OTHER: Final = "other"
"""The choice of a purchase that this browser does not hold."""
_GOOD_FOR: Final = timedelta(hours=24)
"""How long a statement that is shown can be confirmed."""
_FIELDS: Final = ("name", "order", "contract", "email")
_LACKING: Final = {
    "name": N_("Please write your name: at most 200 characters."),
    "contract": N_("Please write the order number, or what you bought and when: at most 200 characters."),
}


@dataclass(frozen=True, slots=True)
class WithdrawalPages:
    """Everything under /withdraw. It works without an account, without a reason, and without script."""

    frame: PageFrame
    confirm_withdrawal: ConfirmWithdrawal
    find_withdrawal: FindWithdrawal
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/withdraw", http_method=PAGE, status_code=200)(self.form),
            post("/withdraw", status_code=200)(self.statement),
            post("/withdraw/confirm", status_code=200)(self.confirm),
            route("/withdraw/{withdrawal:str}/{proof:str}", http_method=PAGE, status_code=200)(self.file),
        ]

    async def form(self, request: AnyRequest) -> RawResponse:
        """What this browser holds, to choose from, or free fields."""
        self._offered()
        viewer = await self.frame.viewer(request)
        known = (
            ""
            if viewer.session is None or viewer.session.mailbox is None
            else viewer.session.mailbox.canonical
        )
        return self._form(request, viewer, {"email": known}, {})

    async def statement(self, request: AnyRequest) -> RawResponse:
        """The statement in full sentences, with one button. Nothing is stored yet."""
        self._offered()
        form = await form_of(request)
        viewer = await self.frame.viewer(request)
        typed = {name: form.get(name, "") for name in _FIELDS}
        chosen = _chosen(viewer, typed["order"])
        errors = _errors(typed, chosen)
        name, contract = written(typed["name"]) or "", _contract(typed, chosen)
        if errors or not name or not contract:
            return self._form(request, viewer, typed, errors, status=422)
        now = self.clock.now()
        fields = {
            "form": sortable_id(now=now, entropy=self.randomness.token(10)),
            "name": name,
            "contract": contract,
            "email": EmailAddress.parse(typed["email"]).canonical,
            "order": "" if chosen is None else str(chosen.purchase.checkout),
            "at": str(int(now.timestamp())),
        }
        fields["signature"] = self.keyring.sign_statement(*_signed(fields))
        return self.frame.html(
            request, "withdraw_statement.html", viewer=viewer, noindex=True, fields=fields,
        )  # fmt: skip

    async def confirm(self, request: AnyRequest) -> RawResponse:
        """Receive the statement, once however often it is confirmed, and say so with date and time."""
        self._offered()
        form = await form_of(request)
        fields = {name: form.get(name, "") for name in ("form", "name", "contract", "email", "order", "at")}
        if not self.keyring.statement_holds(form.get("signature", ""), *_signed(fields)):
            return self._begin_again(request)
        begun = int(fields["at"])
        if self.clock.now().timestamp() - begun > _GOOD_FOR.total_seconds():
            return self._begin_again(request)
        statement = Statement(
            name=fields["name"], contract=fields["contract"], email=EmailAddress.parse(fields["email"]),
            checkout=CheckoutId(fields["order"]) if fields["order"] else None,
        )  # fmt: skip
        found = await self.confirm_withdrawal(self.frame.visitor(request), statement, form=fields["form"])
        received = found.withdrawal
        return self.frame.html(
            request, "withdrawn.html", viewer=await self.frame.viewer(request), noindex=True,
            received=_words(received), emailed=found.emailed, at=self._second(received.received_at),
            file=f"{AT}/{received.id}/{self.keyring.sign_statement('file', received.id)}",
        )  # fmt: skip

    async def file(self, request: AnyRequest, withdrawal: FromPath[str], proof: FromPath[str]) -> RawResponse:
        """The acknowledgement as a text file, for who has the address that its page gave."""
        known = self.keyring.statement_holds(proof, "file", withdrawal)
        found = await self.find_withdrawal(withdrawal) if known else None
        if found is None or not found.name:
            raise NotFoundException
        lines = (
            self.frame.catalogue.current().shop.name,
            _("Acknowledgement of a withdrawal"),
            "",
            _("Received: %(at)s", at=self._second(found.received_at)),
            *(f"{label}: {said}" for label, said in _words(found)),
            "",
            _("This confirms that the statement was received. It does not decide about it."),
        )
        name = f'attachment; filename="withdrawal-{found.received_at:%Y-%m-%d}.txt"'
        headers = [PERSONAL, ("content-disposition", name), ("x-robots-tag", "noindex")]
        text = "\n".join(lines) + "\n"
        return RawResponse(text.encode(), headers=headers, media_type="text/plain; charset=utf-8")

    def _offered(self) -> None:
        """Without `[law] withdrawal`, there is no such page."""
        if not self.frame.catalogue.current().shop.law.withdrawal:
            raise NotFoundException

    def _form(
        self, request: AnyRequest, viewer: Viewer, typed: Mapping[str, str], errors: Mapping[str, str], *,
        status: int = 200,
    ) -> RawResponse:  # fmt: skip
        now, zone = self.clock.now(), self.frame.zone
        held = sorted(_offers(viewer), key=lambda one: one.purchase.booked_at, reverse=True)
        parts = [
            (_("Bought in the last 14 days"), [one for one in held if in_time(one.purchase, now, zone)]),
            (_("Bought earlier"), [one for one in held if not in_time(one.purchase, now, zone)]),
        ]
        return self.frame.html(
            request, "withdraw.html", viewer=viewer, noindex=True, status=status, longest=LONGEST,
            typed={name: typed.get(name, "") for name in _FIELDS}, errors=errors, other=_OTHER,
            parts=[(title, [self._choice(one) for one in found]) for title, found in parts if found],
        )  # fmt: skip

    def _choice(self, held: Holding) -> dict[str, Any]:
        purchase = held.purchase
        return {
            "order": purchase.checkout, "number": order_number(purchase.checkout), "name": purchase.product_name,
            "paid": money(purchase.paid), "day": day(purchase.booked_at, self.frame.zone),
        }  # fmt: skip

    def _begin_again(self, request: AnyRequest) -> RawResponse:
        return self.frame.notice(
            request,
            _("Please state it again"),
            _("This page is more than a day old, or was changed on its way. Nothing was received."),
            status=409,
            action_url=AT,
            action_label=_("Withdraw from contract here"),
        )

    def _second(self, at: datetime) -> str:
        """To the second, with the zone's name: in the night when the clocks go back, an hour comes twice."""
        there = at.astimezone(self.frame.zone)
        return f"{day(at, self.frame.zone)}, {there:%H:%M:%S} {there.tzname()}"


def _offers(viewer: Viewer) -> list[Holding]:
    return [held for held in viewer.holdings if can_be_withdrawn(held.purchase)]


def _chosen(viewer: Viewer, order: str) -> Holding | None:
    return next((held for held in _offers(viewer) if held.purchase.checkout == order), None)


def _contract(typed: Mapping[str, str], chosen: Holding | None) -> str:
    if chosen is None:
        return written(typed["contract"]) or ""
    purchase = chosen.purchase
    return written(f"{order_number(purchase.checkout)}, {purchase.product_name}"[:LONGEST]) or ""


def _errors(typed: Mapping[str, str], chosen: Holding | None) -> dict[str, str]:
    lacking = {"name": written(typed["name"]) is None}
    lacking["contract"] = chosen is None and written(typed["contract"]) is None
    errors = {name: _(_LACKING[name]) for name, lacks in lacking.items() if lacks}
    try:
        EmailAddress.parse(typed["email"])
    except InvalidEmail as error:
        errors["email"] = email_error(error.problem)
    return errors


def _signed(fields: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(fields[name] for name in ("form", "name", "contract", "email", "order", "at"))


def _words(received: Withdrawal) -> list[tuple[str, str]]:
    """What was stated: labels and what they say."""
    email = "" if received.email is None else received.email.canonical
    return [
        (_("I withdraw from my contract"), received.contract),
        (_("Name"), received.name),
        (_("Email address for the acknowledgement"), email),
    ]
