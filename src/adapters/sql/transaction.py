"""All records on one connection: what a work is given, on either engine, to read and to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.sql.address_changes import AddressChanges
from adapters.sql.audit import Audit
from adapters.sql.checkouts import Checkouts
from adapters.sql.downloads import Downloads
from adapters.sql.erasures import Erasures
from adapters.sql.events import Events
from adapters.sql.facts import Facts
from adapters.sql.licences import Licences
from adapters.sql.limits import Limits
from adapters.sql.magic_links import MagicLinks
from adapters.sql.open_payments import OpenPayments
from adapters.sql.outbox import Outbox
from adapters.sql.problems import Problems
from adapters.sql.purchases import Purchases
from adapters.sql.quarantine import Quarantine
from adapters.sql.rechecks import Rechecks
from adapters.sql.record import Execute, Record, Table
from adapters.sql.retention import Retention
from adapters.sql.sessions import Sessions
from adapters.sql.shop import ShopRecord
from adapters.sql.users import Users


class SqlTransaction:
    """The records on one connection, inside whatever transaction it is in.

    No record knows another: each can be made by itself from the same connection.
    """

    def __init__(self, execute: Execute) -> None:
        self.shop = ShopRecord(execute)
        self.users = Users(execute)
        self.sessions = Sessions(execute)
        self.checkouts = Checkouts(execute)
        self.open_payments = OpenPayments(execute)
        self.purchases = Purchases(execute)
        self.facts = Facts(execute)
        self.links = MagicLinks(execute)
        self.outbox = Outbox(execute)
        self.limits = Limits(execute)
        self.events = Events(execute)
        self.quarantine = Quarantine(execute)
        self.rechecks = Rechecks(execute)
        self.licences = Licences(execute)
        self.downloads = Downloads(execute)
        self.address_changes = AddressChanges(execute)
        self.erasures = Erasures(execute)
        self.problems = Problems(execute)
        self.audit = Audit(execute)
        self.retention = Retention(execute)


RECORDS: Final[tuple[type[Record], ...]] = (  # users before purchases, which refer to them
    ShopRecord, Users, Sessions, Checkouts, OpenPayments, Purchases, Facts, MagicLinks, Outbox, Limits, Events,
    Quarantine, Rechecks, Licences, Downloads, AddressChanges, Erasures, Problems, Audit,
    Retention,
)  # fmt: skip
TABLES: Final[Mapping[str, Table]] = {table.name: table for record in RECORDS for table in record.tables}
"""Every table but `shop`, whose id is moved by itself; what is referred to comes first."""
