"""The page of one customer, and the file with their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import post, route
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.customer_list import CustomerRow
from domain.mail import Delivery
from domain.product import CatalogueEdition
from domain.purchase import PurchaseState, order_number
from domain.rights import NotAllowed, Verdict, verdict
from domain.sale_list import sale_state
from domain.staff import Role
from domain.usecases.hand_over_data import HandOverData
from domain.usecases.list_staff import ListStaff
from domain.usecases.show_customer import Customer
from domain.usecases.show_person import Person, ShowPerson
from domain.usecases.sign_out_customer import NoSuchCustomer
from domain.usecases.staff_access import SignedInStaff
from domain.values import Money, ProductId, is_product_id
from entrypoints.admin.customer_words import access_sentence, browser_row, change_row, mail_row
from entrypoints.admin.customers import AT
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.sale_filter import AT as SALES
from entrypoints.admin.sale_words import masked_key, short_moment, slug, state_name
from entrypoints.admin.timeline_words import lines_of
from entrypoints.http.page import PERSONAL, AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE
from entrypoints.maintenance.export_format import own_data_fields

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_AT_ONCE: Final = 20
"""Emails and lines of the timeline that are shown before the rest is folded."""
ACTIONS: Final[Mapping[str, tuple[AuditAction, str]]] = {
    "resend": (AuditAction.RESEND, N_("Send the access link again")),
    "address": (AuditAction.CORRECT_ADDRESS, N_("Correct the address")),
    "grant": (AuditAction.GRANT, N_("Give a free copy")),
    "sign-out": (AuditAction.SIGN_OUT_CUSTOMER, N_("Sign out everywhere")),
    "merge": (AuditAction.MERGE_CUSTOMERS, N_("Merge with another customer")),
    "data": (AuditAction.HAND_OVER_DATA, N_("Download their data")),
    "erase": (AuditAction.ERASE_CUSTOMER, N_("Delete their data")),
}
"""By name: how an action is audited, and what its link says."""


@dataclass(frozen=True, slots=True)
class CustomerPages:
    """customer."""

    frame: AdminFrame
    show: ShowPerson
    hand_over: HandOverData
    list_staff: ListStaff
    livemode: bool

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(f"{AT}/{{user:str}}", http_method=PAGE, status_code=200)(self.customer),
            route(f"{AT}/{{user:str}}/data", http_method=PAGE, status_code=200)(self.ask_data),
            post(f"{AT}/{{user:str}}/data", status_code=200)(self.data),
        ]

    async def customer(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """All about one customer. `?product=`: one more whose access is explained."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        asked = request.query_params.get("product", "")
        product = ProductId(asked) if is_product_id(asked) else None
        person = await self.show.of_user(user, product=product)
        if person is None:
            return self._unknown(request, here)
        rows = await self.list_staff()
        names = {f"staff:{row.member.id}": row.member.email.canonical for row in rows}
        shown = self._shown(person, here, names) | {"asked_product": product or ""}
        return self.frame.html(request, "customer.html", here=here, **shown)

    def _unknown(self, request: AnyRequest, here: SignedInStaff) -> RawResponse:
        return self.frame.notice(
            request, here, _("There is no such customer"),
            _("They may have changed their address, or have been merged with another customer or deleted. "
              "The orders of a deleted customer stay in the list of sales, without their address."),
            status=404, back=AT,
        )  # fmt: skip

    def _shown(self, person: Person, here: SignedInStaff, names: Mapping[str, str]) -> dict[str, Any]:
        customer, edition = person.customer, self.frame.catalogue.current()
        user, mailbox = customer.user, customer.mailbox
        if user is None or mailbox is None:
            raise AssertionError("a customer has a user")
        zone, now = edition.shop.zone, customer.now
        sales = [held.purchase for held in customer.holdings]
        lines = lines_of(person.timeline, names=names, sales=sales, zone=zone, now=now)
        viewer = here.member.role is Role.VIEWER
        mails = sorted(customer.mails, key=lambda mail: (mail.queued_at, mail.key), reverse=True)
        mail_rows = [mail_row(mail, zone, now=now, masked=viewer) for mail in mails]
        row = CustomerRow(user=user, holdings=customer.holdings, seen_at=None)
        seen = max((session.seen_at for session in customer.sessions), default=None)
        return {
            "at": f"{AT}/{user.id}", "mailbox": mailbox, "user": user,
            "since": short_moment(user.since, zone, now=now),
            "verified": "" if user.proved_at is None else short_moment(user.proved_at, zone, now=now),
            "seen": "" if seen is None else short_moment(seen, zone, now=now),
            "spent": [str(Money(sum_, currency)) for currency, sum_ in row.spent(livemode=self.livemode)],
            "bounced": _bounced(customer), "actions": self._actions(customer, here, f"{AT}/{user.id}"),
            "access": self._access(person, edition), "products": _products(person, edition),
            "sales": [self._sale(customer, n, edition) for n in reversed(range(len(sales)))],
            "pending": [(one.product_name, one.price) for one in customer.pending],
            "keys": [
                (edition.name_of(one.product), masked_key(one.key) if viewer else one.key)
                for sale in sales for one in sale.licences
            ],
            "browsers": [browser_row(session, zone, now=now) for session in customer.sessions],
            "changes": [change_row(one, zone, now=now) for one in reversed(customer.changes)],
            "mails": mail_rows[:_AT_ONCE], "older_mails": mail_rows[_AT_ONCE:],
            "lines": lines[:_AT_ONCE], "older_lines": lines[_AT_ONCE:], "zone": edition.shop.timezone,
        }  # fmt: skip

    def _access(self, person: Person, edition: CatalogueEdition) -> list[dict[str, Any]]:
        """Of every product: its name, whether it opens, and why (not)."""
        bought = {held.purchase.product: held.purchase.product_name for held in person.customer.holdings}
        found = []
        for one in person.access:
            opens, why = access_sentence(one, person.customer, edition, edition.shop.zone)
            name = bought.get(one.product) or edition.name_of(one.product)
            found.append({"id": one.product, "name": name, "opens": opens, "why": why})
        return found

    def _sale(self, customer: Customer, number: int, edition: CatalogueEdition) -> dict[str, Any]:
        held = customer.holdings[number]
        purchase, state = held.purchase, sale_state(held)
        other = purchase.paid_email not in (None, customer.mailbox)
        return {
            "at": f"{SALES}/{purchase.checkout}", "order": order_number(purchase.checkout),
            "when": short_moment(purchase.booked_at, edition.shop.zone, now=customer.now),
            "product": purchase.product_name, "state": state_name(state), "tone": slug(state),
            "paid": str(purchase.paid), "test": self.livemode and purchase.livemode is False,
            "unopened": purchase.opened_at is None and held.standing.state is PurchaseState.LIVE,
            "paid_with": str(purchase.paid_email) if other else "",
        }  # fmt: skip

    def _actions(self, customer: Customer, here: SignedInStaff, at: str) -> list[tuple[str, str, str]]:
        """The actions that their role may do and that do something here: name, address, what the link says."""
        actor, fits = self.frame.actor(here), dict.fromkeys(ACTIONS, True)
        live = [
            held.purchase.checkout for held in customer.holdings if held.standing.state is PurchaseState.LIVE
        ]
        fits["resend"] = bool(live)
        fits["sign-out"] = any(session.is_live(now=customer.now) for session in customer.sessions)
        elsewhere = {
            "resend": f"{SALES}/{live[-1]}/resend" if live else "",
            "grant": "/admin/grant?" + urlencode({"address": str(customer.mailbox or "")}),
        }
        return [
            (name, elsewhere.get(name, f"{at}/{name}"), _(label))
            for name, (action, label) in ACTIONS.items()
            if fits[name] and verdict(actor, action) is not Verdict.WRONG_ROLE
        ]

    # ------------------------------------------------------------------ the file with their data

    async def ask_data(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """What is in the file, and a button."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        elsewhere = self.frame.fresh(here, AuditAction.HAND_OVER_DATA, request.scope["path"])
        if elsewhere is not None:
            return elsewhere
        person = await self.show.of_user(user)
        if person is None or person.customer.mailbox is None:
            return self._unknown(request, here)
        effects = [
            _("The file has all that the shop keeps about %(address)s: purchases, downloads, browsers and emails. "
              "It is the one that they can download themselves in their account.", address=person.customer.mailbox),
            _("Give it to nobody but the person who reads the email of this address."),
            _("Nobody is emailed. The audit log says that you downloaded it."),
        ]  # fmt: skip
        return self.frame.action(
            request, here, title=_("Download the data of a customer"), effects=effects, button=_("Download"),
            back=f"{AT}/{user}", reason=False,
        )  # fmt: skip

    async def data(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """The file."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.frame.submitted(request)
        match await self.hand_over(user, actor=self.frame.actor(here), form=form):
            case NotAllowed(Verdict.PROVE_AGAIN):
                return self.frame.prove(request.scope["path"])
            case NotAllowed():
                return self.frame.refused(request, here)
            case NoSuchCustomer():
                return self._unknown(request, here)
            case own:
                body = msgspec.json.format(msgspec.json.encode(own_data_fields(own)), indent=2)
                headers = [PERSONAL, ("content-disposition", 'attachment; filename="customer-data.json"')]
                return RawResponse(body, media_type="application/json", headers=headers)


def _bounced(customer: Customer) -> bool:
    """Whether the newest report about an email to them says that it did not arrive."""
    reported = [mail for mail in customer.mails if mail.delivery is not None]
    newest = max(reported, key=lambda mail: mail.queued_at, default=None)
    return newest is not None and newest.delivery is Delivery.BOUNCED


def _products(person: Person, edition: CatalogueEdition) -> list[tuple[str, str]]:
    """What else could be asked for: products whose access is not explained anyway."""
    shown = {one.product for one in person.access}
    others = [(str(one.id), one.name) for one in edition.present if one.id not in shown]
    return sorted(others, key=lambda one: one[1].casefold())
