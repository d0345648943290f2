"""What an erasure takes out of the records, as statements.

A row goes because it is the person's, never because it names an address: another person may be using that address by
now, and what warns another customer of a change of address must stay.
"""

from __future__ import annotations

from typing import Final

from adapters.sql import uploads, withdrawals
from adapters.sql.address_changes import STANDS
from adapters.sql.record import Execute, Row
from domain.address_change import ChangeKind

WITHOUT_ADDRESSES: Final = "UPDATE moves SET old = '', new = '', asked_by = ''"
KEPT_MARK: Final = f"kind = 'correction' AND {STANDS}"
"""What is kept of a correction permanently: that there was one. The reader of its order may not be the payer."""

# A move away from the address that was done is the business of the new address: so are the notice and the undo link.
_OF_MOVES_AWAY: Final = f"""SELECT id FROM magic_links WHERE move_id IN
  (SELECT id FROM moves WHERE old = :address AND new <> :address AND {STANDS})"""
_NOT_OF_THEM: Final = f"(link_id IS NULL OR link_id NOT IN ({_OF_MOVES_AWAY}))"
_OWN_MOVES: Final = f"(old = :address AND NOT ({STANDS})) OR (new = :address AND {STANDS})"
_OWN_LINKS: Final = f"SELECT id FROM magic_links WHERE move_id IN (SELECT id FROM moves WHERE {_OWN_MOVES})"

_OWNER_LINKS: Final = "FROM magic_links WHERE checkout_id = :checkout AND purpose = 'owner'"
ERASE_ORDER: Final = (
    "UPDATE checkouts SET session_id = NULL, mailbox = NULL, move_id = NULL, verified = NULL WHERE id = :checkout",
    """UPDATE purchases SET user_id = NULL, mailbox = NULL, paid_email = NULL, session_id = NULL
      WHERE checkout_id = :checkout""",
    "DELETE FROM downloads WHERE checkout_id = :checkout",
    "DELETE FROM licence_line WHERE checkout_id = :checkout",
    "DELETE FROM audit_reasons WHERE line_id IN (SELECT id FROM audit WHERE object_id = :checkout)",
    # Its payment may have been quarantined, and dismissed.
    """DELETE FROM audit_reasons WHERE line_id IN (SELECT audit.id FROM checkouts
      JOIN audit ON audit.object_id = checkouts.provider_ref WHERE checkouts.id = :checkout)""",
    "DELETE FROM sale_notes WHERE checkout_id = :checkout",
    "UPDATE refund_requests SET reason = '' WHERE checkout_id = :checkout",
    f"{withdrawals.FORGET} WHERE checkout_id = :checkout",
    "DELETE FROM magic_links WHERE id IN (SELECT link_id FROM outbox WHERE key = :access)",
    "DELETE FROM outbox WHERE key IN (:access, :failed)",
    # Found by its address first, as below. Addresses that were named for the order, right or mistyped.
    f"""DELETE FROM outbox WHERE mailbox IN (SELECT mailbox {_OWNER_LINKS})
      AND link_id IN (SELECT id {_OWNER_LINKS})""",
    f"DELETE {_OWNER_LINKS}",
)
"""Everything that says whose an order is. Values: checkout, and the keys of the mails that are about it."""

FORGET: Final = (
    # Found by its address first: the outbox has no index of links.
    f"""DELETE FROM outbox WHERE mailbox IN
      (SELECT old FROM moves WHERE {_OWN_MOVES} UNION SELECT new FROM moves WHERE {_OWN_MOVES})
      AND link_id IN ({_OWN_LINKS})""",
    f"DELETE FROM outbox WHERE mailbox = :address AND {_NOT_OF_THEM}",
    f"DELETE FROM magic_links WHERE id IN ({_OWN_LINKS})",
    f"DELETE FROM magic_links WHERE mailbox = :address AND id NOT IN ({_OF_MOVES_AWAY})",
    "DELETE FROM sessions WHERE mailbox = :address",
    # A change requested elsewhere still waits: undoing it ends the session that requested it.
    "UPDATE moves SET new = '' WHERE new = :address AND old <> :address AND done_at IS NULL AND undone_at IS NULL",
    f"{WITHOUT_ADDRESSES} WHERE new = :address AND kind = 'correction' AND old <> :address",
    f"DELETE FROM moves WHERE new = :address OR (old = :address AND NOT ({STANDS}))",
    "UPDATE purchases SET paid_email = NULL WHERE paid_email = :address AND paid_email <> mailbox",
    """DELETE FROM audit_reasons WHERE line_id IN (SELECT audit.id FROM checkouts
      JOIN audit ON audit.object_id = checkouts.provider_ref WHERE checkouts.verified = :address)""",
    "UPDATE checkouts SET verified = NULL WHERE verified = :address",
    "DELETE FROM users WHERE email = :address",
    f"{withdrawals.FORGET} WHERE email = :address",
    *uploads.FORGET,
)
"""Everything else of a person. Value: address."""

FORMER: Final = f"""SELECT id, kind, old, done_at FROM moves WHERE new = :address AND old <> :address AND {STANDS}
  ORDER BY id"""
"""The moves by which a person left another address. Value: address."""

LONG_MOVED: Final = f"SELECT id, kind, old, done_at FROM moves WHERE asked_at < ? AND {STANDS} AND new <> ''"
"""The moves, of columns as above, that were asked for before a time."""

FORGET_MOVE: Final = (
    "DELETE FROM outbox WHERE mailbox = :address AND link_id IN (SELECT id FROM magic_links WHERE move_id = :move)",
    "DELETE FROM magic_links WHERE move_id = :move",
)
"""What was sent to the former address about the move itself. Values: address, move."""

FORGET_FORMER_SALES: Final = (
    "DELETE FROM outbox WHERE mailbox = :address AND kind IN ('access', 'update', 'release') AND queued_at <= :until",
    "DELETE FROM magic_links WHERE mailbox = :address AND purpose = 'access' AND made_at <= :until",
)
"""What was sent to a former address, where nothing is owned any more, about what was. Values: address, until."""

_OWN_REQUESTS: Final = f"old = :address AND NOT ({STANDS}) AND asked_at <= :until"
_OF_OWN_REQUESTS: Final = f"""SELECT id FROM magic_links
  WHERE move_id IN (SELECT id FROM moves WHERE {_OWN_REQUESTS})"""
FORGET_FORMER_PERSON: Final = (
    f"""DELETE FROM outbox WHERE mailbox IN (SELECT new FROM moves WHERE {_OWN_REQUESTS})
      AND link_id IN ({_OF_OWN_REQUESTS})""",
    f"DELETE FROM outbox WHERE mailbox = :address AND queued_at <= :until AND {_NOT_OF_THEM}",
    f"DELETE FROM magic_links WHERE id IN ({_OF_OWN_REQUESTS})",
    f"DELETE FROM magic_links WHERE mailbox = :address AND made_at <= :until AND id NOT IN ({_OF_MOVES_AWAY})",
    f"DELETE FROM moves WHERE {_OWN_REQUESTS}",
    "UPDATE checkouts SET verified = NULL WHERE verified = :address AND started_at <= :until",
)
"""Everything else of the person who had this address until then, and changed it. Values: address, until."""

_ADDRESSES: Final = (
    ("users", "email"), ("sessions", "mailbox"), ("checkouts", "mailbox"), ("checkouts", "verified"),
    ("purchases", "paid_email"), ("magic_links", "mailbox"), ("outbox", "mailbox"), ("moves", "old"), ("moves", "new"),
    ("withdrawals", "email"),
)  # fmt: skip
_FOUND: Final = " UNION ".join(
    f"SELECT address FROM (SELECT DISTINCT {column} AS address FROM {table} "
    f"WHERE {column} > :after ORDER BY address LIMIT :most) AS found_in_{number}"
    for number, (table, column) in enumerate(_ADDRESSES)
)
ADDRESSES_AFTER: Final = f"SELECT address FROM ({_FOUND}) AS found ORDER BY address LIMIT :most"
"""Every address that a row names, a page at a time. Values: after, most."""


def forget_former(execute: Execute, move: Row) -> None:
    """Delete the records of the person who left an address by a change; `move`: id, kind, old, done_at."""
    change, kind, former, until = move
    statements: tuple[str, ...] = FORGET_MOVE
    if execute("SELECT 1 FROM users WHERE email = ?", (former,)).fetchone() is None:
        statements += FORGET_FORMER_SALES
        statements += FORGET_FORMER_PERSON if kind == ChangeKind.CHANGE.value else ()
    for statement in statements:
        execute(statement, {"move": change, "address": former, "until": until})
