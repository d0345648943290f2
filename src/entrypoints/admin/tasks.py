"""What waits, as sentences: a line for each task on Home, and a row of the queue with its likeliest buttons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, assert_never
from urllib.parse import quote

from domain.access import Holding
from domain.dispute import is_inquiry
from domain.mail import Mail, MailProblem
from domain.outbox_keys import sale_of
from domain.purchase import order_number
from domain.records import Problem, ProblemKind, Quarantined
from domain.refund import RefundRequest, RefundState
from domain.usecases.list_todo import Lacking, Mistakes, Silence, Task, Todo, TodoList
from domain.values import CheckoutId, money_text
from domain.withdrawal import Withdrawal, WithdrawalState, days_left
from entrypoints.admin.sale_words import evidence_due, mail_address
from entrypoints.admin.words import REASONS
from entrypoints.http.sentences import N_, _, ngettext
from entrypoints.run.peer_address import shared_words

TODO: Final = "/admin/todo"
_LONGEST_REF: Final = 30
_MAIL_PROBLEMS: Final[Mapping[str, str]] = {
    MailProblem.NO_CUSTOMER: N_("nobody bought anything with this address"),
    MailProblem.UNSUBSCRIBED: N_("its reader wants no news"),
    MailProblem.QUEUED_AGAIN: N_("it was queued again"),
    MailProblem.ANOTHER_SHOP: N_("another shop sends it"),
    MailProblem.BOUNCE_DISMISSED: N_("it came back, and was dismissed"),
    MailProblem.OUTCOME_UNKNOWN: N_("the shop stopped while it was being sent"),
    MailProblem.TOO_LATE: N_("it waited for a week, which is too long for what it was to confirm or undo"),
    MailProblem.NO_ANSWER: N_("the email provider took it and did not answer within an hour"),
    MailProblem.KEY_USED: N_("an earlier attempt got through"),
}
_PROBLEMS: Final = {
    ProblemKind.CHECKOUT_REFUSED: N_("Stripe refuses payment pages for %(subject)s"),
    ProblemKind.LOOKUP_REFUSED: N_("Stripe refuses to look payments up"),
    ProblemKind.LIST_REFUSED: N_(
        "Stripe refuses the list of %(subject)s, so changes that no webhook reports are missed"
    ),
    ProblemKind.LIMITS_SHARED: N_("All visitors share the rate limits of one"),
}


@dataclass(frozen=True, slots=True)
class Button:
    """A link to a page that asks before it does something, or to where something is done."""

    label: str
    at: str
    first: bool = False
    """The likeliest one."""
    writes: bool = False
    """Whether it leads to an action, which a viewer may not take."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the queue: what, why, and the likeliest buttons."""

    todo: Todo
    what: str
    at: str
    """Where it is shown; "" if nowhere else."""
    why: str
    buttons: Sequence[Button]


def summary(found: TodoList) -> list[tuple[str, str]]:
    """Of each task that is not zero, a sentence and the address of its rows; those that wait longest first."""
    counted = Counter(row.task for row in found.rows)
    return [
        (_summed(task, number, more=task in found.more), f"{TODO}?only={task.value}")
        for task, number in counted.items()
    ]


def _summed(task: Task, number: int, *, more: bool) -> str:
    said = _SUMMARIES[task](number)
    return f"{said} {_('There are more.')}" if more else said


NAMES: Final[Mapping[Task, str]] = {
    Task.QUARANTINED: N_("Payments in quarantine"), Task.STUCK_EMAIL: N_("Emails not sent"),
    Task.LATE_EMAIL: N_("Emails that are late"), Task.BOUNCED_EMAIL: N_("Access emails that came back"),
    Task.NEVER_OPENED: N_("Never opened"), Task.DISPUTE: N_("Disputes"),
    Task.FRAUD_WARNING: N_("Fraud warnings"),
    Task.WAIVER_UNCONFIRMED: N_("Waivers not confirmed"),
    Task.WITHOUT_ADDRESS: N_("Without an address"), Task.REFUSED_BY_PROVIDER: N_("Refused by Stripe"),
    Task.REFUND: N_("Refunds that did not arrive"), Task.LICENCES_USED_UP: N_("Licence keys"),
    Task.PRODUCT_GONE: N_("Products that are missing"),
    Task.PRODUCT_LOST: N_("Products that cannot be opened"), Task.CATALOGUE: N_("Catalogue"),
    Task.WEBHOOKS_SILENT: N_("Webhooks"), Task.WITHDRAWAL: N_("Withdrawals"), Task.LIMITS_SHARED: N_("Rate limits"),
}  # fmt: skip
"""What the tasks are called in a list of them."""
_SUMMARIES: Final[Mapping[Task, Callable[[int], str]]] = {
    Task.QUARANTINED: lambda n: ngettext(
        "%(number)d payment is in quarantine.", "%(number)d payments are in quarantine.", n),
    Task.STUCK_EMAIL: lambda n: ngettext(
        "%(number)d email could not be sent.", "%(number)d emails could not be sent.", n),
    Task.LATE_EMAIL: lambda n: ngettext("%(number)d email is late.", "%(number)d emails are late.", n),
    Task.BOUNCED_EMAIL: lambda n: ngettext(
        "%(number)d access email came back, and its customer was not reached since.",
        "%(number)d access emails came back, and their customers were not reached since.", n),
    Task.NEVER_OPENED: lambda n: ngettext(
        "%(number)d purchase was made two days ago or earlier, and never opened.",
        "%(number)d purchases were made two days ago or earlier, and never opened.", n),
    Task.DISPUTE: lambda n: ngettext("%(number)d dispute needs an answer.", "%(number)d disputes need an answer.", n),
    Task.FRAUD_WARNING: lambda n: ngettext(
        "%(number)d payment has a fraud warning: a refund now prevents a dispute.",
        "%(number)d payments have fraud warnings: refunds now prevent disputes.", n),
    Task.WAIVER_UNCONFIRMED: lambda n: ngettext(
        "%(number)d waiver of the right of withdrawal is not confirmed: its email did not arrive.",
        "%(number)d waivers of the right of withdrawal are not confirmed: their emails did not arrive.", n),
    Task.WITHOUT_ADDRESS: lambda n: ngettext(
        "%(number)d purchase was paid with an address that cannot be emailed.",
        "%(number)d purchases were paid with addresses that cannot be emailed.", n),
    Task.REFUSED_BY_PROVIDER: lambda n: ngettext(
        "%(number)d thing is refused by Stripe.", "%(number)d things are refused by Stripe.", n),
    Task.REFUND: lambda n: ngettext("%(number)d refund did not arrive.", "%(number)d refunds did not arrive.", n),
    Task.WITHDRAWAL: lambda n: ngettext(
        "%(number)d withdrawal waits for your decision.", "%(number)d withdrawals wait for your decision.", n),
    Task.LICENCES_USED_UP: lambda n: ngettext(
        "The licence keys of %(number)d product are used up.",
        "The licence keys of %(number)d products are used up.", n),
    Task.PRODUCT_GONE: lambda n: ngettext(
        "The folder of %(number)d product is missing, so nobody can buy it.",
        "The folders of %(number)d products are missing, so nobody can buy them.", n),
    Task.PRODUCT_LOST: lambda n: ngettext(
        "%(number)d product cannot be opened by its owners.",
        "%(number)d products cannot be opened by their owners.", n),
    Task.CATALOGUE: lambda _n: _("The catalogue has mistakes."),
    Task.WEBHOOKS_SILENT: lambda _n: _("Stripe's webhooks do not arrive."),
    Task.LIMITS_SHARED: lambda _n: _("All visitors share the rate limits of one."),
}  # fmt: skip


def row_of(todo: Todo, *, dashboard: str, zone: tzinfo, now: datetime) -> Row:
    """A row of the queue. `dashboard`: the address of the account's pages at Stripe, with "/" at the end."""
    match todo.about:
        case Quarantined():
            return _quarantined(todo, todo.about)
        case Mail():
            return _mail(todo, todo.about)
        case Holding():
            return _sale(todo, todo.about, dashboard, zone=zone, now=now)
        case Problem():
            return _problem(todo, todo.about, dashboard)
        case RefundRequest():
            return _refund(todo, todo.about, dashboard)
        case Withdrawal():
            return _withdrawal(todo, todo.about, zone, now)
        case Lacking():
            return _lacking(todo, todo.about)
        case Mistakes():
            return _mistakes(todo, todo.about)
        case Silence():
            return _silence(todo, dashboard)
        case _:
            assert_never(todo.about)


def _problem(todo: Todo, problem: Problem, dashboard: str) -> Row:
    words = _(_PROBLEMS[problem.kind], subject=problem.subject)
    doctor = Button(_("Run the doctor"), "/admin/doctor", first=True)
    if todo.task is Task.LIMITS_SHARED:
        why = shared_words(problem.subject, problem.detail)
        return Row(todo, words, "", f"{why[0].upper()}{why[1:]}.", [doctor])
    return Row(todo, words, "", problem.detail, [doctor, Button(_("Keys at Stripe"), f"{dashboard}apikeys")])


def _mistakes(todo: Todo, about: Mistakes) -> Row:
    lines = about.lines
    more = ngettext("%(number)d more", "%(number)d more", len(lines) - 1) if len(lines) > 1 else ""
    buttons = [
        Button(_("Look at the products"), "/admin/products", first=True),
        Button(_("Run the doctor"), "/admin/doctor"),
    ]
    return Row(todo, _("Mistakes in the catalogue"), "/admin/products", f"{lines[0]} {more}".strip(), buttons)


def _silence(todo: Todo, dashboard: str) -> Row:
    why = _(
        "A sale is an hour old, and nothing was heard of it: whoever closes the payment page too early waits."
    )
    buttons = [
        Button(_("Reconcile now"), "/admin/stripe/reconcile", first=True, writes=True),
        Button(_("Webhooks at Stripe"), f"{dashboard}webhooks"),
    ]
    return Row(todo, _("Stripe's webhooks do not arrive"), "/admin/stripe", why, buttons)


def _quarantined(todo: Todo, entry: Quarantined) -> Row:
    at, book = f"/admin/stripe/{quote(entry.ref)}", f"/admin/payments/{quote(entry.ref)}/book"
    buttons = [
        Button(_("Book it"), book, first=True, writes=True)
        if entry.reason.can_be_booked
        else Button(_("Read it again"), f"{at}/read", first=True, writes=True),
        Button(_("Dismiss"), f"{at}/dismiss", writes=True),
    ]
    return Row(
        todo,
        _("Payment %(ref)s in quarantine", ref=_short(entry.ref)),
        "/admin/stripe",
        _(REASONS[entry.reason]),
        buttons,
    )


def _short(ref: str) -> str:
    """Ids of checkout sessions have seventy characters, which is more than a heading bears."""
    return ref if len(ref) <= _LONGEST_REF else f"{ref[: _LONGEST_REF - 10]}…"


def _mail(todo: Todo, mail: Mail) -> Row:
    at = mail_address(mail.key)
    words = {
        Task.STUCK_EMAIL: N_("Email to %(to)s was not sent"),
        Task.LATE_EMAIL: N_("Email to %(to)s is late"),
        Task.BOUNCED_EMAIL: N_("Access email to %(to)s came back"),
    }
    why = problem_of(mail)
    if todo.task is Task.BOUNCED_EMAIL:
        why = _("The address may be mistyped: the customer has no access link.")
    elif mail.may_have_been_sent:
        why = _("It may have been sent: %(why)s.", why=why)
    order = sale_of(mail.key)
    if order is not None:
        why = _("Order %(order)s. %(why)s", order=order_number(order), why=why)
    buttons = (
        [Button(_("Send again"), f"{at}/send", first=True, writes=True)]
        if todo.task is not Task.LATE_EMAIL
        else []
    )
    if todo.task is Task.BOUNCED_EMAIL:
        buttons.append(Button(_("Dismiss"), f"{at}/dismiss", writes=True))
    else:
        buttons.append(Button(_("Look at it"), at))
    return Row(todo, _(words[todo.task], to=mail.to.canonical), at, why, buttons)


def _sale(todo: Todo, held: Holding, dashboard: str, *, zone: tzinfo, now: datetime) -> Row:
    purchase = held.purchase
    at = sale_address(purchase.checkout)
    order = _("%(product)s, %(amount)s, order %(order)s", product=purchase.product_name, amount=purchase.paid,
              order=order_number(purchase.checkout))  # fmt: skip
    if todo.task is Task.DISPUTE and todo.decides is not None:
        amount = money_text(todo.decides.amount, purchase.paid.currency)
        if is_inquiry(todo.decides):
            why = _("An inquiry by the customer's bank about %(amount)s needs an answer.", amount=amount)
        else:
            why = _("A dispute about %(amount)s needs an answer.", amount=amount)
        why = f"{why} {evidence_due(todo.decides, zone, now=now)}"
        answer = Button(
            _("Answer in Stripe"), f"{dashboard}disputes/{quote(todo.decides.object_id)}", first=True
        )
        return Row(todo, order, at, why, [answer, Button(_("Look at the sale"), at)])
    if todo.task is Task.FRAUD_WARNING:
        why = _("The card's issuer suspects fraud. A refund in full now prevents a dispute and its fee.")
        refund = Button(_("Refund as fraudulent"), f"{at}/refund?cause=fraudulent", first=True, writes=True)
        return Row(todo, order, at, why, [refund, Button(_("Look at the sale"), at)])
    if todo.task is Task.WITHOUT_ADDRESS:
        why = _("The address given at the payment cannot be emailed: only the browser that paid can open it.")
        return Row(todo, order, at, why, [Button(_("Look at the sale"), at, first=True)])
    mailbox = "" if purchase.mailbox is None else purchase.mailbox.canonical
    if todo.task is Task.WAIVER_UNCONFIRMED:
        return Row(todo, order, at, unconfirmed_waiver(mailbox), [
            Button(_("Correct the address"), f"{at}/address", first=True, writes=True),
            Button(_("Send the link again"), f"{at}/resend", writes=True),
            Button(_("Look at the sale"), at),
        ])  # fmt: skip
    why = _("Never opened: %(address)s may not have had the email.", address=mailbox)
    return Row(
        todo,
        order,
        at,
        why,
        [
            Button(_("Send the link again"), f"{at}/resend", first=True, writes=True),
            Button(_("Look at the sale"), at),
        ],
    )


def unconfirmed_waiver(address: str) -> str:
    """Why a waiver does not count, and what makes it count."""
    return _(
        "The email that repeats the waiver did not arrive at %(address)s, so the right of withdrawal stays. Correct "
        "the address and send the link again: a copy that arrives confirms the waiver.", address=address
    )  # fmt: skip


def _refund(todo: Todo, request: RefundRequest, dashboard: str) -> Row:
    at = sale_address(request.checkout)
    match request.state:
        case RefundState.REQUESTED:
            why = _("Stripe has not answered yet; it is asked again.") + (
                f" {request.problem}" if request.problem else ""
            )
        case RefundState.REFUSED:
            why = _("Stripe refused it: %(problem)s", problem=request.problem)
        case _:
            why = _("The bank returned it, so the customer does not have the money.")
    what = _(
        "Refund of %(amount)s, order %(order)s", amount=request.amount, order=order_number(request.checkout)
    )
    look = Button(_("Look at the sale"), at, first=True)
    if request.state is RefundState.REQUESTED:
        return Row(
            todo,
            what,
            at,
            why,
            [look, Button(_("Open in Stripe"), f"{dashboard}payments/{quote(request.payment)}")],
        )
    return Row(
        todo,
        what,
        at,
        why,
        [look, Button(_("Dismiss"), f"{TODO}/refunds/{quote(request.id)}/dismiss", writes=True)],
    )


def _withdrawal(todo: Todo, one: Withdrawal, zone: tzinfo, now: datetime) -> Row:
    at, order = f"/admin/withdrawals/{quote(one.id)}", order_number(one.checkout or CheckoutId(""))
    left = days_words(one, zone, now)
    if one.proved_at is not None:
        why = _("The customer confirmed that it is theirs: %(left)s to pay back.", left=left)
        accept = Button(_("Accept"), f"{at}/accept", first=True, writes=True)
        buttons = [accept, Button(_("Refuse"), f"{at}/refuse", writes=True)]
    else:
        why = _(
            "The customer was emailed a link, and has not confirmed that it is theirs: %(left)s.", left=left
        )
        buttons = [Button(_("Look at it"), "/admin/withdrawals", first=True)]
    return Row(todo, _("Withdrawal from order %(order)s", order=order), "/admin/withdrawals", why, buttons)


def days_words(one: Withdrawal, zone: tzinfo, now: datetime) -> str:
    """How long there is to pay back; "" once it is decided."""
    if one.state is not WithdrawalState.OPEN:
        return ""
    left = days_left(one, now=now, zone=zone)
    if left < 0:
        return _("overdue")
    return ngettext("%(number)d day left", "%(number)d days left", left)


def _lacking(todo: Todo, about: Lacking) -> Row:
    at = f"/admin/products/{quote(about.product)}"
    look = Button(_("Look at the product"), at, first=True)
    if todo.task is Task.LICENCES_USED_UP:
        why = ngettext(
            "%(number)d purchase waits for a key. Add keys to its list in the catalogue: it is served at once.",
            "%(number)d purchases wait for a key. Add keys to the list in the catalogue: they are served at once.",
            about.waiting)  # fmt: skip
        return Row(todo, _("Licence keys of %(product)s are used up", product=about.product), at, why, [look])
    if todo.task is Task.PRODUCT_GONE:
        why = _(
            "Its folder is not in the catalogue: customers keep its last good form, and nobody can buy it. "
            "Put the folder back, or retire the product."
        )
        return Row(todo, _("%(product)s is missing", product=about.product), at, why, [look])
    why = _(
        "Customers own it, but the catalogue lacks it and no good form of it is kept. Put its folder back."
    )
    return Row(todo, _("%(product)s cannot be opened", product=about.product), at, why, [look])


def problem_of(mail: Mail) -> str:
    """Why an email was not sent, in words of ours or of the email provider."""
    return _(_MAIL_PROBLEMS[mail.problem]) if mail.problem in _MAIL_PROBLEMS else mail.problem


def sale_address(checkout: str) -> str:
    """Of the page of a sale."""
    return f"/admin/sales/{quote(checkout)}"
