"""Tables in dicts, whose copy is a snapshot, and what all records on them have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from domain.address_change import AddressChange
from domain.audit import AuditLine
from domain.audit_chain import AuditLink, Checkpoint
from domain.csv_rows import Piece
from domain.day_sums import DaySum, SumsState
from domain.fact import Fact
from domain.magic_link import MagicLink
from domain.mail import Mail
from domain.note import Note
from domain.purchase import Checkout, Purchase
from domain.records import (
    Download,
    ErasedAddress,
    EventRecord,
    PaymentDue,
    Problem,
    ProblemKind,
    Quarantined,
    User,
)
from domain.refund import RefundRequest
from domain.session import Session
from domain.staff import Passkey, StaffId, StaffLink, StaffMember, StaffSession, StaffSessionId
from domain.uploads import Upload
from domain.values import ChangeId, CheckoutId, Digest, LinkId, ProductId, SessionId, UserId
from domain.withdrawal import Withdrawal

Row = TypeVar("Row")


@dataclass(slots=True)
class Tables:
    """One dict a table, rows immutable: so a copy of the dicts is a snapshot."""

    shop: dict[str, str] = field(default_factory=dict)
    users: dict[UserId, User] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    checkouts: dict[CheckoutId, Checkout] = field(default_factory=dict)
    asked: dict[CheckoutId, datetime] = field(default_factory=dict)
    purchases: dict[CheckoutId, Purchase] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    links: dict[LinkId, MagicLink] = field(default_factory=dict)
    outbox: dict[str, Mail] = field(default_factory=dict)
    limits: dict[tuple[str, datetime, str], None] = field(default_factory=dict)
    events: dict[str, tuple[EventRecord, str, datetime]] = field(default_factory=dict)
    quarantined: dict[str, Quarantined] = field(default_factory=dict)
    problems: dict[tuple[ProblemKind, str], Problem] = field(default_factory=dict)
    cursors: dict[str, datetime] = field(default_factory=dict)
    due: dict[str, tuple[datetime, PaymentDue]] = field(default_factory=dict)
    free_licences: dict[ProductId, tuple[str, ...]] = field(default_factory=dict)
    given_licences: dict[tuple[ProductId, str], CheckoutId] = field(default_factory=dict)
    replaced_licences: dict[tuple[ProductId, str], tuple[CheckoutId, datetime]] = field(default_factory=dict)
    in_line: dict[tuple[ProductId, CheckoutId], None] = field(default_factory=dict)
    downloads: dict[tuple[CheckoutId, ProductId, str], Download] = field(default_factory=dict)
    moves: dict[ChangeId, AddressChange] = field(default_factory=dict)
    erasures: dict[CheckoutId, datetime] = field(default_factory=dict)
    erased_addresses: dict[str, ErasedAddress] = field(default_factory=dict)
    audit: dict[str, AuditLine] = field(default_factory=dict)
    audit_links: dict[str, AuditLink] = field(default_factory=dict)
    audit_checkpoint: dict[int, Checkpoint] = field(default_factory=dict)
    refused_sign_ins: dict[tuple[datetime, str], int] = field(default_factory=dict)
    staff: dict[StaffId, StaffMember] = field(default_factory=dict)
    staff_links: dict[Digest, StaffLink] = field(default_factory=dict)
    passkeys: dict[str, Passkey] = field(default_factory=dict)
    staff_sessions: dict[StaffSessionId, StaffSession] = field(default_factory=dict)
    refund_requests: dict[str, RefundRequest] = field(default_factory=dict)
    withdrawals: dict[str, Withdrawal] = field(default_factory=dict)
    unreported_withdrawals: dict[str, None] = field(default_factory=dict)
    sale_notes: dict[CheckoutId, Note] = field(default_factory=dict)
    day_sums: dict[tuple[date, str, ProductId], DaySum] = field(default_factory=dict)
    sums_touched: dict[datetime, int] = field(default_factory=dict)
    sums_closed: dict[int, SumsState] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    upload_pieces: dict[tuple[str, int], Piece] = field(default_factory=dict)

    def copy(self) -> Tables:
        """A snapshot that later writes do not touch."""
        return Tables(*[table.copy() for table in map(self.__getattribute__, Tables.__slots__)])

    def read_only(self) -> Tables:
        """The same rows; any write raises TypeError or AttributeError."""
        return _ReadOnlyTables(*[MappingProxyType(getattr(self, name)) for name in Tables.__slots__])


class _ReadOnlyTables(Tables):
    __slots__ = ("_made",)

    def __init__(self, *tables: Any) -> None:
        super().__init__(*tables)
        super().__setattr__("_made", True)

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, "_made"):
            raise TypeError(f"a read writes {name}")
        super().__setattr__(name, value)


class Record:
    """Reads and writes one of the shop's records. What each method promises is said on its port."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables


def rows_after(rows: Iterable[tuple[str, Row]], after: str, limit: int) -> list[tuple[str, Row]]:
    """A page of rows with their keys, in the order of the keys."""
    return [(key, row) for key, row in sorted(rows, key=lambda pair: pair[0]) if key > after][:limit]


def page(rows: Iterable[tuple[str, Row]], after: str, limit: int) -> list[Row]:
    """The same without the keys."""
    return [row for _, row in rows_after(rows, after, limit)]
