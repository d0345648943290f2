"""Whether this process may act: book, email, sell and sign in only under the address that the database has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.audit import ByHand
from domain.usecases.own_address import OwnAddress, ServedElsewhere
from entrypoints.run.logs import log


@dataclass(slots=True)
class AddressWatch:
    """What the last look at the database found. Every node looks at the start and then about once a second."""

    own_address: OwnAddress
    go_live: Callable[[], Awaitable[int]]
    """Ends the test purchases of a shop with a live key. A copy of another shop's database keeps them."""
    elsewhere: ServedElsewhere | None = None
    """The other address, while this process only shows pages."""

    async def begin(self, *, serving: bool) -> None:
        """Compare before anything is done; then serve in the mode of the key. Raises StoreUnavailable."""
        found = await (self.own_address.serve() if serving else self.own_address.look())
        if serving:
            self._note(found)
            await self._act_if(found is None)
        self.elsewhere = found

    async def confirm(self, *, asked: ByHand | None = None) -> str | None:
        """Act under our address from now on; the former one. Raises StoreUnavailable."""
        former = await self.own_address.confirm(asked=asked)
        self.elsewhere = None
        return former

    async def look(self) -> None:
        """Compare again: the merchant may have confirmed an address on another node. Raises StoreUnavailable."""
        found = await self.own_address.look()
        if found != self.elsewhere:
            await self._act_if(found is None)
            self._note(found)
        self.elsewhere = found

    async def _act_if(self, here: bool) -> None:
        """Before this process sells anything."""
        ended = await self.go_live() if here else 0
        if ended:
            log.warning("test purchases ended: the shop is live", extra={"fields": {"purchases": ended}})

    def _note(self, found: ServedElsewhere | None) -> None:
        if found is not None:
            log.error(two_ways_on(found))
        elif self.elsewhere is not None:
            log.info("the address is confirmed", extra={"fields": {"base_url": self.elsewhere.here}})


def two_ways_on(found: ServedElsewhere) -> str:
    """The sentence for the merchant, at the start and in `doctor` and `status`."""
    return (
        f"this database was served at {found.there}, and BASE_URL is {found.here}: pages are shown, but nothing is "
        "sold, booked or emailed, and nobody can sign in. If the shop moved here, run `coatcheck confirm-address`. If "
        "this is a copy of a shop that goes on there, set a new SESSION_SECRET and run `coatcheck confirm-address "
        "--copy`, which gives it a new shop id"
    )
