"""Find a customer by what the back office has of them: the id of their user, or their address."""

from __future__ import annotations

from domain.records import User
from domain.transaction import ReadTransaction
from domain.values import CheckoutId, EmailAddress, InvalidEmail, UserId


def find_customer(tx: ReadTransaction, wanted: str) -> User | None:
    """None if there is no such customer (any more): an erased person is none."""
    if "@" not in wanted:
        return tx.users.get(UserId(wanted))
    try:
        return tx.users.by_address(EmailAddress.parse(wanted))
    except InvalidEmail:
        return None


def oldest_order(tx: ReadTransaction, mailbox: EmailAddress) -> CheckoutId:
    """What an audit line about a whole customer names: their reasons go with it when the person is erased.

    Raises ValueError for an address without purchases, which is no customer's.
    """
    return min(held.purchase.checkout for held in tx.purchases.of_address(mailbox))
