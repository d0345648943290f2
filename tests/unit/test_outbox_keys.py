"""What the keys of emails are made of: the same cause gives the same key, and no two causes share one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain import outbox_keys
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import MailKind
from domain.values import ChangeId, CheckoutId, EmailAddress, LinkId, ProductId, UserId

DAY = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)
ORDER, BOOK = CheckoutId("c1"), ProductId("book")
LINK = MagicLink(
    id=LinkId("l1"), key="k", purpose=LinkPurpose.LOGIN, mailbox=EmailAddress("anna@example.com"), asked_by=None, product=None,
    made_at=DAY,
)  # fmt: skip
KEYS = {
    "access:c1": outbox_keys.access(ORDER),
    "access-again:l1": outbox_keys.of_link(replace(LINK, purpose=LinkPurpose.ACCESS)),
    "login:l1": outbox_keys.of_link(LINK),
    "order:l1": outbox_keys.of_link(replace(LINK, purpose=LinkPurpose.ORDER)),
    "address:l1": outbox_keys.of_link(replace(LINK, purpose=LinkPurpose.MOVE)),
    "address:l2": outbox_keys.of_link(replace(LINK, id=LinkId("l2"), purpose=LinkPurpose.UNDO)),
    "failed:c1": outbox_keys.payment_failed(ORDER),
    "refunded:c1:re_1": outbox_keys.refunded(ORDER, "re_1"),
    "open-again:c1:re_1": outbox_keys.open_again(ORDER, "re_1"),
    "licence:c1:book": outbox_keys.licence(ORDER, BOOK),
    "news:book:v1:u1": outbox_keys.release(BOOK, "v1", UserId("u1")),
    "notice:licences:book:2026-03-09": outbox_keys.licences_used_up(BOOK, DAY),
    "notice:quarantine:cs_1": outbox_keys.quarantined("cs_1"),
    "notice:undone:m1": outbox_keys.correction_undone(ChangeId("m1")),
    "notice:bounced:2026-03-09": outbox_keys.bounced(DAY),
    "notice:stuck:login:2026-03-09": outbox_keys.stuck(MailKind.LOGIN, DAY),
}


@pytest.mark.parametrize("expected", KEYS)
def test_a_key_names_its_cause(expected: str) -> None:
    assert KEYS[expected] == expected


def test_every_function_of_the_module_is_in_the_table() -> None:
    public = [name for name in vars(outbox_keys) if name.islower() and not name.startswith("_")]
    made_here = [n for n in public if getattr(vars(outbox_keys)[n], "__module__", "") == outbox_keys.__name__]
    assert len(made_here) - len(["anew"]) == len(KEYS) - len(LinkPurpose) + 1


def test_an_email_that_is_queued_anew_counts_on() -> None:
    second = outbox_keys.anew("access:c1")
    assert second == "access:c1#2"
    assert outbox_keys.anew(second) == "access:c1#3"
