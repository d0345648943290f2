"""Hand a leased email over to the mailer: at least once on the wire, once at the mailbox."""

from __future__ import annotations

from dataclasses import replace

from domain.frozen import frozen
from domain.keys import Keyring
from domain.mail import TRIED_LONG_ENOUGH, Letter, Mail, MailProblem, MailState, fill, pause_before_retry
from domain.ports import (
    Catalogue,
    Clock,
    Mailer,
    MailNotSent,
    MailRefused,
    MailSentBefore,
    MailUnknown,
    Store,
)
from domain.product import ShopInfo
from domain.redacting import words_of
from domain.usecases.settle_unsent import stick


@frozen
class _Attempt:
    """How an attempt ended: QUEUED where another may end otherwise, STUCK where it would not."""

    state: MailState
    problem: str = ""
    unknown: bool = False
    """The email may have been sent."""


@frozen
class DeliverMail:
    """Hands over what `domain.usecases.lease_mail` leased, and stores how it went."""

    store: Store
    mailer: Mailer
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    base_url: str

    async def __call__(self, mail: Mail) -> MailState:
        """Send one leased mail and store the outcome: the state it is in now. Raises StoreUnavailable."""
        if mail.letter is None:
            raise ValueError(f"{mail.key} was not leased: it has no letter")
        shop = self.catalogue.current().shop
        return await self._settle(mail, await self._attempt(mail, mail.letter, shop=shop), shop=shop)

    async def unanswered(self, mail: Mail) -> MailState:
        """Store that a mailer was given a mail and never came back. Raises StoreUnavailable."""
        shop = self.catalogue.current().shop
        return await self._settle(
            mail, _Attempt(MailState.QUEUED, MailProblem.NO_ANSWER.value, unknown=True), shop=shop
        )

    async def _settle(self, mail: Mail, attempt: _Attempt, *, shop: ShopInfo) -> MailState:
        """Store how an attempt ended: the state the mail is in now."""
        now = self.clock.now()
        if attempt.state is MailState.SENT:
            await self.store.transact(
                lambda tx: tx.outbox.settle(mail.key, state=MailState.SENT, at=now, problem=attempt.problem)
            )
            return MailState.SENT
        unknown_since = mail.unknown_since or (now if attempt.unknown else None)
        if attempt.state is MailState.STUCK or now - mail.queued_at >= TRIED_LONG_ENOUGH:
            stuck = replace(mail, unknown_since=unknown_since)
            await self.store.transact(lambda tx: stick(tx, stuck, attempt.problem, shop=shop, now=now))
            return MailState.STUCK
        due_at = now + pause_before_retry(mail.attempts + 1)
        await self.store.transact(
            lambda tx: tx.outbox.settle(
                mail.key,
                state=MailState.QUEUED,
                at=now,
                due_at=due_at,
                problem=attempt.problem,
                unknown_since=unknown_since,
            )
        )
        return MailState.QUEUED

    async def _attempt(self, mail: Mail, letter: Letter, *, shop: ShopInfo) -> _Attempt:
        """One attempt.

        Errors that the port does not name end here, too: an error that recurs at every attempt must not be retried
        for ever. Those of the operating system pass, usually (a connection, a disk).
        """
        try:
            key = self.keyring.named(mail.key_name) if mail.key_name is not None else None
            envelope = fill(mail, letter, key=key, base_url=self.base_url, shop=shop.id)
        except Exception as error:
            return _Attempt(MailState.STUCK, words_of(error))
        try:
            await self.mailer.send(envelope)
        except MailRefused as error:
            return _Attempt(MailState.STUCK, str(error))
        except MailNotSent as error:
            return _Attempt(MailState.QUEUED, str(error))
        except MailUnknown as error:
            return _Attempt(MailState.QUEUED, str(error), unknown=True)
        except MailSentBefore:
            return _Attempt(MailState.SENT, MailProblem.KEY_USED.value)
        except OSError as error:
            return _Attempt(MailState.QUEUED, words_of(error), unknown=True)
        except Exception as error:
            return _Attempt(MailState.STUCK, words_of(error), unknown=True)
        return _Attempt(MailState.SENT)
