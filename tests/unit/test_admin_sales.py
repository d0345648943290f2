"""What the back office says of sales: the filter of an address, its caption, states, actions and timelines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from contracts import samples
from contracts.samples import ANNA, BEN, BOOK, DAY, NOW

from domain.access import Holding
from domain.audit import AuditAction, AuditLine, AuditResult
from domain.export import ExportKind
from domain.fact import Fact, FactKind
from domain.going_live import STARTED_LIVE
from domain.mail import Delivery, MailState
from domain.purchase import LicenceKey, Purchase, Source
from domain.records import Download, User
from domain.refund import RefundRequest, RefundState
from domain.sale_list import AddressState, SaleCount, SaleFilter, SaleMark, SaleOrder, SaleState
from domain.staff import Actor, Role
from domain.timeline import Entry, Happened, Step, timeline
from domain.usecases.show_sale import SaleShown, ShowSale
from domain.values import CheckoutId, Money, ProductId, UserId
from entrypoints.admin.evidence import evidence
from entrypoints.admin.sale_filter import asked, caption, mark_text, number_words
from entrypoints.admin.sale_links import actions
from entrypoints.admin.sale_panels import panels
from entrypoints.admin.sale_words import day_range, masked_key, short_moment, state_sentence
from entrypoints.admin.timeline_words import Line, lines_of
from entrypoints.export_table import SALE_FILTERS, export_of
from entrypoints.testing import Browser, Shop
from testkit.stepping import run

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 7, 4)

# ------------------------------------------------------------------ the address of a list


def test_an_address_is_read_as_a_filter() -> None:
    found = asked(
        {
            "state": "charged-back", "product": "book", "source": "import", "from": "2026-06-01", "to": "2026-06-30",
            "currency": "KWD", "least": "1.5", "most": "12", "opened": "no", "address": "bounced",
            "promotion": " promo_1 ", "sort": "smallest", "after": "17-c1", "text": "",
        },
        zone=BERLIN, currency="usd",
    )  # fmt: skip
    assert found.wanted == SaleFilter(
        state=SaleState.CHARGED_BACK, product=ProductId("book"), source=Source.IMPORT,
        booked_from=datetime(2026, 5, 31, 22, tzinfo=UTC), booked_before=datetime(2026, 6, 30, 22, tzinfo=UTC),
        currency="kwd", least=1500, most=12000, opened=False, address=AddressState.BOUNCED, promotion="promo_1",
    )  # fmt: skip
    assert (found.order, found.after, found.before) == (
        SaleOrder.SMALLEST,
        SaleMark(17, CheckoutId("c1")),
        None,
    )
    assert found.mistakes == []


def test_an_address_leads_back_to_itself() -> None:
    query = {"state": "open", "from": "2026-06-01", "sort": "largest", "text": "a&b=c"}
    found = asked(query, zone=UTC, currency="usd")
    assert found.at() == "/admin/sales?text=a%26b%3Dc&state=open&from=2026-06-01&sort=largest"
    assert found.at(sort="", text="") == "/admin/sales?state=open&from=2026-06-01"
    assert asked({}, zone=UTC, currency="usd").at() == "/admin/sales"


_EVERY_FILTER = [
    {"text": "anna@"}, {"state": "partly-refunded"}, {"state": "charged-back", "opened": "yes"}, {"product": "book"},
    {"source": "free"}, {"from": "2026-03-29"}, {"to": "2026-10-25"}, {"from": "2026-03-29", "to": "2026-03-29"},
    {"currency": "jpy"}, {"currency": "JPY", "least": "1,000"}, {"least": "1.5"}, {"most": "12.340"}, {"opened": "no"},
    {"address": "unverified"}, {"promotion": " promo_1 "}, {"tests": "no"}, {},
]  # fmt: skip


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("query", _EVERY_FILTER)
def test_the_export_of_a_list_is_narrowed_down_to_the_same(query: dict[str, str], zone: str) -> None:
    listed = asked(query, zone=ZoneInfo(zone), currency="kwd")
    carried = dict(parse_qsl(urlsplit(listed.export).query))
    assert carried.pop("kind") == "sales"
    exported = export_of(ExportKind.SALES, carried, [], zone=ZoneInfo(zone), currency="kwd")
    assert exported.sales == listed.wanted
    assert carried.get("text", "") == listed.text
    assert not listed.mistakes


def test_every_filter_of_the_list_is_carried_over() -> None:
    assert {name for query in _EVERY_FILTER for name in query} == {*SALE_FILTERS}


def test_a_list_that_no_export_has_leads_to_none() -> None:
    some = asked({"text": "a"}, zone=UTC, currency="usd")
    assert some.export
    assert not replace(some, partial=True).export, "more customers than a filter can name"
    assert not asked({"state": "awaiting-payment"}, zone=UTC, currency="usd").export, "no sales yet"


def test_an_amount_is_of_the_shops_currency_unless_another_is_chosen() -> None:
    assert asked({"least": "1,000"}, zone=UTC, currency="jpy").wanted == SaleFilter(
        currency="jpy", least=1000
    )
    assert asked({"most": "2"}, zone=UTC, currency="usd").wanted == SaleFilter(currency="usd", most=200)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "30.6.2026"}, {"to": "9999-12-31"}, {"from": "0001-01-01"}, {"from": "2026-02-30"},
        {"least": "-1"}, {"least": "1,000"}, {"most": "9" * 50},
    ],
)  # fmt: skip
def test_what_is_no_date_or_amount_is_a_mistake_and_no_filter(query: dict[str, str]) -> None:
    found = asked(query, zone=UTC, currency="usd")
    assert len(found.mistakes) == 1
    assert replace(found.wanted, currency=None) == SaleFilter()
    assert next(iter(query.values()))[:40] in found.mistakes[0]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "x"}, {"product": "../x"}, {"source": "x"}, {"currency": "xxx"}, {"opened": "x"}, {"address": "x"},
        {"tests": "yes"},
        {"sort": "x"}, {"after": "x"}, {"after": "1" * 40 + "-c"}, {"before": "1-<>"}, {"page": "7"},
    ],
)  # fmt: skip
def test_what_no_form_of_ours_sends_is_ignored(query: dict[str, str]) -> None:
    found = asked(query, zone=UTC, currency="usd")
    assert (found.wanted, found.order, found.after, found.before) == (
        SaleFilter(),
        SaleOrder.NEWEST,
        None,
        None,
    )
    assert not found.filtered


def test_a_place_in_a_list_is_read_as_it_is_written() -> None:
    mark = SaleMark(1_700_000_000_123_456, CheckoutId("019c0a"))
    assert asked({"before": mark_text(mark)}, zone=UTC, currency="usd").before == mark


# ------------------------------------------------------------------ captions


@pytest.mark.parametrize(
    ("query", "number", "wanted"),
    [
        ({}, 1214, "Sales: 1,214"),
        (
            {"state": "refunded", "from": "2026-06-01", "to": "2026-06-30"},
            214,
            "Sales, refunded, 1–30 June: 214",
        ),
        ({"product": "book", "opened": "no"}, 0, "Sales, The book, never opened: 0"),
        ({"source": "grant", "to": "2025-12-31"}, 2, "Sales, free copies, until 31 December 2025: 2"),
        ({"least": "10", "most": "20.5"}, 3, "Sales, $10.00 to $20.50: 3"),
        ({"currency": "eur"}, 3, "Sales, in EUR: 3"),
        ({"address": "bounced", "promotion": "SPRING"}, 3, "Sales, access email bounced, code SPRING: 3"),
        ({"product": "book", "tests": "no"}, 3, "Sales, The book, without test purchases: 3"),
        ({}, 10_001, "Sales: more than 10,000"),
    ],
)
def test_a_caption_says_what_is_shown(query: dict[str, str], number: int, wanted: str) -> None:
    found = asked(query, zone=BERLIN, currency="usd")
    now = datetime(2026, 7, 4, tzinfo=UTC)
    count = SaleCount(number, complete=True)
    name = "The book" if "product" in query else ""
    assert caption(found, count, product_name=name, zone=BERLIN, now=now) == wanted


def test_a_count_that_did_not_look_at_all_says_so() -> None:
    assert number_words(SaleCount(300, complete=False)) == "at least 300"


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-06-01", "2026-06-30", "1–30 June"),
        ("2026-05-28", "2026-06-03", "28 May – 3 June"),
        ("2025-12-30", "2026-01-02", "30 December 2025 – 2 January"),
        ("2026-06-01", "2026-06-01", "1 June"),
        ("2026-06-01", "", "from 1 June"),
        ("", "2025-06-30", "until 30 June 2025"),
        ("", "", ""),
    ],
)
def test_days_in_words(first: str, last: str, words: str) -> None:
    begin, end = (date.fromisoformat(day) if day else None for day in (first, last))
    assert day_range(begin, end, today=TODAY) == words


def test_a_moment_is_that_of_the_shops_time_zone_with_the_year_unless_it_is_this_one() -> None:
    at = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    now = datetime(2026, 7, 4, tzinfo=UTC)
    assert short_moment(at, UTC, now=now) == "31 Dec 2025, 23:30"
    assert short_moment(at, BERLIN, now=now) == "1 Jan, 00:30"


# ------------------------------------------------------------------ one sale


@pytest.fixture
def shop() -> Shop:
    return Shop()


def shown(shop: Shop, *facts: Fact, **changes: object) -> SaleShown:
    sale = replace(samples.a_purchase(), **changes)  # type: ignore[arg-type]  # fields of a purchase
    begun = samples.a_checkout(ref=sale.provider_ref)

    def write(tx: object) -> None:
        tx.checkouts.add(begun)  # type: ignore[attr-defined]
        tx.purchases.book(sale)  # type: ignore[attr-defined]
        for fact in facts:
            tx.facts.record(fact)  # type: ignore[attr-defined]

    run(shop.store.transact(write))
    found = run(ShowSale(store=shop.store, clock=shop.clock)(sale.checkout))
    assert found is not None
    return found


def refund(amount: int, status: str = "succeeded") -> Fact:
    return Fact("re_1", FactKind.REFUND, "pi_c1", as_of=1_767_225_600, status=status, amount=amount)


def dispute(status: str) -> Fact:
    return Fact("du_1", FactKind.DISPUTE, "pi_c1", as_of=1_767_225_600, status=status, amount=900)


def test_a_state_nobody_knows_is_named_as_stripe_names_it(shop: Shop) -> None:
    sentence = state_sentence(shown(shop, refund(900, "what_is_this")), UTC)
    assert "“what_is_this”, which this version does not know" in sentence


def test_a_lost_part_is_not_called_a_refund(shop: Shop) -> None:
    lost = replace(dispute("lost"), amount=400)
    assert state_sentence(shown(shop, lost), UTC) == "Open: $4.00 of $9.00 was refunded or charged back."


def test_a_test_purchase_of_a_live_shop_is_closed_and_offers_a_copy(shop: Shop) -> None:
    run(shop.store.transact(lambda tx: tx.shop.advance_cursor(STARTED_LIVE, to=NOW)))
    sale = shown(shop)
    assert state_sentence(sale, UTC) == "Closed: a test purchase, from before the shop went live."
    offered = [name for name, _ in actions(sale, Actor.on_host("ada"), livemode=True)]
    assert offered == ["grant", "address"], "neither refunded with a live key nor revoked"
    assert [panel.what for panel in panels(sale, shop.edition, "/x")] == [
        "A test purchase, from before the shop went live: it opens nothing and is in no figure."
    ]


def test_nothing_is_refunded_by_a_shop_in_the_other_mode(shop: Shop) -> None:
    sale, owner = shown(shop), Actor.on_host("ada")
    assert "refund" in dict(actions(sale, owner, livemode=False))
    assert "refund" not in dict(actions(sale, owner, livemode=True))


def test_a_right_to_refund_does_not_depend_on_a_fresh_passkey(shop: Shop) -> None:
    stale = Actor("staff:x", role=Role.OWNER, fresh=False)
    assert "refund" in dict(actions(shown(shop), stale, livemode=False)), "its page asks for the passkey"


def a_request(state: RefundState) -> RefundRequest:
    return RefundRequest(
        id="r1", payment="pi_c1", checkout=CheckoutId("c1"), amount=Money(300, "usd"), reason="x", by="cli:ada", at=NOW,
        due_at=NOW, keyed_at=NOW, state=state, problem="Insufficient funds.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RefundState.REQUESTED, "A refund of $3.00 was requested. Stripe has not confirmed it yet."),
        (RefundState.REFUSED, "Stripe refused a refund of $3.00: Insufficient funds."),
        (RefundState.FAILED, "A refund of $3.00 failed: the money came back to your account."),
        (RefundState.DONE, None),
        (RefundState.DISMISSED, None),
    ],
)
def test_a_refund_without_a_good_end_is_a_panel(shop: Shop, state: RefundState, words: str | None) -> None:
    sale = replace(shown(shop, opened_at=NOW), requests=[a_request(state)])
    assert [panel.what for panel in panels(sale, shop.edition, "/x")] == ([] if words is None else [words])


@pytest.mark.parametrize(("key", "seen"), [("AAAA-BBBB-1234", "••••1234"), ("short", "••••"), ("", "••••")])
def test_a_masked_key_shows_four_characters_of_a_long_one(key: str, seen: str) -> None:
    assert masked_key(key) == seen


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (
            datetime(2026, 12, 12, 23, 30, tzinfo=UTC),
            "do not refund it. Evidence is due by 12 December, 23:30 UTC.",
        ),
        (datetime(2027, 1, 2, tzinfo=UTC), "do not refund it. Evidence is due by 2 January 2027, 00:00 UTC."),
        (None, "do not refund it. Stripe's dashboard shows the deadline."),
    ],
)
def test_a_dispute_is_a_panel_with_the_last_day_for_an_answer(
    shop: Shop, last: datetime | None, words: str
) -> None:
    fact = replace(dispute("needs_response"), answer_by=int(last.timestamp()) if last else 0)
    [panel] = panels(shown(shop, fact, opened_at=NOW), shop.edition, "/x")
    assert panel.what.endswith(words)


def test_a_dispute_about_which_the_bank_takes_no_evidence_asks_for_nothing(shop: Shop) -> None:
    [panel] = panels(
        shown(shop, replace(dispute("needs_response"), answer_by=-1), opened_at=NOW), shop.edition, "/x"
    )
    assert panel.what == (
        "The customer's bank takes no evidence about this payment: all you can do is wait for its decision."
    )
    assert panel.way == "See it in Stripe"


def test_what_the_shop_knows_of_a_disputed_sale_is_one_text_of_what_is_certain(shop: Shop) -> None:
    mail = replace(
        samples.a_mail("access:c1", to=ANNA), state=MailState.SENT, delivery=Delivery.DELIVERED, settled_at=NOW,
    )  # fmt: skip
    sale = shown(shop, refund(300), replace(dispute("needs_response"), as_of=1_767_225_700), opened_at=NOW)
    known = replace(
        sale,
        access_mail=mail,
        user=User(UserId("u1"), ANNA, since=NOW, proved_at=NOW),
        downloads=[
            Download(CheckoutId("c1"), BOOK, "book.epub", NOW + 2 * DAY, times=2, first_at=NOW),
            Download(CheckoutId("c1"), BOOK, "notes.pdf", NOW, times=1, first_at=NOW),
        ],
    )
    [panel] = [one for one in panels(known, shop.edition, "/x") if one.text]
    assert panel.text.splitlines() == [
        "Order c1 at A Shop: The book",
        "Checkout started: 2026-03-01 12:00:00+00:00",
        "Paid: $9.00, recorded 2026-03-01 12:00:00+00:00 (payment pi_c1)",
        "Access email sent: to anna@example.com, 2026-03-01 12:00:00+00:00; its mail server accepted it",
        "Address verified, by a link or code that the shop emailed to it: anna@example.com, 2026-03-01 12:00:00+00:00",
        "Opened for the first time: 2026-03-01 12:00:00+00:00",
        "Downloaded: notes.pdf, 2026-03-01 12:00:00+00:00",
        "Downloaded on 2 days: book.epub, first 2026-03-01 12:00:00+00:00, last 2026-03-03 12:00:00+00:00",
        "Refunded: $3.00, 2026-01-01 00:00:00+00:00",
    ]
    bare = replace(sale, access_mail=replace(mail, delivery=Delivery.BOUNCED), user=None)
    assert "accepted it" not in evidence(bare, shop.edition)
    unsent = replace(sale, access_mail=replace(mail, state=MailState.STUCK, settled_at=None))
    assert "Access email" not in evidence(unsent, shop.edition)
    keyed = replace(sale.held.purchase, licences=(LicenceKey(BOOK, "AAAA-BBBB-CCCC-1234"),), opened_at=None)
    text = evidence(replace(sale, held=Holding(keyed, sale.held.facts)), shop.edition)
    assert "AAAA" not in text
    assert "Opened" not in text


# ------------------------------------------------------------------ the timeline


def said(happened: Happened) -> list[Line]:
    return lines_of(
        timeline(happened),
        names={"staff:1": "ben@example.com"},
        sales=[samples.a_purchase()],
        zone=UTC,
        now=NOW + 99 * DAY,
    )


def a_line(
    action: AuditAction, *, result: AuditResult = AuditResult.DONE, reason: str = "because"
) -> AuditLine:
    return AuditLine("l1", "f1", NOW, "staff:1", action, "c1", result, reason)


def test_an_action_names_who_did_it_and_why_and_hides_its_own_fact() -> None:
    revoked = Fact("merchant:c1", FactKind.MERCHANT, None, int(NOW.timestamp()), "revoked", 0)
    held = Holding(samples.a_purchase(), (revoked,))
    lines = said(Happened(holdings=[held], lines=[a_line(AuditAction.REVOKE)]))
    assert ("Access closed", "by ben@example.com: because") in [(line.what, line.detail) for line in lines]
    assert sum("closed" in line.what for line in lines) == 1
    lines = said(Happened(holdings=[held]))
    assert "Access closed" in [line.what for line in lines], "without its line, the fact itself"
    refused = a_line(AuditAction.REFUND, result=AuditResult.REFUSED)
    lines = said(Happened(holdings=[held], lines=[refused]))
    assert "Refund requested: refused: their role does not allow it" in [line.what for line in lines]
    assert sum("closed" in line.what for line in lines) == 1, "what was refused revoked nothing"


def test_a_run_of_downloads_is_one_line_with_its_days() -> None:
    file = Download(CheckoutId("c1"), BOOK, "book.epub", NOW + 6 * DAY, 4, first_at=NOW)
    [line] = said(Happened(downloads=[file]))
    assert (line.when, line.what) == ("1–7 March", "4 downloads of book.epub")
    [line] = said(Happened(downloads=[replace(file, times=1, first_at=file.last_at)]))
    assert (line.when, line.what) == ("7 Mar, 12:00", "1 download of book.epub")


@pytest.mark.parametrize(
    ("state", "delivery", "words", "bad"),
    [
        (MailState.QUEUED, None, "Access email: not sent yet", False),
        (MailState.SENT, None, "Access email: sent", False),
        (MailState.SENT, Delivery.DELIVERED, "Access email: delivered", False),
        (MailState.SENT, Delivery.BOUNCED, "Access email: bounced", True),
        (MailState.STUCK, None, "Access email: could not be sent", True),
        (MailState.DROPPED, None, "Access email: not sent on purpose", False),
    ],
)
def test_an_email_says_how_far_it_got(
    state: MailState, delivery: Delivery | None, words: str, bad: bool
) -> None:
    [line] = said(Happened(mails=[replace(samples.a_mail(), state=state, delivery=delivery)]))
    assert (line.what, line.detail, line.bad) == (words, "to anna@example.com", bad)


@pytest.mark.parametrize(
    ("fact", "words", "bad"),
    [
        (refund(300), "Refund of $3.00: refunded", False),
        (refund(300, "failed"), "Refund of $3.00: failed: the money came back", True),
        (dispute("needs_response"), "Dispute over $9.00: waits for your answer", True),
        (dispute("warning_needs_response"), "Inquiry about $9.00: waits for your answer", False),
        (
            replace(dispute("needs_response"), answer_by=-1),
            "Dispute over $9.00: the bank decides, and takes no evidence",
            True,
        ),
        (dispute("won"), "Dispute over $9.00: won", False),
        (dispute("lost"), "Dispute over $9.00: lost: the bank took the money back", True),
        (dispute("new_status"), "Dispute over $9.00: new_status", True),
    ],
)
def test_what_stripe_says_in_words(fact: Fact, words: str, bad: bool) -> None:
    [line] = lines_of(
        [Entry(NOW, Step.TOLD, fact)], names={}, sales=[samples.a_purchase()], zone=UTC, now=NOW
    )
    assert (line.what, line.bad) == (words, bad)


def test_every_kind_of_entry_has_words(shop: Shop) -> None:
    anna = Browser(shop)
    anna.buy_and_pay(str(ANNA))
    shop.clock.tick(minutes=5)
    anna.press(shop.last_link(str(ANNA)))
    [held] = run(shop.store.read(lambda tx: tx.purchases.page_after("", limit=9)))
    move = replace(
        samples.a_move(new=BEN), done_at=NOW + timedelta(hours=1), undone_at=NOW + timedelta(hours=2)
    )
    sale = run(shop.show_sale(held.purchase.checkout))
    assert sale is not None
    changed = timeline(Happened(changes=[move]))
    lines = lines_of(
        [*sale.timeline, *changed], names={}, sales=[samples.a_purchase()], zone=UTC, now=sale.now
    )
    assert sorted(line.what for line in lines) == [
        "Access email: sent", "Access link used", "Address changed", "Change of address requested",
        "Change of address undone", "Checkout started", "Paid $9.00",
    ]  # fmt: skip


def sources() -> list[tuple[Source, str]]:
    return [
        (Source.SALE, "Paid $9.00"), (Source.FREE, "Ordered for free"), (Source.GRANT, "Free copy given"),
        (Source.IMPORT, "Imported"),
    ]  # fmt: skip


@pytest.mark.parametrize(("source", "words"), sources())
def test_a_purchase_says_where_it_came_from(source: Source, words: str) -> None:
    sale: Purchase = replace(samples.a_purchase(), source=source)
    [line] = said(Happened(holdings=[Holding(sale, ())]))
    assert line.what == words
