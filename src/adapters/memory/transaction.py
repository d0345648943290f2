"""All records on one set of tables: what a work is given to read and to write."""

from __future__ import annotations

from adapters.memory.address_changes import AddressChanges
from adapters.memory.audit import Audit
from adapters.memory.checkouts import Checkouts
from adapters.memory.downloads import Downloads
from adapters.memory.erasures import Erasures
from adapters.memory.events import Events
from adapters.memory.facts import Facts
from adapters.memory.licences import Licences
from adapters.memory.limits import Limits
from adapters.memory.magic_links import MagicLinks
from adapters.memory.open_payments import OpenPayments
from adapters.memory.outbox import Outbox
from adapters.memory.problems import Problems
from adapters.memory.purchases import Purchases
from adapters.memory.quarantine import Quarantine
from adapters.memory.rechecks import Rechecks
from adapters.memory.retention import Retention
from adapters.memory.sessions import Sessions
from adapters.memory.shop import ShopRecord
from adapters.memory.tables import Tables
from adapters.memory.users import Users


class MemoryTransaction:
    """The records on one set of tables; the store takes back what a raising work wrote."""

    def __init__(self, tables: Tables) -> None:
        self.shop = ShopRecord(tables)
        self.users = Users(tables)
        self.sessions = Sessions(tables)
        self.checkouts = Checkouts(tables)
        self.open_payments = OpenPayments(tables)
        self.purchases = Purchases(tables)
        self.facts = Facts(tables)
        self.links = MagicLinks(tables)
        self.outbox = Outbox(tables)
        self.limits = Limits(tables)
        self.events = Events(tables)
        self.quarantine = Quarantine(tables)
        self.rechecks = Rechecks(tables)
        self.licences = Licences(tables)
        self.downloads = Downloads(tables)
        self.address_changes = AddressChanges(tables)
        self.erasures = Erasures(tables)
        self.problems = Problems(tables)
        self.audit = Audit(tables)
        self.retention = Retention(tables)
