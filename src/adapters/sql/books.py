"""All records as one object: what a work is given, on either engine, to read and to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.sql.checkouts import Checkouts
from adapters.sql.downloads import Downloads
from adapters.sql.erasures import Erasures
from adapters.sql.events import Events
from adapters.sql.facts import Facts
from adapters.sql.licences import Licences
from adapters.sql.limits import Limits
from adapters.sql.magic_links import MagicLinks
from adapters.sql.moves import Moves
from adapters.sql.outbox import Outbox
from adapters.sql.pruning import Pruning
from adapters.sql.purchases import Purchases
from adapters.sql.quarantine import Quarantine
from adapters.sql.rechecks import Rechecks
from adapters.sql.record import Record, Table
from adapters.sql.sessions import Sessions
from adapters.sql.shop import ShopRecord
from adapters.sql.users import Users


class SqlBooks(  # users before purchases, which refer to them
    ShopRecord, Users, Sessions, Checkouts, Purchases, Facts, MagicLinks, Outbox, Limits, Events, Quarantine, Rechecks,
    Licences, Downloads, Moves, Erasures, Pruning,
):  # fmt: skip
    """Books on one connection, inside whatever transaction it is in.

    No record knows another: each can be made by itself from the same connection.
    """


TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for record in SqlBooks.__bases__
    if issubclass(record, Record)
    for table in record.tables
}
"""Every table but `shop`, whose id is moved by itself; what is referred to comes first."""
