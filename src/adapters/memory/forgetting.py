"""What an erasure takes out beside the person's own rows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from adapters.memory.tables import Tables
from domain.address_change import AddressChange, ChangeKind
from domain.magic_link import LinkPurpose
from domain.mail import MailKind
from domain.uploads import UploadState
from domain.values import ChangeId, EmailAddress, LinkId, SessionId
from domain.withdrawal import Withdrawal

_OF_SALES: Final = frozenset({MailKind.ACCESS, MailKind.UPDATE, MailKind.RELEASE})
_NOBODY: Final = EmailAddress("")


def without_addresses(move: AddressChange) -> AddressChange:
    """The part of a correction that is kept permanently."""
    return replace(move, old=_NOBODY, new=_NOBODY, asked_by=SessionId(""))


def forget_in_moves(t: Tables, mailbox: EmailAddress) -> None:
    """Take the moves that are a person's own, and their address out of those that stay."""
    for move in [m for m in t.moves.values() if m.new == mailbox != m.old]:
        if move.is_pending:
            t.moves[move.id] = replace(move, new=_NOBODY)
        elif move.kind is ChangeKind.CORRECTION:
            t.moves[move.id] = without_addresses(move)
    t.moves = {k: v for k, v in t.moves.items() if v.new != mailbox and (v.old != mailbox or v.stands)}


def forget_reasons(t: Tables, objects: Collection[str]) -> None:
    """Take the reasons of what was done by hand to these objects; the lines stay."""
    for line in [line for line in t.audit.values() if line.object_id in objects]:
        t.audit[line.id] = replace(line, reason="", salt="")


def forget_uploads(t: Tables) -> None:
    """Delete every uploaded file: it may name anybody, in any spelling."""
    t.upload_pieces = {}
    for one in [one for one in t.uploads.values() if one.state.holds_file]:
        t.uploads[one.id] = replace(one, state=UploadState.FORGOTTEN, version=one.version + 1)


def forget_former(t: Tables, move: AddressChange) -> None:
    """Delete the records of the person who left an address by a completed change."""
    old, until = move.old, move.done_at
    links = {k for k, v in t.links.items() if v.move == move.id}
    t.outbox = {k: v for k, v in t.outbox.items() if v.to != old or v.link not in links}
    t.links = {k: v for k, v in t.links.items() if k not in links}
    if any(user.mailbox == old for user in t.users.values()) or until is None:
        return
    kept = links_of_moves_away(t, old)
    everything = move.kind is ChangeKind.CHANGE
    if everything:
        asked = {m.id for m in t.moves.values() if m.old == old and not m.stands and m.asked_at <= until}
        drop_requests(t, asked, to={m.new for m in t.moves.values() if m.id in asked})
        t.moves = {k: v for k, v in t.moves.items() if k not in asked}
        for begun in [c for c in t.checkouts.values() if c.verified == old and c.started_at <= until]:
            t.checkouts[begun.id] = replace(begun, verified=None)
    t.outbox = {
        k: v
        for k, v in t.outbox.items()
        if v.to != old
        or v.queued_at > until
        or not (v.kind in _OF_SALES or (everything and v.link not in kept))
    }
    t.links = {
        k: v
        for k, v in t.links.items()
        if v.mailbox != old
        or v.made_at > until
        or not (v.purpose is LinkPurpose.ACCESS or (everything and k not in kept))
    }


def links_of_moves_away(t: Tables, mailbox: EmailAddress) -> set[LinkId]:
    """They are the business of the addresses to which something was moved."""
    away = {m.id for m in t.moves.values() if m.old == mailbox != m.new and m.stands}
    return {k for k, v in t.links.items() if v.move in away}


def drop_requests(t: Tables, moves: Collection[ChangeId], *, to: Collection[EmailAddress]) -> None:
    """The links of moves, and the mails to these addresses that carry them."""
    drop_links(t, {k for k, v in t.links.items() if v.move in moves}, to=to)


def drop_links(t: Tables, links: Collection[LinkId], *, to: Collection[EmailAddress]) -> None:
    """Links, and the mails to these addresses that carry them."""
    t.outbox = {k: v for k, v in t.outbox.items() if v.link not in links or v.to not in to}
    t.links = {k: v for k, v in t.links.items() if k not in links}


def forget_withdrawals(t: Tables, theirs: Callable[[Withdrawal], bool]) -> None:
    """What a person wrote in the withdrawals that are theirs; that there were some stays."""
    for one in [one for one in t.withdrawals.values() if theirs(one)]:
        t.withdrawals[one.id] = replace(one, name="", contract="", email=None)
