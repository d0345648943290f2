"""What a sweep of the reconciler found."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.usecases.recheck_payments import Recheck


@dataclass(slots=True)
class Reconciled:
    """What a sweep found at the provider, what it had to repair, and what fits nothing."""

    seen: int = 0
    """Completed sessions, refunds and disputes."""
    booked: list[str] = field(default_factory=list)
    """Sessions that were paid and not booked."""
    noted: list[str] = field(default_factory=list)
    """Refunds and disputes that no webhook had delivered, and payments that brought something new."""
    refused: list[str] = field(default_factory=list)
    """Sessions and payments that went to quarantine, or are there still."""
    foreign: int = 0
    """Sessions and payments of other programs."""
    unread: list[str] = field(default_factory=list)
    """Payments that could not be asked about; they will be again."""
    unlisted: dict[str, str] = field(default_factory=dict)
    """Lists that the provider refuses, by name, with its words."""

    @property
    def all_well(self) -> bool:
        """Whether there was nothing to repair, and nothing is left."""
        return not (self.booked or self.noted or self.refused or self.unread or self.unlisted)

    def add(self, payment: str, read: Recheck) -> None:
        """Count a payment that was asked about."""
        match read:
            case Recheck.REPAIRED:
                self.noted.append(payment)
            case Recheck.FOREIGN:
                self.foreign += 1
            case Recheck.REFUSED:
                self.refused.append(payment)
            case Recheck.UNREACHABLE:
                self.unread.append(payment)
            case Recheck.KNOWN:
                pass
