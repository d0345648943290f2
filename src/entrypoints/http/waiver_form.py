"""The two boxes of the waiver on a form that starts a paid checkout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.local_time import begin_of
from domain.product import Product, ShopInfo
from domain.values import Money
from domain.waiver import NO_BOXES, Boxes, WaiverMissing, WaiverText, opening_day
from entrypoints.http.sentences import LANGUAGE, _


@dataclass(frozen=True, slots=True)
class Box:
    """One of them, as it is shown."""

    name: str
    sentence: str
    ticked: bool
    error: str


@dataclass(frozen=True, slots=True)
class WaiverForm:
    """Both, beside a text. `required`: the form cannot be sent without; where a product may cost nothing, it can."""

    text: WaiverText
    boxes: tuple[Box, ...]
    required: bool
    error: str
    opens_at: datetime | None
    """When what is bought without them opens; None where nothing is sold without."""
    opens_on: str
    """The same as the value of the button."""

    @property
    def focus(self) -> str:
        """The box that the page comes back for."""
        return next((box.name for box in self.boxes if box.error), "")


def boxes_of(form: Mapping[str, str]) -> Boxes:
    """What a submitted form says of them."""
    wants, knows = (form.get(name) == "yes" for name in ("waiver_wants", "waiver_knows"))
    return Boxes(text=form.get("waiver_text", ""), wants=wants, knows=knows, wait=form.get("wait", ""))


def waiver_form(
    shop: ShopInfo,
    now: datetime,
    product: Product,
    price: Money,
    boxes: Boxes = NO_BOXES,
    missing: WaiverMissing | None = None,
) -> WaiverForm | None:
    """The boxes of a form; None where the shop has none, and for what is free.

    `boxes`: as they were submitted; a box stays ticked while the text beside it is the same.
    """
    text = shop.law.text_in(LANGUAGE.get().code)
    if text is None or not (price.amount or product.pay_what_you_want):
        return None
    same, opens_on = boxes.text == text.hash, opening_day(now, shop.zone)
    named = (("waiver_wants", text.wants, boxes.wants), ("waiver_knows", text.knows, boxes.knows))
    return WaiverForm(
        text=text,
        boxes=tuple(
            Box(name, sentence, ticked and same, "" if ticked and same else _error(missing, name))
            for name, sentence, ticked in named
        ),
        required=bool(price.amount),
        error="" if missing is None else _whole_error(missing),
        opens_at=begin_of(opens_on, shop.zone) if shop.law.waits else None,
        opens_on=opens_on.isoformat(),
    )


def _error(missing: WaiverMissing | None, name: str) -> str:
    if missing is None or missing.postponed:
        return ""
    if name == "waiver_wants":
        return _("Please tick this box if you want your purchase at once. Nothing was charged.")
    return _(
        "Please tick this box if you know that your right of withdrawal ends with that. Nothing was charged."
    )


def _whole_error(missing: WaiverMissing) -> str:
    if missing.postponed:
        return _("The day on which it would open has changed since you opened the page. Nothing was charged.")
    if not missing.outdated:
        return ""
    return _(
        "The text beside the boxes has changed since you opened the page. Please read it and tick them again."
    )
