"""One process of a race: claims the sales it is told of, on PostgreSQL, and prints how many it booked first."""

from __future__ import annotations

import asyncio
import random
import sys

from contracts import samples

from adapters.postgres.store import PostgresStore
from domain.transaction import Transaction
from domain.values import EmailAddress, UserId

SALES, MAILBOXES = 40, 8


def claim(tx: Transaction, number: int, seed: int) -> bool:
    """The steps of the real claim, in its order."""
    row, mailbox = f"c{number:02}", EmailAddress(f"buyer{number % MAILBOXES}@example.com")
    tx.checkouts.add(samples.a_checkout(row, ref=f"cs_test_{row}"))
    if tx.purchases.get(samples.a_purchase(row).checkout) is not None:
        return False
    user = tx.users.get_or_add(mailbox, new_id=UserId(f"u{seed}-{number}"), now=samples.NOW)
    booked = tx.purchases.book(samples.a_purchase(row, user=user, mailbox=mailbox))
    return booked and tx.outbox.queue(samples.a_mail(f"access:{row}"))


async def main(url: str, seed: int) -> int:
    store = PostgresStore.open(url)
    numbers = list(range(SALES)) * 2
    random.Random(seed).shuffle(numbers)
    try:
        told = [store.transact(lambda tx, n=n: claim(tx, n, seed)) for n in numbers]
        return sum(await asyncio.gather(*told))
    finally:
        store.close()


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))
