"""What every store promises of each field of a record. Part of the store contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, Final

from contracts.samples import (
    ANNA,
    BEN,
    BOOK,
    DAY,
    MINUTE,
    NOW,
    SECOND,
    a_checkout,
    a_link,
    a_mail,
    a_move,
    a_purchase,
    a_session,
)
from contracts.under_test import StoreUnderTest

from domain.address_change import Before
from domain.audit import AuditAction, AuditLine, AuditResult
from domain.claim import RejectReason
from domain.csv_rows import CsvProblem, Piece
from domain.emails import WaiverLine
from domain.fact import Fact, FactKind
from domain.import_plan import Field, Plan
from domain.imports import Reason
from domain.mail import Delivery, Letter, MailState
from domain.note import Note
from domain.purchase import BookedBy, Breakdown, LicenceKey, Source
from domain.records import Download, PaymentDue, Problem, ProblemKind, Quarantined, User
from domain.refund import RefundCause, RefundRequest, RefundState
from domain.staff import (
    Passkey,
    Role,
    StaffId,
    StaffLink,
    StaffLinkKind,
    StaffMember,
    StaffSession,
    StaffSessionId,
)
from domain.transaction import ReadTransaction, Transaction
from domain.uploads import Report, Upload, UploadState
from domain.values import ChangeId, CheckoutId, Digest, EmailAddress, Money, ProductId, SessionId, UserId
from domain.waiver import Waiver
from domain.withdrawal import Withdrawal, WithdrawalState

# Each with every field set, to a value of its own.
SESSION: Final = replace(
    a_session(mailbox=ANNA), seen_at=NOW + SECOND, change=ChangeId("m1"), former=SessionId("s0")
)
CHECKOUT: Final = replace(
    a_checkout(), livemode=True, contents=(ProductId("a"), ProductId("b")), discounts=True, on_purpose=True,
    verified=BEN, change=ChangeId("m1"), promotion="promo_1", waiver=Waiver("ab" * 16, "de", NOW.replace(microsecond=0)),
    opens_at=NOW + DAY,
    language="de",
)  # fmt: skip
PURCHASE: Final = replace(
    a_purchase(livemode=True, contents=("a", "b"), licences=(LicenceKey(product=BOOK, key="a key"),)), paid_email=BEN,
    breakdown=Breakdown(discount=100, tax=171, tax_on_top=True), source=Source.GRANT,
    booked_by=BookedBy.RECONCILER, opened_at=NOW + SECOND, tax_country="CH", invoice="in_1",
    tax_number="CHE-123.456.789 MWST", waiver=Waiver("cd" * 16, "en", NOW.replace(microsecond=0) + SECOND), opens_at=NOW + MINUTE,
)  # fmt: skip
FACT: Final = Fact(
    object_id="re_1",
    kind=FactKind.REFUND,
    payment="pi_c1",
    as_of=5,
    status="succeeded",
    amount=900,
    request="r1",
    answer_by=9,
)
LINK: Final = replace(
    a_link(move="m1", checkout="c1"), sent_at=NOW + SECOND, used_at=NOW + MINUTE, superseded=True, code_tries=2,
    used_with=Digest("f1"),
)  # fmt: skip
WAIVED: Final = WaiverLine(
    "2026-03-01T12:00:00+00:00", language="de", sentences=("Ich möchte", "Ich weiß"), text="ab" * 16
)
MAIL: Final = replace(
    a_mail(link="ab" * 16, due=NOW + SECOND, waiver=WAIVED), state=MailState.SENT, attempts=2, unknown_since=NOW - SECOND,
    problem="why", delivery=Delivery.DELIVERED, language="de", body_sha256=Digest("ab" * 32), settled_at=NOW + MINUTE,
    letter=Letter(subject="A subject", text="A text", html="<p>"),
)  # fmt: skip
CHANGE: Final = replace(
    a_move(), done_at=NOW + SECOND, undone_at=NOW + MINUTE,
    before=Before(since=NOW - DAY, old_wanted_news=True, new_wanted_news=True),
)  # fmt: skip
USER: Final = User(
    id=UserId("u1"), mailbox=ANNA, since=NOW, proved_at=NOW + DAY, wants_release_emails=False, language="fr"
)
DOWNLOAD: Final = Download(
    checkout=CheckoutId("c1"), product=BOOK, name="it.txt", last_at=NOW + DAY, times=2, first_at=NOW
)
DUE: Final = PaymentDue(payment="pi_c1", since=NOW, tries=1)
PROBLEM: Final = Problem(
    kind=ProblemKind.LIST_REFUSED, subject="refunds", detail="no", first_at=NOW, last_at=NOW + DAY
)
REFUND_REQUEST: Final = RefundRequest(
    id="a1", payment="pi_c1", checkout=CheckoutId("c1"), amount=Money(300, "usd"), reason="why", by="cli:anna", at=NOW,
    due_at=NOW + SECOND, keyed_at=NOW + MINUTE, state=RefundState.REFUSED, cause=RefundCause.DUPLICATE, tells=False,
    tries=2, attempt=3, failed=True, problem="no", settled_at=NOW + DAY,
)  # fmt: skip
WITHDRAWAL: Final = Withdrawal(
    "w1", "Anna A.", "The book", ANNA, CheckoutId("c1"), received_at=NOW, proved_at=NOW,
    state=WithdrawalState.REFUSED, decided_at=NOW, decided_by="cli:anna", reason="because", request="r1",
)  # fmt: skip
NOTE: Final = Note(CheckoutId("c1"), text="a note", written_at=NOW, written_by="cli:anna")
QUARANTINED: Final = Quarantined(
    ref="cs_test_9", reason=RejectReason.WRONG_AMOUNT, first_at=NOW, last_at=NOW + SECOND, tries=2,
    retry_at=NOW + MINUTE, closed_at=NOW + DAY,
)  # fmt: skip
AUDIT: Final = AuditLine(
    id="a1", form="f1", at=NOW, actor="cli:anna", action=AuditAction.GRANT, object_id="c1", result=AuditResult.DONE,
    reason="why", salt="5a", reason_hash="ab" * 32, times=2,
)  # fmt: skip
STAFF: Final = StaffMember(
    id=StaffId("s1"), email=BEN, role=Role.SUPPORT, since=NOW - DAY, disabled_at=NOW + SECOND
)
STAFF_LINK: Final = StaffLink(
    token_hash=Digest("ab" * 32), kind=StaffLinkKind.ENTRY, staff=STAFF.id, made_at=NOW, expires_at=NOW + MINUTE,
    used_at=NOW + SECOND,
)  # fmt: skip
PASSKEY: Final = Passkey(
    id="cGFzc2tleQ", staff=STAFF.id, public_key=b"\xa5\x00\x01", counter=2**32 - 1, synced=True,
    label="Firefox on Linux", added_at=NOW, used_at=NOW + DAY,
)  # fmt: skip
STAFF_SESSION: Final = StaffSession(
    id=StaffSessionId("t1"), token_hash=Digest("cd" * 32), staff=STAFF.id, started_at=NOW, seen_at=NOW + DAY,
    proved_at=NOW + SECOND, label="Safari on Mac", by_link=True,
)  # fmt: skip
UPLOAD: Final = Upload(
    id="u1", name="u1.csv", by="cli:anna", at=NOW, expires_at=NOW + DAY, due_at=NOW + SECOND, state=UploadState.BROKEN,
    size=2**33, lines=7, header=("a", 'b"', "ü"), delimiter=";", line=3,
    plan=Plan(
        preset="own", source="x", columns={Field.ID: ("a", "b"), Field.PAID: ()}, fixed={Field.CURRENCY: "eur"},
        products={'<b>"x"</b>': BOOK}, email=True,
    ),
    report=Report(new=1, known=2, refused={Reason.ERASED: 3}, lines={Reason.ERASED: (4, 5)}, products={"x": 6}),
    problem=CsvProblem.NOT_UTF8, problem_line=9, version=1,
)  # fmt: skip
PIECE: Final = Piece(number=1, line=3, packed=b"\xa5\x00\x01")
WHOLE: Final = (
    SESSION, CHECKOUT, PURCHASE, FACT, LINK, MAIL, CHANGE, USER, DOWNLOAD, DUE, PROBLEM, AUDIT, REFUND_REQUEST,
    STAFF, STAFF_LINK, PASSKEY, STAFF_SESSION, UPLOAD, PIECE, NOTE, WITHDRAWAL, QUARANTINED,
)  # fmt: skip

_SALE = "the sale stays"
_STRIPES = "a late event about it is recognised by this"
_WAIVED = "the proof that somebody gave it; it says nothing of who"
STAYS: Final[Mapping[str, str]] = {
    "Checkout.id": _STRIPES, "Checkout.provider_ref": _STRIPES, "Checkout.product": _SALE,
    "Checkout.product_name": _SALE, "Checkout.price": _SALE, "Checkout.livemode": _SALE, "Checkout.started_at": _SALE,
    "Checkout.expires_at": _SALE, "Checkout.contents": _SALE, "Checkout.discounts": _SALE, "Checkout.on_purpose": _SALE,
    "Checkout.promotion": _SALE, "Checkout.language": _SALE, "Checkout.waiver": _WAIVED, "Checkout.opens_at": _SALE, "Purchase.opens_at": _SALE, "Purchase.waiver": _WAIVED,
    "Purchase.checkout": _STRIPES, "Purchase.provider_ref": _STRIPES, "Purchase.payment": _STRIPES,
    "Purchase.product": _SALE, "Purchase.product_name": _SALE, "Purchase.paid": _SALE, "Purchase.breakdown": _SALE, "Purchase.livemode": _SALE,
    "Purchase.source": _SALE, "Purchase.booked_by": _SALE, "Purchase.tax_country": _SALE, "Purchase.invoice": _SALE,
    "Purchase.opened_at": "sums of days count it, and it says nothing of who opened it",
    "Purchase.booked_at": _SALE, "Purchase.contents": _SALE, "Purchase.licences": "these keys are used up",
}  # fmt: skip
"""What an erased order keeps, and why: none of it says who bought."""


def unset(value: object) -> Iterator[str]:
    """The fields of a record, and of the values in it, that are at their default, or empty where there is none."""
    if isinstance(value, tuple):
        for item in value:
            yield from unset(item)
    if not is_dataclass(value):
        return
    for one in fields(value):
        held = getattr(value, one.name)
        if not held if one.default is MISSING else held == one.default:
            yield f"{type(value).__name__}.{one.name}"
        yield from unset(held)


def names_of(record: Any) -> list[str]:
    return [f"{type(record).__name__}.{one.name}" for one in fields(record)]


def addresses_in(record: Any) -> dict[str, EmailAddress]:
    held = {one.name: getattr(record, one.name) for one in fields(record)}
    return {name: value for name, value in held.items() if isinstance(value, EmailAddress)}


def with_addresses_of_its_own(record: Any) -> Any:
    kind = type(record).__name__.lower()
    return replace(
        record, **{name: EmailAddress(f"{kind}.{name}@example.com") for name in addresses_in(record)}
    )


class EveryFieldContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_every_field_of_every_record_is_kept(self) -> None:
        assert list(unset(WHOLE)) == [], "a field at its default does not show that it is kept"

        def write(tx: Transaction) -> None:
            tx.users.get_or_add(ANNA, new_id=USER.id, now=NOW, language="fr")
            tx.users.mark_verified(ANNA, at=NOW + DAY)
            tx.users.set_release_emails(USER.id, wanted=False)
            tx.sessions.add(SESSION)
            tx.checkouts.add(CHECKOUT)
            tx.purchases.book(PURCHASE)
            tx.facts.record(FACT)
            tx.links.add(LINK)
            tx.outbox.queue(MAIL)
            tx.address_changes.begin(CHANGE)
            for at in (NOW, DOWNLOAD.last_at):
                tx.downloads.count(PURCHASE.checkout, BOOK, "it.txt", now=at, window=DAY)
            tx.rechecks.schedule(DUE.payment, at=NOW, due_at=NOW)
            tx.rechecks.postpone(DUE.payment, due_at=NOW)
            tx.audit.append(AUDIT)
            tx.staff.add(STAFF)
            tx.staff.add_link(STAFF_LINK)
            tx.passkeys.add(PASSKEY)
            tx.staff_sessions.add(STAFF_SESSION)
            tx.refund_requests.add(REFUND_REQUEST)
            arriving = replace(UPLOAD, state=UploadState.ARRIVING, version=0)
            tx.uploads.add(arriving)
            tx.uploads.add_piece(UPLOAD.id, PIECE)
            tx.uploads.replace(arriving, UPLOAD)
            tx.notes.write(NOTE)
            tx.withdrawals.add(WITHDRAWAL)
            for at in (NOW, PROBLEM.last_at):
                tx.problems.report(PROBLEM.kind, PROBLEM.subject, detail=PROBLEM.detail, at=at)
            for at in (NOW, QUARANTINED.last_at):
                tx.quarantine.add(QUARANTINED.ref, QUARANTINED.reason, at=at, retry_at=QUARANTINED.retry_at)

        def read(tx: ReadTransaction) -> tuple[object, ...]:
            return (
                tx.sessions.get(SESSION.id), tx.checkouts.get(CHECKOUT.id), tx.purchases.get(PURCHASE.checkout),
                tx.facts.get(FACT.object_id), tx.links.get(LINK.id), tx.outbox.get(MAIL.key),
                tx.address_changes.get(CHANGE.id), tx.users.by_address(ANNA),
                *tx.downloads.of_purchase(PURCHASE.checkout), *tx.rechecks.due(NOW, limit=9), *tx.problems.open(),
                tx.audit.by_form(AUDIT.form), tx.refund_requests.get(REFUND_REQUEST.id),
                tx.staff.get(STAFF.id), tx.staff.link(STAFF_LINK.token_hash),
                tx.passkeys.get(PASSKEY.id), tx.staff_sessions.by_token(STAFF_SESSION.token_hash),
                tx.uploads.get(UPLOAD.id), tx.uploads.piece(UPLOAD.id, PIECE.number),
                tx.notes.get(NOTE.checkout), tx.withdrawals.get(WITHDRAWAL.id),
            )  # fmt: skip

        self.do(write)
        for found, whole in zip(self.see(read), WHOLE[:-1], strict=True):
            assert found == whole
        entry = self.see(lambda tx: tx.quarantine.get(QUARANTINED.ref))
        assert entry == replace(QUARANTINED, closed_at=None)
        self.do(lambda tx: tx.quarantine.close(QUARANTINED.ref, at=NOW + DAY))
        entry = self.see(lambda tx: tx.quarantine.get(QUARANTINED.ref))
        assert entry == replace(QUARANTINED, retry_at=None), "it is not tried again once it is closed"

    def test_every_address_of_a_record_is_known_to_an_erasure_after_a_restore(self) -> None:
        session, checkout, purchase, link, mail, change = map(
            with_addresses_of_its_own, (SESSION, CHECKOUT, PURCHASE, LINK, MAIL, CHANGE)
        )

        def write(tx: Transaction) -> None:
            tx.users.get_or_add(ANNA, new_id=USER.id, now=NOW)
            tx.sessions.add(session)
            tx.checkouts.add(checkout)
            tx.purchases.book(purchase)
            tx.links.add(link)
            tx.outbox.queue(mail)
            tx.address_changes.begin(change)

        self.do(write)
        known = self.see(lambda tx: tx.erasures.known_addresses_after("", limit=99))
        written = {
            ANNA,
            *(
                a
                for one in (session, checkout, purchase, link, mail, change)
                for a in addresses_in(one).values()
            ),
        }
        assert set(known) == written - {purchase.mailbox}, "a purchase's is its user's"

    def test_each_field_of_an_erased_order_is_empty_or_stays_for_a_reason(self) -> None:
        self.do(lambda tx: tx.users.get_or_add(ANNA, new_id=USER.id, now=NOW))
        self.do(lambda tx: tx.checkouts.add(CHECKOUT))
        self.do(lambda tx: tx.purchases.book(PURCHASE))
        self.do(lambda tx: tx.erasures.erase_order(PURCHASE.checkout, at=NOW))
        for whole, left in (
            (CHECKOUT, self.see(lambda tx: tx.checkouts.get(CHECKOUT.id))),
            (PURCHASE, self.see(lambda tx: tx.purchases.get(PURCHASE.checkout))),
        ):
            erased = [name for name in names_of(whole) if name not in STAYS]
            assert list(unset(left)) == erased
            blank = {name.partition(".")[2] for name in erased}
            assert left == replace(whole, **{name: getattr(left, name) for name in blank})
