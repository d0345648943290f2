"""Which entries of the audit log are wanted: what the form and the addresses of the page say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from domain.audit import AuditAction
from domain.usecases.list_audit import AuditFilter
from entrypoints.admin.words import ACTIONS
from entrypoints.http.sentences import _

AT: Final = "/admin/audit"
_ON_THE_HOST: Final = "cli:"
"""How the names of all begin who run commands on the shop's machine."""


@dataclass(frozen=True, slots=True)
class AskedEntries:
    """What an address asks for."""

    wanted: AuditFilter
    people: Sequence[tuple[str, str]]
    """Whom one can choose: value and name."""
    actions: Sequence[tuple[str, str]]

    @property
    def typed(self) -> Mapping[str, str]:
        """The fields of the form."""
        return {
            "who": self.wanted.actor,
            "action": "" if self.wanted.action is None else self.wanted.action.value,
        }

    def before(self, line: str) -> str:
        """The address of the entries before that line; "" for no line."""
        query = {name: value for name, value in self.typed.items() if value}
        return f"{AT}?{urlencode({**query, 'before': line})}" if line else ""


def asked_entries(query: Mapping[str, str], names: Mapping[str, str]) -> AskedEntries:
    """What cannot be meant is left open. `names`: of members of staff, by the actor's name in the audit log."""
    by_name = sorted(names.items(), key=lambda one: one[1])
    people = [("", _("Everybody")), *by_name, (_ON_THE_HOST, _("On the shop's machine"))]
    known = {action.value: action for action in AuditAction}
    actions = sorted(((action.value, _(words)) for action, words in ACTIONS.items()), key=lambda one: one[1])
    who = query.get("who", "")
    wanted = AuditFilter(actor=who if who in dict(people) else "", action=known.get(query.get("action", "")))
    return AskedEntries(wanted, people, [("", _("Everything")), *actions])
