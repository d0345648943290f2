"""What a filter of sales names in words: customers by their address, a promotion code by what customers type."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.sale_list import SaleFilter
from domain.usecases.code_links import CodeLinks
from domain.usecases.find_sales import AtDomain, FindSales, OneCustomer, SeveralFound


@dataclass(frozen=True, slots=True)
class Named:
    """A filter that names everything by its id. `more`: only the first 20 customers that the text names are in it."""

    wanted: SaleFilter
    more: bool = False


@dataclass(frozen=True, slots=True)
class SaleNames:
    """The list of sales and its export understand the same words."""

    find: FindSales
    code_links: CodeLinks

    async def __call__(self, wanted: SaleFilter, *, text: str) -> Named | None:
        """`wanted.promotion` is as it was typed; `text` is the beginning of an address, or a domain as `@example.org`.

        None if no address begins with the text. Raises StoreUnavailable.
        """
        code = self.code_links.find(wanted.promotion) if wanted.promotion else None
        if code is not None:
            wanted = replace(wanted, promotion=code.ref)
        if not text:
            return Named(wanted)
        match await self.find(text):
            case OneCustomer(user):
                return Named(replace(wanted, users=(user.id,)))
            case AtDomain(domain):
                return Named(replace(wanted, domain=domain))
            case SeveralFound(sales=(), users=users, more=more) if users:
                return Named(replace(wanted, users=tuple(user.id for user in users)), more=more)
            case _:
                return None
