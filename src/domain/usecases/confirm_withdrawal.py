"""Receive a withdrawal: in one transaction, its record, its acknowledgement, and the question to the owner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.access import Holding, holds
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import (
    PROOFS_PER_PURCHASE,
    WITHDRAWALS_IN_SHOP,
    WITHDRAWALS_PER_ADDRESS,
    WITHDRAWALS_PER_NETWORK,
    Limit,
    networks_around,
)
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import MailKind, Urgency
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.purchase import order_number
from domain.session import Visitor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.find_order import find_order
from domain.usecases.identify_viewer import live_session
from domain.usecases.send_email import send_email, send_link
from domain.usecases.withdrawal_outcomes import Received, Statement
from domain.values import LinkId
from domain.withdrawal import Withdrawal, can_be_withdrawn, unlinked
from domain.withdrawal_emails import WithdrawalReceived, WithdrawalToProve

_ORDER: Final = re.compile(r"(?<![0-9a-z])[0-9a-f]{16,32}(?![0-9a-z])")
_SHORTEST: Final = 16


@frozen
class ConfirmWithdrawal:
    """The shop receives every statement, from anybody and about anything. It moves no money and closes nothing.

    The answer does not say whether it matches a purchase: strangers learn nothing about other people's orders.
    """

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, visitor: Visitor, statement: Statement, *, form: str) -> Received:
        """`form`: names the statement, however often it is confirmed. Raises StoreUnavailable."""
        now = self.clock.now()
        link = LinkId(self.randomness.token(16).hex())
        zone = self.catalogue.current().shop.zone

        def work(tx: Transaction) -> Received:
            before = tx.withdrawals.get(form)
            if before is not None:
                return Received(before, tx.outbox.get(outbox_keys.withdrawal_received(form)) is not None)
            session = live_session(tx, visitor, now=now)
            chosen = None if statement.checkout is None else tx.purchases.with_facts(statement.checkout)
            theirs = chosen is not None and session is not None and holds(session, chosen.purchase, now=now)
            held = chosen if theirs else named_by(tx, statement)
            received = Withdrawal(
                id=form, name=statement.name, contract=statement.contract, email=statement.email,
                checkout=None if held is None else held.purchase.checkout, received_at=now.replace(microsecond=0),
                proved_at=now.replace(microsecond=0) if theirs else None,
            )  # fmt: skip
            tx.withdrawals.add(received)
            if (
                tx.limits.acquire(WITHDRAWALS_IN_SHOP.kind, WITHDRAWALS_IN_SHOP, now=now, ref=form)
                is not None
            ):
                return Received(received, emailed=False)
            at = received.received_at.astimezone(zone).isoformat(" ", timespec="seconds")
            self._acknowledge(tx, received, at, visitor, now=now)
            if held is not None and not theirs:
                self._ask_owner(tx, held, received, at, link, now=now)
            return Received(received, emailed=True)

        return await self.store.transact(work)

    def _acknowledge(
        self, tx: Transaction, received: Withdrawal, at: str, visitor: Visitor, *, now: datetime
    ) -> None:
        if received.email is None:
            raise AssertionError("a new withdrawal has an address")
        due = now
        for bucket, limit in self._limits(received, visitor):
            due = _free_from(tx, bucket, limit, due, ref=received.id)
        email = WithdrawalReceived(name=unlinked(received.name), contract=unlinked(received.contract), at=at)
        key = outbox_keys.withdrawal_received(received.id)
        send_email(tx, email, key=key, kind=MailKind.WITHDRAWAL, to=received.email, now=now, due_at=due)

    def _limits(self, received: Withdrawal, visitor: Visitor) -> Iterator[tuple[str, Limit]]:
        for network, times in networks_around(visitor.network):
            limit = replace(WITHDRAWALS_PER_NETWORK, most=WITHDRAWALS_PER_NETWORK.most * times)
            yield self.keyring.bucket(limit.kind, network), limit
        address = "" if received.email is None else received.email.canonical
        yield self.keyring.bucket(WITHDRAWALS_PER_ADDRESS.kind, address), WITHDRAWALS_PER_ADDRESS

    def _ask_owner(
        self, tx: Transaction, held: Holding, received: Withdrawal, at: str, link: LinkId, *, now: datetime
    ) -> None:
        """At its own address, whatever address the statement gave; once a day."""
        purchase = held.purchase
        bucket = f"{PROOFS_PER_PURCHASE.kind}:{purchase.checkout}"
        if purchase.mailbox is None or tx.limits.acquire(
            bucket, PROOFS_PER_PURCHASE, now=now, ref=received.id
        ):
            return
        email = WithdrawalToProve(
            product_name=purchase.product_name,
            order=order_number(purchase.checkout),
            name=unlinked(received.name),
            at=at,
        )
        proof = MagicLink(
            id=link, key=self.keyring.signing.name, purpose=LinkPurpose.WITHDRAWAL, mailbox=purchase.mailbox,
            asked_by=None, product=purchase.product, made_at=now, checkout=purchase.checkout,
        )  # fmt: skip
        key = outbox_keys.withdrawal_proof(purchase.checkout, received.id)
        send_link(tx, proof, email, urgency=Urgency.STRANGER, key=key)


def named_by(tx: ReadTransaction, statement: Statement) -> Holding | None:
    """The purchase that a statement names by its order number; else the only one of its address, if there is one."""
    for number in _ORDER.findall(statement.contract.lower().replace("#", " ")):
        found = find_order(tx, number, shortest=_SHORTEST)
        if isinstance(found, Holding) and can_be_withdrawn(found.purchase):
            return found
    theirs = [held for held in tx.purchases.of_address(statement.email) if can_be_withdrawn(held.purchase)]
    return theirs[0] if len(theirs) == 1 else None


def _free_from(tx: Transaction, bucket: str, limit: Limit, due: datetime, *, ref: str) -> datetime:
    """When the next place is free, from `due` on. It is taken."""
    while (later := tx.limits.acquire(bucket, limit, now=due, ref=ref)) is not None:
        due = later
    return due
