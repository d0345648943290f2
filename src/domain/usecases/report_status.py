"""Report the state of the shop to the merchant, and let them settle what is waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from domain.keys import Keyring
from domain.mail import Mail, MailState
from domain.ports import Clock, Randomness, Store
from domain.records import Quarantined, Tally
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.queue_anew import queue_anew
from domain.values import LinkId, ProviderRef

LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Status:
    """The shop in figures, and everything that needs the merchant."""

    tally: Tally
    mails: Sequence[Mail]
    quarantine: Sequence[Quarantined]

    @property
    def all_well(self) -> bool:
        """Whether nothing waits."""
        return not self.mails and not self.quarantine


class SentAgain(Enum):
    """What became of the wish to send a mail again."""

    QUEUED = auto()
    NO_SUCH_MAIL = auto()
    STILL_QUEUED = auto()


@dataclass(frozen=True, slots=True)
class ReportStatus:
    """`coatcheck status`."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self) -> Status:
        """Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: ReadTransaction) -> Status:
            return Status(
                tally=tx.shop.tally(),
                mails=tx.outbox.waiting(now, late=LATE),
                quarantine=tx.quarantine.open_entries(),
            )

        return await self.store.read(work)

    async def dismiss(self, ref: ProviderRef) -> bool:
        """Close a quarantine entry by hand: it is not a sale of this shop. Whether it was open."""
        at = self.clock.now()
        return await self.store.transact(lambda tx: tx.quarantine.close(ref, at=at))

    async def send_again(self, key: str) -> SentAgain:
        """Queue a mail anew under a new key, with a new link. The merchant knows best whether it came."""
        now = self.clock.now()
        spare = LinkId(self.randomness.token(16).hex())

        def work(tx: Transaction) -> SentAgain:
            mail = tx.outbox.get(key)
            if mail is None:
                return SentAgain.NO_SUCH_MAIL
            if mail.state is MailState.QUEUED:
                return SentAgain.STILL_QUEUED
            queue_anew(tx, mail, spare, keyring=self.keyring, now=now)
            return SentAgain.QUEUED

        return await self.store.transact(work)
