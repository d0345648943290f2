"""Let somebody into the back office: an invitation to add a passkey, or an entry link without one."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor, Role, StaffEvent, StaffId, StaffLink, StaffLinkKind, StaffMember
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.request_login import NotAnAddress
from domain.usecases.staff_access import tell_staff
from domain.values import EmailAddress, InvalidEmail, digest_of, sortable_id


@frozen
class Invited:
    """There is a link. Whoever opens it first is let in as this member: it is for them alone."""

    member: StaffMember
    token: str
    kind: StaffLinkKind
    expires_at: datetime


class WhyNotInvited(Enum):
    """Why there is no link."""

    DISABLED = "disabled"
    """The member was disabled: enable them first."""
    OTHER_ROLE = "other-role"
    """They are a member with another role: change that first, or invite them with the one they have."""
    OWNER = "owner"
    """They are an owner with passkeys, who come back through the shop's machine alone: an invitation would let another
    owner sign in as them."""
    NOBODY = "nobody"
    """There is no such member."""


Inviting = Invited | NotAnAddress | NotAllowed | WhyNotInvited
_KEPT: dict[StaffLinkKind, tuple[AuditAction, StaffEvent]] = {
    StaffLinkKind.INVITE: (AuditAction.INVITE_STAFF, StaffEvent.INVITED),
    StaffLinkKind.ENTRY: (AuditAction.LINK_STAFF, StaffEvent.LINK_MADE),
}


@frozen
class InviteStaff:
    """A member who lost their passkeys is invited again; links they had and did not use are no good any more."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, typed: str, role: Role, *, actor: Actor, form: str) -> Inviting:
        """Invite an address. `form`: names this request, however often it is submitted. Raises StoreUnavailable."""
        return await self._let_in(typed, role, StaffLinkKind.INVITE, actor, form)

    async def entry(self, typed: str, *, actor: Actor, form: str) -> Inviting:
        """Make an entry link for a member who has no passkey at hand; for actors on the shop's machine."""
        return await self._let_in(typed, None, StaffLinkKind.ENTRY, actor, form)

    async def _let_in(
        self, typed: str, role: Role | None, kind: StaffLinkKind, actor: Actor, form: str
    ) -> Inviting:
        try:
            email = EmailAddress.parse(typed)
        except InvalidEmail as error:
            return NotAnAddress(error.problem)
        if kind is StaffLinkKind.ENTRY and not actor.on_the_host:
            return NotAllowed(Verdict.WRONG_ROLE)
        now, token = self.clock.now(), self.keyring.signing.staff_token_of(form, kind.value, email)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        new_id = StaffId(sortable_id(now=now, entropy=self.randomness.token(10)))
        lives = kind.made_on_host_lives if actor.on_the_host else kind.made_by_owner_lives
        action, event = _KEPT[kind]

        def work(tx: Transaction) -> Inviting:
            held = tx.staff.by_address(email)
            refused = refusal(tx, action, held.id if held else "", asked=asked)
            if refused is not None:
                return refused
            done = tx.staff.link(digest_of(token.encode()))
            if done is not None and held is not None:
                return Invited(held, token, kind, done.expires_at)
            member = held if role is None or held is not None else StaffMember(new_id, email, role, since=now)
            problem = _problem(member, role)
            if (
                member is not None
                and member.role is Role.OWNER
                and not actor.on_the_host
                and member.id != actor.staff
            ):
                problem = problem or (WhyNotInvited.OWNER if tx.passkeys.of(member.id) else None)
            if member is None or problem is not None:
                return problem or WhyNotInvited.NOBODY
            tx.staff.add(member)
            tx.staff.end_links(member.id, at=now)
            link = StaffLink(digest_of(token.encode()), kind, member.id, made_at=now, expires_at=now + lives)
            tx.staff.add_link(link)
            line = asked.line(action, member.id)
            write_down(tx, line)
            tell_staff(tx, event, member, line)
            return Invited(member, token, kind, link.expires_at)

        return await self.store.transact(work)


def _problem(member: StaffMember | None, role: Role | None) -> WhyNotInvited | None:
    if member is None:
        return WhyNotInvited.NOBODY
    if not member.active:
        return WhyNotInvited.DISABLED
    return WhyNotInvited.OTHER_ROLE if role is not None and member.role is not role else None
