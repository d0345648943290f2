"""The findings of `coatcheck doctor` as a page."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
from litestar import post, route

from entrypoints.admin.frame import AdminFrame
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _, ngettext
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

AT: Final = "/admin/doctor"
WITHIN: Final = 60.0
"""Seconds for all checks; those that ask Stripe or the email provider have shorter limits of their own."""


class Found(msgspec.Struct, frozen=True):
    """One finding, as the command prints it."""

    about: str
    fine: bool
    words: str
    warns: bool = False


@dataclass(frozen=True, slots=True)
class DoctorPages:
    """doctor."""

    frame: AdminFrame
    environment: Mapping[str, str]
    """All variables that the shop was started with."""
    running: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(AT, http_method=PAGE, status_code=200)(self.ask),
            post(AT, status_code=200)(self.check),
        ]

    async def ask(self, request: AnyRequest) -> RawResponse:
        """What is checked, and a button."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        return self.frame.html(request, "doctor.html", here=here, findings=None, summary="")

    async def check(self, request: AnyRequest) -> RawResponse:
        """Run the checks, one run at a time, and show what they found."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        if self.running.locked():
            return self.frame.notice(
                request, here, _("The checks are running already"),
                _("Somebody started them a moment ago. Please try again in a minute."), status=409, back=AT,
            )  # fmt: skip
        async with self.running:
            findings = await asyncio.to_thread(examined, {**os.environ, **self.environment})
        if findings is None:
            return self.frame.notice(
                request, here, _("The checks did not finish"),
                _("They took longer than a minute, or broke off. On the shop's machine, run: coatcheck doctor"),
                status=504, back=AT,
            )  # fmt: skip
        return self.frame.html(
            request, "doctor.html", here=here, findings=_worst_first(findings), summary=_summary(findings)
        )


def examined(environ: Mapping[str, str], *, within: float = WITHIN) -> Sequence[Found] | None:
    """What `coatcheck doctor` finds; None if it does not finish in time. Blocks.

    In a process of its own: what hangs can be ended, and what it opens and closes is not this shop's.
    """
    command = [sys.executable, "-m", "entrypoints.cli", "doctor", "--json"]
    try:
        done = subprocess.run(  # noqa: S603 - no part of the command comes from a request
            command, env=dict(environ), capture_output=True, timeout=within, check=False
        )
        return msgspec.json.decode(done.stdout, type=list[Found])
    except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError):
        return None


def _worst_first(findings: Sequence[Found]) -> list[Found]:
    return sorted(findings, key=lambda one: (one.fine, not one.warns))


def _summary(findings: Sequence[Found]) -> str:
    wrong = sum(not one.fine for one in findings)
    warnings = sum(one.fine and one.warns for one in findings)
    if wrong:
        return ngettext("%(number)d thing needs you.", "%(number)d things need you.", wrong)
    if warnings:
        return ngettext(
            "All is well, with %(number)d warning.", "All is well, with %(number)d warnings.", warnings
        )
    return _("All is well.")
