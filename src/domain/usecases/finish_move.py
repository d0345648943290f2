"""Do a move, once its new address is proved; or take it back, from the old one."""

from __future__ import annotations

from datetime import datetime

from domain.books import Books
from domain.moves import Move, MoveKind
from domain.values import CheckoutId, MoveId, UserId


def finish_move(books: Books, move: MoveId, *, new_user: UserId, now: datetime) -> bool:
    """The new address is proved: hand everything over. False if it was taken back, or somebody proved the old one.

    Of a correction the old address keeps the purchase if its reader proved meanwhile that the mailbox is theirs.
    """
    held = books.move(move)
    if held is None or not held.is_pending:
        return False
    old = books.user(held.old)
    if held.kind is MoveKind.CORRECTION:
        if old is not None and old.proved_at is not None:
            return False
        checkouts: tuple[CheckoutId, ...] = held.checkouts
    else:
        checkouts = tuple(holding.purchase.checkout for holding in books.holdings_of(held.old))
    books.settle_move(move, done_at=now, checkouts=checkouts)
    user = books.user_for(held.new, new_id=new_user, now=now)
    books.hand_over(checkouts, mailbox=held.new, user=user)
    if held.kind is MoveKind.CHANGE:
        if old is not None and not old.wants_news:
            books.set_news(user, wanted=False)
        books.turn_sessions(held.old, to=held.new, keep=held.asked_by)
    books.drop_user_without_purchases(held.old)
    return True


def undo_move(books: Books, move: MoveId, *, new_user: UserId, now: datetime) -> Move | None:
    """The old address takes it back, done or still pending; None if there is nothing to take back."""
    held = books.move(move)
    if held is None or not books.settle_move(move, undone_at=now):
        return None
    if held.done_at is not None:
        user = books.user_for(held.old, new_id=new_user, now=now)
        books.hand_over(held.checkouts, mailbox=held.old, user=user)
        books.drop_user_without_purchases(held.new)
    return held
