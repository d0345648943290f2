"""Honest fakes: the same promises as the real adapters, held to the same contracts, without disk or network."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # No container names them, so it is here that mypy holds each to its port.
    from adapters.memory.catalogue import MemoryCatalogue
    from adapters.memory.goods import MemoryGoods
    from adapters.memory.mailer import MemoryMailer
    from adapters.memory.payments import MemoryPayments
    from adapters.memory.store import MemoryStore
    from domain.ports import Catalogue, Goods, Mailer, Payments, Store

    _PORTS: tuple[type[Catalogue], type[Goods], type[Mailer], type[Payments], type[Store]] = (
        MemoryCatalogue, MemoryGoods, MemoryMailer, MemoryPayments, MemoryStore,
    )  # fmt: skip
