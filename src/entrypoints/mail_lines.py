"""What `coatcheck status` says about emails: apart what was refused, what may have been sent, and what is retried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.emails import AccessLink
from domain.mail import Delivery, Mail, MailProblem, MailState
from domain.usecases.report_status import SentAgain, Status
from domain.values import mask
from entrypoints.cli_words import counted, minute

OF_NO_USE: Final = (
    "the purchase belongs to another address by now, or the link could do nothing any more after a week"
)
SENT_AGAIN: Final = {
    SentAgain.QUEUED: "Queued again: it leaves within a second while the shop is served.",
    SentAgain.NO_SUCH_MAIL: "There is no email with that key. `coatcheck status` lists those that are waiting.",
    SentAgain.STILL_QUEUED: "It is still queued and tried again automatically.",
    SentAgain.TOO_LATE: f"Not sent: {OF_NO_USE}. "
    "For an order without an address, `coatcheck send-link` makes a new one.",
    SentAgain.ENOUGH: "That address was emailed three times again within the last hour.",
    SentAgain.QUEUED_BEFORE: "It was sent again before. To send it once more, use the newest key (KEY#2, KEY#3, …).",
}
_PROBLEMS: Final[dict[str, str]] = {
    MailProblem.OUTCOME_UNKNOWN: "the shop stopped while it was being sent, and its idempotency key has expired",
    MailProblem.TOO_LATE: "it waited for a week, which is too long for what it was to confirm or undo",
    MailProblem.NO_ANSWER: "the email provider took it and did not answer within an hour",
    MailProblem.KEY_USED: "another text had been accepted under its key, so an earlier attempt got through",
}


def mail_lines(status: Status) -> list[str]:
    """What may be done about an email depends on whether it may have been sent."""
    late = [mail for mail in status.mails if mail.state is MailState.QUEUED]
    refused = [mail for mail in status.mails if mail.state is MailState.STUCK and not mail.may_have_been_sent]
    unknown = [mail for mail in status.mails if mail.may_have_been_sent]
    return [
        *_listed(refused, "refused (send all of them again: coatcheck status --send-refused)"),
        *_listed(
            [*unknown, *status.noted],
            "that may have been sent (send one again, at the risk of a duplicate: coatcheck status --send-again KEY)",
        ),
        *_listed(late, "delayed (tried again automatically)"),
        *_listed(
            status.bounced,
            "bounced (to another address: coatcheck correct ORDER ADDRESS --reason TEXT; to the same one again: "
            "coatcheck status --send-again KEY; off this list: coatcheck status --dismiss KEY)",
        ),
    ]


def _listed(mails: Sequence[Mail], what: str) -> list[str]:
    return ["", f"{counted(len(mails), 'email')} {what}:", *map(_line, mails)] if mails else []


def problem_of(mail: Mail) -> str:
    """Why it was not sent, in words of ours or of the email provider."""
    return _PROBLEMS.get(mail.problem, mail.problem)


def _line(mail: Mail) -> str:
    problem = problem_of(mail)
    if mail.delivery is Delivery.BOUNCED and isinstance(mail.email, AccessLink):
        problem = f"order {mail.email.order} ({mail.email.product_name})"
    return f"  {mail.key}  to {mask(mail.to)}, queued {minute(mail.queued_at)}: {problem}"
