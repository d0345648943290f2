"""The chain of the audit log: each line is linked to the one before, so that none can be changed, inserted or removed.

A line is written unlinked, by the transaction that did what it says. A timer links new lines later: it numbers them and
signs each together with the link before it. What was pruned leaves a signed checkpoint, at which the chain begins.
The signature is an HMAC with a key from SESSION_SECRET, so write access to the database is not enough to forge a chain.
That the last lines were cut off shows against a link that was kept elsewhere: every backup's manifest carries the
newest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from domain.audit import AuditLine
from domain.frozen import frozen
from domain.keys import Keyring

SIGN_INS_COUNTED: Final = timedelta(hours=1)
"""How long refused sign-ins of one network are counted for one line."""
_SIGNATURE: Final = re.compile(r"[0-9a-f]{8}\.[0-9a-f]{64}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@frozen
class AuditLink:
    """The place of a line in the chain."""

    sequence: int
    """From 1 on, without gaps; never given again."""
    signature: str
    """`<key name>.<HMAC>` over the line, its number and the link before it."""

    def __str__(self) -> str:
        """As it is kept elsewhere: `<number>.<key name>.<HMAC>`."""
        return f"{self.sequence}.{self.signature}"

    @classmethod
    def parse(cls, text: str) -> AuditLink:
        """Raises ValueError."""
        sequence, _, signature = text.partition(".")
        if not _SIGNATURE.fullmatch(signature) or not sequence.isdecimal():
            raise ValueError("a link is <number>.<8 digits>.<64 digits>")
        return cls(int(sequence), signature)


BEGINNING: Final = AuditLink(sequence=0, signature="")
"""What the first line of all is linked to."""


@frozen
class LinkedLine:
    """A line with its place in the chain."""

    line: AuditLine
    link: AuditLink


@frozen
class Checkpoint:
    """Where a chain begins whose older lines were pruned."""

    link: AuditLink
    """Of the newest line that was pruned."""
    at: datetime
    """The time of that line."""
    signature: str
    """`<key name>.<HMAC>` over both."""


@frozen
class SignInRefusals:
    """How often signing in was refused to one network in one hour."""

    network: str
    """A keyed hash: `Keyring.bucket`."""
    hour: datetime
    """When the hour began."""
    times: int


class Flaw(Enum):
    """What is wrong with a chain. The values are stable, for exit messages and doctor."""

    CHANGED = "changed"
    """The line, its number or its signature is not what was signed."""
    MISSING = "missing"
    """The line with this number is not there."""
    REASON = "reason"
    """The reason is not the one that was given."""
    CHECKPOINT = "checkpoint"
    """The checkpoint, which says what was pruned, is not what was signed."""
    UNKNOWN_KEY = "unknown-key"
    """It was signed with a secret that SESSION_SECRET does not hold, after lines whose secret it does."""


@frozen
class Break:
    """The first place at which a chain is not whole."""

    flaw: Flaw
    sequence: int
    at: datetime | None
    """The time of the line there."""


def next_link(keyring: Keyring, before: AuditLink, line: AuditLine) -> AuditLink:
    """Link a line to the newest one."""
    sequence = before.sequence + 1
    return AuditLink(sequence, keyring.sign_audit(_message(before, sequence, line)))


def checkpoint_at(keyring: Keyring, newest: LinkedLine) -> Checkpoint:
    """The checkpoint in place of a line and all before it."""
    signature = keyring.sign_audit(_pruned(newest.link, newest.line.at))
    return Checkpoint(link=newest.link, at=newest.line.at, signature=signature)


def hour_of(moment: datetime) -> datetime:
    """When the hour began in which refused sign-ins are counted together."""
    return moment.replace(minute=0, second=0, microsecond=0)


class ChainReader:
    """Follows a chain line by line, and remembers how far it is whole."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.newest = BEGINNING
        self._doubtful: Checkpoint | None = None
        """The checkpoint, if the next line is the first behind it and its secret is not held."""
        self.lines = 0
        """Lines whose signature holds."""
        self.unknown = 0
        """Lines at the beginning whose secret SESSION_SECRET does not hold any more: nobody can check them."""
        self.since: datetime | None = None
        """The time of the first line whose signature holds."""
        self.broken: Break | None = None

    def begin_at(self, checkpoint: Checkpoint) -> None:
        """Begin anew behind a checkpoint, if that is further on: lines may be pruned while they are read."""
        if checkpoint.link.sequence <= self.newest.sequence:
            return
        holds = self._keyring.audit_holds(checkpoint.signature, _pruned(checkpoint.link, checkpoint.at))
        if holds is False:
            self.broken = Break(Flaw.CHECKPOINT, checkpoint.link.sequence, checkpoint.at)
        self._doubtful = checkpoint if holds is None else None
        self.newest = checkpoint.link

    def follow(self, lines: Sequence[LinkedLine]) -> None:
        """Read the next lines, up to the first that is not whole."""
        if lines:
            self._judge_checkpoint(lines[0])
        for one in self._whole(lines):
            self.newest = one.link

    def _judge_checkpoint(self, first: LinkedLine) -> None:
        """It is signed after the lines behind it: a secret that is not held any more made those, too."""
        checkpoint, self._doubtful = self._doubtful, None
        if checkpoint is not None and self._keyring.audit_holds(first.link.signature, b"") is not None:
            self.broken = Break(Flaw.CHECKPOINT, checkpoint.link.sequence, checkpoint.at)

    def _whole(self, lines: Sequence[LinkedLine]) -> Iterator[LinkedLine]:
        for one in lines:
            flaw = self._flaw(one)
            if self.broken is None and flaw is not None:
                sequence = self.newest.sequence + 1
                self.broken = Break(flaw, sequence, one.line.at)
            if self.broken is not None:
                return
            yield one

    def _flaw(self, one: LinkedLine) -> Flaw | None:
        if one.link.sequence != self.newest.sequence + 1:
            return Flaw.MISSING
        holds = self._keyring.audit_holds(
            one.link.signature, _message(self.newest, one.link.sequence, one.line)
        )
        if holds is False:
            return Flaw.CHANGED
        if holds is None and self.lines:
            return Flaw.UNKNOWN_KEY
        if not one.line.reason_holds:
            return Flaw.REASON
        if holds is None:
            self.unknown += 1
        else:
            self.lines += 1
            self.since = self.since or one.line.at
        return None


def _message(before: AuditLink, sequence: int, line: AuditLine) -> bytes:
    """The signed bytes of a line; JSON, so that no value can pass for two."""
    values = [
        "line", before.sequence, before.signature, sequence, line.id, line.form, _micros(line.at), line.actor,
        line.action.value, line.object_id, line.result.value, line.reason_hash, line.times,
    ]  # fmt: skip
    return json.dumps(values).encode()


def _pruned(link: AuditLink, at: datetime) -> bytes:
    return json.dumps(["pruned", link.sequence, link.signature, _micros(at)]).encode()


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
