"""What an erasure takes out of the books, as statements for both engines. Values are named; see `in_percents`.

A row goes because it is the person's, never because it names an address: somebody else may be using that address by
now, and what warns another customer of a change of address must stay.
"""

from __future__ import annotations

import re
from typing import Final

STANDS: Final = "done_at IS NOT NULL AND undone_at IS NULL"
WITHOUT_ADDRESSES: Final = "UPDATE moves SET old = '', new = '', asked_by = ''"
KEPT_MARK: Final = f"kind = 'correction' AND {STANDS}"
"""What stays of a correction for good: that there was one. Its order's reader may be another person than the payer."""

# A move away from the address that was done is the business of the new address: so are the notice and the undo link.
_OF_MOVES_AWAY: Final = (
    "SELECT id FROM magic_links WHERE move_id IN "  # noqa: S608 - constants
    f"(SELECT id FROM moves WHERE old = :address AND new <> :address AND {STANDS})"
)
_OWN_MOVES: Final = f"(old = :address AND NOT ({STANDS})) OR (new = :address AND {STANDS})"
_OWN_LINKS: Final = f"SELECT id FROM magic_links WHERE move_id IN (SELECT id FROM moves WHERE {_OWN_MOVES})"  # noqa: S608 - constants

ERASE_ORDER: Final = (
    "UPDATE checkouts SET session_id = NULL, mailbox = NULL WHERE id = :checkout",
    (
        "UPDATE purchases SET user_id = NULL, mailbox = NULL, paid_email = NULL, session_id = NULL "
        "WHERE checkout_id = :checkout"
    ),
    "DELETE FROM downloads WHERE checkout_id = :checkout",
    "DELETE FROM licence_line WHERE checkout_id = :checkout",
    "DELETE FROM magic_links WHERE id IN (SELECT link_id FROM outbox WHERE key = :ticket)",
    "DELETE FROM outbox WHERE key IN (:ticket, :failed)",
)
"""Everything that says whose an order is. Values: checkout, and the keys of the mails that are about it."""

FORGET: Final = (
    # Found by its address first: the outbox has no index of links.
    (
        "DELETE FROM outbox WHERE mailbox IN "  # noqa: S608 - constants
        f"(SELECT old FROM moves WHERE {_OWN_MOVES} UNION SELECT new FROM moves WHERE {_OWN_MOVES}) "
        f"AND link_id IN ({_OWN_LINKS})"
    ),
    (
        "DELETE FROM outbox WHERE mailbox = :address "  # noqa: S608 - constants
        f"AND (link_id IS NULL OR link_id NOT IN ({_OF_MOVES_AWAY}))"
    ),
    f"DELETE FROM magic_links WHERE id IN ({_OWN_LINKS})",  # noqa: S608 - constants
    f"DELETE FROM magic_links WHERE mailbox = :address AND id NOT IN ({_OF_MOVES_AWAY})",  # noqa: S608 - constants
    "DELETE FROM sessions WHERE mailbox = :address",
    # What was asked for elsewhere still waits: whoever takes it back ends the browser that asked.
    (
        "UPDATE moves SET new = '' WHERE new = :address AND old <> :address "
        "AND done_at IS NULL AND undone_at IS NULL"
    ),
    f"{WITHOUT_ADDRESSES} WHERE new = :address AND kind = 'correction' AND old <> :address",
    f"DELETE FROM moves WHERE new = :address OR (old = :address AND NOT ({STANDS}))",  # noqa: S608 - constants
    "UPDATE purchases SET paid_email = NULL WHERE paid_email = :address AND paid_email <> mailbox",
    "DELETE FROM users WHERE email = :address",
)
"""Everything else of a person. Value: address."""

FORMER: Final = (
    f"SELECT id, kind, old, done_at FROM moves WHERE new = :address AND old <> :address AND {STANDS} "  # noqa: S608 - constants
    "ORDER BY id"
)
"""The moves by which a person left another address. Value: address."""

FORGET_MOVE: Final = (
    (
        "DELETE FROM outbox WHERE mailbox = :address AND link_id IN "
        "(SELECT id FROM magic_links WHERE move_id = :move)"
    ),
    "DELETE FROM magic_links WHERE move_id = :move",
)
"""What was sent to the former address about the move itself. Values: address, move."""

FORGET_FORMER_SALES: Final = (
    (
        "DELETE FROM outbox WHERE mailbox = :address AND kind IN ('ticket', 'update', 'news') "
        "AND queued_at <= :until"
    ),
    "DELETE FROM magic_links WHERE mailbox = :address AND purpose = 'ticket' AND made_at <= :until",
)
"""What was sent to a former address, where nothing is owned any more, about what was. Values: address, until."""

_OWN_REQUESTS: Final = f"old = :address AND NOT ({STANDS}) AND asked_at <= :until"
_OF_OWN_REQUESTS: Final = (
    f"SELECT id FROM magic_links WHERE move_id IN (SELECT id FROM moves WHERE {_OWN_REQUESTS})"  # noqa: S608 - constants
)
FORGET_FORMER_PERSON: Final = (
    (
        f"DELETE FROM outbox WHERE mailbox IN (SELECT new FROM moves WHERE {_OWN_REQUESTS}) "  # noqa: S608 - constants
        f"AND link_id IN ({_OF_OWN_REQUESTS})"
    ),
    (
        "DELETE FROM outbox WHERE mailbox = :address AND queued_at <= :until "  # noqa: S608 - constants
        f"AND (link_id IS NULL OR link_id NOT IN ({_OF_MOVES_AWAY}))"
    ),
    f"DELETE FROM magic_links WHERE id IN ({_OF_OWN_REQUESTS})",  # noqa: S608 - constants
    (
        "DELETE FROM magic_links WHERE mailbox = :address AND made_at <= :until "  # noqa: S608 - constants
        f"AND id NOT IN ({_OF_MOVES_AWAY})"
    ),
    f"DELETE FROM moves WHERE {_OWN_REQUESTS}",  # noqa: S608 - constants
)
"""What else there is of a person who had this address until then, and changed it. Values: address, until."""

MOVED_FROM: Final = (
    f"SELECT DISTINCT old FROM moves WHERE new = :address AND old <> :address AND kind = 'change' AND {STANDS} "  # noqa: S608 - constants
    "AND NOT EXISTS (SELECT 1 FROM users WHERE email = moves.old) ORDER BY old"
)
"""Addresses that were changed to this one and are no user's. Value: address."""

CHECKOUTS_OF: Final = (
    "SELECT checkout_id AS id FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = :address) "
    "UNION SELECT id FROM checkouts WHERE mailbox = :address "
    "AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) ORDER BY id"
)
"""The checkouts of an address, booked or not. Value: address."""

_ADDRESSES: Final = (
    ("users", "email"), ("sessions", "mailbox"), ("checkouts", "mailbox"), ("purchases", "paid_email"),
    ("magic_links", "mailbox"), ("outbox", "mailbox"), ("moves", "old"), ("moves", "new"),
)  # fmt: skip
ADDRESSES_AFTER: Final = (
    "SELECT address FROM ("  # noqa: S608 - constants
    + " UNION ".join(
        f"SELECT address FROM (SELECT DISTINCT {column} AS address FROM {table} "  # noqa: S608 - constants
        f"WHERE {column} > :after ORDER BY address LIMIT :most) AS found_in_{number}"
        for number, (table, column) in enumerate(_ADDRESSES)
    )
    + ") AS found ORDER BY address LIMIT :most"
)
"""Every address that a row names, a page at a time. Values: after, most."""


def in_percents(statement: str) -> str:
    """The same for psycopg: `%(name)s` for `:name`."""
    return re.sub(r":([a-z]+)", r"%(\1)s", statement)


def order_values(checkout: str) -> dict[str, str]:
    """The values of ERASE_ORDER."""
    return {"checkout": checkout, "ticket": f"ticket:{checkout}", "failed": f"failed:{checkout}"}
