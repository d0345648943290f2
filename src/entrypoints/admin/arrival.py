"""A file that is arriving in a form: stored as it comes, and gone again if it does not come to a good end."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.csv_rows import UnreadableCsv
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.uploads import Upload
from domain.usecases.receive_upload import ReceiveUpload, Receiving, TooManyUploads, UploadGone
from entrypoints.admin.frame import AdminFrame
from entrypoints.http.file_form import FileBegins, FormField

Arrived = Upload | UnreadableCsv | UploadGone | NotAllowed | TooManyUploads


@dataclass(slots=True)
class Arrival:
    """`take` each part of the form, then `end`; `abandon` if neither is possible any more."""

    receive: ReceiveUpload
    frame: AdminFrame
    actor: Actor
    _fields: dict[str, str] = field(default_factory=dict)
    _receiving: Receiving | None = None
    _outcome: Arrived | None = None

    async def take(self, part: FormField | FileBegins | bytes) -> bool:
        """Whether more is wanted: also after a problem, since no browser shows an answer before it has sent all."""
        if isinstance(part, FormField):
            self._fields.setdefault(part.name, part.value)
        elif isinstance(part, FileBegins):
            return await self._begin(part.name)
        elif self._receiving is not None and self._outcome is None:
            try:
                await self._receiving.feed(part)
            except (UnreadableCsv, UploadGone) as error:
                self._outcome = error
        return True

    async def end(self) -> Arrived | None:
        """The file; why there is none; None if no file was chosen."""
        if self._receiving is not None and self._outcome is None:
            try:
                self._outcome = await self._receiving.end()
            except (UnreadableCsv, UploadGone) as error:
                self._outcome = error
        if isinstance(self._outcome, UnreadableCsv | UploadGone):
            await self.abandon()
        return self._outcome

    async def abandon(self) -> None:
        """Delete what arrived."""
        if self._receiving is not None:
            await self._receiving.abandon()

    async def _begin(self, name: str) -> bool:
        if not name or self._receiving is not None:
            return False
        begun = await self.receive.begin(name, actor=self.actor, form=self.frame.form_id(self._fields))
        if isinstance(begun, Receiving):
            self._receiving = begun
        else:
            self._outcome = begun
        return self._receiving is not None
