"""All records on one set of tables: what a work is given to read and to write."""

from __future__ import annotations

from adapters.memory.address_changes import AddressChanges
from adapters.memory.audit import Audit
from adapters.memory.audit_chain import AuditChain
from adapters.memory.checkouts import Checkouts
from adapters.memory.customer_lists import CustomerLists
from adapters.memory.day_sums import DaySums
from adapters.memory.downloads import Downloads
from adapters.memory.erasures import Erasures
from adapters.memory.events import Events
from adapters.memory.exports import Exports
from adapters.memory.facts import Facts
from adapters.memory.licences import Licences
from adapters.memory.limits import Limits
from adapters.memory.magic_links import MagicLinks
from adapters.memory.notes import Notes
from adapters.memory.open_payments import OpenPayments
from adapters.memory.outbox import Outbox
from adapters.memory.problems import Problems
from adapters.memory.purchases import Purchases
from adapters.memory.quarantine import Quarantine
from adapters.memory.rechecks import Rechecks
from adapters.memory.refund_requests import RefundRequests
from adapters.memory.refused_sign_ins import RefusedSignIns
from adapters.memory.retention import Retention
from adapters.memory.sale_lists import SaleLists
from adapters.memory.searches import Searches
from adapters.memory.sessions import Sessions
from adapters.memory.shop import ShopRecord
from adapters.memory.staff import Passkeys, Staff, StaffSessions
from adapters.memory.tables import Tables
from adapters.memory.uploads import Uploads
from adapters.memory.users import Users
from adapters.memory.waivers import Waivers
from adapters.memory.withdrawals import Withdrawals
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


class MemoryTransaction:
    """The records on one set of tables, typed as their ports; the store takes back what a raising work wrote."""

    def __init__(self, tables: Tables) -> None:
        self.shop: shop.ShopRecord = ShopRecord(tables)
        self.users: people.Users = Users(tables)
        self.sessions: people.Sessions = Sessions(tables)
        self.checkouts: sales.Checkouts = Checkouts(tables)
        self.open_payments: sales.OpenPayments = OpenPayments(tables)
        self.purchases: sales.Purchases = Purchases(tables)
        self.facts: sales.Facts = Facts(tables)
        self.links: people.MagicLinks = MagicLinks(tables)
        self.outbox: shop.Outbox = Outbox(tables)
        self.waivers: waivers.Waivers = Waivers(tables)
        self.limits: shop.Limits = Limits(tables)
        self.events: shop.Events = Events(tables)
        self.quarantine: sales.Quarantine = Quarantine(tables)
        self.rechecks: sales.Rechecks = Rechecks(tables)
        self.refund_requests: refunds.RefundRequests = RefundRequests(tables)
        self.withdrawals: withdrawals.Withdrawals = Withdrawals(tables)
        self.notes: notes.Notes = Notes(tables)
        self.licences: sales.Licences = Licences(tables)
        self.downloads: sales.Downloads = Downloads(tables)
        self.address_changes: people.AddressChanges = AddressChanges(tables)
        self.erasures: people.Erasures = Erasures(tables)
        self.problems: shop.Problems = Problems(tables)
        self.audit: audit.Audit = Audit(tables)
        self.audit_chain: audit.AuditChain = AuditChain(tables)
        self.refused_sign_ins: audit.RefusedSignIns = RefusedSignIns(tables)
        self.sale_lists: lists.SaleLists = SaleLists(tables)
        self.exports: lists.Exports = Exports(tables)
        self.searches: lists.Searches = Searches(tables)
        self.customer_lists: lists.CustomerLists = CustomerLists(tables)
        self.day_sums: sums.DaySums = DaySums(tables)
        self.retention: shop.Retention = Retention(tables)
        self.staff: staff.Staff = Staff(tables)
        self.passkeys: staff.Passkeys = Passkeys(tables)
        self.staff_sessions: staff.StaffSessions = StaffSessions(tables)
        self.uploads: uploads.Uploads = Uploads(tables)
