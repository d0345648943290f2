"""What the shop offers because the law asks for it, as `[law]` in shop.toml says."""

from __future__ import annotations

from datetime import datetime, tzinfo

from domain.frozen import frozen
from domain.waiver import Boxes, Waiver, WaiverMissing, WaiverText, opening_without, waiver_given


@frozen
class LawTerms:
    """Everything is off unless it is written."""

    withdrawal: bool = False
    """Whether pages, receipts and purchase emails lead to the form of withdrawal (`domain.withdrawal`)."""
    buy_label: str = ""
    """What stands on the button that orders something paid; "" for the shop's own words."""
    refunds_at_once: bool = False
    """Whether withdrawals that came in time, and are confirmed by who paid, are accepted without staff."""
    waiver: bool = False
    """Whether buyers of a paid product waive the right of withdrawal with two boxes (`domain.waiver`)."""
    waiver_texts: tuple[WaiverText, ...] = ()
    """Every text that this shop ever showed beside them, the oldest first. The last of each language is shown."""

    waits: bool = False
    """Whether one may buy without the waiver, too: then the purchase opens once the period for withdrawal is over."""

    @property
    def shown_texts(self) -> tuple[WaiverText, ...]:
        """The text that is shown today, in each language."""
        return tuple({text.language: text for text in self.waiver_texts}.values())

    def text_in(self, language: str) -> WaiverText | None:
        """The text beside the boxes of a page: in its language, else in the first there is. None without boxes."""
        if not self.waiver:
            return None
        shown = self.shown_texts
        return next((text for text in shown if text.language == language), shown[0] if shown else None)

    def text_of(self, text_hash: str) -> WaiverText | None:
        """The text of that hash; None if this version of the shop does not know it."""
        return next((text for text in self.waiver_texts if text.hash == text_hash), None)

    def agreed(
        self, boxes: Boxes, *, now: datetime, zone: tzinfo
    ) -> Waiver | datetime | WaiverMissing | None:
        """What a form says: the waiver, when the purchase opens without one, or what is missing. None without boxes."""
        if not self.waiver:
            return None
        if self.waits and boxes.wait:
            return opening_without(boxes, now=now, zone=zone)
        return waiver_given(boxes, self.shown_texts, now=now)
