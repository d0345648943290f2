"""The store that a contract is held against: how it is opened, and how one transaction runs in it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from contracts import samples
from contracts.samples import ANNA, NOW

from domain.ports import Store
from domain.transaction import ReadTransaction, Transaction
from domain.values import Digest, EmailAddress, SessionId, UserId

T = TypeVar("T")


class StoreUnderTest:
    """What every part of the store contract is written with; see StoreContract."""

    store: Store

    def open_store(self) -> Store:
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        raise NotImplementedError

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        """Run them at once, in whatever order the store likes; exceptions are returned."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def opened(self) -> None:
        self.store = self.open_store()

    def do(self, work: Callable[[Transaction], T]) -> T:
        return self.run(self.store.transact(work))

    def see(self, work: Callable[[ReadTransaction], T]) -> T:
        return self.run(self.store.read(work))

    def _verify(self, session: str, mailbox: EmailAddress) -> None:
        """Sign a browser in; under a new token, as the rule is."""
        self.do(
            lambda tx: tx.sessions.verify(
                SessionId(session), mailbox=mailbox, token_hash=Digest(f"verified-{session}"), at=NOW
            )
        )

    def _sell(self, *rows: str) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        for row in rows:
            self.do(lambda tx, row=row: tx.purchases.book(samples.a_purchase(row)))
