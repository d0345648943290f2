"""Do a move, once its new address is proved; or take it back, from the old one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.books import Books
from domain.moves import Before, Move, MoveKind
from domain.values import CheckoutId, EmailAddress, MoveId, UserId


def finish_move(books: Books, move: MoveId, *, new_user: UserId, now: datetime) -> bool:
    """The new address is proved: hand over what still belongs to the old one.

    False if the move was taken back, or if it is a correction and the old address was verified meanwhile: then the
    purchase stays where it is.
    """
    held = books.move(move)
    if held is None or not held.is_pending:
        return False
    old, new = books.user(held.old), books.user(held.new)
    if held.kind is MoveKind.CORRECTION:
        if old is not None and old.proved_at is not None:
            return False
        checkouts: tuple[CheckoutId, ...] = held.checkouts
    else:
        checkouts = tuple(books.checkouts_of(held.old))
    before = Before(
        since=None if old is None else old.since,
        old_wanted_news=old is None or old.wants_news,
        new_wanted_news=new is None or new.wants_news,
    )
    books.settle_move(move, done_at=now, checkouts=checkouts, before=before)
    user = books.user_for(held.new, new_id=new_user, now=now)
    books.hand_over(checkouts, old=held.old, mailbox=held.new, user=user)
    if held.kind is MoveKind.CHANGE:
        if not before.old_wanted_news:
            books.set_news(user, wanted=False)
        books.turn_sessions(held.old, to=held.new, keep=held.asked_by, change=move)
        books.cancel_moves(held.old, at=now)
    for address in (held.old, held.new):
        books.drop_user_without_purchases(address)
    return True


def undo_move(books: Books, move: MoveId, *, new_user: UserId, now: datetime) -> Move | None:
    """The old address takes it back, done or still pending; None if there is nothing to take back.

    Everything the move did is reversed: its purchases come back, also from an address to which they were moved on
    since; the sessions that it signed in end; and both users want the emails that they wanted before. The moves that
    took the purchases on can no longer be undone for them: nobody but their owner may move them after that. Of a change
    that still waits, the session that asked for it ends: its owner did not ask.
    """
    held = books.move(move)
    if held is None or not books.settle_move(move, undone_at=now):
        return None
    if held.done_at is None:
        if held.kind is MoveKind.CHANGE and any(s.id == held.asked_by for s in books.sessions_of(held.old)):
            books.end_session(held.asked_by)
        return held
    since = now if held.before is None or held.before.since is None else held.before.since
    user = books.user_for(held.old, new_id=new_user, now=since)
    carried = list(carried_on(books, held))
    for address, checkouts in ((held.new, held.checkouts), *((m.new, m.checkouts) for m in carried)):
        moved = [checkout for checkout in checkouts if checkout in held.checkouts]
        books.hand_over(moved, old=address, mailbox=held.old, user=user)
        books.drop_user_without_purchases(address)
    if held.kind is MoveKind.CHANGE:
        _restore_news(books, held, user)
        for one in (held, *carried):
            books.end_sessions_by(one.id)
    for one in carried:
        books.settle_move(one.id, checkouts=[c for c in one.checkouts if c not in held.checkouts])
    return held


def carried_on(books: Books, held: Move) -> Iterator[Move]:
    """The later moves that took some of the same purchases further, in the order in which they were done."""
    reached: list[EmailAddress] = [held.new]
    seen = {held.id}
    for address in reached:
        for later in books.moves_from(address):
            if (
                later.id in seen
                or held.done_at is None
                or later.done_at is None
                or later.done_at < held.done_at
            ):
                continue
            if not set(later.checkouts).isdisjoint(held.checkouts):
                seen.add(later.id)
                reached.append(later.new)
                yield later


def _restore_news(books: Books, held: Move, user: UserId) -> None:
    if held.before is None:
        return
    if not held.before.old_wanted_news:
        books.set_news(user, wanted=False)
        new = books.user(held.new)
        if new is not None and held.before.new_wanted_news:
            books.set_news(new.id, wanted=True)
