"""All records on one connection: what a work is given, on either engine, to read and to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.sql.address_changes import AddressChanges
from adapters.sql.audit import Audit
from adapters.sql.audit_chain import AuditChain
from adapters.sql.checkouts import Checkouts
from adapters.sql.customer_lists import CustomerLists
from adapters.sql.day_sums import DaySums
from adapters.sql.downloads import Downloads
from adapters.sql.erasures import Erasures
from adapters.sql.events import Events
from adapters.sql.exports import Exports
from adapters.sql.facts import Facts
from adapters.sql.licences import Licences
from adapters.sql.limits import Limits
from adapters.sql.magic_links import MagicLinks
from adapters.sql.notes import Notes
from adapters.sql.open_payments import OpenPayments
from adapters.sql.outbox import Outbox
from adapters.sql.problems import Problems
from adapters.sql.purchases import Purchases
from adapters.sql.quarantine import Quarantine
from adapters.sql.rechecks import Rechecks
from adapters.sql.record import Execute, Record, Table
from adapters.sql.refund_requests import RefundRequests
from adapters.sql.refused_sign_ins import RefusedSignIns
from adapters.sql.retention import Retention
from adapters.sql.sale_lists import SaleLists
from adapters.sql.searches import Searches
from adapters.sql.sessions import Sessions
from adapters.sql.shop import ShopRecord
from adapters.sql.staff import Passkeys, Staff, StaffSessions
from adapters.sql.uploads import Uploads
from adapters.sql.users import Users
from adapters.sql.waivers import Waivers
from adapters.sql.withdrawals import Withdrawals
from domain.repositories import (
    audit,
    lists,
    notes,
    people,
    refunds,
    sales,
    shop,
    staff,
    sums,
    uploads,
    waivers,
    withdrawals,
)


class SqlTransaction:
    """The records on one connection, inside whatever transaction it is in.

    No record knows another: each can be made by itself from the same connection. Each is declared as its port, so
    that mypy names a method that it lacks, even with a warm cache.
    """

    def __init__(self, execute: Execute) -> None:
        self.shop: shop.ShopRecord = ShopRecord(execute)
        self.users: people.Users = Users(execute)
        self.sessions: people.Sessions = Sessions(execute)
        self.checkouts: sales.Checkouts = Checkouts(execute)
        self.open_payments: sales.OpenPayments = OpenPayments(execute)
        self.purchases: sales.Purchases = Purchases(execute)
        self.facts: sales.Facts = Facts(execute)
        self.links: people.MagicLinks = MagicLinks(execute)
        self.outbox: shop.Outbox = Outbox(execute)
        self.waivers: waivers.Waivers = Waivers(execute)
        self.limits: shop.Limits = Limits(execute)
        self.events: shop.Events = Events(execute)
        self.quarantine: sales.Quarantine = Quarantine(execute)
        self.rechecks: sales.Rechecks = Rechecks(execute)
        self.refund_requests: refunds.RefundRequests = RefundRequests(execute)
        self.withdrawals: withdrawals.Withdrawals = Withdrawals(execute)
        self.notes: notes.Notes = Notes(execute)
        self.licences: sales.Licences = Licences(execute)
        self.downloads: sales.Downloads = Downloads(execute)
        self.address_changes: people.AddressChanges = AddressChanges(execute)
        self.erasures: people.Erasures = Erasures(execute)
        self.problems: shop.Problems = Problems(execute)
        self.audit: audit.Audit = Audit(execute)
        self.audit_chain: audit.AuditChain = AuditChain(execute)
        self.refused_sign_ins: audit.RefusedSignIns = RefusedSignIns(execute)
        self.sale_lists: lists.SaleLists = SaleLists(execute)
        self.exports: lists.Exports = Exports(execute)
        self.searches: lists.Searches = Searches(execute)
        self.customer_lists: lists.CustomerLists = CustomerLists(execute)
        self.day_sums: sums.DaySums = DaySums(execute)
        self.retention: shop.Retention = Retention(execute)
        self.staff: staff.Staff = Staff(execute)
        self.passkeys: staff.Passkeys = Passkeys(execute)
        self.staff_sessions: staff.StaffSessions = StaffSessions(execute)
        self.uploads: uploads.Uploads = Uploads(execute)


RECORDS: Final[tuple[type[Record], ...]] = (  # users before purchases, staff before passkeys
    ShopRecord, Users, Sessions, Checkouts, OpenPayments, Purchases, Facts, MagicLinks, Outbox, Waivers, Limits, Events,
    Quarantine, Rechecks, RefundRequests, Withdrawals, Notes, Licences, Downloads, AddressChanges, Erasures, Problems,
    Audit,
    AuditChain, RefusedSignIns, SaleLists, CustomerLists, DaySums, Exports, Searches, Retention,
    Staff, Passkeys, StaffSessions, Uploads,
)  # fmt: skip
TABLES: Final[Mapping[str, Table]] = {table.name: table for record in RECORDS for table in record.tables}
"""Every table but `shop`, whose id is moved by itself; what is referred to comes first."""
