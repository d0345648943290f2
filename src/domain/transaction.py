"""A transaction: the shop's records as a use case sees them. Synchronous, and alive no longer than its work."""

from __future__ import annotations

from typing import Protocol

from domain.repositories.audit import (
    Audit,
    AuditChain,
    ReadAudit,
    ReadAuditChain,
    RefusedSignIns,
)
from domain.repositories.lists import CustomerLists, Exports, SaleLists, Searches
from domain.repositories.notes import Notes, ReadNotes
from domain.repositories.people import (
    AddressChanges,
    Erasures,
    MagicLinks,
    ReadAddressChanges,
    ReadErasures,
    ReadMagicLinks,
    ReadSessions,
    ReadUsers,
    Sessions,
    Users,
)
from domain.repositories.refunds import ReadRefundRequests, RefundRequests
from domain.repositories.sales import (
    Checkouts,
    Downloads,
    Facts,
    Licences,
    OpenPayments,
    Purchases,
    Quarantine,
    ReadCheckouts,
    ReadDownloads,
    ReadFacts,
    ReadLicences,
    ReadPurchases,
    ReadQuarantine,
    ReadRechecks,
    Rechecks,
)
from domain.repositories.shop import (
    Events,
    Limits,
    Outbox,
    Problems,
    ReadEvents,
    ReadOutbox,
    ReadProblems,
    ReadShopRecord,
    Retention,
    ShopRecord,
)
from domain.repositories.staff import (
    Passkeys,
    ReadPasskeys,
    ReadStaff,
    ReadStaffSessions,
    Staff,
    StaffSessions,
)
from domain.repositories.sums import DaySums, ReadDaySums
from domain.repositories.uploads import ReadUploads, Uploads
from domain.repositories.waivers import Waivers
from domain.repositories.withdrawals import ReadWithdrawals, Withdrawals


class ReadTransaction(Protocol):
    """All records as of one moment."""

    @property
    def users(self) -> ReadUsers: ...

    @property
    def sessions(self) -> ReadSessions: ...

    @property
    def links(self) -> ReadMagicLinks: ...

    @property
    def address_changes(self) -> ReadAddressChanges: ...

    @property
    def erasures(self) -> ReadErasures: ...

    @property
    def checkouts(self) -> ReadCheckouts: ...

    @property
    def open_payments(self) -> OpenPayments: ...

    @property
    def purchases(self) -> ReadPurchases: ...

    @property
    def facts(self) -> ReadFacts: ...

    @property
    def licences(self) -> ReadLicences: ...

    @property
    def notes(self) -> ReadNotes: ...

    @property
    def downloads(self) -> ReadDownloads: ...

    @property
    def quarantine(self) -> ReadQuarantine: ...

    @property
    def rechecks(self) -> ReadRechecks: ...

    @property
    def refund_requests(self) -> ReadRefundRequests: ...

    @property
    def withdrawals(self) -> ReadWithdrawals: ...

    @property
    def problems(self) -> ReadProblems: ...

    @property
    def shop(self) -> ReadShopRecord: ...

    @property
    def outbox(self) -> ReadOutbox: ...

    @property
    def waivers(self) -> Waivers: ...

    @property
    def audit(self) -> ReadAudit: ...

    @property
    def audit_chain(self) -> ReadAuditChain: ...

    @property
    def events(self) -> ReadEvents: ...

    @property
    def staff(self) -> ReadStaff: ...

    @property
    def passkeys(self) -> ReadPasskeys: ...

    @property
    def staff_sessions(self) -> ReadStaffSessions: ...

    @property
    def sale_lists(self) -> SaleLists: ...

    @property
    def customer_lists(self) -> CustomerLists: ...

    @property
    def day_sums(self) -> ReadDaySums: ...

    @property
    def exports(self) -> Exports: ...

    @property
    def searches(self) -> Searches: ...

    @property
    def uploads(self) -> ReadUploads: ...


class Transaction(ReadTransaction, Protocol):
    """All records inside one serializable transaction.

    Each method of a repository promises something, and says whether it wrote; none is check-then-write.
    """

    @property
    def users(self) -> Users: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def links(self) -> MagicLinks: ...

    @property
    def address_changes(self) -> AddressChanges: ...

    @property
    def erasures(self) -> Erasures: ...

    @property
    def checkouts(self) -> Checkouts: ...

    @property
    def purchases(self) -> Purchases: ...

    @property
    def facts(self) -> Facts: ...

    @property
    def licences(self) -> Licences: ...

    @property
    def notes(self) -> Notes: ...

    @property
    def downloads(self) -> Downloads: ...

    @property
    def quarantine(self) -> Quarantine: ...

    @property
    def rechecks(self) -> Rechecks: ...

    @property
    def refund_requests(self) -> RefundRequests: ...

    @property
    def withdrawals(self) -> Withdrawals: ...

    @property
    def problems(self) -> Problems: ...

    @property
    def shop(self) -> ShopRecord: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def audit_chain(self) -> AuditChain: ...

    @property
    def refused_sign_ins(self) -> RefusedSignIns: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def events(self) -> Events: ...

    @property
    def day_sums(self) -> DaySums: ...

    @property
    def retention(self) -> Retention: ...

    @property
    def staff(self) -> Staff: ...

    @property
    def passkeys(self) -> Passkeys: ...

    @property
    def staff_sessions(self) -> StaffSessions: ...

    @property
    def uploads(self) -> Uploads: ...
