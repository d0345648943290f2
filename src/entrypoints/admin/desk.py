"""What all pages of actions do alike: who may, the form, its second submit, a changed object, and a busy store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from domain.audit import AuditAction
from domain.ports import StoreUnavailable
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor
from domain.usecases.ask_right import AskRight
from domain.usecases.staff_access import SignedInStaff
from entrypoints.admin.frame import AdminFrame, address_of
from entrypoints.admin.kept_form import CAME_BACK
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _

if TYPE_CHECKING:
    from entrypoints.http.page import AnyRequest

_RETRY_AFTER: Final = ("retry-after", "10")


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of an action. `on`: whether a box is checked at first."""

    name: str
    label: str
    kind: Literal["text", "email", "check", "choice", "area"] = "text"
    value: str = ""
    on: bool = False
    options: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The page of an action on one object, as that stands now."""

    action: AuditAction
    object_id: str
    title: str
    effects: Sequence[str]
    button: str
    back: str
    fields: Sequence[Entry] = ()
    seen: str = ""
    reason: bool = True
    danger: bool = False
    cannot: str = ""
    """Why it cannot be done at all now; then there is no form."""
    elsewhere: tuple[str, str] = ("", "")
    """Where it can be done instead: address and label."""
    template: str = "act.html"
    """One that extends act.html, if the page shows more."""
    more: Mapping[str, object] = field(default_factory=dict)
    """What that template shows."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A form that came in, from somebody who may submit it."""

    fields: Mapping[str, str]
    form: str
    actor: Actor

    @property
    def reason(self) -> str:
        """As it was typed."""
        return self.fields.get("reason", "")

    def has(self, name: str) -> bool:
        """Whether a box was checked."""
        return name in self.fields


@dataclass(frozen=True, slots=True)
class Done:
    """It was done, now or by the first submit of the form. `word`: of `entrypoints.admin.notices`."""

    at: str
    word: str


@dataclass(frozen=True, slots=True)
class AskAgain:
    """It was not done, for a reason that a box of its own overrules."""

    why: str
    box: Entry


Outcome = Done | AskAgain | NotAllowed | str
"""What an action came to; a sentence says why it was not done."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Every handler of an action goes through it."""

    frame: AdminFrame
    ask_right: AskRight

    def opened(self, request: AnyRequest, here: SignedInStaff, sheet: Sheet) -> RawResponse:
        """The page of an action, for whoever may do it and used a passkey just before."""
        turned = self.frame.fresh(here, sheet.action, address_of(request))
        return turned or self._page(request, here, sheet, typed={})

    async def submitted(
        self, request: AnyRequest, here: SignedInStaff, action: AuditAction, object_id: str
    ) -> Submitted | RawResponse:
        """The form, if whoever sent it may do this; a refusal is written down. Raises StoreUnavailable."""
        fields, form = await self.frame.submitted(request)
        actor = self.frame.actor(here)
        refused = await self.ask_right(action, object_id, actor=actor, form=form)
        return (
            Submitted(fields, form, actor)
            if refused is None
            else await self._turned(request, here, fields, refused)
        )

    async def act(
        self,
        request: AnyRequest,
        here: SignedInStaff,
        came: Submitted,
        sheet: Sheet,
        *,
        changes: Sequence[str],
        work: Callable[[Submitted], Awaitable[Outcome]],
    ) -> RawResponse:
        """Do it, unless the object has changed since the form was made: then it is to be confirmed once more.

        `changes`: what has changed, in sentences; none for a form that was submitted before.
        """
        typed = {**came.fields, "form": came.form}
        if came.has(CAME_BACK):
            done = _(
                "Your passkey was used. Nothing was done yet: please check what you typed, and confirm it."
            )
            return self._page(request, here, sheet, typed=typed, changes=changes, done=done)
        if changes:
            why = _(
                "This has changed since you opened the page. Nothing was done. Please check and confirm again."
            )
            return self._page(request, here, sheet, typed=typed, why=why, status=409, changes=changes)
        try:
            outcome = await work(came)
        except StoreUnavailable:
            return self._busy(request, here, sheet, typed)
        match outcome:
            case Done():
                return self.done(outcome)
            case NotAllowed():
                return await self._turned(request, here, came.fields, outcome)
            case AskAgain(why, box):
                asked = replace(sheet, fields=(*sheet.fields, box))
                return self._page(request, here, asked, typed=typed, why=why, status=409)
            case _:
                return self._page(request, here, sheet, typed=typed, why=outcome, status=409)

    def done(self, outcome: Done) -> RawResponse:
        """The way to the object, with a notice."""
        return self.frame.done(outcome.at, outcome.word)

    def missing(self, request: AnyRequest, here: SignedInStaff, message: str, *, back: str) -> RawResponse:
        """There is no such object (any more)."""
        return self.frame.notice(request, here, _("There is nothing here"), message, status=404, back=back)

    async def _turned(
        self, request: AnyRequest, here: SignedInStaff, fields: Mapping[str, str], refused: NotAllowed
    ) -> RawResponse:
        if refused.verdict is Verdict.PROVE_AGAIN:
            return await self.frame.prove_first(request, here, fields)
        return self.frame.refused(request, here, refused.verdict)

    def _busy(
        self, request: AnyRequest, here: SignedInStaff, sheet: Sheet, typed: Mapping[str, str]
    ) -> RawResponse:
        why = _(
            "The database is busy, so this could not be confirmed. Send the form again: it is done only once."
        )
        return self._page(request, here, sheet, typed=typed, why=why, status=503)

    def _page(
        self,
        request: AnyRequest,
        here: SignedInStaff,
        sheet: Sheet,
        *,
        typed: Mapping[str, str],
        why: str = "",
        status: int = 200,
        changes: Sequence[str] = (),
        done: str = "",
    ) -> RawResponse:
        headers = [_RETRY_AFTER] if status == 503 else []
        if sheet.cannot:
            at, label = sheet.elsewhere
            return self.frame.html(
                request, "cannot.html", here=here, status=status, headers=headers,
                title=sheet.title, why=why or sheet.cannot, at=at, label=label, back=sheet.back,
            )  # fmt: skip
        page = self.frame.action(
            request, here, title=sheet.title, effects=sheet.effects, button=sheet.button, back=sheet.back, typed=typed,
            why=why, status=status, reason=sheet.reason, danger=sheet.danger, seen=sheet.seen, template=sheet.template,
            fields=[_filled(one, typed) for one in sheet.fields], changes=changes,
            notice=done, **sheet.more,
        )  # fmt: skip
        for name, value in headers:
            page.add(name, value)
        return page


def _filled(entry: Entry, typed: Mapping[str, str]) -> dict[str, object]:
    """A field as it was typed, or as it is at first."""
    return {
        "kind": entry.kind, "name": entry.name, "label": entry.label, "options": list(entry.options),
        "value": typed.get(entry.name, entry.value), "on": entry.name in typed if typed else entry.on,
    }  # fmt: skip
