"""Tables, indexes and numbered migrations. What must be unique is unique here, in the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlite_utils import Migrations

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("coatcheck")

# WITHOUT ROWID where the key is an id and rows are small: one tree to write instead of two.
# Instants are whole microseconds since 1970 in UTC, amounts are minor units, ids are text.
_FIRST: Final = """
CREATE TABLE shop (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL) STRICT;
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY, token_hash TEXT NOT NULL, mailbox TEXT, started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL, label TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_mailbox ON sessions (mailbox) WHERE mailbox IS NOT NULL;
CREATE INDEX sessions_seen ON sessions (seen_at);

CREATE TABLE checkouts (
  id TEXT PRIMARY KEY, pid TEXT NOT NULL, product_name TEXT NOT NULL, amount INTEGER NOT NULL,
  currency TEXT NOT NULL, session_id TEXT, mailbox TEXT, livemode INTEGER NOT NULL,
  started_at INTEGER NOT NULL, provider_ref TEXT, expires_at INTEGER, asked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX checkouts_ref ON checkouts (provider_ref) WHERE provider_ref IS NOT NULL;
CREATE INDEX checkouts_started ON checkouts (started_at);

CREATE TABLE purchases (
  checkout_id TEXT PRIMARY KEY, provider_ref TEXT NOT NULL, payment TEXT, user_id TEXT NOT NULL REFERENCES users (id),
  mailbox TEXT NOT NULL, paid_email TEXT, pid TEXT NOT NULL, product_name TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, livemode INTEGER NOT NULL, session_id TEXT,
  booked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX purchases_user ON purchases (user_id);
CREATE INDEX purchases_session ON purchases (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX purchases_pid ON purchases (pid);

CREATE TABLE facts (
  object_id TEXT PRIMARY KEY, kind TEXT NOT NULL, payment TEXT, as_of INTEGER NOT NULL,
  status TEXT NOT NULL, amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX facts_payment ON facts (payment) WHERE kind <> 'session';

CREATE TABLE magic_links (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, purpose TEXT NOT NULL, mailbox TEXT NOT NULL, asked_by TEXT, pid TEXT,
  made_at INTEGER NOT NULL, sent_at INTEGER, used_at INTEGER, superseded INTEGER NOT NULL DEFAULT 0,
  code_tries INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX links_asked_by ON magic_links (asked_by, made_at) WHERE asked_by IS NOT NULL;
CREATE INDEX links_made ON magic_links (made_at);

CREATE TABLE outbox (
  key TEXT NOT NULL, kind TEXT NOT NULL, mailbox TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
  html TEXT NOT NULL, link_id TEXT, key_name TEXT, queued_at INTEGER NOT NULL, due_at INTEGER NOT NULL,
  state TEXT NOT NULL, attempts INTEGER NOT NULL, unknown_since INTEGER, sent_at INTEGER, problem TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX outbox_key ON outbox (key);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'queued';
CREATE INDEX outbox_stuck ON outbox (queued_at) WHERE state = 'stuck';
CREATE INDEX outbox_logins ON outbox (queued_at) WHERE kind = 'login';

CREATE TABLE limits (bucket TEXT NOT NULL, at INTEGER NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (bucket, at, ref))
  STRICT, WITHOUT ROWID;
CREATE INDEX limits_ref ON limits (ref);
CREATE INDEX limits_at ON limits (at);

CREATE TABLE events (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, object_id TEXT NOT NULL, created INTEGER NOT NULL,
  outcome TEXT NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_at ON events (at);

CREATE TABLE quarantine (
  ref TEXT PRIMARY KEY, objection TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  tries INTEGER NOT NULL, retry_at INTEGER, closed_at INTEGER
) STRICT;
CREATE INDEX quarantine_open ON quarantine (objection, retry_at) WHERE closed_at IS NULL;

CREATE TABLE cursors (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
"""

# Purchases are made anew, since SQLite cannot take a NOT NULL back: what is free has no session of Stripe's, and
# the purchase of somebody who was erased belongs to nobody.
_SECOND: Final = """
CREATE TABLE new_purchases (
  checkout_id TEXT PRIMARY KEY, provider_ref TEXT, payment TEXT, user_id TEXT REFERENCES users (id),
  mailbox TEXT, paid_email TEXT, pid TEXT NOT NULL, product_name TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, livemode INTEGER NOT NULL, session_id TEXT,
  booked_at INTEGER NOT NULL, contents TEXT NOT NULL DEFAULT '', licences TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
INSERT INTO new_purchases (checkout_id, provider_ref, payment, user_id, mailbox, paid_email, pid, product_name, amount,
  currency, livemode, session_id, booked_at)
  SELECT checkout_id, provider_ref, payment, user_id, mailbox, paid_email, pid, product_name, amount, currency,
  livemode, session_id, booked_at FROM purchases;
DROP TABLE purchases;
ALTER TABLE new_purchases RENAME TO purchases;
CREATE INDEX purchases_user ON purchases (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX purchases_session ON purchases (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX purchases_pid ON purchases (pid);
CREATE INDEX purchases_payment ON purchases (payment) WHERE payment IS NOT NULL;
CREATE INDEX purchases_paid_email ON purchases (paid_email) WHERE paid_email <> mailbox;
CREATE INDEX purchases_bundles ON purchases (checkout_id) WHERE contents <> '';

ALTER TABLE users ADD COLUMN proved_at INTEGER;
ALTER TABLE users ADD COLUMN wants_news INTEGER NOT NULL DEFAULT 1;
UPDATE users SET proved_at = since;
ALTER TABLE checkouts ADD COLUMN contents TEXT NOT NULL DEFAULT '';
ALTER TABLE checkouts ADD COLUMN discounts INTEGER NOT NULL DEFAULT 0;
CREATE INDEX checkouts_mailbox ON checkouts (mailbox) WHERE mailbox IS NOT NULL;
ALTER TABLE magic_links ADD COLUMN checkout_id TEXT;
ALTER TABLE magic_links ADD COLUMN move_id TEXT;
CREATE INDEX links_move ON magic_links (move_id) WHERE move_id IS NOT NULL;
ALTER TABLE outbox ADD COLUMN delivery TEXT;
CREATE INDEX outbox_mailbox ON outbox (mailbox);
CREATE INDEX outbox_bounced ON outbox (kind) WHERE delivery = 'bounced';
CREATE INDEX outbox_orders ON outbox (queued_at) WHERE kind = 'order';

CREATE TABLE payments_due (
  payment TEXT PRIMARY KEY, since INTEGER NOT NULL, due_at INTEGER NOT NULL, tries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_due_at ON payments_due (due_at);
CREATE TABLE licences (
  pid TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, checkout_id TEXT, PRIMARY KEY (pid, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX licences_free ON licences (pid, position) WHERE checkout_id IS NULL;
CREATE TABLE licence_line (pid TEXT NOT NULL, checkout_id TEXT NOT NULL, PRIMARY KEY (pid, checkout_id))
  STRICT, WITHOUT ROWID;
CREATE TABLE downloads (
  checkout_id TEXT NOT NULL, pid TEXT NOT NULL, name TEXT NOT NULL, last_at INTEGER NOT NULL, times INTEGER NOT NULL,
  PRIMARY KEY (checkout_id, pid, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE moves (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL, asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL, checkouts TEXT NOT NULL, done_at INTEGER, undone_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX moves_corrected ON moves (checkouts) WHERE kind = 'correction';
CREATE TABLE erasures (checkout_id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

_THIRD: Final = """
ALTER TABLE sessions ADD COLUMN move_id TEXT;
ALTER TABLE sessions ADD COLUMN former TEXT;
UPDATE sessions SET move_id = (
  SELECT id FROM moves WHERE kind = 'change' AND asked_by = sessions.id AND new = sessions.mailbox
  AND done_at IS NOT NULL AND undone_at IS NULL ORDER BY done_at DESC LIMIT 1
);
CREATE INDEX sessions_move ON sessions (move_id) WHERE move_id IS NOT NULL;
ALTER TABLE magic_links ADD COLUMN used_with TEXT;
CREATE INDEX links_used_with ON magic_links (used_with) WHERE used_with IS NOT NULL;
CREATE INDEX links_mailbox ON magic_links (mailbox);
ALTER TABLE moves ADD COLUMN old_since INTEGER;
ALTER TABLE moves ADD COLUMN no_news INTEGER;
CREATE INDEX moves_old ON moves (old);
CREATE INDEX moves_new ON moves (new);
ALTER TABLE outbox ADD COLUMN urgency INTEGER NOT NULL DEFAULT 1 CHECK (urgency BETWEEN 0 AND 3);
UPDATE outbox SET urgency = CASE WHEN kind IN ('ticket', 'update') THEN 0 WHEN kind IN ('login', 'order') THEN 2
  WHEN kind = 'news' THEN 3 ELSE 1 END WHERE state IN ('queued', 'stuck');
DROP INDEX outbox_due;
CREATE INDEX outbox_next ON outbox (urgency, due_at) WHERE state = 'queued';
CREATE TABLE erased_addresses (tag TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

UNIQUE: Final = {
    "users": ("email",),
    "sessions": ("token_hash",),
    "checkouts": ("provider_ref",),
    "purchases": ("checkout_id",),
    "outbox": ("key",),
    "events": ("id",),
    "facts": ("object_id",),
    "magic_links": ("id",),
    "quarantine": ("ref",),
    "licences": ("pid", "key"),
    "moves": ("id",),
    "erasures": ("checkout_id",),
    "erased_addresses": ("tag",),
}
"""What the promises of the books rest on; checked at every start."""


@migrations(name="0001_first_books")
def first_books(db: Database) -> None:
    """The tables of the first release."""
    _run(db, _FIRST)


@migrations(name="0002_after_the_sale")
def after_the_sale(db: Database) -> None:
    """Free orders, bundles, licence keys, facts that wait, downloads, moves, erasures."""
    _run(db, _SECOND)


@migrations(name="0003_identity")
def identity(db: Database) -> None:
    """Sessions that a change carried, repeated submits, undone changes, which mail leaves first, erased addresses."""
    _run(db, _THIRD)


def _run(db: Database, script: str) -> None:
    """Statement by statement: `executescript` would commit the transaction that all migrations share."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)


def missing_uniqueness(db: Database) -> list[str]:
    """Which `table (column)` lacks the unique index it needs: somebody tampered with the file."""
    missing: list[str] = []
    for table, columns in UNIQUE.items():
        found = db.table(table)
        unique = {tuple(index.columns) for index in found.indexes if index.unique}
        if columns not in unique and tuple(found.pks) != columns:
            missing.append(f"{table} ({', '.join(columns)})")
    return missing
