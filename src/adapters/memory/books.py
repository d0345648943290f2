"""All records as one object: what a work is given to read and to write."""

from __future__ import annotations

from adapters.memory.checkouts import Checkouts
from adapters.memory.downloads import Downloads
from adapters.memory.erasures import Erasures
from adapters.memory.events import Events
from adapters.memory.facts import Facts
from adapters.memory.licences import Licences
from adapters.memory.limits import Limits
from adapters.memory.magic_links import MagicLinks
from adapters.memory.moves import Moves
from adapters.memory.outbox import Outbox
from adapters.memory.pruning import Pruning
from adapters.memory.purchases import Purchases
from adapters.memory.quarantine import Quarantine
from adapters.memory.rechecks import Rechecks
from adapters.memory.sessions import Sessions
from adapters.memory.shop import ShopRecord
from adapters.memory.users import Users


class MemoryBooks(
    ShopRecord, Users, Sessions, Checkouts, Purchases, Facts, MagicLinks, Outbox, Limits, Events, Quarantine, Rechecks,
    Licences, Downloads, Moves, Erasures, Pruning,
):  # fmt: skip
    """Books on one set of tables; the store takes back what a raising work wrote."""
