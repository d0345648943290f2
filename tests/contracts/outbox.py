"""What every store promises of the outbox. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from contracts.samples import DAY, MINUTE, NOW, SECOND, a_link, a_mail, a_move, a_purchase
from contracts.under_test import StoreUnderTest

from domain import outbox_keys
from domain.emails import (
    AccessLink,
    AddressChangeRequested,
    ChangedItem,
    ConfirmOrder,
    LicenceLine,
    SignIn,
    UnreadableEmail,
    WaiverLine,
)
from domain.mail import BODY_KEPT, NOTED_FOR, Delivery, Letter, MailState, Urgency
from domain.values import CheckoutId, LinkId, Money, ProductId
from domain.waiver import Waiver

EMAILS_OF_ALL_SIZES: Final = (
    SignIn(),
    ConfirmOrder(product_name="It"),
    ConfirmOrder(product_name=""),
    AddressChangeRequested(item=ChangedItem()),
    AddressChangeRequested(item=ChangedItem(order="c1")),
    AccessLink(
        product_name="It", paid=Money(900, "usd"), order="c1", licences=(LicenceLine(key="K-1", of="It"),),
        product=ProductId("it"), price=Money(1000, "usd"), discount=Money(190, "usd"), tax=Money(90, "usd"),
        tax_on_top=True, granted=True,
    ),
)  # fmt: skip


class OutboxContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def lease(self, at: datetime, *, limit: int = 9) -> list[str]:
        """The keys of what is leased for a minute, in order."""
        leased = self.do(lambda tx: tx.outbox.lease(now=at, until=at + MINUTE, limit=limit))
        return [mail.key for mail in leased]

    def test_the_most_urgent_mail_is_leased_first_however_long_others_wait(self) -> None:
        """The order in which they are queued and become due is the reverse of the order in which they leave."""
        for n, urgency in enumerate(sorted(Urgency, reverse=True)):
            for row in ("a", "b"):
                mail = a_mail(f"{urgency.name} {row}", due=NOW + n * SECOND, urgency=urgency)
                self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
        later = a_mail("PAYMENT later", due=NOW + DAY, urgency=Urgency.PAYMENT)
        self.do(lambda tx: tx.outbox.queue(later))
        at = NOW + MINUTE
        assert self.lease(at, limit=3) == ["PAYMENT a", "PAYMENT b", "KNOWN a"]
        assert self.lease(at, limit=3) == ["KNOWN b", "STRANGER a", "STRANGER b"]
        assert self.lease(at, limit=3) == ["RELEASE a", "RELEASE b"]
        assert self.see(lambda tx: tx.outbox.get("PAYMENT later")) == later

    def test_a_lease_is_renewed_only_while_it_stands(self) -> None:
        self.do(lambda tx: tx.outbox.queue(a_mail("m1")))
        assert self.lease(NOW) == ["m1"]

        def renew(key: str, held_until: datetime, until: datetime) -> bool:
            return self.do(lambda tx: tx.outbox.renew_lease(key, held_until=held_until, until=until))

        assert renew("m1", NOW + MINUTE, NOW + 2 * MINUTE)
        assert not renew("m1", NOW + MINUTE, NOW + 9 * MINUTE), "that lease has been renewed already"
        assert not renew("none", NOW + MINUTE, NOW + 9 * MINUTE)
        assert self.lease(NOW + MINUTE) == [], "the renewed lease stands"
        assert self.lease(NOW + 2 * MINUTE) == ["m1"]
        assert not renew("m1", NOW + 2 * MINUTE, NOW + 9 * MINUTE), "it is leased to somebody else"
        self.do(lambda tx: tx.outbox.settle("m1", state=MailState.SENT, at=NOW + 2 * MINUTE))
        assert not renew("m1", NOW + 3 * MINUTE, NOW + 9 * MINUTE)

    def test_leases_that_are_taken_back_are_due_and_keep_since_when_their_outcome_is_unknown(self) -> None:
        for key in ("leased", "sent"):
            self.do(lambda tx, key=key: tx.outbox.queue(a_mail(key)))
        self.do(lambda tx: tx.outbox.queue(a_mail("in an hour", due=NOW + 60 * MINUTE)))
        assert self.lease(NOW) == ["leased", "sent"]
        self.do(lambda tx: tx.outbox.settle("sent", state=MailState.SENT, at=NOW))
        at = NOW + SECOND
        assert self.do(lambda tx: tx.outbox.free_leases(now=at, until=at + MINUTE)) == 1
        assert self.do(lambda tx: tx.outbox.free_leases(now=at, until=at + MINUTE)) == 0
        mail = self.see(lambda tx: tx.outbox.get("leased"))
        assert mail is not None
        assert (mail.due_at, mail.attempts, mail.unknown_since) == (at, 1, NOW)
        assert self.lease(at) == ["leased"]

    def test_due_mails_are_leased_oldest_first_and_to_nobody_else(self) -> None:
        for n in (3, 1, 2):
            self.do(lambda tx, n=n: tx.outbox.queue(a_mail(f"m{n}", due=NOW + n * SECOND)))
        self.do(lambda tx: tx.outbox.queue(a_mail("later", due=NOW + DAY)))

        def lease(at: datetime) -> list[str]:
            return [m.key for m in self.do(lambda tx: tx.outbox.lease(now=at, until=at + MINUTE, limit=2))]

        at = NOW + 5 * SECOND
        assert lease(at) == ["m1", "m2"]
        assert lease(at) == ["m3"]
        assert lease(at) == []
        assert sorted(lease(at + MINUTE) + lease(at + MINUTE)) == ["m1", "m2", "m3"]
        kept = self.see(lambda tx: tx.outbox.get("m1"))
        assert kept is not None
        assert (kept.attempts, kept.unknown_since) == (2, at)

    def test_a_mail_that_was_sent_stays_sent_and_starts_the_time_of_its_link(self) -> None:
        self.do(lambda tx: tx.links.add(a_link()))
        self.do(lambda tx: tx.outbox.queue(a_mail(link="ab" * 16)))
        at = NOW + MINUTE
        assert self.do(
            lambda tx: tx.outbox.settle("m1", state=MailState.QUEUED, at=at, due_at=at, problem="away")
        )
        assert self.do(lambda tx: tx.outbox.settle("m1", state=MailState.SENT, at=at))
        assert not self.do(
            lambda tx: tx.outbox.settle("m1", state=MailState.STUCK, at=at + DAY, problem="late")
        )
        assert not self.do(lambda tx: tx.outbox.settle("none", state=MailState.SENT, at=at))
        mail, link = self.see(lambda tx: (tx.outbox.get("m1"), tx.links.get(LinkId("ab" * 16))))
        assert mail is not None
        assert link is not None
        assert (mail.state, mail.sent_at, link.sent_at) == (MailState.SENT, at, at)

    def test_the_body_of_an_email_that_confirms_a_waiver_stays(self) -> None:
        line = WaiverLine("2026-03-01T12:00:00+00:00", "en", sentences=("I want it",), text="ab" * 16)
        letter = Letter(subject="Hi", text="I want it", html="<p>I want it")
        for mail in (a_mail("m1", waiver=line), a_mail("m2")):
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
            self.do(lambda tx, key=mail.key: tx.outbox.keep_letter(key, letter))
            self.do(lambda tx, key=mail.key: tx.outbox.settle(key, state=MailState.SENT, at=NOW))
        assert self.do(lambda tx: tx.retention.prune(now=NOW + 400 * DAY)) == 1
        for key, held in (("m1", letter), ("m2", replace(letter, text="", html=""))):
            found = self.see(lambda tx, key=key: tx.outbox.get(key))
            assert found is not None
            assert found.letter == held

    def test_the_emails_that_confirm_a_waiver_are_found_by_their_sale(self) -> None:
        sale, other = CheckoutId("c1"), CheckoutId("c10")
        again = outbox_keys.access_again(sale, LinkId("ab" * 16))
        keys = [
            outbox_keys.access(sale),
            outbox_keys.anew(outbox_keys.access(sale)),
            again,
            outbox_keys.anew(again),
        ]
        beside = [
            outbox_keys.access(other), outbox_keys.access_again(other, LinkId("cd" * 16)), "refunded:c1:re_1", "access",
        ]  # fmt: skip
        for n, key in enumerate([*beside, *reversed(keys)]):
            self.do(
                lambda tx, key=key, n=n: tx.outbox.queue(replace(a_mail(key), queued_at=NOW + n * SECOND))
            )
        found = self.see(lambda tx: tx.waivers.confirmations(sale))
        assert [mail.key for mail in found] == list(reversed(keys))
        assert found[0] == replace(a_mail(keys[-1]), queued_at=NOW + len(beside) * SECOND)
        assert self.see(lambda tx: tx.waivers.confirmations(CheckoutId("c"))) == []

    def test_waivers_whose_email_is_stuck_or_bounced_are_found(self) -> None:
        line = WaiverLine("2026-03-01T12:00:00+00:00", "en", sentences=("I want it",), text="ab" * 16)
        for n, (sale, state, waiver) in enumerate((
            ("old", MailState.STUCK, line), ("stuck", MailState.STUCK, line), ("bounced", MailState.SENT, line),
            ("plain", MailState.STUCK, None), ("sent", MailState.SENT, line), ("queued", None, line),
            ("both", MailState.STUCK, line),
        )):  # fmt: skip
            mail = replace(a_mail(f"access:{sale}", waiver=waiver), queued_at=NOW + n * SECOND)
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
            if state is not None:
                self.do(lambda tx, key=mail.key, state=state: tx.outbox.settle(key, state=state, at=NOW))
        for key in ("access:bounced", "access:both"):
            self.do(lambda tx, key=key: tx.outbox.record_delivery(key, Delivery.BOUNCED))
        assert self.see(lambda tx: tx.waivers.undelivered(since=NOW + SECOND)) == ["stuck", "bounced", "both"]

    def test_waivers_whose_address_was_corrected_are_found(self) -> None:
        for n, (sale, waiver, done, undone) in enumerate((
            ("old", True, True, False), ("b", True, True, False), ("a", True, True, False), ("plain", False, True, False),
            ("open", True, False, False), ("undone", True, True, True),
        )):  # fmt: skip
            given = Waiver("ab" * 16, "en", NOW.replace(microsecond=0)) if waiver else None
            asked = NOW + (SECOND if n else -SECOND)
            purchase = replace(a_purchase(sale, user=None, session=None, mailbox=None), waiver=given)
            move = a_move(f"m{n}", at=asked, checkouts=(sale,))
            move = replace(move, done_at=asked if done else None, undone_at=asked if undone else None)
            self.do(lambda tx, purchase=purchase: tx.purchases.book(purchase))
            self.do(lambda tx, move=move: tx.address_changes.begin(move))
        assert self.see(lambda tx: tx.waivers.undelivered(since=NOW)) == ["a", "b"]

    def test_a_letter_is_kept_once_and_its_body_until_25_hours_after_it_was_settled(self) -> None:
        letter = Letter(subject="S", text="text", html="<p>html</p>")
        other = replace(letter, subject="Other")
        for key in ("sent", "dropped", "stuck", "queued"):
            self.do(lambda tx, key=key: tx.outbox.queue(a_mail(key)))
            assert self.do(lambda tx, key=key: tx.outbox.keep_letter(key, letter)) == letter
            assert self.do(lambda tx, key=key: tx.outbox.keep_letter(key, other)) == letter
        assert self.do(lambda tx: tx.outbox.keep_letter("none", letter)) is None
        for state in (MailState.SENT, MailState.DROPPED, MailState.STUCK):
            self.do(lambda tx, state=state: tx.outbox.settle(state.value, state=state, at=NOW))
        assert self.do(lambda tx: tx.retention.prune(now=NOW + BODY_KEPT)) == 0
        assert self.do(lambda tx: tx.retention.prune(now=NOW + BODY_KEPT + SECOND)) == 2
        assert self.do(lambda tx: tx.retention.prune(now=NOW + BODY_KEPT + SECOND)) == 0
        bare = replace(letter, text="", html="")
        for key, kept in (("sent", bare), ("dropped", bare), ("stuck", letter), ("queued", letter)):
            mail = self.see(lambda tx, key=key: tx.outbox.get(key))
            assert mail is not None
            assert (mail.letter, mail.body_sha256, mail.email) == (kept, letter.body_sha256, a_mail().email)

    def test_what_was_sent_under_a_used_key_is_shown_to_the_merchant_for_a_week(self) -> None:
        for key in ("c", "b", "old", "plain", "noted otherwise", "dropped"):
            self.do(lambda tx, key=key: tx.outbox.queue(a_mail(key)))
        self.do(lambda tx: tx.outbox.queue(replace(a_mail("a"), queued_at=NOW - SECOND)))

        def settle(key: str, at: datetime, problem: str, state: MailState = MailState.SENT) -> None:
            assert self.do(lambda tx: tx.outbox.settle(key, state=state, at=at, problem=problem))

        for key in ("a", "b", "c"):
            settle(key, NOW, "key_used")
        settle("old", NOW - SECOND, "key_used")
        settle("plain", NOW, "")
        settle("noted otherwise", NOW, "bounce_dismissed")
        settle("dropped", NOW, "key_used", MailState.DROPPED)
        noted = self.see(lambda tx: tx.outbox.waiting(NOW + NOTED_FOR, late=MINUTE))
        assert [mail.key for mail in noted] == ["a", "b", "c"]
        assert noted[0].problem == "key_used"

    def test_an_order_number_comes_back_whether_the_key_says_it_or_not(self) -> None:
        checkout = CheckoutId("0123456789abcdef0123456789abcdef")
        for key, order in (
            (outbox_keys.access(checkout), "0123456789abcdef"),
            (outbox_keys.access(CheckoutId("c9")), "another"),
            (outbox_keys.access(CheckoutId("c8")), "c8"),
            (outbox_keys.payment_failed(checkout), "0123456789abcdef"),
            ("m7", "0123456789abcdef"),
        ):
            mail = replace(
                a_mail(key), email=AccessLink(product_name="It", paid=Money(900, "usd"), order=order)
            )
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
            assert self.see(lambda tx, key=key: tx.outbox.get(key)) == mail

    def test_an_email_comes_back_with_its_values_whether_it_has_none_one_or_many(self) -> None:
        for n, email in enumerate(EMAILS_OF_ALL_SIZES):
            mail = replace(a_mail(f"m{n}"), email=email)
            self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
            assert self.see(lambda tx, key=mail.key: tx.outbox.get(key)) == mail

    def test_an_email_that_cannot_be_read_stays_as_it_is_and_holds_up_no_other(self) -> None:
        odd = replace(a_mail("odd"), email=UnreadableEmail(template="of tomorrow", parameters='{"x": 1}'))
        self.do(lambda tx: tx.outbox.queue(odd))
        self.do(lambda tx: tx.outbox.queue(a_mail("m1")))
        assert self.see(lambda tx: tx.outbox.get("odd")) == odd
        assert sorted(self.lease(NOW)) == ["m1", "odd"]
