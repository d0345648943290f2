"""The books as read from a connection to PostgreSQL, inside whatever transaction it is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.postgres.session import Connection
from adapters.sql import forgetting, rows
from adapters.sql.forgetting import STANDS, in_percents
from adapters.sql.rows import micros
from domain.access import Holding
from domain.magic_link import MagicLink
from domain.mail import Mail, MailState
from domain.moves import Move
from domain.purchase import Checkout, Fact, FactKind, Purchase
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

Values = rows.Row | Mapping[str, Any]
_MOVED_FROM: Final = in_percents(forgetting.MOVED_FROM)
_CHECKOUTS_OF: Final = in_percents(forgetting.CHECKOUTS_OF)
_ADDRESSES_AFTER: Final = in_percents(forgetting.ADDRESSES_AFTER)
_LARGEST_SUM: Final = 99_999_999
_SESSION_BY_TOKEN: Final = f"SELECT {rows.SESSION} FROM sessions WHERE token_hash = %s"  # noqa: S608 - constants
_CHECKOUT: Final = f"SELECT {rows.CHECKOUT} FROM checkouts WHERE id = %s"  # noqa: S608 - constants
_CHECKOUT_BY_REF: Final = f"SELECT {rows.CHECKOUT} FROM checkouts WHERE provider_ref = %s"  # noqa: S608 - constants
_PURCHASE: Final = f"SELECT {rows.PURCHASE} FROM purchases WHERE checkout_id = %s"  # noqa: S608 - constants
_PURCHASE_BY_PAYMENT: Final = f"SELECT {rows.PURCHASE} FROM purchases WHERE payment = %s LIMIT 1"  # noqa: S608 - constants
_USER: Final = f"SELECT {rows.USER} FROM users WHERE email = %s"  # noqa: S608 - constants
_OWNERS: Final = (
    f"SELECT {rows.USER} FROM users WHERE id > %(after)s AND id IN ("  # noqa: S608 - constants
    "SELECT user_id FROM purchases WHERE pid = %(pid)s UNION SELECT user_id FROM purchases "
    "WHERE contents <> '' AND ' ' || contents || ' ' LIKE '%% ' || %(pid)s || ' %%') ORDER BY id LIMIT %(limit)s"
)
_USED_WITH: Final = (
    f"SELECT {rows.LINK} FROM magic_links WHERE used_with = %s ORDER BY used_at DESC, id LIMIT 1"  # noqa: S608 - constants
)

CARRIED_FROM: Final = f"SELECT id FROM moves WHERE old = %s AND {STANDS}"  # noqa: S608 - constants
_BACKLOG: Final = (
    "SELECT (SELECT count(*) FROM outbox WHERE state = 'queued'), "
    "(SELECT min(queued_at) FROM outbox WHERE state = 'queued'), "
    "(SELECT count(*) FROM outbox WHERE state = 'stuck'), "
    "(SELECT count(*) FROM quarantine WHERE closed_at IS NULL)"
)
_FACT: Final = f"SELECT {rows.FACT} FROM facts WHERE object_id = %s"  # noqa: S608 - constants
_HOLDINGS_BY_SESSION: Final = f"SELECT {rows.PURCHASE} FROM purchases WHERE session_id = %s"  # noqa: S608 - constants
_HOLDINGS: Final = (
    f"SELECT {rows.PURCHASE} FROM purchases WHERE session_id = %s "  # noqa: S608 - constants
    f"UNION SELECT {rows.PURCHASE} FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = %s)"
)
_FACTS: Final = (
    f"SELECT {rows.FACT} FROM facts WHERE object_id = ANY (%s::text[]) "  # noqa: S608 - constants
    f"UNION ALL SELECT {rows.FACT} FROM facts WHERE payment = ANY (%s::text[]) AND kind <> 'session'"
)
_LINK: Final = f"SELECT {rows.LINK} FROM magic_links WHERE id = %s"  # noqa: S608 - constants
_NEWEST_LOGIN: Final = (
    f"SELECT {rows.LINK} FROM magic_links WHERE asked_by = %s ORDER BY made_at DESC, superseded, id LIMIT 1"  # noqa: S608 - constants
)
_MAIL: Final = f"SELECT {rows.MAIL} FROM outbox WHERE key = %s"  # noqa: S608 - constants


class PostgresView:
    """BooksView on one connection. Every statement is a constant, so it is prepared once on each connection."""

    __slots__ = ("_sql",)

    def __init__(self, connection: Connection) -> None:
        self._sql = connection.execute

    def _row(self, statement: str, values: Values = ()) -> rows.Row | None:
        return self._sql(statement, values).fetchone()

    def _value(self, statement: str, values: Values = ()) -> Any:
        """The first column of the one row that there always is."""
        row = self._row(statement, values)
        assert row is not None
        return row[0]

    def shop_id(self) -> str | None:
        """See BooksView."""
        row = self._row("SELECT id FROM shop")
        return None if row is None else str(row[0])

    def session(self, token_hash: Digest) -> Session | None:
        """See BooksView."""
        row = self._row(_SESSION_BY_TOKEN, (token_hash,))
        return None if row is None else rows.session_of(row)

    def sessions_of(self, mailbox: EmailAddress) -> Sequence[Session]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.SESSION} FROM sessions WHERE mailbox = %s OR move_id IN ({CARRIED_FROM}) "  # noqa: S608 - constants
            "ORDER BY started_at DESC, id",
            (mailbox.canonical, mailbox.canonical),
        )
        return [rows.session_of(row) for row in found]

    def holders_of(self, mailbox: EmailAddress, *, since: datetime) -> Sequence[Session]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.SESSION} FROM sessions WHERE mailbox IS NULL AND id IN "  # noqa: S608 - constants
            f"(SELECT session_id FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = %s) "
            f"AND booked_at > %s) ORDER BY started_at DESC, id",
            (mailbox.canonical, micros(since)),
        )
        return [rows.session_of(row) for row in found]

    def checkout(self, checkout: CheckoutId) -> Checkout | None:
        """See BooksView."""
        row = self._row(_CHECKOUT, (checkout,))
        return None if row is None else rows.checkout_of(row)

    def checkout_of(self, ref: ProviderRef) -> Checkout | None:
        """See BooksView."""
        row = self._row(_CHECKOUT_BY_REF, (ref,))
        return None if row is None else rows.checkout_of(row)

    def purchase(self, checkout: CheckoutId) -> Purchase | None:
        """See BooksView."""
        row = self._row(_PURCHASE, (checkout,))
        return None if row is None else rows.purchase_of(row)

    def fact(self, object_id: str) -> Fact | None:
        """See BooksView."""
        row = self._row(_FACT, (object_id,))
        return None if row is None else rows.fact_of(row)

    def holdings(self, session: SessionId, mailbox: EmailAddress | None) -> Sequence[Holding]:
        """See BooksView."""
        if mailbox is None:
            found = self._sql(_HOLDINGS_BY_SESSION, (session,)).fetchall()
        else:
            found = self._sql(_HOLDINGS, (session, mailbox.canonical)).fetchall()
        return self._with_facts(found)

    def _with_facts(self, found: Sequence[rows.Row]) -> list[Holding]:
        """Purchases with the facts of all of them, asked for at once."""
        purchases = [rows.purchase_of(row) for row in found]
        if not purchases:
            return []
        refs = [p.provider_ref for p in purchases if p.provider_ref is not None]
        payments = [p.payment for p in purchases if p.payment is not None]
        facts = [rows.fact_of(row) for row in self._sql(_FACTS, (refs, payments))]
        return [Holding(purchase=p, facts=tuple(f for f in facts if _is_about(f, p))) for p in purchases]

    def holding(self, checkout: CheckoutId) -> Holding | None:
        """See BooksView."""
        row = self._row(_PURCHASE, (checkout,))
        return None if row is None else self._with_facts([row])[0]

    def holding_of(self, payment: str) -> Holding | None:
        """See BooksView."""
        row = self._row(_PURCHASE_BY_PAYMENT, (payment,))
        return None if row is None else self._with_facts([row])[0]

    def facts_of(self, payment: str) -> Sequence[Fact]:
        """See BooksView."""
        return [rows.fact_of(row) for row in self._sql(_FACTS, ([], [payment]))]

    def holdings_of(self, mailbox: EmailAddress) -> Sequence[Holding]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.PURCHASE} FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = %s) "  # noqa: S608 - constants
            "ORDER BY booked_at, checkout_id",
            (mailbox.canonical,),
        ).fetchall()
        return self._with_facts(found)

    def sold(self, product: ProductId) -> int:
        """See BooksView."""
        return int(self._value("SELECT count(*) FROM purchases WHERE pid = %s", (product,)))

    def knows(self, mailbox: EmailAddress) -> bool:
        """See BooksView."""
        return self._row("SELECT 1 FROM users WHERE email = %s", (mailbox.canonical,)) is not None

    def user(self, mailbox: EmailAddress) -> User | None:
        """See BooksView."""
        row = self._row(_USER, (mailbox.canonical,))
        return None if row is None else rows.user_of(row)

    def link(self, link: LinkId) -> MagicLink | None:
        """See BooksView."""
        row = self._row(_LINK, (link,))
        return None if row is None else rows.link_of(row)

    def newest_login(self, asked_by: SessionId) -> MagicLink | None:
        """See BooksView."""
        row = self._row(_NEWEST_LOGIN, (asked_by,))
        return None if row is None else rows.link_of(row)

    def link_used_with(self, cookie: Digest) -> MagicLink | None:
        """See BooksView."""
        row = self._row(_USED_WITH, (cookie,))
        return None if row is None else rows.link_of(row)

    def move(self, move: MoveId) -> Move | None:
        """See BooksView."""
        row = self._row(f"SELECT {rows.MOVE} FROM moves WHERE id = %s", (move,))  # noqa: S608 - constants
        return None if row is None else rows.move_of(row)

    def moves_to(self, mailbox: EmailAddress) -> Sequence[Move]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MOVE} FROM moves WHERE new = %s AND {STANDS} ORDER BY done_at, id",  # noqa: S608 - constants
            (mailbox.canonical,),
        )
        return [rows.move_of(row) for row in found]

    def moves_from(self, mailbox: EmailAddress) -> Sequence[Move]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MOVE} FROM moves WHERE old = %s AND {STANDS} ORDER BY done_at, id",  # noqa: S608 - constants
            (mailbox.canonical,),
        )
        return [rows.move_of(row) for row in found]

    def moved(self, checkout: CheckoutId) -> bool:
        """See BooksView."""
        found = self._row("SELECT 1 FROM moves WHERE kind = 'correction' AND checkouts = %s", (checkout,))
        return found is not None

    def moved_from(self, mailbox: EmailAddress) -> Sequence[EmailAddress]:
        """See BooksView."""
        found = self._sql(_MOVED_FROM, {"address": mailbox.canonical})
        return [EmailAddress(row[0]) for row in found]

    def checkouts_of(self, mailbox: EmailAddress) -> Sequence[CheckoutId]:
        """See BooksView."""
        found = self._sql(_CHECKOUTS_OF, {"address": mailbox.canonical})
        return [CheckoutId(row[0]) for row in found]

    def is_erased(self, checkout: CheckoutId) -> bool:
        """See BooksView."""
        return self._row("SELECT 1 FROM erasures WHERE checkout_id = %s", (checkout,)) is not None

    def downloads_of(self, checkout: CheckoutId) -> Sequence[Download]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.DOWNLOAD} FROM downloads WHERE checkout_id = %s ORDER BY pid, name",  # noqa: S608 - constants
            (checkout,),
        )
        return [rows.download_of(row) for row in found]

    def payments_due(self, now: datetime, *, limit: int) -> Sequence[PaymentDue]:
        """See BooksView."""
        found = self._sql(
            "SELECT payment, since, tries FROM payments_due WHERE due_at <= %s ORDER BY due_at, payment LIMIT %s",
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
        row = self._row(_MAIL, (key,))
        return None if row is None else rows.mail_of(row)

    def mails_to(self, mailbox: EmailAddress) -> Sequence[Mail]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MAIL} FROM outbox WHERE mailbox = %s ORDER BY queued_at, key",  # noqa: S608 - constants
            (mailbox.canonical,),
        )
        return [rows.mail_of(row) for row in found]

    def due_again(self, now: datetime, *, limit: int) -> Sequence[Quarantined]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.QUARANTINE} FROM quarantine WHERE closed_at IS NULL AND retry_at <= %s "  # noqa: S608 - constants
            "ORDER BY retry_at, ref LIMIT %s",
            (micros(now), limit),
        )
        return [rows.quarantined_of(row) for row in found]

    def quarantined(self, ref: str) -> Quarantined | None:
        """See BooksView."""
        row = self._row(f"SELECT {rows.QUARANTINE} FROM quarantine WHERE ref = %s", (ref,))  # noqa: S608 - constants
        return None if row is None else rows.quarantined_of(row)

    def cursor(self, name: str) -> datetime | None:
        """See BooksView."""
        row = self._row("SELECT at FROM cursors WHERE name = %s", (name,))
        return None if row is None else rows.moment(row[0])

    def first_checkout_at(self) -> datetime | None:
        """See BooksView."""
        return rows.maybe_moment(self._value("SELECT min(started_at) FROM checkouts"))

    def backlog(self) -> Backlog:
        """See BooksView."""
        queued, oldest, stuck, quarantined = self._sql(_BACKLOG).fetchone() or (0, None, 0, 0)
        return Backlog(
            queued=queued,
            oldest_queued_at=rows.maybe_moment(oldest),
            stuck=stuck,
            quarantined=quarantined,
        )

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
        mails = {row[0]: row[1] for row in self._sql("SELECT state, count(*) FROM outbox GROUP BY state")}
        return Tally(
            users=self._value("SELECT count(*) FROM users"),
            purchases=self._value("SELECT count(*) FROM purchases"),
            takings=tuple(takings),
            mails=tuple((state, int(mails.get(state.value, 0))) for state in MailState),
            bounced=self._value("SELECT count(*) FROM outbox WHERE delivery = 'bounced' AND kind = 'ticket'"),
        )

    def waiting_mails(self, now: datetime, *, late: timedelta) -> Sequence[Mail]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MAIL} FROM outbox WHERE state = 'stuck' "  # noqa: S608 - constants
            f"UNION ALL SELECT {rows.MAIL} FROM outbox WHERE state = 'queued' AND queued_at <= %s AND problem <> '' "
            "ORDER BY queued_at, key",
            (micros(now - late),),
        )
        return [rows.mail_of(row) for row in found]

    def waiting_quarantine(self) -> Sequence[Quarantined]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.QUARANTINE} FROM quarantine WHERE closed_at IS NULL ORDER BY first_at, ref"  # noqa: S608 - constants
        )
        return [rows.quarantined_of(row) for row in found]

    def users_after(self, user: str, *, limit: int) -> Sequence[User]:
        """See BooksView."""
        found = self._sql(f"SELECT {rows.USER} FROM users WHERE id > %s ORDER BY id LIMIT %s", (user, limit))  # noqa: S608 - constants
        return [rows.user_of(row) for row in found]

    def purchases_after(self, checkout: str, *, limit: int) -> Sequence[Holding]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.PURCHASE} FROM purchases WHERE checkout_id > %s ORDER BY checkout_id LIMIT %s",  # noqa: S608 - constants
            (checkout, limit),
        ).fetchall()
        return self._with_facts(found)

    def mails_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.MAIL} FROM outbox WHERE key > %s ORDER BY key LIMIT %s",  # noqa: S608 - constants
            (key, limit),
        )
        return [rows.mail_of(row) for row in found]

    def quarantine_after(self, ref: str, *, limit: int) -> Sequence[Quarantined]:
        """See BooksView."""
        found = self._sql(
            f"SELECT {rows.QUARANTINE} FROM quarantine WHERE ref > %s ORDER BY ref LIMIT %s",  # noqa: S608 - constants
            (ref, limit),
        )
        return [rows.quarantined_of(row) for row in found]

    def erasures_after(self, checkout: str, *, limit: int) -> Sequence[CheckoutId]:
        """See BooksView."""
        found = self._sql(
            "SELECT checkout_id FROM erasures WHERE checkout_id > %s ORDER BY checkout_id LIMIT %s",
            (checkout, limit),
        )
        return [CheckoutId(row[0]) for row in found]

    def erased_addresses_after(self, tag: str, *, limit: int) -> Sequence[ErasedAddress]:
        """See BooksView."""
        found = self._sql(
            "SELECT tag, at FROM erased_addresses WHERE tag > %s ORDER BY tag LIMIT %s", (tag, limit)
        )
        return [ErasedAddress(tag=row[0], at=rows.moment(row[1])) for row in found]

    def addresses_after(self, address: str, *, limit: int) -> Sequence[EmailAddress]:
        """See BooksView."""
        found = self._sql(_ADDRESSES_AFTER, {"after": address, "most": limit})
        return [EmailAddress(row[0]) for row in found]


def _is_about(fact: Fact, purchase: Purchase) -> bool:
    if fact.kind is FactKind.SESSION:
        return fact.object_id == purchase.provider_ref
    return fact.payment is not None and fact.payment == purchase.payment
