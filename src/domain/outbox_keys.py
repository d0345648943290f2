"""The keys of the outbox: an email is sent once, however often and from wherever it is queued.

A key names the cause of the email. The same cause gives the same key, so queueing it again changes nothing, and no two
causes share one. The merchant meets them in `coatcheck status`; the email provider gets them as idempotency keys.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import MailKind
from domain.staff import StaffId
from domain.values import ChangeId, CheckoutId, LinkId, ProductId, UserId

_OF_LINK: Final = {
    LinkPurpose.LOGIN: "login",
    LinkPurpose.ORDER: "order",
    LinkPurpose.MOVE: "address",
    LinkPurpose.UNDO: "address",
    LinkPurpose.OWNER: "owner",
    LinkPurpose.WITHDRAWAL: "withdrawal-proof",
}


def access(checkout: CheckoutId) -> str:
    """The one email that every sale causes."""
    return f"access:{checkout}"


def access_checkout(key: str) -> CheckoutId | None:
    """The sale that caused an access email; None if the email was requested, or is another one."""
    return sale_of(key) if key.startswith("access:") else None


_OF_SALE: Final = frozenset(
    {
        "access",
        "access-again",
        "failed",
        "refunded",
        "revoked",
        "open-again",
        "licence",
        "withdrawal-proof",
        "withdrawal-answer",
    }
)


def sale_of(key: str) -> CheckoutId | None:
    """The checkout that an email to its owner is about; None of the other emails."""
    kind, _, rest = cause(key).partition(":")
    return CheckoutId(rest.partition(":")[0]) or None if kind in _OF_SALE else None


def access_again(checkout: CheckoutId, link: LinkId) -> str:
    """An access email that was requested: each request has a link of its own."""
    return f"access-again:{checkout}:{link}"


def of_link(link: MagicLink) -> str:
    """A requested email that is about no sale: each request has a link of its own."""
    return f"{_OF_LINK[link.purpose]}:{link.id}"


def payment_failed(checkout: CheckoutId) -> str:
    """A bank debit that did not arrive."""
    return f"failed:{checkout}"


def refunded(checkout: CheckoutId, fact: str) -> str:
    """Once for each refund or lost dispute."""
    return f"refunded:{checkout}:{fact}"


def open_again(checkout: CheckoutId, fact: str) -> str:
    """Once for each refund or dispute that ended well for the buyer, or line of the audit log that restored it."""
    return f"open-again:{checkout}:{fact}"


def revoked(checkout: CheckoutId, line: str) -> str:
    """Once for each time the merchant closes a purchase; `line`: of the audit log."""
    return f"revoked:{checkout}:{line}"


def withdrawal_received(withdrawal: str) -> str:
    """The acknowledgement, to the address that its person gave."""
    return f"withdrawal:{withdrawal}"


def withdrawal_proof(checkout: CheckoutId, withdrawal: str) -> str:
    """To the owner of a purchase, whether a withdrawal from it is theirs."""
    return f"withdrawal-proof:{checkout}:{withdrawal}"


def withdrawal_answer(checkout: CheckoutId | None, withdrawal: str) -> str:
    """What the merchant decided."""
    return f"withdrawal-answer:{checkout or ''}:{withdrawal}"


def withdrawals(day: datetime) -> str:
    """To the merchant, at most once an hour."""
    return f"notice:withdrawals:{day:%Y-%m-%dT%H:%M}"


def licence(checkout: CheckoutId, product: ProductId) -> str:
    """A licence key that came after the sale."""
    return f"licence:{checkout}:{product}"


def licence_replaced(checkout: CheckoutId, product: ProductId, line: str) -> str:
    """Once for each time the merchant replaces a licence key; `line`: of the audit log."""
    return f"licence:{checkout}:{product}:{line}"


def farewell(line: str) -> str:
    """To somebody whose data the merchant deleted; `line`: of the audit log."""
    return f"farewell:{line}"


def release(product: ProductId, version: str, user: UserId) -> str:
    """A new version of a product, once for each of its owners."""
    return f"news:{product}:{version}:{user}"


def release_test(product: ProductId, line: str) -> str:
    """To a member of staff, before a new version is announced; `line`: of the audit log."""
    return f"notice:news:{product}:{line}"


def cause(key: str) -> str:
    """The key without its count (`anew`)."""
    return key.partition("#")[0]


def anew(key: str) -> str:
    """The next key of the same cause, for an email that is queued once more: `access:c1#2`, then `access:c1#3`."""
    base, _, count = key.partition("#")
    return f"{base}#{int(count or '1') + 1}"


def licences_used_up(product: ProductId, day: datetime) -> str:
    """To the merchant, once a day for each product."""
    return f"notice:licences:{product}:{day:%Y-%m-%d}"


def quarantined(ref: str) -> str:
    """To the merchant, once for each payment that was not acted on."""
    return f"notice:quarantine:{ref}"


def problem(kind: str, subject: str, day: datetime, *, number: int = 1) -> str:
    """To the merchant, of each thing that does not work. `kind`: a ProblemKind's value. `number`: of that day."""
    return f"notice:{kind}:{subject}:{day:%Y-%m-%d}" + (f":{number}" if number > 1 else "")


def paid_for_nobody(ref: str) -> str:
    """To the merchant, once for each payment that came after its customer was erased."""
    return f"notice:erased:{ref}"


def correction_undone(move: ChangeId) -> str:
    """To the merchant, once for each corrected address that was put back."""
    return f"notice:undone:{move}"


def bounced(key: str) -> str:
    """To the merchant, once for each access email that bounced; `key`: of that email."""
    return f"notice:bounced:{key}"


def catalogue_mistakes(digest: str, day: datetime) -> str:
    """To the merchant, once a day for the same mistakes in the catalogue; `digest` tells those from others."""
    return f"notice:catalogue:{digest}:{day:%Y-%m-%d}"


def fraud_warned(warning: str) -> str:
    """To the merchant, once for each early fraud warning."""
    return f"notice:fraud:{warning}"


def sale_made(checkout: CheckoutId) -> str:
    """To the merchant, once for each sale."""
    return f"notice:sale:{checkout}"


def sales_digest(end: datetime) -> str:
    """To the merchant, once for all sales before a midnight that no earlier one reported."""
    return f"notice:sales:{end:%Y-%m-%d}"


def stuck(kind: MailKind, day: datetime) -> str:
    """To the merchant, once a day for each kind of email."""
    return f"notice:stuck:{kind.value}:{day:%Y-%m-%d}"


def staff_notice(line: str, to: StaffId) -> str:
    """The notice to a member of staff about an action, named by its line in the audit log."""
    return f"notice:staff:{line}:{to}"
