"""The first page of the back office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from litestar import route

from domain.usecases.list_staff import ListStaff
from domain.usecases.report_status import ReportStatus, Status
from domain.usecases.review_catalogue import CatalogueReview, ReviewCatalogue
from entrypoints.admin.frame import HOME, AdminFrame
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import ngettext
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class HomePages:
    """The front page."""

    frame: AdminFrame
    report_status: ReportStatus
    review_catalogue: ReviewCatalogue
    list_staff: ListStaff

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [route(HOME, http_method=PAGE, status_code=200)(self.home)]

    async def home(self, request: AnyRequest) -> RawResponse:
        """What waits, and the shop in figures."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        status, review = await self.report_status(), await self.review_catalogue()
        rows = await self.list_staff()
        wants = any(row.wants_passkey for row in rows if row.member.id == here.member.id)
        return self.frame.html(
            request, "home.html", here=here, waiting=_waiting(status, review), tally=status.tally,
            wants_passkey=wants and not here.session.by_link,
        )  # fmt: skip


def _waiting(status: Status, review: CatalogueReview) -> Sequence[str]:
    """What is not zero, each as a sentence."""
    mistakes = len(review.problems)
    counted = (
        (len(status.quarantine), ngettext(
            "%(number)d payment is quarantined: Stripe reported it, and it was not acted on.",
            "%(number)d payments are quarantined: Stripe reported them, and they were not acted on.",
            len(status.quarantine))),
        (len(status.mails), ngettext(
            "%(number)d email could not be sent, or is late.", "%(number)d emails could not be sent, or are late.",
            len(status.mails))),
        (len(status.bounced), ngettext(
            "%(number)d access email came back, and its customer was not reached since.",
            "%(number)d access emails came back, and their customers were not reached since.",
            len(status.bounced))),
        (len(status.without_owner) if status.asked_for else 0, ngettext(
            "%(number)d purchase was paid with an address that cannot be emailed.",
            "%(number)d purchases were paid with addresses that cannot be emailed.", len(status.without_owner))),
        (len(status.fraud_warnings), ngettext(
            "%(number)d payment has a fraud warning: a refund now prevents a dispute.",
            "%(number)d payments have fraud warnings: refunds now prevent disputes.", len(status.fraud_warnings))),
        (len(status.problems), ngettext(
            "%(number)d thing is refused by Stripe.", "%(number)d things are refused by Stripe.",
            len(status.problems))),
        (mistakes, ngettext(
            "%(number)d mistake is in the catalogue.", "%(number)d mistakes are in the catalogue.", mistakes)),
    )  # fmt: skip
    return [sentence for number, sentence in counted if number]
