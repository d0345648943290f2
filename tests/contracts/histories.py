"""Any history of works, for stores to be held against the fake that ships: the same answers, the same books."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import samples
from contracts.audit import a_line
from contracts.samples import ANNA, BEN, NOW
from hypothesis import strategies as st

from adapters.memory.store import MemoryStore
from domain.address_change import Before, ChangeKind
from domain.claim import RejectReason
from domain.fact import Fact, FactKind
from domain.going_live import STARTED_LIVE
from domain.magic_link import LinkPurpose
from domain.mail import Delivery, Letter, MailKind, MailState, Urgency
from domain.ports import Store
from domain.purchase import Purchase
from domain.records import ErasedAddress, ProblemKind
from domain.sale_list import AddressState, SaleFilter, SaleOrder, SaleState
from domain.transaction import Transaction
from domain.values import ChangeId, CheckoutId, Digest, LinkId, ProviderRef, SessionId, UserId
from testkit import stepping

SECONDS = st.integers(0, 100).map(lambda n: NOW + timedelta(seconds=n))
ROWS = st.sampled_from(["c1", "c2", "c3"])
REFS = st.sampled_from(["cs_test_1", "cs_test_2", "cs_test_c1"]).map(ProviderRef)
SESSIONS = st.sampled_from(["s1", "s2"]).map(SessionId)
MAILS = st.sampled_from(["m1", "m2", "access:c1"])
LINKS = st.sampled_from(["ab" * 16, "cd" * 16]).map(LinkId)
MAILBOXES = st.sampled_from([ANNA, BEN])
PAYMENTS = st.sampled_from(["pi_c1", "pi_c2"])
KEYS = st.sampled_from(["k 1", "k2", "k3"])
MOVES = st.sampled_from(["m1", "m2"])
COOKIES = st.sampled_from(["c1", "c2"]).map(Digest)
BEFORE = st.builds(
    Before, since=st.none() | SECONDS, old_wanted_news=st.booleans(), new_wanted_news=st.booleans()
)
FACTS = st.builds(
    lambda thing, payment, as_of, status, amount, request: Fact(
        object_id=thing[0], kind=thing[1], payment=payment, as_of=as_of, status=status, amount=amount, request=request
    ),
    st.sampled_from(
        [("re_1", FactKind.REFUND), ("dp_1", FactKind.DISPUTE), ("cs_test_c1", FactKind.SESSION)]
    ),
    st.sampled_from(["pi_c1", None]),
    st.integers(1, 3),
    st.sampled_from(["pending", "succeeded", "failed", "paid", "unpaid"]),
    st.integers(1, 3),
    st.sampled_from(["", "r1"]),
) | st.builds(
    lambda status, as_of, request: Fact(
        object_id="merchant:c1", kind=FactKind.MERCHANT, payment=None, as_of=as_of, status=status, amount=0, request=request
    ),
    st.sampled_from(["revoked", "restored"]),
    st.integers(1, 3),
    st.sampled_from(["", "r1"]),
)  # fmt: skip


def listed(
    tx: Transaction, state: SaleState | None, opened: bool | None, address: AddressState | None
) -> object:
    wanted = SaleFilter(state=state, opened=opened, address=address)
    found = tx.sale_lists.rows(wanted, order=SaleOrder.OLDEST, after=None, limit=2)
    return [(row.held.purchase, row.verified, row.bounced) for row in found.rows], tx.sale_lists.count(wanted)


def booked(tx: Transaction, purchase: Purchase) -> bool:
    """Book it as every claim does: with the facts of its payment that came before."""
    assert purchase.payment is not None
    return tx.purchases.book(purchase, tx.facts.of_payment(purchase.payment))


def book_nobodys(tx: Transaction, checkout: str) -> bool:
    return booked(tx, samples.a_purchase(checkout, user=None, mailbox=None))


Op = Callable[[Transaction], object]


def op(function: Callable[..., object], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Op]:
    return st.tuples(*arguments).map(lambda drawn: lambda tx: function(tx, *drawn))


OPS: st.SearchStrategy[Op] = st.one_of(
    op(lambda tx, s, m, at: tx.sessions.add(samples.a_session(s, mailbox=m, token=s, at=at))
       if tx.sessions.by_token(Digest(s)) is None else None, SESSIONS, MAILBOXES, SECONDS),
    op(lambda tx, s, m, at: tx.sessions.verify(s, mailbox=m, token_hash=Digest(s), at=at), SESSIONS, MAILBOXES, SECONDS),
    op(lambda tx, s, at: tx.sessions.touch(s, at=at), SESSIONS, SECONDS),
    op(lambda tx, s: tx.sessions.end(s), SESSIONS),
    op(lambda tx, m: tx.sessions.end_of_address(m), MAILBOXES),
    op(lambda tx, n: tx.sessions.end_of_change(ChangeId(n)), MOVES),
    op(lambda tx, m, s: tx.purchases.detach_sessions(m, session=s), MAILBOXES, st.none() | SESSIONS),
    op(lambda tx, c, r, at: tx.checkouts.add(samples.a_checkout(c, ref=r, at=at)), ROWS, st.none() | REFS, SECONDS),
    op(lambda tx, c, r: tx.checkouts.bind(CheckoutId(c), ref=r, expires_at=None), ROWS, REFS),
    op(lambda tx, c, r, p: tx.checkouts.for_claim(CheckoutId(c), ref=r, payment=p), ROWS, st.none() | REFS,
       st.none() | PAYMENTS),
    op(lambda tx, s, m: [c.id for c in tx.open_payments.pending_in(s, m)], SESSIONS, st.none() | MAILBOXES),
    op(lambda tx, at, c: tx.open_payments.duplicates(now=at, paid=c, limit=2), SECONDS, st.none() | ROWS.map(CheckoutId)),
    op(lambda tx, c, r, at, s: tx.checkouts.add(samples.a_checkout(c, ref=r, at=at, session=s, mailbox=None)), ROWS,
       st.none() | REFS, SECONDS, SESSIONS),
    op(lambda tx, s, at: tx.checkouts.begun_lately(s, samples.BOOK, since=at), SESSIONS, SECONDS),
    op(lambda tx, c, old, s: tx.checkouts.pass_on(CheckoutId(c), old=old, session=s), ROWS, SESSIONS, SESSIONS),
    op(lambda tx, s: tx.sessions.get(s), SESSIONS),
    op(listed, st.none() | st.sampled_from(SaleState), st.none() | st.booleans(),
       st.none() | st.sampled_from(AddressState)),
    op(lambda tx, c, at: tx.downloads.mark_opened(CheckoutId(c), at=at), ROWS, SECONDS),
    op(lambda tx, m, n, at: tx.checkouts.follow_change(m, change=ChangeId(n), since=at), MAILBOXES, MOVES, SECONDS),
    op(lambda tx, c, at: tx.checkouts.throttle(CheckoutId(c), now=at, gap=timedelta(seconds=5)), ROWS, SECONDS),
    op(lambda tx, f: tx.facts.record(f), FACTS),
    op(lambda tx, c, m, live: booked(tx, samples.a_purchase(
        c, user=tx.users.get_or_add(m, new_id=UserId(f"u{m}"), now=NOW), mailbox=m, livemode=live)),
       ROWS, MAILBOXES, st.sampled_from([False, True, None])),
    op(book_nobodys, ROWS),
    op(lambda tx: tx.problems.orders_without_owner()),
    op(lambda tx, k, at: tx.limits.acquire(k, samples.TWO, now=at, ref=k + str(at.second % 3)), st.sampled_from("xy"), SECONDS),
    op(lambda tx, k: tx.limits.release(k), st.sampled_from(["x0", "y1"])),
    op(lambda tx, link, at, m, move, c, purpose: tx.links.add(
        samples.a_link(link, at=at, mailbox=m, move=move, checkout=c, purpose=purpose))
       if tx.links.get(link) is None else None, LINKS, SECONDS, MAILBOXES, st.none() | MOVES, st.none() | ROWS,
       st.sampled_from([LinkPurpose.LOGIN, LinkPurpose.ACCESS, LinkPurpose.UNDO, LinkPurpose.OWNER])),
    op(lambda tx, link, at, used: tx.links.consume(link, at=at, used_with=used), LINKS, SECONDS, st.none() | COOKIES),
    op(lambda tx, links: tx.links.count_code_attempt(links, most=2), st.lists(LINKS, max_size=3)),
    op(lambda tx, s, m: tx.links.supersede(m, asked_by=s), SESSIONS, MAILBOXES),
    op(lambda tx, k, at, link, m, kind, urgency: tx.outbox.queue(
        samples.a_mail(k, due=at, kind=kind, link=link, to=m, urgency=urgency)), MAILS, SECONDS,
       st.none() | LINKS, MAILBOXES, st.sampled_from([MailKind.LOGIN, MailKind.ACCESS, MailKind.ADDRESS]),
       st.sampled_from(Urgency)),
    op(lambda tx, k, subject: tx.outbox.keep_letter(k, Letter(subject=subject, text="t", html="h")), MAILS,
       st.sampled_from("xy")),
    op(lambda tx, at: [m.key for m in tx.outbox.lease(now=at, until=at + timedelta(seconds=9), limit=2)], SECONDS),
    op(lambda tx, k, held, at: tx.outbox.renew_lease(k, held_until=held, until=at), MAILS, SECONDS, SECONDS),
    op(lambda tx, at: tx.outbox.free_leases(now=at, until=at + timedelta(seconds=9)), SECONDS),
    op(lambda tx, k, state, at: tx.outbox.settle(k, state=state, at=at, problem="p"), MAILS,
       st.sampled_from(list(MailState)), SECONDS),
    op(lambda tx, r, o, at: tx.quarantine.add(r, o, at=at, retry_at=at), REFS,
       st.sampled_from([RejectReason.WRONG_AMOUNT, RejectReason.UNKNOWN_CHECKOUT]), SECONDS),
    op(lambda tx, r, at: tx.quarantine.ignore(r, RejectReason.ANOTHER_SHOP, at=at), REFS, SECONDS),
    op(lambda tx, r, at: tx.quarantine.close(r, at=at), REFS, SECONDS),
    op(lambda tx, k, s, d, at: tx.problems.report(k, s, detail=d, at=at), st.sampled_from(ProblemKind), st.sampled_from("xy"),
       st.sampled_from("de"), SECONDS),
    op(lambda tx, k, s: tx.problems.resolve(k, s), st.sampled_from(ProblemKind), st.sampled_from("xy")),
    op(lambda tx, at, name: tx.shop.advance_cursor(name, to=at), SECONDS, st.sampled_from(["c", "c", "c", STARTED_LIVE])),
    op(lambda tx, n: tx.shop.test_purchases(limit=n), st.integers(1, 3)),
    op(lambda tx, n: tx.retention.drop_test_checkouts(limit=n), st.integers(1, 3)),
    op(lambda tx, c: None if (held := tx.purchases.get(CheckoutId(c))) is None else tx.licences.take_back(held), ROWS),
    op(lambda tx, p, at, due: tx.rechecks.schedule(p, at=at, due_at=due), PAYMENTS, SECONDS, SECONDS),
    op(lambda tx, p, due: tx.rechecks.postpone(p, due_at=due), PAYMENTS, SECONDS),
    op(lambda tx, p: tx.rechecks.cancel(p), PAYMENTS),
    op(lambda tx, keys: tx.licences.stock(samples.BOOK, keys), st.lists(KEYS, max_size=3)),
    op(lambda tx, c: tx.licences.assign(samples.BOOK, checkout=CheckoutId(c)), ROWS),
    op(lambda tx, c: tx.licences.enqueue(samples.BOOK, checkout=CheckoutId(c)), ROWS),
    op(lambda tx, c: tx.licences.serve(samples.BOOK, checkout=CheckoutId(c)), ROWS),
    op(lambda tx, c: [(h.purchase, sorted(map(repr, h.facts)))
                      for h in tx.licences.in_line_after(samples.BOOK, after=c, limit=2)], st.just("") | ROWS),
    op(lambda tx, c, at: tx.downloads.count(CheckoutId(c), samples.BOOK, "it", now=at, window=timedelta(seconds=30)),
       ROWS, SECONDS),
    op(lambda tx, k, d: tx.outbox.record_delivery(k, d), MAILS, st.sampled_from(list(Delivery))),
    op(lambda tx, m, at: tx.users.mark_verified(m, at=at), MAILBOXES, SECONDS),
    op(lambda tx, m, wanted: tx.users.set_release_emails(UserId(f"u{m}"), wanted=wanted), MAILBOXES, st.booleans()),
    op(lambda tx, n, old, new, at, c, kind: tx.address_changes.begin(samples.a_move(n, old=old, new=new, at=at, checkouts=(c,), kind=kind))
       if tx.address_changes.get(ChangeId(n)) is None else None, MOVES, MAILBOXES, MAILBOXES, SECONDS, ROWS,
       st.sampled_from(list(ChangeKind))),
    op(lambda tx, n, at, c: tx.address_changes.settle(ChangeId(n), done_at=at, checkouts=c), MOVES, SECONDS,
       st.none() | st.lists(ROWS.map(CheckoutId), max_size=1)),
    op(lambda tx, n, at: tx.address_changes.settle(ChangeId(n), undone_at=at), MOVES, SECONDS),
    op(lambda tx, n, at, before: tx.address_changes.settle(ChangeId(n), done_at=at, before=before), MOVES, SECONDS, BEFORE),
    op(lambda tx, m, at, kind: tx.address_changes.cancel_pending(m, at=at, kind=kind), MAILBOXES, SECONDS,
       st.none() | st.sampled_from(list(ChangeKind))),
    op(lambda tx, cs, old, m: tx.purchases.transfer(cs, old=old, mailbox=m,
                                         user=tx.users.get_or_add(m, new_id=UserId(f"u{m}"), now=NOW)),
       st.lists(ROWS.map(CheckoutId), max_size=2), st.none() | MAILBOXES, MAILBOXES),
    op(lambda tx, m: tx.users.drop_without_purchases(m), MAILBOXES),
    op(lambda tx, old, new, s, n: tx.sessions.carry(old, to=new, keep=s, change=ChangeId(n)), MAILBOXES, MAILBOXES,
       SESSIONS, MOVES),
    op(lambda tx, m, at: sorted(tx.erasures.erase(m, at=at)), MAILBOXES, SECONDS),
    op(lambda tx, c, at: tx.erasures.erase_order(CheckoutId(c), at=at), ROWS, SECONDS),
    op(lambda tx, m: tx.erasures.forget(m) if not tx.purchases.of_address(m) else None, MAILBOXES),
    op(lambda tx, tag, at: tx.erasures.note_address(ErasedAddress(tag=tag, at=at)), st.sampled_from("xy"), SECONDS),
    op(lambda tx, row, form, c, at: tx.audit.append(a_line(row, form=form, about=c, at=at))
       if all(line.id != row for line in tx.audit.page_after("", limit=9)) else None,
       st.sampled_from("ab"), st.sampled_from("fg"), ROWS, SECONDS),
    op(lambda tx, days: tx.retention.prune(now=NOW + timedelta(days=days)), st.sampled_from([1, 2, 8, 20, 60, 91, 731])),
)  # fmt: skip


def everything(tx: Transaction) -> object:
    held = b"".join(repr(sorted(map(repr, page))).encode() for page in (
        tx.users.page_after("", limit=99), tx.outbox.page_after("", limit=99), tx.quarantine.page_after("", limit=99),
        tx.sessions.of_address(ANNA), tx.sessions.of_address(BEN), tx.quarantine.open_entries(),
        tx.quarantine.due(NOW + timedelta(days=9), limit=99), tx.outbox.waiting(NOW + timedelta(days=9), late=timedelta()),
    ))  # fmt: skip
    one_by_one = (
        [tx.checkouts.get(CheckoutId(c)) for c in ("c1", "c2", "c3")],
        [tx.links.get(LinkId(r * 16)) for r in ("ab", "cd")],
        [tx.links.with_code(SessionId(s)) for s in ("s1", "s2")],
        tx.shop.cursor("c"), tx.checkouts.first_started_at(), tx.shop.tally(), tx.facts.get("re_1"),
        [tx.users.by_address(m) for m in (ANNA, BEN)], tx.searches.newest_delivered([ANNA, BEN]), [tx.address_changes.get(ChangeId(n)) for n in ("m1", "m2")],
        [tx.address_changes.done_to(m) for m in (ANNA, BEN)], [tx.address_changes.done_from(m) for m in (ANNA, BEN)],
        [tx.address_changes.of_address(m) for m in (ANNA, BEN)],
        [tx.sessions.holders_of(m, since=NOW - timedelta(days=1)) for m in (ANNA, BEN)],
        [tx.links.used_with(Digest(c)) for c in ("c1", "c2")],
        [tx.address_changes.correction_of(CheckoutId(c)) for c in ("c1", "c2", "c3")], [tx.erasures.is_erased(CheckoutId(c)) for c in ("c1", "c2")],
        tx.erasures.checkouts_after("", limit=9), tx.rechecks.due(NOW + timedelta(days=9), limit=9),
        [tx.downloads.of_purchase(CheckoutId(c)) for c in ("c1", "c2", "c3")], [tx.outbox.to_address(m) for m in (ANNA, BEN)],
        tx.quarantine.get("cs_test_1"), tx.problems.open(), [tx.address_changes.former_addresses(m) for m in (ANNA, BEN)],
        [tx.checkouts.of_address(m) for m in (ANNA, BEN)],
        [tx.checkouts.pending_of(m, since=NOW) for m in (ANNA, BEN)], tx.erasures.known_addresses_after("", limit=9),
        tx.erasures.addresses_after("", limit=9), tx.purchases.count_sold(samples.BOOK),
        tx.shop.test_purchases(limit=9), tx.audit.page_after("", limit=9),
        [tx.erasures.address_erased_at(tag) for tag in "xy"], tx.day_sums.first_moment(),
        [tx.day_sums.count(NOW.date(), *times) for times in (
            (NOW - timedelta(days=1), NOW + timedelta(days=1)), (datetime.fromtimestamp(2, UTC), datetime.fromtimestamp(3, UTC)),
        )],
    )  # fmt: skip
    owned = [
        (user, [h.purchase for h in held])
        for user, held in tx.purchases.owners_after(samples.BOOK, after="", limit=9)
    ]
    purchases = [tx.purchases.with_facts(CheckoutId(c)) for c in ("c1", "c2", "c3")]
    of_payment: list[object] = [
        (h and h.purchase) for h in (tx.purchases.by_payment("pi_c1"), tx.purchases.by_payment("pi_c9"))
    ]
    of_payment += [sorted(map(repr, tx.facts.of_payment(p))) for p in ("pi_c1", "pi_c9")]
    holdings = [
        (h.purchase, sorted(map(repr, h.facts)))
        for s in ("s1", "s2")
        for m in (ANNA, BEN, None)
        for h in sorted(tx.purchases.held_by(SessionId(s), m), key=lambda h: h.purchase.checkout)
    ]
    by_mailbox = [[h.purchase for h in tx.purchases.of_address(m)] for m in (ANNA, BEN)]
    return held, one_by_one, holdings, owned, [h and h.purchase for h in purchases], of_payment, by_mailbox


HISTORIES = st.lists(OPS, max_size=30)
REFUNDED_BEFORE_BOOKED: list[Op] = [
    lambda tx: tx.facts.record(
        Fact(object_id="re_1", kind=FactKind.REFUND, payment="pi_c1", as_of=1, status="succeeded", amount=1)
    ),
    lambda tx: book_nobodys(tx, "c1"),
]


def gives_the_fakes_answers(
    store: Store, history: list[Op], *, run: Callable[[Coroutine[Any, Any, Any]], Any]
) -> None:
    """Each answer of a history, and everything that stands in the store afterwards, is the fake's."""
    memory = MemoryStore()
    for work in history:
        expected = stepping.run(memory.transact(work))
        assert run(store.transact(work)) == expected
    assert run(store.transact(everything)) == stepping.run(memory.transact(everything))
