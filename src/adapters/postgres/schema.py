"""Tables, indexes and numbered migrations. What must be unique is unique here, in the schema.

Every statement may be run again: some engines end the transaction at each change of the schema, so a migration that
broke off begins anew. Written so that PostgreSQL, CockroachDB and YugabyteDB take it (docs/postgresql.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.postgres.session import Engine


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; it stands in the table `migrations` once it was done."""

    number: int
    name: str
    script: str
    unsampled: tuple[str, ...] = ()
    """Columns of which PostgreSQL is to keep no samples in its statistics, where an erasure would not find them."""
    spread: tuple[str, ...] = ()
    """Columns that are asked for by value while neighbours are being written, with hash indexes on PostgreSQL.

    Under SERIALIZABLE whoever looks a row up is in the way of everybody who writes to the same page of the index. Our
    ids sort by time, so in a B-tree all that is new shares one page; hashed, it is spread over all of them.
    """

    def statements(self, engine: Engine) -> list[str]:
        """One by one. Text is put in order by its bytes (CockroachDB's always is, so it needs no collation)."""
        text = "text" if engine is Engine.COCKROACHDB else 'text COLLATE "C"'
        made = [part.strip().replace("TEXT", text) for part in self.script.split(";") if part.strip()]
        if engine is Engine.POSTGRESQL:
            for table, _, column in (name.partition(".") for name in self.unsampled):
                made.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
            for table, _, column in (name.partition(".") for name in self.spread):
                made.append(
                    f"CREATE INDEX IF NOT EXISTS {table}_{column}_spread ON {table} USING hash ({column}) "
                    "WITH (fillfactor = 10)"
                )
        return made


# Instants are whole microseconds since 1970 in UTC, amounts are minor units, flags are 0 and 1, ids are text: the
# same values as on SQLite, so that books can be moved from one to the other row by row.
_FIRST: Final = """
CREATE TABLE IF NOT EXISTS shop (single BIGINT PRIMARY KEY CHECK (single = 1), id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (
  id TEXT PRIMARY KEY, email TEXT NOT NULL, since BIGINT NOT NULL, proved_at BIGINT,
  wants_news BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (email);

CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, token_hash TEXT NOT NULL, mailbox TEXT, started_at BIGINT NOT NULL, seen_at BIGINT NOT NULL,
  label TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS sessions_token ON sessions (token_hash);
CREATE INDEX IF NOT EXISTS sessions_mailbox ON sessions (mailbox) WHERE mailbox IS NOT NULL;
CREATE INDEX IF NOT EXISTS sessions_seen ON sessions (seen_at);

CREATE TABLE IF NOT EXISTS checkouts (
  id TEXT PRIMARY KEY, pid TEXT NOT NULL, product_name TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL,
  session_id TEXT, mailbox TEXT, livemode BIGINT NOT NULL, started_at BIGINT NOT NULL, provider_ref TEXT,
  expires_at BIGINT, asked_at BIGINT, contents TEXT NOT NULL DEFAULT '', discounts BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS checkouts_ref ON checkouts (provider_ref);
CREATE INDEX IF NOT EXISTS checkouts_started ON checkouts (started_at);
CREATE INDEX IF NOT EXISTS checkouts_mailbox ON checkouts (mailbox) WHERE mailbox IS NOT NULL;

CREATE TABLE IF NOT EXISTS purchases (
  checkout_id TEXT PRIMARY KEY, provider_ref TEXT, payment TEXT, user_id TEXT REFERENCES users (id), mailbox TEXT,
  paid_email TEXT, pid TEXT NOT NULL, product_name TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL,
  livemode BIGINT NOT NULL, session_id TEXT, booked_at BIGINT NOT NULL, contents TEXT NOT NULL DEFAULT '',
  licences TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS purchases_user ON purchases (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS purchases_session ON purchases (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS purchases_pid ON purchases (pid);
CREATE INDEX IF NOT EXISTS purchases_payment ON purchases (payment) WHERE payment IS NOT NULL;
CREATE INDEX IF NOT EXISTS purchases_paid_email ON purchases (paid_email) WHERE paid_email <> mailbox;
CREATE INDEX IF NOT EXISTS purchases_bundles ON purchases (checkout_id) WHERE contents <> '';

CREATE TABLE IF NOT EXISTS facts (
  object_id TEXT PRIMARY KEY, kind TEXT NOT NULL, payment TEXT, as_of BIGINT NOT NULL, status TEXT NOT NULL,
  amount BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS facts_payment ON facts (payment) WHERE kind <> 'session';

CREATE TABLE IF NOT EXISTS magic_links (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, purpose TEXT NOT NULL, mailbox TEXT NOT NULL, asked_by TEXT, pid TEXT,
  made_at BIGINT NOT NULL, sent_at BIGINT, used_at BIGINT, superseded BIGINT NOT NULL DEFAULT 0,
  code_tries BIGINT NOT NULL DEFAULT 0, checkout_id TEXT, move_id TEXT
);
CREATE INDEX IF NOT EXISTS links_asked_by ON magic_links (asked_by, made_at) WHERE asked_by IS NOT NULL;
CREATE INDEX IF NOT EXISTS links_made ON magic_links (made_at);
CREATE INDEX IF NOT EXISTS links_move ON magic_links (move_id) WHERE move_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS links_mailbox ON magic_links (mailbox);

CREATE TABLE IF NOT EXISTS outbox (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, mailbox TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
  html TEXT NOT NULL, link_id TEXT, key_name TEXT, queued_at BIGINT NOT NULL, due_at BIGINT NOT NULL,
  state TEXT NOT NULL, attempts BIGINT NOT NULL, unknown_since BIGINT, sent_at BIGINT, problem TEXT NOT NULL,
  delivery TEXT
);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_at, key) WHERE state = 'queued';
CREATE INDEX IF NOT EXISTS outbox_stuck ON outbox (queued_at) WHERE state = 'stuck';
CREATE INDEX IF NOT EXISTS outbox_logins ON outbox (queued_at) WHERE kind = 'login';
CREATE INDEX IF NOT EXISTS outbox_orders ON outbox (queued_at) WHERE kind = 'order';
CREATE INDEX IF NOT EXISTS outbox_mailbox ON outbox (mailbox);
CREATE INDEX IF NOT EXISTS outbox_bounced ON outbox (kind) WHERE delivery = 'bounced';

CREATE TABLE IF NOT EXISTS limits (
  bucket TEXT NOT NULL, at BIGINT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (bucket, at, ref)
);
CREATE INDEX IF NOT EXISTS limits_ref ON limits (ref);
CREATE INDEX IF NOT EXISTS limits_at ON limits (at);

CREATE TABLE IF NOT EXISTS events (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, object_id TEXT NOT NULL, created BIGINT NOT NULL, outcome TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_at ON events (at);

CREATE TABLE IF NOT EXISTS quarantine (
  ref TEXT PRIMARY KEY, objection TEXT NOT NULL, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
  tries BIGINT NOT NULL, retry_at BIGINT, closed_at BIGINT
);
CREATE INDEX IF NOT EXISTS quarantine_open ON quarantine (objection, retry_at) WHERE closed_at IS NULL;

CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS payments_due (
  payment TEXT PRIMARY KEY, since BIGINT NOT NULL, due_at BIGINT NOT NULL, tries BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS payments_due_at ON payments_due (due_at);
CREATE TABLE IF NOT EXISTS licences (
  pid TEXT NOT NULL, key TEXT NOT NULL, position BIGINT NOT NULL, checkout_id TEXT, PRIMARY KEY (pid, key)
);
CREATE INDEX IF NOT EXISTS licences_free ON licences (pid, position) WHERE checkout_id IS NULL;
CREATE TABLE IF NOT EXISTS licence_line (
  pid TEXT NOT NULL, checkout_id TEXT NOT NULL, PRIMARY KEY (pid, checkout_id)
);
CREATE TABLE IF NOT EXISTS downloads (
  checkout_id TEXT NOT NULL, pid TEXT NOT NULL, name TEXT NOT NULL, last_at BIGINT NOT NULL, times BIGINT NOT NULL,
  PRIMARY KEY (checkout_id, pid, name)
);
CREATE TABLE IF NOT EXISTS moves (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL, asked_by TEXT NOT NULL,
  asked_at BIGINT NOT NULL, checkouts TEXT NOT NULL, done_at BIGINT, undone_at BIGINT
);
CREATE INDEX IF NOT EXISTS moves_corrected ON moves (checkouts) WHERE kind = 'correction';
CREATE TABLE IF NOT EXISTS erasures (checkout_id TEXT PRIMARY KEY, at BIGINT NOT NULL);
"""

_SECOND: Final = """
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS move_id TEXT;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS former TEXT;
UPDATE sessions SET move_id = (
  SELECT id FROM moves WHERE kind = 'change' AND asked_by = sessions.id AND new = sessions.mailbox
  AND done_at IS NOT NULL AND undone_at IS NULL ORDER BY done_at DESC LIMIT 1
);
CREATE INDEX IF NOT EXISTS sessions_move ON sessions (move_id) WHERE move_id IS NOT NULL;
ALTER TABLE magic_links ADD COLUMN IF NOT EXISTS used_with TEXT;
CREATE INDEX IF NOT EXISTS links_used_with ON magic_links (used_with) WHERE used_with IS NOT NULL;
CREATE INDEX IF NOT EXISTS links_mailbox ON magic_links (mailbox);
ALTER TABLE moves ADD COLUMN IF NOT EXISTS old_since BIGINT;
ALTER TABLE moves ADD COLUMN IF NOT EXISTS no_news BIGINT;
CREATE INDEX IF NOT EXISTS moves_old ON moves (old);
CREATE INDEX IF NOT EXISTS moves_new ON moves (new);
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS urgency BIGINT NOT NULL DEFAULT 1
  CHECK (urgency BETWEEN 0 AND 3);
UPDATE outbox SET urgency = CASE WHEN kind IN ('ticket', 'update') THEN 0 WHEN kind IN ('login', 'order') THEN 2
  WHEN kind = 'news' THEN 3 ELSE 1 END WHERE state IN ('queued', 'stuck');
DROP INDEX IF EXISTS outbox_due;
CREATE INDEX IF NOT EXISTS outbox_next ON outbox (urgency, due_at, key) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS erased_addresses (tag TEXT PRIMARY KEY, at BIGINT NOT NULL);
"""

_PERSONAL_COLUMNS: Final = (
    "users.email", "sessions.mailbox", "checkouts.mailbox", "purchases.mailbox", "purchases.paid_email",
    "magic_links.mailbox", "outbox.mailbox", "outbox.subject", "outbox.text", "outbox.html", "outbox.problem",
    "moves.old", "moves.new",
)  # fmt: skip
_BUSY_COLUMNS: Final = (
    "purchases.checkout_id", "purchases.payment", "checkouts.id", "facts.object_id", "users.id", "limits.ref",
)  # fmt: skip
MIGRATIONS: Final = (
    Migration(1, "first books", _FIRST, unsampled=_PERSONAL_COLUMNS, spread=_BUSY_COLUMNS),
    Migration(2, "identity", _SECOND),
)

UNIQUE: Final = {
    "shop": ("single",),
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
    "downloads": ("checkout_id", "pid", "name"),
    "limits": ("bucket", "at", "ref"),
    "moves": ("id",),
    "erasures": ("checkout_id",),
    "erased_addresses": ("tag",),
}
"""What the promises of the books rest on; checked at every start."""

PERSONAL: Final = (
    "users", "sessions", "checkouts", "purchases", "magic_links", "outbox", "moves", "downloads", "licence_line",
)  # fmt: skip
"""Tables from which an erasure takes something."""
