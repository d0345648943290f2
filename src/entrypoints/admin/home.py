"""The first page of the back office: what waits, figures and charts, and what happened lately."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from litestar import route

from domain.local_time import day_of
from domain.usecases.check_first_days import CheckFirstDays, FirstDays
from domain.usecases.list_news import ListNews
from domain.usecases.list_staff import ListStaff, StaffRow
from domain.usecases.show_figures import ShowFigures
from entrypoints.admin import figures, tasks, words
from entrypoints.admin.frame import HOME, AdminFrame
from entrypoints.admin.sale_words import state_name
from entrypoints.http.page import PERSONAL, AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class HomePages:
    """Home, and its figures as CSV."""

    frame: AdminFrame
    show_figures: ShowFigures
    list_news: ListNews
    check_first_days: CheckFirstDays
    list_staff: ListStaff
    shop_url: str
    livemode: bool
    """Whether the shop takes real money: then test purchases are marked."""
    copies_itself: bool
    """Whether `coatcheck backup` is what copies the database; elsewhere, PostgreSQL's own tools do."""

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(HOME, http_method=PAGE, status_code=200)(self.home),
            route("/admin/figures.csv", http_method=PAGE, status_code=200)(self.figures),
        ]

    async def home(self, request: AnyRequest) -> RawResponse:
        """What waits, the shop in figures (`days`: of the charts), and what happened lately."""
        here = await self.frame.here(request, counts=True)
        if isinstance(here, RawResponse):
            return here
        # Side by side, but no more than two: a store has few threads for long reads, and other pages need them, too.
        todo, found = await asyncio.gather(self.frame.waiting(), self.show_figures())
        news, first, staff = await self.list_news(), await self.check_first_days(), await self.list_staff()
        shop, days = self.frame.catalogue.current().shop, _days(request)
        today = day_of(found.at, shop.zone)
        wants = any(row.wants_passkey for row in staff if row.member.id == here.member.id)
        names = _names(staff)
        return self.frame.html(
            request, "home.html", here=here, waiting=tasks.summary(todo), checklist=self._checklist(first, wants),
            cards=figures.cards(found, home=shop.currency), at=f"{found.at.astimezone(shop.zone):%H:%M:%S %Z}",
            charts=figures.charts(found, today, days=days, home=shop.currency),
            steps=figures.steps(found, today, days=days), days=days, ranges=figures.RANGES,
            newest=[(row, state_name(row.state)) for row in found.newest],
            news=[(one, words.news(one, names)) for one in news], shop_url=self.shop_url, marks_tests=self.livemode,
        )  # fmt: skip

    async def figures(self, request: AnyRequest) -> RawResponse:
        """The sums of the last so many `days` as CSV; they name no customer."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found, days = await self.show_figures(), _days(request)
        today = day_of(found.at, self.frame.catalogue.current().shop.zone)
        sums = [one for one in found.days if (today - one.day).days < days]
        named = f'attachment; filename="figures-{days}-days-to-{today.isoformat()}.csv"'
        headers = [PERSONAL, ("x-robots-tag", "noindex"), ("content-disposition", named)]
        return RawResponse(figures.csv_of(sums), headers=headers, media_type="text/csv")

    def _checklist(self, first: FirstDays, wants_passkey: bool) -> Sequence[tuple[bool, str, str, str]]:
        """Whether it is done, what, how, and where ("" for outside the back office); nothing once all is done."""
        steps = [
            (first.product, _("Put a product on sale"), _("Each folder in the catalogue is a product."), ""),
            (first.sold, _("Make a test purchase"), _("Buy your own product as a customer would."), ""),
            (first.heard, _("Hear from Stripe"), _("Run “coatcheck stripe-setup” on the shop's machine."), ""),
            (first.emailed, _("Send an email from your own domain"),
             _("The first access email that your provider accepts shows that the sender's domain is set up."), ""),
            (not wants_passkey, _("Add a second passkey"),
             _("Losing one device then does not lock you out."), "/admin/account/passkey"),
            (first.backed_up, _("Make a backup every day"),
             _("Run “coatcheck backup” from a timer. The last one must not be older than two days."), ""),
        ]  # fmt: skip
        if not self.copies_itself:
            steps.pop()
        return [] if all(done for done, *_rest in steps) else steps


def _days(request: AnyRequest) -> int:
    asked = request.query_params.get("days", "")
    return next((days for days in figures.RANGES if str(days) == asked), figures.RANGES[1])


def _names(staff: Sequence[StaffRow]) -> Mapping[str, str]:
    """Of members of staff, by their names in the audit log."""
    return {f"staff:{row.member.id}": row.member.email.canonical for row in staff}
