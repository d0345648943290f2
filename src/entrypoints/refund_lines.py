"""What the command line says of refunds: what was asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.amounts import AmountProblem, example_amount
from domain.audit import LONGEST_REASON
from domain.purchase import Purchase, order_number
from domain.refund import RefundRequest, RefundState
from domain.rights import NotAllowed
from domain.usecases.refund_outcomes import NotAnAmount, NotRefunded, RefundAsked, WhyNotRefunded
from domain.values import decimal_text, mask
from entrypoints.cli_words import NOT_ALLOWED, counted, minute
from entrypoints.resend_lines import no_such_order

_WHY: Final = {
    WhyNotRefunded.NO_REASON: f"--reason is empty, or longer than {LONGEST_REASON} characters",
    WhyNotRefunded.NOT_PAID_HERE: "nothing was paid for {order} through the payment provider",
    WhyNotRefunded.OTHER_MODE: "{order} was paid in the other mode, test or live, than this shop's key is of",
    WhyNotRefunded.ERASED: "the customer of {order} deleted their account; refund it in Stripe's dashboard",
    WhyNotRefunded.IN_DISPUTE: "{order} is in dispute; answer the dispute in Stripe's dashboard instead",
    WhyNotRefunded.NOTHING_LEFT: "nothing is left to refund of {order}",
    WhyNotRefunded.NOTHING_ASKED: "the amount is 0; {left} can be refunded of {order}",
    WhyNotRefunded.TOO_MUCH: "{left} can be refunded of {order}, and no more",
}
_AMOUNTS: Final = {
    AmountProblem.NOT_A_NUMBER: "write the amount in digits, for example {example}",
    AmountProblem.AMBIGUOUS: "the amount can be read in two ways; write it as {example}",
    AmountProblem.OTHER_CURRENCY: "{order} was paid in {currency}, so the refund is in {currency}, too",
    AmountProblem.TOO_FINE: "{currency} has no amounts as fine as that; write it as {example}",
    AmountProblem.ABOVE_GREATEST_CHARGE: "the amount is more than Stripe charges at once",
}


def asked_lines(found: RefundAsked) -> list[str]:
    """What is under way, and what its customer will hear."""
    request, mailbox = found.request, found.order.mailbox
    lines = [f"A refund of {request.amount} for {_named(found.order)} is on its way ({_stands(request)})."]
    if request.state is RefundState.REQUESTED:
        lines.append(
            "A running shop sends it to Stripe within seconds; `coatcheck customer` shows what came of it."
        )
    if found.closes:
        lines.append("The order is closed, unless the refund fails.")
    if request.tells and mailbox is not None:
        return [*lines, f"{mask(mailbox)} is emailed once Stripe confirms it."]
    return [*lines, "Nobody is emailed."]


def not_refunded_line(found: NotRefunded | NotAnAmount | NotAllowed, wanted: str) -> str:
    """One sentence."""
    if isinstance(found, NotAllowed):
        return NOT_ALLOWED
    if isinstance(found, NotAnAmount):
        return f"nothing was refunded: {_amount_line(found)}"
    order = found.order
    if order is None:
        return no_such_order(wanted)
    return f"nothing was refunded: {_WHY[found.why].format(order=_named(order), left=found.left)}"


def _amount_line(found: NotAnAmount) -> str:
    example = example_amount(found.order.paid.currency)
    words = _AMOUNTS.get(found.problem, _AMOUNTS[AmountProblem.NOT_A_NUMBER])
    return words.format(
        order=_named(found.order), currency=example.currency.upper(),
        example=decimal_text(example.amount, example.currency),
    )  # fmt: skip


def refund_request_line(request: RefundRequest, names: Mapping[str, str]) -> str:
    """A request in a customer's history. `names`: of members of staff, by the actor's name in the audit log."""
    by = names.get(request.by, request.by)
    return (
        f"Refund of {request.amount}, order {order_number(request.checkout)}, requested by {by}: "
        f"{_stands(request)}."
    )


def waiting_refund_lines(requests: Sequence[RefundRequest]) -> list[str]:
    """Those that need the merchant: nothing if there are none."""
    if not requests:
        return []
    not_there = "has not arrived" if len(requests) == 1 else "have not arrived"
    return [
        "",
        f"{counted(len(requests), 'refund')} {not_there} (dismiss one that ended: coatcheck status --dismiss ID):",
        *(
            f"  {one.id}  {one.amount}, order {order_number(one.checkout)}, since {minute(one.at)}: {_stands(one)}"
            for one in requests
        ),
    ]


def _stands(request: RefundRequest) -> str:
    match request.state:
        case RefundState.REQUESTED:
            return (
                f"no answer yet, last attempt: {request.problem}" if request.problem else "not answered yet"
            )
        case RefundState.DONE:
            return "made at Stripe"
        case RefundState.FAILED:
            return "the bank returned it, so the customer does not have the money"
        case RefundState.REFUSED:
            return f"refused: {request.problem}"
        case RefundState.DISMISSED:
            return f"refused: {request.problem}" if request.problem else "the bank returned it"


def _named(order: Purchase) -> str:
    return f"order {order_number(order.checkout)} ({order.product_name})"
