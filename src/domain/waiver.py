"""The waiver for digital content: the buyer wants it at once, and knows that the right of withdrawal ends with that.

Directive 2011/83/EU, article 16(m): the right is lost once the content is supplied with the consumer's prior express
consent and their acknowledgement that it is lost thereby, if the trader confirmed both on a durable medium.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from domain.frozen import frozen
from domain.legal_period import last_day
from domain.local_time import begin_of

_WRITTEN: Final = re.compile(r"([0-9a-f]{32}) ([A-Za-z][A-Za-z0-9-]{1,34}) ([0-9]{1,11})")
_WAITS: Final = re.compile(r"wait ([0-9]{1,11})")
_HASH_LENGTH: Final = 32


@frozen
class WaiverText:
    """The two sentences that a buyer agrees to, each beside a box. A text that was shown once never changes."""

    language: str
    """BCP 47, as "en"."""
    wants: str
    """Wants the content at once, before the period for withdrawal is over."""
    knows: str
    """Knows that the right of withdrawal is lost thereby."""

    @property
    def sentences(self) -> tuple[str, str]:
        """Both, in the order in which they are shown."""
        return self.wants, self.knows

    @property
    def hash(self) -> str:
        """The first 128 bits of SHA-256 of language and sentences, a line feed between, in lower-case hex."""
        exact = "\n".join((self.language, *self.sentences))
        return hashlib.sha256(exact.encode()).hexdigest()[:_HASH_LENGTH]


@frozen
class Waiver:
    """Both boxes were ticked: beside which text, in which language, and when (UTC, whole seconds)."""

    text: str
    """The hash of a `WaiverText`."""
    language: str
    given_at: datetime

    @property
    def written(self) -> str:
        """`<hash> <language> <Unix time>`: how it is stored, sealed, and given to the payment provider."""
        return f"{self.text} {self.language} {int(self.given_at.timestamp())}"

    @classmethod
    def read(cls, written: str | None) -> Waiver | None:
        """What was written; None if that is no waiver."""
        parts = _WRITTEN.fullmatch(written or "")
        if parts is None:
            return None
        return cls(parts[1], parts[2], datetime.fromtimestamp(int(parts[3]), UTC))


@frozen
class Boxes:
    """What a form says of the two boxes. `text`: the hash of the text that stood beside them; "" where none did."""

    text: str = ""
    wants: bool = False
    knows: bool = False
    wait: str = ""
    """The day on which it would open without them, as 2026-12-16, of a buyer who chose that; "" of all others."""


NO_BOXES: Final = Boxes()


@frozen
class WaiverMissing:
    """A box is not ticked; or (`outdated`) both stood beside a text that is not shown any more: then neither counts.

    `postponed`: the day on which it would open is another by now.
    """

    wants: bool
    """Whether this one is ticked."""
    knows: bool
    outdated: bool = False
    postponed: bool = False


def waiver_given(boxes: Boxes, shown: Iterable[WaiverText], *, now: datetime) -> Waiver | WaiverMissing:
    """The waiver of a submitted form; `shown`: the texts that the shop shows today, one for each language."""
    text = next((one for one in shown if one.hash == boxes.text), None)
    if text is None:
        return WaiverMissing(wants=False, knows=False, outdated=boxes.wants or boxes.knows)
    if not (boxes.wants and boxes.knows):
        return WaiverMissing(wants=boxes.wants, knows=boxes.knows)
    return Waiver(text=text.hash, language=text.language, given_at=now.replace(microsecond=0))


def opening_day(now: datetime, zone: tzinfo) -> date:
    """The day on which what is bought now opens without a waiver: the first after the period for withdrawal."""
    return last_day(now, zone) + timedelta(days=1)


def opening_without(boxes: Boxes, *, now: datetime, zone: tzinfo) -> datetime | WaiverMissing:
    """When the purchase of a buyer who chose to wait opens; the day that the form showed must be today's."""
    opens_on = opening_day(now, zone)
    if boxes.wait != opens_on.isoformat():
        return WaiverMissing(wants=boxes.wants, knows=boxes.knows, postponed=True)
    return begin_of(opens_on, zone)


def terms_written(waiver: Waiver | None, opens_at: datetime | None) -> str:
    """A waiver, or that there is none and the purchase waits, as it is stored, sealed and given to the provider.

    "" for neither.
    """
    if waiver is not None:
        return waiver.written
    return "" if opens_at is None else f"wait {int(opens_at.timestamp())}"


def read_opening(written: str | None) -> datetime | None:
    """When a purchase that waits opens; None if what was written says nothing of that."""
    found = _WAITS.fullmatch(written or "")
    return None if found is None else datetime.fromtimestamp(int(found[1]), UTC)
