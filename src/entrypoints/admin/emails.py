"""Emails: which wait, which were sent, one with its text and history, and sending again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from litestar import post, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.emails import UnreadableEmail
from domain.mail import CODE_SLOT, LINK_SLOT, OPT_OUT_SLOT, Delivery, Mail, MailKind, MailProblem, MailState
from domain.outbox_keys import sale_of
from domain.rights import NotAllowed, Verdict, verdict
from domain.staff import Role
from domain.usecases.list_emails import PAGE as ROWS
from domain.usecases.list_emails import ListEmails
from domain.usecases.report_status import ReportStatus, SentAgain
from domain.usecases.send_refused import SendRefused
from domain.usecases.staff_access import SignedInStaff
from domain.values import EmailAddress, InvalidEmail
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.notices import after_resending
from entrypoints.admin.sale_words import mail_address, without_keys
from entrypoints.admin.tasks import problem_of
from entrypoints.admin.timeline_words import mail_name
from entrypoints.admin.words import RESULTS, action_words
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _, ngettext
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.handlers import HTTPRouteHandler

EMAILS: Final = "/admin/emails"
MOST: Final = 200
"""Of those that wait, or were sent to one address, how many a page shows."""
_KINDS: Final = {
    MailKind.ACCESS: N_("Access"), MailKind.LOGIN: N_("Sign-in"), MailKind.ORDER: N_("Confirm an order"),
    MailKind.UPDATE: N_("About a purchase"), MailKind.ADDRESS: N_("Change of address"),
    MailKind.RELEASE: N_("New version"), MailKind.FAREWELL: N_("Account deleted"),
    MailKind.WITHDRAWAL: N_("About a withdrawal"),
    MailKind.NOTICE: N_("To you"),
}  # fmt: skip
_STATES: Final = {
    MailState.QUEUED: N_("queued"), MailState.SENT: N_("sent"), MailState.DROPPED: N_("not sent"),
    MailState.STUCK: N_("refused"),
}  # fmt: skip
_DELIVERIES: Final = {
    Delivery.ACCEPTED: N_("sent"),
    Delivery.DELIVERED: N_("delivered"), Delivery.DELAYED: N_("delayed"), Delivery.BOUNCED: N_("bounced"),
    Delivery.COMPLAINED: N_("marked as spam"),
}  # fmt: skip
_OUTCOMES: Final = {
    SentAgain.NO_SUCH_MAIL: N_("There is no such email any more."),
    SentAgain.STILL_QUEUED: N_("It is still queued, and tried again by itself."),
    SentAgain.QUEUED_BEFORE: N_("It was sent again before: see the newer one in its history."),
    SentAgain.ENOUGH: N_(
        "This address was emailed three times again within the last hour. Please wait a while."
    ),
    SentAgain.TOO_LATE: N_(
        "It was dropped instead: the purchase belongs to another address by now, or the link could do nothing any more."
    ),
}


@dataclass(frozen=True, slots=True)
class EmailPages:
    """emails."""

    frame: AdminFrame
    list_emails: ListEmails
    report_status: ReportStatus
    send_refused: SendRefused

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        one = f"{EMAILS}/{{key:str}}"
        return [
            route(EMAILS, http_method=PAGE, status_code=200)(self.emails),
            route(f"{EMAILS}/send-refused", http_method=PAGE, status_code=200)(self.sending_all),
            post(f"{EMAILS}/send-refused", status_code=303)(self.sent_all),
            route(one, http_method=PAGE, status_code=200)(self.email),
            route(f"{one}/send", http_method=PAGE, status_code=200)(self.sending),
            post(f"{one}/send", status_code=303)(self.sent),
            route(f"{one}/dismiss", http_method=PAGE, status_code=200)(self.dismissing),
            post(f"{one}/dismiss", status_code=303)(self.dismissed),
        ]

    async def emails(self, request: AnyRequest) -> RawResponse:
        """Those that wait; `kind`: the newest of a kind, before the one of key `before`; `to`: those to an address."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        asked = {name: request.query_params.get(name, "") for name in ("kind", "to", "before")}
        kind = next((one for one in MailKind if one.value == asked["kind"]), None)
        mails, caption, older = await self._found(kind, asked["to"].strip(), asked["before"])
        refused = [mail for mail in mails if mail.state is MailState.STUCK and not mail.may_have_been_sent]
        return self.frame.html(
            request, "emails.html", here=here, caption=caption,
            mails=[
                (mail, *_stands(mail), _tone(mail), mail_address(mail.key), mail_name(mail), _(_KINDS[mail.kind]))
                for mail in mails[:MOST]
            ],
            older=older, kinds=[("", _("Waiting for you")), *((one.value, _(name)) for one, name in _KINDS.items())],
            chosen=kind.value if kind else "", to=asked["to"], refused=len(refused), acts=self._acts(here),
        )  # fmt: skip

    async def _found(self, kind: MailKind | None, to: str, before: str) -> tuple[Sequence[Mail], str, str]:
        if to:
            try:
                mailbox = EmailAddress.parse(to)
            except InvalidEmail:
                return (), _("%(to)s is not an address", to=to[:100]), ""
            mails = await self.list_emails.to_address(mailbox)
            return mails, caption_to(mailbox, len(mails)), ""
        if kind is None:
            mails = await self.list_emails.waiting()
            return mails, waiting_caption(len(mails)), ""
        mails = await self.list_emails.newest(kind, before=before)
        older = (
            f"{EMAILS}?{urlencode({'kind': kind.value, 'before': mails[ROWS - 1].key})}"
            if len(mails) > ROWS
            else ""
        )
        return mails[:ROWS], _("%(kind)s, newest first", kind=_(_KINDS[kind])), older

    async def email(self, request: AnyRequest, key: FromPath[str]) -> RawResponse:
        """One email: headers, text without link and code while it is kept, and what became of it."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found = await self.list_emails.one(key)
        if found is None:
            raise NotFoundException
        state, problem = _stands(found.mail)
        viewer = here.member.role is Role.VIEWER
        title = _(_KINDS[found.mail.kind]) if found.mail.letter is None else found.mail.letter.subject
        return self.frame.html(
            request, "email.html", here=here, mail=found.mail, state=state, problem=problem, tone=_tone(found.mail),
            customer=found.customer, queued=found.mail.state is MailState.QUEUED,
            text=text_of(found.mail, masked=viewer),
            title=without_keys(title, found.mail) if viewer else title, kind=_(_KINDS[found.mail.kind]),
            others=[(one, *_stands(one), mail_address(one.key)) for one in found.others],
            lines=[(action_words(one.action), _(RESULTS[one.result]), one.at) for one in found.lines],
            at=mail_address(key), sale=sale_of(key) or "", acts=self._acts(here),
            can_send=found.mail.state is not MailState.QUEUED
            and found.mail.problem != MailProblem.QUEUED_AGAIN,
            bounced=found.mail.delivery is Delivery.BOUNCED and found.mail.kind is MailKind.ACCESS,
        )  # fmt: skip

    async def sending(self, request: AnyRequest, key: FromPath[str]) -> RawResponse:
        """What sending an email again does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found = await self.list_emails.one(key)
        if found is None:
            raise NotFoundException
        return self.frame.fresh(here, AuditAction.SEND_AGAIN, EMAILS) or self._sending(
            request, here, found.mail
        )

    def _sending(
        self, request: AnyRequest, here: SignedInStaff, mail: Mail, *, why: str = "", status: int = 200
    ) -> RawResponse:
        effects = [
            _("%(to)s is emailed the same again, with a new link where it has one.", to=mail.to.canonical)
        ]
        if mail.may_have_been_sent or mail.state is MailState.SENT:
            effects.append(_("The first one may have arrived: then they have it twice."))
        return self.frame.action(
            request, here, title=_("Send this email again"), effects=effects, button=_("Send again"),
            back=mail_address(mail.key), reason=False, why=why, status=status,
        )  # fmt: skip

    async def sent(self, request: AnyRequest, key: FromPath[str]) -> RawResponse:
        """Send an email again."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.frame.submitted(request)
        outcome = await self.report_status.send_again(key, actor=self.frame.actor(here), form=form)
        if isinstance(outcome, NotAllowed):
            return self.frame.refused(request, here)
        if outcome is SentAgain.QUEUED:
            return self.frame.done(mail_address(key), "sent-again")
        return self.frame.notice(
            request, here, _("Not sent again"), _(_OUTCOMES[outcome]), status=409, back=mail_address(key)
        )

    async def sending_all(self, request: AnyRequest) -> RawResponse:
        """What sending all refused emails again does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        mails = [mail for mail in await self.list_emails.waiting() if mail.state is MailState.STUCK]
        refused = sum(not mail.may_have_been_sent for mail in mails)
        effects = [
            ngettext("%(number)d email that was refused is sent again, with a new link.",
                     "%(number)d emails that were refused are sent again, with new links.", refused),
            _("None of them reached anybody. Those that may have been sent are left to you, one by one."),
        ]  # fmt: skip
        return self.frame.fresh(here, AuditAction.SEND_AGAIN, EMAILS) or self.frame.action(
            request, here, title=_("Send all refused emails again"), effects=effects, button=_("Send them"),
            back=EMAILS, reason=False,
        )  # fmt: skip

    async def sent_all(self, request: AnyRequest) -> RawResponse:
        """Send all refused emails again."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.frame.submitted(request)
        outcome = await self.send_refused(actor=self.frame.actor(here), form=form)
        if isinstance(outcome, NotAllowed):
            return self.frame.refused(request, here)
        return self.frame.done(EMAILS, after_resending(outcome))

    async def dismissing(self, request: AnyRequest, key: FromPath[str]) -> RawResponse:
        """What taking a bounced email off the list does."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        effects = [_("It leaves the list. Nobody is emailed, and the purchase stays as it is.")]
        return self.frame.fresh(here, AuditAction.DISMISS_BOUNCE, EMAILS) or self.frame.action(
            request, here, title=_("Dismiss this bounce"), effects=effects, button=_("Dismiss"), back=mail_address(key),
            reason=False,
        )  # fmt: skip

    async def dismissed(self, request: AnyRequest, key: FromPath[str]) -> RawResponse:
        """Take a bounced email off the list."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.frame.submitted(request)
        done = await self.report_status.dismiss(key, actor=self.frame.actor(here), form=form)
        if isinstance(done, NotAllowed):
            return self.frame.refused(request, here)
        return self.frame.done(EMAILS, "dismissed" if done is True else "gone")

    def _acts(self, here: SignedInStaff) -> bool:
        return verdict(self.frame.actor(here), AuditAction.SEND_AGAIN) is Verdict.MAY


def waiting_caption(number: int) -> str:
    """How many wait, and whether all of them are shown: days without an email provider may leave thousands."""
    if number <= MOST:
        return _("Emails that wait for you, oldest first: %(number)d", number=number)
    return _(
        "Emails that wait for you: %(number)s. The oldest %(most)d are shown.",
        number=f"{number:,}",
        most=MOST,
    )


def caption_to(mailbox: EmailAddress, number: int) -> str:
    """How many were sent to an address, and whether all of them are shown."""
    if number <= MOST:
        return _("Emails to %(to)s: %(number)d", to=mailbox.canonical, number=number)
    return _(
        "Emails to %(to)s: %(number)s. The newest %(most)d are shown.",
        to=mailbox.canonical, number=f"{number:,}", most=MOST,
    )  # fmt: skip


def _stands(mail: Mail) -> tuple[str, str]:
    """How far it got, in words, and the problem."""
    if mail.may_have_been_sent:
        return _("may have been sent"), problem_of(mail)
    if mail.delivery is not None and mail.state is not MailState.STUCK:
        return _(_DELIVERIES[mail.delivery]), problem_of(mail)
    return _(_STATES[mail.state]), problem_of(mail)


def _tone(mail: Mail) -> str:
    """The class of the mark: whether it reached nobody, or nobody knows."""
    wrong = mail.state is MailState.STUCK or mail.delivery in (Delivery.BOUNCED, Delivery.COMPLAINED)
    return "bad" if wrong else ""


def text_of(mail: Mail, *, masked: bool) -> str:
    """The text as it was rendered: its link and code were never stored, and stay slots.

    `masked`: for viewers, without licence keys.
    """
    if masked and isinstance(mail.email, UnreadableEmail):  # nobody knows which keys are in it
        return ""
    text = OPT_OUT_SLOT.sub(_("[the link to say no more]"), "" if mail.letter is None else mail.letter.text)
    text = without_keys(text, mail) if masked else text
    return text.replace(LINK_SLOT, _("[the link]")).replace(CODE_SLOT, _("[the code]"))
