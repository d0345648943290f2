"""What every store promises of searches. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace

from contracts import samples
from contracts.samples import ANNA, BEN, DAY, MINUTE, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.fact import Fact, FactKind
from domain.mail import Delivery, MailKind
from domain.purchase import LicenceKey
from domain.records import EventRecord
from domain.transaction import ReadTransaction, Transaction
from domain.values import CheckoutId, EmailAddress, ProductId, UserId

_HOSTILE = (
    "%",
    "_",
    "'",
    '"',
    "\\",
    "* OR 1=1 --",
    "\N{SNOWMAN}",
    "[a-z]",
    "?",
    ":x",
    "\U0010ffff",
    "a" * 10_000,
)


class SearchContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _sold(self) -> None:
        def work(tx: Transaction) -> None:
            for number, address in enumerate(
                ("anna@example.com", "anna@firm.example", "annabel@x.test", "ben@x.test")
            ):
                tx.users.get_or_add(EmailAddress(address), new_id=UserId(f"u{number}"), now=NOW)
            made = (
                LicenceKey(product=ProductId("book"), key="AB 12"),
                LicenceKey(product=ProductId("zine"), key="CD"),
            )
            tx.purchases.book(samples.a_purchase("c1", user="u0", licences=made))
            renamed = samples.a_purchase("c2", user="u0", licences=made[:1])
            tx.purchases.book(
                replace(renamed, product_name="The new book", booked_at=NOW + DAY, paid_email=BEN)
            )
            other = samples.a_purchase("c3", user=None, mailbox=None, product="zine")
            tx.purchases.book(replace(other, product_name="Zine", paid_email=BEN))
            tx.licences.stock(ProductId("zine"), ["L-1", "L-2"])
            tx.licences.assign(ProductId("zine"), checkout=CheckoutId("c3"))
            tx.events.log(EventRecord("evt_1", "refund.created", "re_1"), outcome="noted", at=NOW)
            tx.events.log(EventRecord("evt_2", "what.ever", ""), outcome="ignored", at=NOW)

        self.do(work)

    def _keys(self, key: str) -> list[str]:
        found = self.see(lambda tx: tx.searches.by_licence_key(key, limit=9))
        return [held.purchase.checkout for held in found]

    def _users(self, start: str) -> list[str]:
        return [
            user.mailbox.canonical for user in self.see(lambda tx: tx.searches.users_from(start, limit=9))
        ]

    def test_a_licence_key_finds_the_purchases_that_have_it(self) -> None:
        self._sold()
        found = {key: self._keys(key) for key in ("AB 12", "AB", "AB 1", "ab 12", "L-1", "L-2", "L-3", "")}
        assert found == {
            "AB 12": ["c1", "c2"], "AB": [], "AB 1": [], "ab 12": [], "L-1": ["c3"], "L-2": [], "L-3": [], "": [],
        }  # fmt: skip
        assert len(self.see(lambda tx: tx.searches.by_licence_key("AB 12", limit=1))) == 1

    def test_users_are_found_by_how_their_address_begins(self) -> None:
        self._sold()
        assert self._users("anna") == ["anna@example.com", "anna@firm.example", "annabel@x.test"]
        assert self._users("anna@") == ["anna@example.com", "anna@firm.example"]
        assert self._users("ben@x.test") == ["ben@x.test"]
        assert self._users("nna") == []
        assert len(self.see(lambda tx: tx.searches.users_from("", limit=2))) == 2

    def test_what_is_typed_is_never_a_pattern(self) -> None:
        self._sold()
        for text in _HOSTILE:
            assert self._users(text) == []
            assert self._users(f"anna{text}") == []
            assert self._keys(text) == []
            assert self.see(lambda tx, text=text: tx.searches.event_object(text)) is None

    def test_other_searches(self) -> None:
        self._sold()
        paid = self.see(lambda tx: tx.searches.paid_with(BEN, limit=9))
        assert [held.purchase.checkout for held in paid] == ["c2"]
        assert self.see(lambda tx: tx.searches.paid_with(ANNA, limit=9)) == []
        events = [self.see(lambda tx, n=n: tx.searches.event_object(f"evt_{n}")) for n in (1, 2, 3)]
        assert events == ["re_1", None, None]
        assert self.see(lambda tx: tx.searches.product_names()) == [
            ("book", "The new book"),
            ("zine", "Zine"),
        ]

    def test_emails_of_a_kind_come_in_pages_the_newest_first(self) -> None:
        keys = (
            ("login:a", 0),
            ("login:c", 5),
            ("login:b", 5),
            ("login:d", 9),
            ("access:2", 0),
            ("access:1", 3),
            ("access-again:3", 1),
        )

        def work(tx: Transaction) -> None:
            for key, minutes in keys:
                kind = MailKind.LOGIN if key.startswith("login") else MailKind.ACCESS
                tx.outbox.queue(replace(samples.a_mail(key, kind=kind), queued_at=NOW + minutes * MINUTE))

        def page(kind: MailKind, before: str = "", limit: int = 2) -> list[str]:
            def read(tx: ReadTransaction) -> list[str]:
                mark = tx.outbox.get(before) if before else None
                return [mail.key for mail in tx.searches.emails(kind, before=mark, limit=limit)]

            return self.see(read)

        self.do(work)
        assert page(MailKind.LOGIN) == ["login:d", "login:c"]
        assert page(MailKind.LOGIN, "login:c") == ["login:b", "login:a"]
        assert page(MailKind.LOGIN, "login:a") == []
        assert page(MailKind.ACCESS) == ["access:2", "access:1"]
        assert page(MailKind.ACCESS, "access:2") == ["access:1"]

    def test_what_was_emailed_to_many_addresses_is_read_together(self) -> None:
        sent = (
            ("first", ANNA, 0, Delivery.DELIVERED), ("second", ANNA, 2, Delivery.DELIVERED),
            ("late", ANNA, 3, Delivery.BOUNCED), ("bens", BEN, 1, None), ("bens#2", BEN, 1, Delivery.BOUNCED),
        )  # fmt: skip
        for key, to, seconds, delivery in sent:
            mail = replace(samples.a_mail(key), to=to, queued_at=NOW + seconds * SECOND, delivery=delivery)
            assert self.do(lambda tx, mail=mail: tx.outbox.queue(mail))
        nobody = EmailAddress.parse("nobody@example.com")
        arrived = self.see(lambda tx: tx.searches.newest_delivered([ANNA, BEN, nobody]))
        assert arrived == {ANNA: NOW + 2 * SECOND}
        assert self.see(lambda tx: tx.searches.newest_delivered([BEN])) == {}
        assert self.see(lambda tx: tx.searches.newest_delivered([])) == {}
        among = self.see(lambda tx: tx.searches.email_keys(["bens#2", "bens#3", "first", "first#2"]))
        assert among == {"bens#2", "first"}

    def test_many_users_and_many_purchases_are_read_together(self) -> None:
        self._sell("c1", "c2")
        self.do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        nobody = EmailAddress.parse("nobody@example.com")
        users = self.see(lambda tx: tx.searches.users([ANNA, BEN, nobody]))
        assert sorted(user.id for user in users) == ["u1", "u2"]
        assert [user.id for user in self.see(lambda tx: tx.searches.users([BEN]))] == ["u2"]
        sales = [CheckoutId(c) for c in ("c2", "c3", "c1")]
        booked = self.see(lambda tx: tx.searches.booked(sales))
        one_by_one = [self.see(lambda tx, sale=sale: tx.purchases.get(sale)) for sale in sales]
        assert sorted(booked, key=lambda one: one.checkout) == [one_by_one[2], one_by_one[0]]
        assert self.see(lambda tx: tx.searches.booked([])) == []
        refund = Fact("re_1", FactKind.REFUND, "pi_c2", 5, "succeeded", 100)
        self.do(lambda tx: tx.facts.record(refund))
        paid = self.see(lambda tx: tx.searches.paid(["pi_c2", "pi_c3", "pi_c1"]))
        facts = {held.purchase.checkout: [fact.object_id for fact in held.facts] for held in paid}
        assert facts == {"c1": [], "c2": ["re_1"]}
