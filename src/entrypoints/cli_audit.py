"""`coatcheck audit`: the log of what was done by hand, and whether it is whole."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType

import click
import msgspec

from domain.audit import ASKS_REASON, AuditLine
from domain.audit_chain import AuditLink
from domain.usecases.check_audit import AuditCheck
from entrypoints.acting import staff_names
from entrypoints.audit_lines import broken_line, check_lines
from entrypoints.cli_running import NothingDone, Refusal, beside
from entrypoints.cli_words import minute
from entrypoints.container import Container
from entrypoints.maintenance.export_format import record_fields
from entrypoints.maintenance.progress import progress
from entrypoints.safe_output import say


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines, as in `coatcheck export`.")
@click.option("--check", is_flag=True, help="Check that no line was changed, inserted or removed.")
@click.option(
    "--against", metavar="LINK", help="With --check: LINK, `audit` of a backup's manifest, is still in it."
)
def audit(*, as_json: bool, check: bool, against: str | None) -> None:
    """Show what was done by hand, newest last: when, by whom, to what, and why.

    Orders are named by their ids, emails by their keys, and no customer by address. What a customer gains or loses has
    a reason, which is deleted with the account that the action was about. Lines are kept for two years.

    With --check, every line is compared with its signature. Exits with 1 if the log is not whole.
    """
    if check or against is not None:
        _check(against)
        return

    async def work(container: Container) -> bool:
        shown, names = False, await staff_names(container)
        async for line in container.list_audit()():
            say(msgspec.json.encode(record_fields(line)).decode() if as_json else audit_line(line, names))
            shown = True
        return shown

    if not beside(work) and not as_json:
        say("Nothing was done by hand yet.")


def _check(against: str | None) -> None:
    try:
        kept = None if against is None else AuditLink.parse(against)
    except ValueError as error:
        raise Refusal(f"--against: {error}; copy `audit` from a backup's manifest.json") from None

    async def work(container: Container) -> AuditCheck:
        with progress("Checking", shown=sys.stderr.isatty()) as done:
            return await container.check_audit()(kept=kept, look=done)

    found = beside(work)
    if not found.is_whole:
        raise NothingDone(broken_line(found))
    for line in check_lines(found, asked=kept):
        say(line)


def audit_line(line: AuditLine, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """One line; a missing reason is explained where one was asked for.

    `names`: of members of staff, by the actor's name in the audit log.
    """
    deleted = "(reason deleted with the account)" if line.action in ASKS_REASON and line.reason_hash else ""
    reason = line.reason or deleted
    result = line.result.value if line.times == 1 else f"{line.result.value} {line.times} times"
    done = f"{result}: {reason}" if reason else result
    to = f" {names.get(f'staff:{line.object_id}', line.object_id)}" if line.object_id else ""
    return f"{minute(line.at)}  {names.get(line.actor, line.actor)}  {line.action.value}{to}  {done}"
