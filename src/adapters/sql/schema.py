"""Tables, indexes and numbered migrations, one history for both engines. What must be unique is unique here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.sql.dialect import postgres_schema


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. `name` begins with its number."""

    name: str
    script: str
    unsampled: tuple[str, ...] = ()
    """Columns of which PostgreSQL is to keep no samples in its statistics, where an erasure would not find them."""
    spread: tuple[str, ...] = ()
    """Columns that are asked for by value while neighbours are being written, with hash indexes on PostgreSQL.

    Under SERIALIZABLE a lookup conflicts with every write to the same page of the index. Our
    ids sort by time, so in a B-tree all that is new shares one page; hashed, it is spread over all of them.
    """

    @property
    def number(self) -> int:
        """Its place in the history, from 1 on."""
        return int(self.name.partition("_")[0])

    def on_sqlite(self) -> list[str]:
        """Its statements."""
        return [statement.strip() for statement in self.script.split(";") if statement.strip()]

    def on_postgres(self) -> list[str]:
        """The same, and the settings for PostgreSQL alone."""
        made = [postgres_schema(statement) for statement in self.on_sqlite()]
        for table, column in (name.split(".") for name in self.unsampled):
            made.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
        for table, column in (name.split(".") for name in self.spread):
            index = f"{table}_{column}_spread ON {table} USING hash ({column}) WITH (fillfactor = 10)"
            made.append(f"CREATE INDEX {index}")
        return made


# Instants are whole microseconds since 1970 in UTC, amounts are minor units, flags are 0 and 1, ids are text.
# WITHOUT ROWID (SQLite) where the key is an id and rows are small: one tree to write instead of two. Not where several
# indexes would each repeat the id.
# A purchase without `user_id` has an erased buyer, or was paid without an address that can be emailed. `livemode` is
# null for what never goes to Stripe: free orders, grants and imports. `source` is null for a sale.
_FIRST: Final = """
CREATE TABLE shop (single INTEGER PRIMARY KEY CHECK (single = 1), id TEXT NOT NULL, base_url TEXT) STRICT;
CREATE TABLE users (
  id TEXT PRIMARY KEY, email TEXT NOT NULL, since INTEGER NOT NULL, proved_at INTEGER,
  wants_release_emails INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY, token_hash TEXT NOT NULL, mailbox TEXT, started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL, label TEXT NOT NULL, move_id TEXT, former TEXT
) STRICT;
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_mailbox ON sessions (mailbox) WHERE mailbox IS NOT NULL;
CREATE INDEX sessions_seen ON sessions (seen_at);
CREATE INDEX sessions_move ON sessions (move_id) WHERE move_id IS NOT NULL;

CREATE TABLE checkouts (
  id TEXT PRIMARY KEY, pid TEXT NOT NULL, product_name TEXT NOT NULL, amount INTEGER NOT NULL,
  currency TEXT NOT NULL, session_id TEXT, mailbox TEXT, livemode INTEGER,
  started_at INTEGER NOT NULL, provider_ref TEXT, expires_at INTEGER, asked_at INTEGER,
  contents TEXT NOT NULL DEFAULT '', discounts INTEGER NOT NULL DEFAULT 0, move_id TEXT,
  on_purpose INTEGER NOT NULL DEFAULT 0, verified TEXT, promotion TEXT
) STRICT;
CREATE UNIQUE INDEX checkouts_ref ON checkouts (provider_ref) WHERE provider_ref IS NOT NULL;
CREATE INDEX checkouts_started ON checkouts (started_at);
CREATE INDEX checkouts_session ON checkouts (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX checkouts_mailbox ON checkouts (mailbox) WHERE mailbox IS NOT NULL;
CREATE INDEX checkouts_verified ON checkouts (verified) WHERE verified IS NOT NULL;
CREATE INDEX checkouts_of_test_mode ON checkouts (started_at) WHERE livemode = 0;
CREATE INDEX checkouts_move ON checkouts (move_id) WHERE move_id IS NOT NULL;

CREATE TABLE purchases (
  checkout_id TEXT PRIMARY KEY, provider_ref TEXT, payment TEXT, user_id TEXT REFERENCES users (id),
  mailbox TEXT, paid_email TEXT, pid TEXT NOT NULL, product_name TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, livemode INTEGER, session_id TEXT,
  booked_at INTEGER NOT NULL, contents TEXT NOT NULL DEFAULT '', licences TEXT NOT NULL DEFAULT '',
  breakdown TEXT, source TEXT
) STRICT;
CREATE INDEX purchases_user ON purchases (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX purchases_unowned ON purchases (checkout_id) WHERE user_id IS NULL;
CREATE INDEX purchases_session ON purchases (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX purchases_pid ON purchases (pid, livemode);
CREATE INDEX purchases_payment ON purchases (payment) WHERE payment IS NOT NULL;
CREATE INDEX purchases_paid_email ON purchases (paid_email) WHERE paid_email <> mailbox;
CREATE INDEX purchases_of_test_mode ON purchases (booked_at) WHERE livemode = 0;
CREATE INDEX purchases_bundles ON purchases (checkout_id) WHERE contents <> '';

CREATE TABLE facts (
  object_id TEXT PRIMARY KEY, kind TEXT NOT NULL, payment TEXT, as_of INTEGER NOT NULL,
  status TEXT NOT NULL, amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX facts_payment ON facts (payment) WHERE kind <> 'session';

CREATE TABLE magic_links (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, purpose TEXT NOT NULL, mailbox TEXT NOT NULL, asked_by TEXT, pid TEXT,
  made_at INTEGER NOT NULL, sent_at INTEGER, used_at INTEGER, superseded INTEGER NOT NULL DEFAULT 0,
  code_tries INTEGER NOT NULL DEFAULT 0, checkout_id TEXT, move_id TEXT, used_with TEXT
) STRICT;
CREATE INDEX links_asked_by ON magic_links (asked_by, made_at) WHERE asked_by IS NOT NULL;
CREATE INDEX links_made ON magic_links (made_at);
CREATE INDEX links_move ON magic_links (move_id) WHERE move_id IS NOT NULL;
CREATE INDEX links_checkout ON magic_links (checkout_id) WHERE checkout_id IS NOT NULL;
CREATE INDEX links_mailbox ON magic_links (mailbox);
CREATE INDEX links_used_with ON magic_links (used_with) WHERE used_with IS NOT NULL;

CREATE TABLE outbox (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, mailbox TEXT NOT NULL, template TEXT NOT NULL,
  language TEXT NOT NULL, parameters TEXT NOT NULL, subject TEXT, text TEXT, html TEXT, body_sha256 BLOB,
  link_id TEXT, key_name TEXT, queued_at INTEGER NOT NULL, due_at INTEGER NOT NULL,
  state TEXT NOT NULL, attempts INTEGER NOT NULL, unknown_since INTEGER, settled_at INTEGER, problem TEXT NOT NULL,
  delivery TEXT, urgency INTEGER NOT NULL DEFAULT 1 CHECK (urgency BETWEEN 0 AND 3)
) STRICT;
CREATE INDEX outbox_next ON outbox (urgency, due_at, key) WHERE state = 'queued';
CREATE INDEX outbox_stuck ON outbox (queued_at) WHERE state = 'stuck';
CREATE INDEX outbox_noted ON outbox (settled_at) WHERE state = 'sent' AND problem <> '';
CREATE INDEX outbox_bodies ON outbox (settled_at) WHERE text IS NOT NULL AND settled_at IS NOT NULL;
CREATE INDEX outbox_logins ON outbox (queued_at) WHERE kind = 'login';
CREATE INDEX outbox_addresses ON outbox (queued_at) WHERE kind = 'address';
CREATE INDEX outbox_orders ON outbox (queued_at) WHERE kind = 'order';
CREATE INDEX outbox_mailbox ON outbox (mailbox);
CREATE INDEX outbox_bounced ON outbox (kind) WHERE delivery = 'bounced';

CREATE TABLE limits (bucket TEXT NOT NULL, at INTEGER NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (bucket, at, ref))
  STRICT, WITHOUT ROWID;
CREATE INDEX limits_ref ON limits (ref);
CREATE INDEX limits_at ON limits (at);

CREATE TABLE events (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, object_id TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_at ON events (at);

CREATE TABLE quarantine (
  ref TEXT PRIMARY KEY, objection TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  tries INTEGER NOT NULL, retry_at INTEGER, closed_at INTEGER
) STRICT;
CREATE INDEX quarantine_open ON quarantine (objection, retry_at) WHERE closed_at IS NULL;
CREATE INDEX quarantine_closed ON quarantine (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE problems (
  kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursors (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
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
  asked_at INTEGER NOT NULL, checkouts TEXT NOT NULL, done_at INTEGER, undone_at INTEGER, old_since INTEGER,
  no_news INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX moves_asked ON moves (asked_at);
CREATE INDEX moves_corrected ON moves (checkouts) WHERE kind = 'correction';
CREATE INDEX moves_old ON moves (old);
CREATE INDEX moves_new ON moves (new);
CREATE TABLE erasures (checkout_id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE erased_addresses (tag TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
  id TEXT PRIMARY KEY, form TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  object_id TEXT NOT NULL, result TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX audit_form ON audit (form);
CREATE INDEX audit_object ON audit (object_id);
CREATE INDEX audit_at ON audit (at);
CREATE TABLE audit_reasons (
  line_id TEXT PRIMARY KEY REFERENCES audit (id) ON DELETE CASCADE, reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

_STAFF: Final = """
CREATE TABLE staff (
  id TEXT PRIMARY KEY, email TEXT NOT NULL, role TEXT NOT NULL, since INTEGER NOT NULL, disabled_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX staff_email ON staff (email);
CREATE TABLE staff_links (
  token_hash TEXT PRIMARY KEY, kind TEXT NOT NULL, staff_id TEXT NOT NULL REFERENCES staff (id),
  made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_links_member ON staff_links (staff_id);
CREATE INDEX staff_links_expires ON staff_links (expires_at);
CREATE TABLE passkeys (
  id TEXT PRIMARY KEY, staff_id TEXT NOT NULL REFERENCES staff (id), public_key BLOB NOT NULL,
  counter INTEGER NOT NULL, synced INTEGER NOT NULL, label TEXT NOT NULL, added_at INTEGER NOT NULL, used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_member ON passkeys (staff_id);
CREATE TABLE staff_sessions (
  id TEXT PRIMARY KEY, token_hash TEXT NOT NULL, staff_id TEXT NOT NULL REFERENCES staff (id),
  started_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, proved_at INTEGER NOT NULL, label TEXT NOT NULL,
  by_link INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX staff_sessions_token ON staff_sessions (token_hash);
CREATE INDEX staff_sessions_member ON staff_sessions (staff_id);
CREATE INDEX staff_sessions_started ON staff_sessions (started_at);
"""

_REFUNDS: Final = """
ALTER TABLE facts ADD COLUMN request TEXT;
CREATE TABLE refund_requests (
  id TEXT PRIMARY KEY, payment TEXT NOT NULL, checkout_id TEXT NOT NULL, amount INTEGER NOT NULL,
  currency TEXT NOT NULL, reason TEXT NOT NULL, asked_by TEXT NOT NULL, at INTEGER NOT NULL, due_at INTEGER NOT NULL,
  keyed_at INTEGER NOT NULL, state TEXT NOT NULL, cause TEXT NOT NULL, tells INTEGER NOT NULL, tries INTEGER NOT NULL,
  attempt INTEGER NOT NULL, failed INTEGER NOT NULL, problem TEXT NOT NULL, settled_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_requests_purchase ON refund_requests (checkout_id);
CREATE INDEX refund_requests_due ON refund_requests (due_at) WHERE state = 'requested';
CREATE INDEX refund_requests_refused ON refund_requests (id) WHERE state IN ('refused', 'failed');
CREATE INDEX refund_requests_settled ON refund_requests (settled_at);
"""

_UPLOADS: Final = """
CREATE TABLE uploads (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, asked_by TEXT NOT NULL, at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL, state TEXT NOT NULL, size INTEGER NOT NULL, lines INTEGER NOT NULL, header TEXT NOT NULL,
  delimiter TEXT NOT NULL, plan TEXT, line INTEGER NOT NULL, report TEXT NOT NULL, problem TEXT,
  problem_line INTEGER NOT NULL, version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_at ON uploads (at);
CREATE INDEX uploads_expires ON uploads (expires_at);
CREATE INDEX uploads_state ON uploads (state);
CREATE TABLE upload_pieces (
  upload_id TEXT NOT NULL, number INTEGER NOT NULL, line INTEGER NOT NULL, packed BLOB NOT NULL,
  PRIMARY KEY (upload_id, number)
) STRICT;
"""

_PERSONAL_COLUMNS: Final = (
    "users.email", "sessions.mailbox", "checkouts.mailbox", "checkouts.verified", "purchases.mailbox",
    "purchases.paid_email", "magic_links.mailbox", "outbox.mailbox", "outbox.parameters", "outbox.subject",
    "outbox.text", "outbox.html", "outbox.problem", "moves.old", "moves.new", "audit_reasons.reason",
)  # fmt: skip
_BUSY_COLUMNS: Final = (
    "purchases.checkout_id", "purchases.payment", "checkouts.id", "checkouts.session_id", "facts.object_id", "users.id",
    "limits.ref",
)  # fmt: skip
# `told`: 1 once there is a fact about a refund of the purchase, 2 once there is one about something else (a dispute,
# the merchant's decision).
# It leads lists to them, says no state, and never goes back.
# An index costs each claim some 10,000 instructions if it is written, and 1,300 if not: so one serves several searches,
# and test purchases are found by their checkouts. `IN` with three values would fill a table of its own at every insert.
_BACK_OFFICE: Final = """
ALTER TABLE purchases ADD COLUMN booked_by TEXT;
ALTER TABLE purchases ADD COLUMN opened_at INTEGER;
ALTER TABLE purchases ADD COLUMN told INTEGER;
UPDATE purchases SET told = (SELECT max(CASE kind WHEN 'refund' THEN 1 ELSE 2 END) FROM facts
  WHERE facts.payment = purchases.payment AND kind <> 'session') WHERE payment IS NOT NULL;
UPDATE purchases SET told = 2 WHERE checkout_id IN (SELECT substr(object_id, 10) FROM facts WHERE kind = 'merchant');
ALTER TABLE downloads ADD COLUMN first_at INTEGER;
CREATE TABLE day_sums (
  day TEXT NOT NULL, currency TEXT NOT NULL, pid TEXT NOT NULL, sales INTEGER NOT NULL, gross INTEGER NOT NULL,
  refunded INTEGER NOT NULL, free INTEGER NOT NULL, started INTEGER NOT NULL, paid INTEGER NOT NULL,
  opened INTEGER NOT NULL, PRIMARY KEY (day, currency, pid)
) STRICT, WITHOUT ROWID;
CREATE TABLE sums_touched (at INTEGER PRIMARY KEY, times INTEGER NOT NULL) STRICT;
CREATE TABLE sums_closed (
  single INTEGER PRIMARY KEY CHECK (single = 1), zone TEXT NOT NULL, live INTEGER NOT NULL, closed_before TEXT NOT NULL
) STRICT;
CREATE INDEX facts_looked_for ON facts (kind, as_of) WHERE kind <> 'session' OR status = 'unpaid';
DROP INDEX purchases_pid;
CREATE INDEX purchases_pid ON purchases (pid, booked_at, checkout_id, livemode);
CREATE INDEX purchases_booked ON purchases (booked_at, checkout_id);
CREATE INDEX purchases_told ON purchases (booked_at, checkout_id, told) WHERE told IS NOT NULL;
CREATE INDEX purchases_sources ON purchases (source, booked_at, checkout_id) WHERE source IS NOT NULL;
CREATE INDEX checkouts_promotion ON checkouts (promotion, id) WHERE promotion IS NOT NULL;
CREATE INDEX purchases_licences ON purchases (substr(licences, 1, 200)) WHERE licences <> '';
CREATE INDEX licences_given ON licences (key) WHERE checkout_id IS NOT NULL;
DROP INDEX purchases_of_test_mode;
DROP INDEX purchases_unowned;
DROP INDEX purchases_user;
CREATE INDEX purchases_user ON purchases (user_id);
DROP INDEX outbox_logins;
DROP INDEX outbox_addresses;
DROP INDEX outbox_orders;
CREATE INDEX outbox_forgotten ON outbox (kind, queued_at)
  WHERE kind = 'login' OR kind = 'address' OR kind = 'order';
"""

# A line is linked once its number and signature are set. Reasons and salts go with a person; their hash stays.
_AUDIT_CHAIN: Final = """
ALTER TABLE audit ADD COLUMN reason_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN sequence INTEGER;
ALTER TABLE audit ADD COLUMN signature TEXT;
ALTER TABLE audit_reasons ADD COLUMN salt TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX audit_sequence ON audit (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_unlinked ON audit (id) WHERE sequence IS NULL;
CREATE TABLE audit_checkpoint (
  single INTEGER PRIMARY KEY CHECK (single = 1), sequence INTEGER NOT NULL, link_signature TEXT NOT NULL,
  at INTEGER NOT NULL, signature TEXT NOT NULL
) STRICT;
CREATE TABLE refused_sign_ins (
  network TEXT NOT NULL, hour INTEGER NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (network, hour)
) STRICT, WITHOUT ROWID;
"""

_BY_HAND: Final = """
ALTER TABLE licences ADD COLUMN replaced_at INTEGER;
CREATE INDEX licences_replaced ON licences (checkout_id) WHERE replaced_at IS NOT NULL;
CREATE TABLE sale_notes (
  checkout_id TEXT PRIMARY KEY, text TEXT NOT NULL, written_at INTEGER NOT NULL, written_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

_LISTED_EMAILS: Final = "CREATE INDEX outbox_listed ON outbox (kind, queued_at, key) WHERE kind <> 'access';"

# `kept`: 1 for an email whose body stays as long as its purchase.
_WAIVERS: Final = """
ALTER TABLE checkouts ADD COLUMN waiver TEXT;
ALTER TABLE purchases ADD COLUMN waiver TEXT;
ALTER TABLE outbox ADD COLUMN kept INTEGER;
DROP INDEX outbox_bodies;
CREATE INDEX outbox_bodies ON outbox (settled_at)
  WHERE text IS NOT NULL AND settled_at IS NOT NULL AND kept IS NULL;
"""

_WITHDRAWALS: Final = """
CREATE TABLE withdrawals (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, contract TEXT NOT NULL, email TEXT, checkout_id TEXT,
  received_at INTEGER NOT NULL, proved_at INTEGER, state TEXT NOT NULL, decided_at INTEGER,
  decided_by TEXT NOT NULL, reason TEXT NOT NULL, request TEXT NOT NULL, reported INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawals_checkout ON withdrawals (checkout_id, id);
CREATE INDEX withdrawals_email ON withdrawals (email, id);
CREATE INDEX withdrawals_open ON withdrawals (id) WHERE state = 'open' AND checkout_id IS NOT NULL;
CREATE INDEX withdrawals_unreported ON withdrawals (reported) WHERE reported = 0;
"""

_PURCHASES_THAT_WAIT: Final = """
ALTER TABLE checkouts ADD COLUMN opens_at INTEGER;
ALTER TABLE purchases ADD COLUMN opens_at INTEGER;
"""

_LANGUAGES: Final = """
ALTER TABLE checkouts ADD COLUMN language TEXT;
ALTER TABLE users ADD COLUMN language TEXT;
"""

MIGRATIONS: Final[Sequence[Migration]] = (
    Migration("0001_first_schema", _FIRST, unsampled=_PERSONAL_COLUMNS, spread=_BUSY_COLUMNS),
    Migration("0002_staff", _STAFF, unsampled=("staff.email",)),
    Migration(
        "0003_refunds_by_hand", _REFUNDS, unsampled=("refund_requests.reason", "refund_requests.problem")
    ),
    Migration("0004_back_office", _BACK_OFFICE),
    Migration("0005_uploads", _UPLOADS, unsampled=("uploads.name", "uploads.report", "upload_pieces.packed")),
    Migration("0006_audit_chain", _AUDIT_CHAIN, unsampled=("audit_reasons.salt",)),
    Migration("0007_by_hand", _BY_HAND, unsampled=("sale_notes.text",)),
    Migration("0008_listed_emails", _LISTED_EMAILS),
    Migration("0009_tax_numbers", "", unsampled=("purchases.breakdown",)),
    Migration("0010_evidence_due", "ALTER TABLE facts ADD COLUMN answer_by INTEGER;"),
    Migration("0011_waivers", _WAIVERS),
    Migration(
        "0012_withdrawals",
        _WITHDRAWALS,
        unsampled=("withdrawals.name", "withdrawals.contract", "withdrawals.email", "withdrawals.reason"),
    ),
    Migration("0013_purchases_that_wait", _PURCHASES_THAT_WAIT),
    Migration("0014_languages", _LANGUAGES),
)

UNIQUE: Final[Mapping[str, tuple[str, ...]]] = {
    "shop": ("single",), "users": ("email",), "sessions": ("token_hash",), "checkouts": ("provider_ref",),
    "purchases": ("checkout_id",), "outbox": ("key",), "events": ("id",), "facts": ("object_id",),
    "magic_links": ("id",), "quarantine": ("ref",), "licences": ("pid", "key"), "moves": ("id",),
    "downloads": ("checkout_id", "pid", "name"), "limits": ("bucket", "at", "ref"), "erasures": ("checkout_id",),
    "erased_addresses": ("tag",), "audit": ("form",), "problems": ("kind", "subject"),
    "staff": ("email",), "staff_links": ("token_hash",), "passkeys": ("id",), "staff_sessions": ("token_hash",),
    "refund_requests": ("id",), "uploads": ("id",), "upload_pieces": ("upload_id", "number"),
    "refused_sign_ins": ("network", "hour"),
    "sale_notes": ("checkout_id",), "withdrawals": ("id",),
}  # fmt: skip
"""What the promises of the store rest on; checked at every start."""
