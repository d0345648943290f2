"""The books as read from an SQLite connection, inside whatever transaction it is in."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from adapters.sql import forgetting, rows
from adapters.sql.forgetting import STANDS
from adapters.sql.rows import micros
from domain.access import Holding
from domain.magic_link import MagicLink
from domain.mail import Mail, MailState
from domain.moves import Move
from domain.purchase import Checkout, Fact, Purchase
from domain.records import Backlog, Download, ErasedAddress, PaymentDue, Quarantined, Tally, User
from domain.session import Session
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    Money,
    MoveId,
    ProductId,
    ProviderRef,
    SessionId,
)

_LARGEST_SUM: Final = 99_999_999
_SESSION_BY_TOKEN: Final = f"SELECT {rows.SESSION} FROM sessions WHERE token_hash = ?"  # noqa: S608 - constants
_CHECKOUT: Final = f"SELECT {rows.CHECKOUT} FROM checkouts WHERE id = ?"  # noqa: S608 - constants
_CHECKOUT_BY_REF: Final = f"SELECT {rows.CHECKOUT} FROM checkouts WHERE provider_ref = ?"  # noqa: S608 - constants
_PURCHASE: Final = f"SELECT {rows.PURCHASE} FROM purchases WHERE checkout_id = ?"  # noqa: S608 - constants
_PURCHASE_BY_PAYMENT: Final = f"SELECT {rows.PURCHASE} FROM purchases WHERE payment = ? LIMIT 1"  # noqa: S608 - constants
_USER: Final = f"SELECT {rows.USER} FROM users WHERE email = ?"  # noqa: S608 - constants
_OWNERS: Final = (
    f"SELECT {rows.USER} FROM users WHERE id > :after AND id IN (SELECT user_id FROM purchases WHERE pid = :pid "  # noqa: S608 - constants
    "UNION SELECT user_id FROM purchases WHERE contents <> '' AND ' ' || contents || ' ' LIKE '% ' || :pid || ' %') "
    "ORDER BY id LIMIT :limit"
)
_FACT: Final = f"SELECT {rows.FACT} FROM facts WHERE object_id = ?"  # noqa: S608 - constants
_HOLDINGS_BY_SESSION: Final = f"SELECT {rows.PURCHASE} FROM purchases WHERE session_id = ?"  # noqa: S608 - constants
_HOLDINGS: Final = (
    f"SELECT {rows.PURCHASE} FROM purchases WHERE session_id = ?1 "  # noqa: S608 - constants
    f"UNION SELECT {rows.PURCHASE} FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?2)"
)
_LATER_FACTS: Final = f"SELECT {rows.FACT} FROM facts WHERE payment = ? AND kind <> 'session'"  # noqa: S608 - constants
_LINK: Final = f"SELECT {rows.LINK} FROM magic_links WHERE id = ?"  # noqa: S608 - constants
_NEWEST_LOGIN: Final = (
    f"SELECT {rows.LINK} FROM magic_links WHERE asked_by = ? ORDER BY made_at DESC, superseded, id LIMIT 1"  # noqa: S608 - constants
)
_USED_WITH: Final = (
    f"SELECT {rows.LINK} FROM magic_links WHERE used_with = ? ORDER BY used_at DESC, id LIMIT 1"  # noqa: S608 - constants
)

CARRIED_FROM: Final = f"SELECT id FROM moves WHERE old = ? AND {STANDS}"  # noqa: S608 - constants
_BACKLOG: Final = (
    "SELECT (SELECT count(*) FROM outbox WHERE state = 'queued'), "
    "(SELECT min(queued_at) FROM outbox WHERE state = 'queued'), "
    "(SELECT count(*) FROM outbox WHERE state = 'stuck'), "
    "(SELECT count(*) FROM quarantine WHERE closed_at IS NULL)"
)
_MAIL: Final = f"SELECT {rows.MAIL} FROM outbox WHERE key = ?"  # noqa: S608 - constants


class SqliteView:
    """BooksView on one connection. Every statement is a constant, so SQLite prepares it once."""

    __slots__ = ("_sql",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection.execute

    def shop_id(self) -> str | None:
        """See BooksView."""
        row = self._sql("SELECT id FROM shop").fetchone()
        return None if row is None else str(row[0])

    def session(self, token_hash: Digest) -> Session | None:
        """See BooksView."""
        row = self._sql(_SESSION_BY_TOKEN, (token_hash,)).fetchone()
        return None if row is None else rows.session_of(row)

    def sessions_of(self, mailbox: EmailAddress) -> Sequence[Session]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.SESSION} FROM sessions WHERE mailbox = ? OR move_id IN ({CARRIED_FROM}) "  # noqa: S608 - constants
            "ORDER BY started_at DESC, id",
            (mailbox.canonical, mailbox.canonical),
        )
        return [rows.session_of(row) for row in found]

    def holders_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Session]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.SESSION} FROM sessions WHERE mailbox IS NULL AND id IN "  # noqa: S608 - constants
            f"(SELECT session_id FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?) "
            f"AND booked_at > ?) ORDER BY started_at DESC, id",
            (mailbox.canonical, micros(since)),
        )
        return [rows.session_of(row) for row in found]

    def checkout(self, checkout: CheckoutId) -> Checkout | None:
        """See BooksView."""
        row = self._sql(_CHECKOUT, (checkout,)).fetchone()
        return None if row is None else rows.checkout_of(row)

    def checkout_of(self, ref: ProviderRef) -> Checkout | None:
        """See BooksView."""
        row = self._sql(_CHECKOUT_BY_REF, (ref,)).fetchone()
        return None if row is None else rows.checkout_of(row)

    def purchase(self, checkout: CheckoutId) -> Purchase | None:
        """See BooksView."""
        row = self._sql(_PURCHASE, (checkout,)).fetchone()
        return None if row is None else rows.purchase_of(row)

    def fact(self, object_id: str) -> Fact | None:
        """See BooksView."""
        row = self._sql(_FACT, (object_id,)).fetchone()
        return None if row is None else rows.fact_of(row)

    def holdings(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        """See BooksView."""
        if mailbox is None:
            found = self._sql(_HOLDINGS_BY_SESSION, (session,)).fetchall()
        else:
            found = self._sql(_HOLDINGS, (session, mailbox.canonical)).fetchall()
        return [self._holding(row) for row in found]

    def _holding(self, row: rows.Row) -> Holding:
        purchase = rows.purchase_of(row)
        facts = [rows.fact_of(fact) for fact in self._sql(_FACT, (purchase.provider_ref,))]
        if purchase.payment is not None:
            facts += self.facts_of(purchase.payment)
        return Holding(purchase=purchase, facts=tuple(facts))

    def holding(self, checkout: CheckoutId) -> Holding | None:
        """See BooksView."""
        row = self._sql(_PURCHASE, (checkout,)).fetchone()
        return None if row is None else self._holding(row)

    def holding_of(self, payment: str) -> Holding | None:
        """See BooksView."""
        row = self._sql(_PURCHASE_BY_PAYMENT, (payment,)).fetchone()
        return None if row is None else self._holding(row)

    def facts_of(self, payment: str) -> Sequence[Fact]:
        """See BooksView."""
        return [rows.fact_of(fact) for fact in self._sql(_LATER_FACTS, (payment,))]

    def holdings_of(self, mailbox: EmailAddress) -> Sequence[Holding]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.PURCHASE} FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?) "  # noqa: S608 - constants
            "ORDER BY booked_at, checkout_id",
            (mailbox.canonical,),
        ).fetchall()
        return [self._holding(row) for row in found]

    def sold(self, product: ProductId) -> int:
        """See BooksView."""
        return int(self._sql("SELECT count(*) FROM purchases WHERE pid = ?", (product,)).fetchone()[0])

    def knows(self, mailbox: EmailAddress) -> bool:
        """See BooksView."""
        return self._sql("SELECT 1 FROM users WHERE email = ?", (mailbox.canonical,)).fetchone() is not None

    def user(self, mailbox: EmailAddress) -> User | None:
        """See BooksView."""
        row = self._sql(_USER, (mailbox.canonical,)).fetchone()
        return None if row is None else rows.user_of(row)

    def link(self, link: LinkId) -> MagicLink | None:
        """See BooksView."""
        row = self._sql(_LINK, (link,)).fetchone()
        return None if row is None else rows.link_of(row)

    def newest_login(self, asked_by: SessionId) -> MagicLink | None:
        """See BooksView."""
        row = self._sql(_NEWEST_LOGIN, (asked_by,)).fetchone()
        return None if row is None else rows.link_of(row)

    def link_used_with(self, cookie: Digest) -> MagicLink | None:
        """See BooksView."""
        row = self._sql(_USED_WITH, (cookie,)).fetchone()
        return None if row is None else rows.link_of(row)

    def move(self, move: MoveId) -> Move | None:
        """See BooksView."""
        row = self._sql(f"SELECT {rows.MOVE} FROM moves WHERE id = ?", (move,)).fetchone()  # noqa: S608 - constants
        return None if row is None else rows.move_of(row)

    def moves_to(self, mailbox: EmailAddress) -> Sequence[Move]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MOVE} FROM moves WHERE new = ? AND {STANDS} ORDER BY done_at, id",  # noqa: S608 - constants
            (mailbox.canonical,),
        )
        return [rows.move_of(row) for row in found]

    def moves_from(self, mailbox: EmailAddress) -> Sequence[Move]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MOVE} FROM moves WHERE old = ? AND {STANDS} ORDER BY done_at, id",  # noqa: S608 - constants
            (mailbox.canonical,),
        )
        return [rows.move_of(row) for row in found]

    def moved(self, checkout: CheckoutId) -> bool:
        """See BooksView."""
        found = self._sql("SELECT 1 FROM moves WHERE kind = 'correction' AND checkouts = ?", (checkout,))
        return found.fetchone() is not None

    def moved_from(self, mailbox: EmailAddress) -> Sequence[EmailAddress]:
        """See BooksView."""
        found = self._sql(forgetting.MOVED_FROM, {"address": mailbox.canonical})
        return [EmailAddress(row[0]) for row in found]

    def checkouts_of(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        """See BooksView."""
        found = self._sql(forgetting.CHECKOUTS_OF, {"address": mailbox.canonical})
        return [CheckoutId(row[0]) for row in found]

    def is_erased(self, checkout: CheckoutId) -> bool:
        """See BooksView."""
        return self._sql("SELECT 1 FROM erasures WHERE checkout_id = ?", (checkout,)).fetchone() is not None

    def downloads_of(self, checkout: CheckoutId) -> Sequence[Download]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.DOWNLOAD} FROM downloads WHERE checkout_id = ? ORDER BY pid, name",  # noqa: S608 - constants
            (checkout,),
        )
        return [rows.download_of(row) for row in found]

    def payments_due(self, now: datetime, *, limit: int) -> Sequence[PaymentDue]:
        """See BooksView."""
        found = self._sql(
            "SELECT payment, since, tries FROM payments_due WHERE due_at <= ? ORDER BY due_at, payment LIMIT ?",
            (micros(now), limit),
        )
        return [PaymentDue(payment=row[0], since=rows.moment(row[1]), tries=row[2]) for row in found]

    def owners(
        self, product: ProductId, *, after: str, limit: int
    ) -> Sequence[tuple[User, Sequence[Holding]]]:
        """See BooksView."""
        users = self._sql(_OWNERS, {"pid": product, "after": after, "limit": limit}).fetchall()
        found: list[tuple[User, Sequence[Holding]]] = []
        for row in users:
            user = rows.user_of(row)
            held = [h for h in self.holdings_of(user.mailbox) if product in h.purchase.products]
            found.append((user, held))
        return found

    def mail(self, key: str) -> Mail | None:
        """See BooksView."""
        row = self._sql(_MAIL, (key,)).fetchone()
        return None if row is None else rows.mail_of(row)

    def mails_to(self, mailbox: EmailAddress) -> Sequence[Mail]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MAIL} FROM outbox WHERE mailbox = ? ORDER BY queued_at, key",  # noqa: S608 - constants
            (mailbox.canonical,),
        )
        return [rows.mail_of(row) for row in found]

    def due_again(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.QUARANTINE} FROM quarantine WHERE closed_at IS NULL AND retry_at <= ? "  # noqa: S608 - constants
            "ORDER BY retry_at, ref LIMIT ?",
            (micros(now), limit),
        )
        return [rows.quarantined_of(row) for row in found]

    def quarantined(self, ref: str) -> Quarantined | None:
        """See BooksView."""
        row = self._sql(f"SELECT {rows.QUARANTINE} FROM quarantine WHERE ref = ?", (ref,)).fetchone()  # noqa: S608 - constants
        return None if row is None else rows.quarantined_of(row)

    def cursor(self, name: str) -> datetime | None:
        """See BooksView."""
        row = self._sql("SELECT at FROM cursors WHERE name = ?", (name,)).fetchone()
        return None if row is None else rows.moment(row[0])

    def first_checkout_at(self) -> datetime | None:
        """See BooksView."""
        row = self._sql("SELECT min(started_at) FROM checkouts").fetchone()
        return rows.maybe_moment(row[0])

    def tally(self) -> Tally:
        """See BooksView."""
        takings: list[Money] = []
        sums = self._sql("SELECT currency, sum(amount) FROM purchases GROUP BY currency ORDER BY currency")
        for currency, total in sums:
            left = int(total)
            while left > _LARGEST_SUM:
                takings.append(Money(_LARGEST_SUM, currency))
                left -= _LARGEST_SUM
            takings.append(Money(left, currency))
        mails = dict(self._sql("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
        return Tally(
            users=self._sql("SELECT count(*) FROM users").fetchone()[0],
            purchases=self._sql("SELECT count(*) FROM purchases").fetchone()[0],
            takings=tuple(takings),
            mails=tuple((state, int(mails.get(state.value, 0))) for state in MailState),
            bounced=self._sql(
                "SELECT count(*) FROM outbox WHERE delivery = 'bounced' AND kind = 'ticket'"
            ).fetchone()[0],
        )

    def waiting_mails(self, now: datetime, *, late: timedelta) -> Sequence[Mail]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MAIL} FROM outbox WHERE state = 'stuck' "  # noqa: S608 - constants
            f"UNION ALL SELECT {rows.MAIL} FROM outbox WHERE state = 'queued' AND queued_at <= ? AND problem <> '' "
            "ORDER BY queued_at, key",
            (micros(now - late),),
        )
        return [rows.mail_of(row) for row in found]

    def backlog(self) -> Backlog:
        """See BooksView. Each figure comes from an index of the rows that it counts, and of no other."""
        queued, oldest, stuck, quarantined = self._sql(_BACKLOG).fetchone()
        return Backlog(
            queued=queued,
            oldest_queued_at=None if oldest is None else rows.moment(oldest),
            stuck=stuck,
            quarantined=quarantined,
        )

    def waiting_quarantine(self) -> Sequence[Quarantined]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.QUARANTINE} FROM quarantine WHERE closed_at IS NULL ORDER BY first_at, ref"  # noqa: S608 - constants
        )
        return [rows.quarantined_of(row) for row in found]

    def users_after(self, user: str, *, limit: int) -> Sequence[User]:
        """See BooksView."""
        found = self._sql(f"SELECT {rows.USER} FROM users WHERE id > ? ORDER BY id LIMIT ?", (user, limit))  # noqa: S608 - constants
        return [rows.user_of(row) for row in found]

    def purchases_after(self, checkout: str, *, limit: int) -> Sequence[Holding]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.PURCHASE} FROM purchases WHERE checkout_id > ? ORDER BY checkout_id LIMIT ?",  # noqa: S608 - constants
            (checkout, limit),
        ).fetchall()
        return [self._holding(row) for row in found]

    def mails_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        """See BooksView."""
        found = self._sql(f"SELECT {rows.MAIL} FROM outbox WHERE key > ? ORDER BY key LIMIT ?", (key, limit))  # noqa: S608 - constants
        return [rows.mail_of(row) for row in found]

    def quarantine_after(self, ref: str, *, limit: int) -> Sequence[Quarantined]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.QUARANTINE} FROM quarantine WHERE ref > ? ORDER BY ref LIMIT ?",  # noqa: S608 - constants
            (ref, limit),
        )
        return [rows.quarantined_of(row) for row in found]

    def erasures_after(self, checkout: str, *, limit: int) -> Sequence[CheckoutId]:
        """See BooksView."""
        found = self._sql(
            "SELECT checkout_id FROM erasures WHERE checkout_id > ? ORDER BY checkout_id LIMIT ?",
            (checkout, limit),
        )
        return [CheckoutId(row[0]) for row in found]

    def erased_addresses_after(self, tag: str, *, limit: int) -> Sequence[ErasedAddress]:
        """See BooksView."""
        found = self._sql(
            "SELECT tag, at FROM erased_addresses WHERE tag > ? ORDER BY tag LIMIT ?", (tag, limit)
        )
        return [ErasedAddress(tag=row[0], at=rows.moment(row[1])) for row in found]

    def addresses_after(self, address: str, *, limit: int) -> Sequence[EmailAddress]:
        """See BooksView."""
        found = self._sql(forgetting.ADDRESSES_AFTER, {"after": address, "most": limit})
        return [EmailAddress(row[0]) for row in found]
