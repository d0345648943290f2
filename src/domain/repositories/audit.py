"""The audit log and its chain. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.audit import AuditLine
from domain.audit_chain import AuditLink, Checkpoint, LinkedLine, SignInRefusals


class ReadAudit(Protocol):
    """What was done by hand. Reading only."""

    def by_form(self, form: str) -> AuditLine | None:
        """The line of that form or command."""

    def page_after(self, line: str, *, limit: int) -> Sequence[AuditLine]:
        """Lines in order of id, after `line`: the oldest first."""

    def page_before(self, line: str, *, limit: int) -> Sequence[AuditLine]:
        """Lines in the reverse order of id, before `line` ("" for the last): the newest first."""

    def about(self, objects: Sequence[str]) -> Sequence[AuditLine]:
        """The lines about any of these objects, by their ids, the oldest first."""


class Audit(ReadAudit, Protocol):
    """What was done by hand. A line is never changed, but for its reason, which goes with the person of its object."""

    def append(self, line: AuditLine) -> bool:
        """Add a line unless its form was done; whether we wrote. Its id is fresh randomness."""


class ReadAuditChain(Protocol):
    """The chain of the lines (`domain.audit_chain`). Reading only."""

    def unlinked(self, *, limit: int) -> Sequence[AuditLine]:
        """Lines that are not linked yet, in order of id."""

    def count_unlinked(self) -> int:
        """How many there are."""

    def newest(self) -> AuditLink | None:
        """The newest link, of a line that may be pruned by now; None before there was any."""

    def after(self, sequence: int, *, limit: int) -> Sequence[LinkedLine]:
        """Linked lines in the order of the chain, after this number."""

    def checkpoint(self) -> Checkpoint | None:
        """Where the chain begins; None if nothing was pruned yet."""


class AuditChain(ReadAuditChain, Protocol):
    """The chain of the lines (`domain.audit_chain`)."""

    def link(self, line: str, link: AuditLink) -> bool:
        """Give a line its place unless it has one; whether we wrote. A number is given once."""

    def prune(self, checkpoint: Checkpoint) -> int:
        """Delete the lines up to the checkpoint's, with their reasons, and keep it instead; how many."""


class RefusedSignIns(Protocol):
    """How often signing in to the back office was refused, by network and hour."""

    def count(self, network: str, hour: datetime) -> None:
        """One more of this network in the hour that began then."""

    def take_before(self, hour: datetime, *, limit: int) -> Sequence[SignInRefusals]:
        """Delete the counts of hours that began before this one, and return them; in order of hour, then network."""
