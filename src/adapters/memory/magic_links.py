"""Magic links: proofs of an address that can be used once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record
from domain.magic_link import LinkPurpose, MagicLink
from domain.values import CheckoutId, Digest, EmailAddress, LinkId, SessionId


class MagicLinks(Record):
    def get(self, link: LinkId) -> MagicLink | None:
        return self._t.links.get(link)

    def with_code(self, asked_by: SessionId) -> Sequence[MagicLink]:
        asked = [link for link in self._t.links.values() if link.asked_by == asked_by]
        return sorted(asked, key=lambda link: (-link.made_at.timestamp(), link.superseded, link.id))

    def used_with(self, cookie: Digest) -> MagicLink | None:
        used = [link for link in self._t.links.values() if link.used_with == cookie and link.used_at]
        used.sort(key=lambda link: (-link.used_at.timestamp() if link.used_at else 0, link.id))
        return used[0] if used else None

    def used_for(self, checkout: CheckoutId | None, mailbox: EmailAddress | None) -> Sequence[MagicLink]:
        used = [
            (link.used_at, link.id, link)
            for link in self._t.links.values()
            if link.used_at is not None
            and ((checkout is not None and link.checkout == checkout) or link.mailbox == mailbox)
        ]
        return [link for _, _, link in sorted(used, key=lambda one: one[:2])]

    def add(self, link: MagicLink) -> None:
        self._t.links[link.id] = link

    def consume(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        held = self._t.links.get(link)
        if held is None or held.used_at is not None:
            return False
        self._t.links[link] = replace(held, used_at=at, used_with=used_with)
        return True

    def supersede(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        for link in list(self._t.links.values()):
            asked = (
                link.purpose is LinkPurpose.LOGIN and link.asked_by == asked_by and link.mailbox == mailbox
            )
            if asked and link.used_at is None:
                self._t.links[link.id] = replace(link, superseded=True)

    def count_code_attempt(self, links: Sequence[LinkId], *, most: int) -> bool:
        held = [self._t.links[link] for link in set(links) if link in self._t.links]
        counted = [link for link in held if link.code_tries < most]
        for link in counted:
            self._t.links[link.id] = replace(link, code_tries=link.code_tries + 1)
        return bool(counted)
