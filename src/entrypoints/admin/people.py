"""Staff, one's own account, and the audit log."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import post, route
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.rights import NotAllowed, Verdict
from domain.staff import Role, StaffId, StaffSessionId
from domain.usecases.invite_staff import Invited, InviteStaff, WhyNotInvited
from domain.usecases.list_audit import ListAudit
from domain.usecases.list_staff import ListStaff, StaffRow
from domain.usecases.manage_passkeys import ManagePasskeys, PasskeyChange
from domain.usecases.manage_staff import ManageStaff, SignOutStaff, StaffChange
from domain.usecases.request_login import NotAnAddress
from domain.usecases.staff_access import SignedInStaff, WhyNotIn
from entrypoints.admin.audit_filter import AT as AUDIT
from entrypoints.admin.audit_filter import asked_entries
from entrypoints.admin.audit_words import row_of
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.kept_form import CAME_BACK
from entrypoints.http.page import AnyRequest, see_other
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_STAFF: Final = "/admin/staff"
_ACCOUNT: Final = "/admin/account"
_CHANGES: Final = {
    StaffChange.SAME: N_("Nothing changed: it was like that already."),
    StaffChange.LAST_OWNER: N_(
        "No other owner has a passkey, so nobody could manage the shop any more. Make another member an owner first, "
        "or wait until an owner who was invited has added a passkey."
    ),
    StaffChange.NOBODY: N_("There is no such member of staff any more."),
    WhyNotInvited.DISABLED: N_("They were disabled. Enable them first."),
    WhyNotInvited.OTHER_ROLE: N_("They are a member with another role. Change that first."),
    WhyNotInvited.OWNER: N_(
        "They are an owner, who comes back with `coatcheck staff link` on the shop's machine."
    ),
    WhyNotInvited.NOBODY: N_("There is no such member of staff."),
    PasskeyChange.LAST: N_(
        "It is your only passkey: without it, you could not sign in. Add another one first."
    ),
    PasskeyChange.GONE: N_("You have no such passkey any more."),
    WhyNotIn.WRONG: N_("That passkey could not be added. Please try again."),
    WhyNotIn.TOO_LATE: N_(
        "That took longer than five minutes, or the form was sent twice. Please try again."
    ),
    WhyNotIn.TAKEN: N_("This passkey is registered already."),
}
"""Why something was not done."""


@dataclass(frozen=True, slots=True)
class PeoplePages:
    """staff, account, audit."""

    frame: AdminFrame
    list_staff: ListStaff
    invite: InviteStaff
    manage: ManageStaff
    passkeys: ManagePasskeys
    sign_out: SignOutStaff
    list_audit: ListAudit

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(_STAFF, http_method=PAGE, status_code=200)(self.staff),
            route(f"{_STAFF}/invite", http_method=PAGE, status_code=200)(self.inviting),
            post(f"{_STAFF}/invite", status_code=200)(self.invited),
            route(f"{_STAFF}/{{member:str}}", http_method=PAGE, status_code=200)(self.member),
            post(f"{_STAFF}/{{member:str}}", status_code=303)(self.change),
            route(_ACCOUNT, http_method=PAGE, status_code=200)(self.account),
            route(f"{_ACCOUNT}/passkey", http_method=PAGE, status_code=200)(self.adding),
            post(f"{_ACCOUNT}/passkey", status_code=303)(self.added),
            post(f"{_ACCOUNT}/remove", status_code=303)(self.removed),
            post(f"{_ACCOUNT}/sessions", status_code=303)(self.ended),
            route(AUDIT, http_method=PAGE, status_code=200)(self.audit),
        ]

    # ------------------------------------------------------------------ staff

    async def staff(self, request: AnyRequest) -> RawResponse:
        """Who works here. Everybody may look."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        return self.frame.html(request, "staff.html", here=here, rows=await self.list_staff(), roles=roles())

    async def inviting(self, request: AnyRequest) -> RawResponse:
        """The form of an invitation."""
        here = await self._for(request, AuditAction.INVITE_STAFF)
        if isinstance(here, RawResponse):
            return here
        return self._invite_page(request, here, typed=request.query_params.get("email", ""))

    async def invited(self, request: AnyRequest) -> RawResponse:
        """Invite somebody. The link is shown once, to whoever asked for it."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        typed, role = fields.get("email", ""), _role(fields.get("role", ""))
        if role is None:
            return self._invite_page(request, here, typed=typed, why=_("Please choose a role."), status=400)
        if CAME_BACK in fields:
            return self._invite_page(request, here, typed=typed, role=role, form=form)
        outcome = await self.invite(typed, role, actor=self.frame.actor(here), form=form)
        match outcome:
            case Invited():
                return self.frame.html(request, "invited.html", here=here, invited=outcome)
            case NotAnAddress():
                why = _("That is not an address that can be emailed.")
                return self._invite_page(request, here, typed=typed, role=role, why=why, status=400)
            case NotAllowed(Verdict.PROVE_AGAIN):
                return await self.frame.prove_first(request, here, fields)
            case NotAllowed():
                return self.frame.refused(request, here)
            case _:
                why = _(_CHANGES[outcome])
                return self._invite_page(request, here, typed=typed, role=role, why=why, status=409)

    async def member(self, request: AnyRequest, member: FromPath[str]) -> RawResponse:
        """What can be changed about one member."""
        here = await self._for(request, AuditAction.CHANGE_ROLE)
        if isinstance(here, RawResponse):
            return here
        row = await self._row(member)
        if row is None:
            return see_other(_STAFF)
        return self._member_page(request, here, row)

    async def change(self, request: AnyRequest, member: FromPath[str]) -> RawResponse:
        """Give a member another role, disable or enable them (`do`)."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        actor, who, role = self.frame.actor(here), StaffId(member), _role(fields.get("role", ""))
        row = await self._row(member)
        if CAME_BACK in fields and row is not None:
            return self._member_page(request, here, row, role=role)
        done: Awaitable[StaffChange | NotAllowed]
        match fields.get("do", ""):
            case "role" if role is not None:
                done = self.manage.set_role(who, role, actor=actor, form=form)
            case "disable":
                done = self.manage.disable(who, actor=actor, form=form)
            case "enable":
                done = self.manage.enable(who, actor=actor, form=form)
            case _:
                return see_other(f"{_STAFF}/{member}")
        outcome = await done
        if isinstance(outcome, NotAllowed):
            if outcome.verdict is Verdict.PROVE_AGAIN:
                return await self.frame.prove_first(request, here, fields)
            return self.frame.refused(request, here)
        row = await self._row(member)
        if outcome is StaffChange.DONE or row is None:
            return see_other(_STAFF)
        return self._member_page(request, here, row, why=_(_CHANGES[outcome]), status=409)

    # ------------------------------------------------------------------ one's own account

    async def account(self, request: AnyRequest) -> RawResponse:
        """One's own passkeys and sessions."""
        here = await self.frame.here(request)
        return here if isinstance(here, RawResponse) else await self._account_page(request, here)

    async def adding(self, request: AnyRequest) -> RawResponse:
        """The page that adds a passkey."""
        here = await self._for(request, AuditAction.ADD_PASSKEY)
        if isinstance(here, RawResponse):
            return here
        return self.frame.html(
            request, "add_passkey.html", here=here, ask=await self.passkeys.ask(here), why=""
        )

    async def added(self, request: AnyRequest) -> RawResponse:
        """A passkey was created."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        outcome = await self.passkeys.add(
            here, fields.get("challenge", ""), fields.get("answer", ""),
            visitor=self.frame.cookie.visitor(request), form=form,
        )  # fmt: skip
        match outcome:
            case PasskeyChange.DONE | PasskeyChange.SIGNED_OUT:
                return see_other(_ACCOUNT)
            case NotAllowed():
                return self._not_allowed(request, here, outcome, f"{_ACCOUNT}/passkey")
            case _:
                ask = await self.passkeys.ask(here)
                why = _(_CHANGES.get(outcome, _CHANGES[WhyNotIn.WRONG]))
                return self.frame.html(request, "add_passkey.html", here=here, status=409, ask=ask, why=why)

    async def removed(self, request: AnyRequest) -> RawResponse:
        """Remove one of one's own passkeys."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        visitor = self.frame.cookie.visitor(request)
        outcome = await self.passkeys.remove(visitor, fields.get("passkey", ""), form=form)
        match outcome:
            case PasskeyChange.DONE | PasskeyChange.SIGNED_OUT:
                return see_other(_ACCOUNT)
            case NotAllowed():
                return self._not_allowed(request, here, outcome, _ACCOUNT)
            case _:
                return await self._account_page(request, here, why=_(_CHANGES[outcome]), status=409)

    async def ended(self, request: AnyRequest) -> RawResponse:
        """End one of one's own sessions (`end` is its id), or all but this one (`end` is `others`)."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request)
        visitor, wish = self.frame.cookie.visitor(request), fields.get("end", "")
        if wish == "others":
            await self.sign_out.others(visitor, form=form)
        else:
            await self.sign_out.one(visitor, StaffSessionId(wish), form=form)
        return see_other(_ACCOUNT)

    # ------------------------------------------------------------------ the audit log

    async def audit(self, request: AnyRequest) -> RawResponse:
        """The newest fifty entries, or those before the id `before`; `who` and `action` narrow them down."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        names = {f"staff:{row.member.id}": row.member.email.canonical for row in await self.list_staff()}
        asked, before = asked_entries(request.query_params, names), request.query_params.get("before", "")
        page = await self.list_audit.newest(asked.wanted, before=before, limit=_AT_ONCE)
        return self.frame.html(
            request, "audit.html", here=here, asked=asked, rows=[row_of(line, names) for line in page.lines],
            older=asked.before(page.older),
        )  # fmt: skip

    # ------------------------------------------------------------------ what they share

    async def _for(self, request: AnyRequest, action: AuditAction) -> SignedInStaff | RawResponse:
        """Who is here, if they may do this, and have used a passkey just before where that is asked for."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        return self.frame.fresh(here, action, request.scope["path"]) or here

    def _not_allowed(
        self, request: AnyRequest, here: SignedInStaff, outcome: NotAllowed, path: str
    ) -> RawResponse:
        if outcome.verdict is Verdict.PROVE_AGAIN:
            return self.frame.prove(path)
        return self.frame.refused(request, here)

    async def _row(self, member: str) -> StaffRow | None:
        return next((row for row in await self.list_staff() if row.member.id == member), None)

    def _member_page(
        self, request: AnyRequest, here: SignedInStaff, row: StaffRow, *, role: Role | None = None, why: str = "",
        status: int = 200,
    ) -> RawResponse:  # fmt: skip
        """`role`: the one that was chosen before a passkey was asked for."""
        chosen = (role or row.member.role).value
        return self.frame.html(
            request, "member.html", here=here, status=status, row=row, roles=roles(), chosen=chosen, why=why
        )

    async def _account_page(
        self, request: AnyRequest, here: SignedInStaff, *, why: str = "", status: int = 200
    ) -> RawResponse:
        row = await self._row(here.member.id)
        return self.frame.html(
            request, "account.html", here=here, status=status, row=row, why=why, roles=roles()
        )

    def _invite_page(
        self, request: AnyRequest, here: SignedInStaff, *, typed: str, role: Role = Role.SUPPORT, form: str = "",
        why: str = "", status: int = 200,
    ) -> RawResponse:  # fmt: skip
        """`form`: the id of a form that was not used up."""
        return self.frame.html(
            request, "invite.html", here=here, status=status, typed=typed, role=role.value, kept_form=form, why=why,
            roles=roles(),
        )  # fmt: skip


_AT_ONCE: Final = 50


def roles() -> list[tuple[str, str, str]]:
    """Of each role: its value, its name, and what it may do."""
    return [
        (Role.OWNER.value, _("Owner"), _("may do everything")),
        (Role.SUPPORT.value, _("Support"), _("works with customers and sales; no settings, no staff")),
        (Role.VIEWER.value, _("Viewer"), _("sees everything and changes nothing")),
    ]


def _role(typed: str) -> Role | None:
    try:
        return Role(typed)
    except ValueError:
        return None
