"""What the keys of emails are made of: the same cause gives the same key, and no two causes share one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain import outbox_keys
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import MailKind
from domain.staff import StaffId
from domain.values import ChangeId, CheckoutId, EmailAddress, LinkId, ProductId, UserId

DAY = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)
ORDER, BOOK = CheckoutId("c1"), ProductId("book")
LINK = MagicLink(
    id=LinkId("l1"), key="k", purpose=LinkPurpose.LOGIN, mailbox=EmailAddress("anna@example.com"), asked_by=None, product=None,
    made_at=DAY,
)  # fmt: skip
KEYS = {
    "access:c1": outbox_keys.access(ORDER),
    "access-again:c1:l1": outbox_keys.access_again(ORDER, LinkId("l1")),
    "login:l1": outbox_keys.of_link(LINK),
    "order:l1": outbox_keys.of_link(replace(LINK, purpose=LinkPurpose.ORDER)),
    "owner:l1": outbox_keys.of_link(replace(LINK, purpose=LinkPurpose.OWNER)),
    "address:l1": outbox_keys.of_link(replace(LINK, purpose=LinkPurpose.MOVE)),
    "address:l2": outbox_keys.of_link(replace(LINK, id=LinkId("l2"), purpose=LinkPurpose.UNDO)),
    "failed:c1": outbox_keys.payment_failed(ORDER),
    "refunded:c1:re_1": outbox_keys.refunded(ORDER, "re_1"),
    "revoked:c1:a1": outbox_keys.revoked(ORDER, "a1"),
    "open-again:c1:re_1": outbox_keys.open_again(ORDER, "re_1"),
    "licence:c1:book": outbox_keys.licence(ORDER, BOOK),
    "licence:c1:book:a1": outbox_keys.licence_replaced(ORDER, BOOK, "a1"),
    "farewell:a1": outbox_keys.farewell("a1"),
    "news:book:v1:u1": outbox_keys.release(BOOK, "v1", UserId("u1")),
    "notice:news:book:a1": outbox_keys.release_test(BOOK, "a1"),
    "notice:licences:book:2026-03-09": outbox_keys.licences_used_up(BOOK, DAY),
    "notice:quarantine:cs_1": outbox_keys.quarantined("cs_1"),
    "notice:lookup-refused::2026-03-09": outbox_keys.problem("lookup-refused", "", DAY),
    "notice:erased:cs_1": outbox_keys.paid_for_nobody("cs_1"),
    "notice:undone:m1": outbox_keys.correction_undone(ChangeId("m1")),
    "notice:bounced:access:c1": outbox_keys.bounced("access:c1"),
    "notice:catalogue:ab12:2026-03-09": outbox_keys.catalogue_mistakes("ab12", DAY),
    "notice:fraud:issfr_1": outbox_keys.fraud_warned("issfr_1"),
    "notice:sale:c1": outbox_keys.sale_made(ORDER),
    "notice:sales:2026-03-09": outbox_keys.sales_digest(DAY),
    "withdrawal:w1": outbox_keys.withdrawal_received("w1"),
    "withdrawal-proof:c1:w1": outbox_keys.withdrawal_proof(ORDER, "w1"),
    "withdrawal-answer:c1:w1": outbox_keys.withdrawal_answer(ORDER, "w1"),
    "withdrawal-answer::w2": outbox_keys.withdrawal_answer(None, "w2"),
    "notice:withdrawals:2026-03-09T23:59": outbox_keys.withdrawals(DAY),
    "notice:staff:a1:s1": outbox_keys.staff_notice("a1", StaffId("s1")),
    "notice:stuck:login:2026-03-09": outbox_keys.stuck(MailKind.LOGIN, DAY),
}


@pytest.mark.parametrize("expected", KEYS)
def test_a_key_names_its_cause(expected: str) -> None:
    assert KEYS[expected] == expected


def test_every_function_of_the_module_is_in_the_table() -> None:
    public = [name for name in vars(outbox_keys) if name.islower() and not name.startswith("_")]
    made_here = [n for n in public if getattr(vars(outbox_keys)[n], "__module__", "") == outbox_keys.__name__]
    assert (
        len(made_here) - len(["anew", "cause", "access_checkout", "sale_of"])
        == len(KEYS) - len(LinkPurpose) + 2
    )


def test_every_key_of_an_email_that_is_queued_anew_has_one_cause() -> None:
    for key in ("access:c1", "access:c1#2", "access:c1#13"):
        assert outbox_keys.cause(key) == "access:c1"


def test_the_key_of_an_access_email_names_its_sale() -> None:
    for key in (outbox_keys.access(ORDER), outbox_keys.anew(outbox_keys.access(ORDER))):
        assert outbox_keys.access_checkout(key) == ORDER
    for key in KEYS:
        assert outbox_keys.access_checkout(key) == (ORDER if key == "access:c1" else None)


def test_the_key_of_an_email_to_an_owner_names_the_sale_and_no_other_key_does() -> None:
    of_a_sale = {key for key in KEYS if outbox_keys.sale_of(key) is not None}
    assert {key.partition(":")[0] for key in of_a_sale} == {
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
    for key in of_a_sale:
        assert outbox_keys.sale_of(key) == outbox_keys.sale_of(outbox_keys.anew(key)) == ORDER


def test_an_email_that_is_queued_anew_counts_on() -> None:
    second = outbox_keys.anew("access:c1")
    assert second == "access:c1#2"
    assert outbox_keys.anew(second) == "access:c1#3"
