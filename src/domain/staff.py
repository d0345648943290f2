"""Who acts for the merchant. Today that is the command line, which may do everything that its host may."""

from __future__ import annotations

from domain.frozen import frozen


@frozen
class Actor:
    """Who does something to the shop, or to a customer's purchase, by hand."""

    name: str
    """As the audit log names them: `cli:<user>`, the user being that of the operating system."""

    @classmethod
    def on_host(cls, user: str) -> Actor:
        """Whoever runs a command on the shop's machine, with an owner's rights: they hold its secrets anyway."""
        return cls(name=f"cli:{user}")
