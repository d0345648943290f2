"""Do a move, once its new address is proved; or take it back, from the old one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.address_change import AddressChange, Before, ChangeKind
from domain.purchase import LONGEST_PAYMENT
from domain.transaction import Transaction
from domain.usecases.send_email import language_of
from domain.values import ChangeId, CheckoutId, EmailAddress, UserId


def finish_change(tx: Transaction, move: ChangeId, *, new_user: UserId, now: datetime) -> bool:
    """The new address is proved: hand over what still belongs to the old one, with the payments in progress.

    False if the move was taken back, or if it is a correction that its payer asked for and the old address was verified
    meanwhile: then the purchase stays where it is.
    """
    held = tx.address_changes.get(move)
    if held is None or not held.is_pending:
        return False
    old, new = tx.users.by_address(held.old), tx.users.by_address(held.new)
    if held.kind is ChangeKind.CORRECTION:
        if old is not None and old.proved_at is not None and not held.by_staff:
            return False
        checkouts: tuple[CheckoutId, ...] = held.checkouts
    else:
        followed = tx.checkouts.follow_change(held.old, change=move, since=now - LONGEST_PAYMENT)
        checkouts = (*tx.checkouts.of_address(held.old), *followed)
    before = Before(
        since=None if old is None else old.since,
        old_wanted_news=old is None or old.wants_release_emails,
        new_wanted_news=new is None or new.wants_release_emails,
    )
    tx.address_changes.settle(move, done_at=now, checkouts=checkouts, before=before)
    user = tx.users.get_or_add(
        held.new, new_id=new_user, now=now, language="" if old is None else old.language
    )
    tx.purchases.transfer(checkouts, old=held.old, mailbox=held.new, user=user)
    if held.kind is ChangeKind.CHANGE:
        if not before.old_wanted_news:
            tx.users.set_release_emails(user, wanted=False)
        tx.sessions.carry(held.old, to=held.new, keep=held.asked_by, change=move)
        tx.address_changes.cancel_pending(held.old, at=now)
    for address in (held.old, held.new):
        tx.users.drop_without_purchases(address)
    return True


def undo_change(tx: Transaction, move: ChangeId, *, new_user: UserId, now: datetime) -> AddressChange | None:
    """The old address takes it back, done or still pending; None if there is nothing to take back.

    Everything the move did is reversed: its purchases come back, also from an address to which they were moved on
    since; the sessions that it signed in end; and both users want the emails that they wanted before. The moves that
    took the purchases further can no longer be undone for them: only their owner may move them after that. Of a change
    that still waits, the session that asked for it ends: its owner did not ask.
    """
    held = tx.address_changes.get(move)
    if held is None or not tx.address_changes.settle(move, undone_at=now):
        return None
    if held.done_at is None:
        if held.kind is ChangeKind.CHANGE and any(
            s.id == held.asked_by for s in tx.sessions.of_address(held.old)
        ):
            tx.sessions.end(held.asked_by)
        return held
    since = now if held.before is None or held.before.since is None else held.before.since
    user = tx.users.get_or_add(held.old, new_id=new_user, now=since, language=language_of(tx, held.new))
    carried = list(carried_on(tx, held))
    for address, checkouts in ((held.new, held.checkouts), *((m.new, m.checkouts) for m in carried)):
        moved = [checkout for checkout in checkouts if checkout in held.checkouts]
        tx.purchases.transfer(moved, old=address, mailbox=held.old, user=user)
        tx.users.drop_without_purchases(address)
    if held.kind is ChangeKind.CHANGE:
        _restore_news(tx, held, user)
        for one in (held, *carried):
            tx.sessions.end_of_change(one.id)
    for one in carried:
        tx.address_changes.settle(one.id, checkouts=[c for c in one.checkouts if c not in held.checkouts])
    return held


def carried_on(tx: Transaction, held: AddressChange) -> Iterator[AddressChange]:
    """The later moves that took some of the same purchases further, in the order in which they were done."""
    reached: list[EmailAddress] = [held.new]
    seen = {held.id}
    for address in reached:
        for later in tx.address_changes.done_from(address):
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


def _restore_news(tx: Transaction, held: AddressChange, user: UserId) -> None:
    if held.before is None:
        return
    if not held.before.old_wanted_news:
        tx.users.set_release_emails(user, wanted=False)
        new = tx.users.by_address(held.new)
        if new is not None and held.before.new_wanted_news:
            tx.users.set_release_emails(new.id, wanted=True)
