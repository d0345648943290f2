"""Any history of works, for stores to be held against the fake that ships: the same answers, the same books."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from adapters.memory.store import MemoryStore
from contracts import samples
from contracts.samples import ANNA, BEN, NOW
from domain.books import Books
from domain.claim import Objection
from domain.magic_link import LinkPurpose
from domain.mail import Delivery, MailKind, MailState, Urgency
from domain.moves import Before, MoveKind
from domain.ports import Store
from domain.purchase import Fact, FactKind
from domain.records import ErasedAddress
from domain.values import CheckoutId, Digest, LinkId, MoveId, ProviderRef, SessionId, UserId
from support import stepping

SECONDS = st.integers(0, 100).map(lambda n: NOW + timedelta(seconds=n))
ROWS = st.sampled_from(["c1", "c2", "c3"])
REFS = st.sampled_from(["cs_test_1", "cs_test_2", "cs_test_c1"]).map(ProviderRef)
SESSIONS = st.sampled_from(["s1", "s2"]).map(SessionId)
MAILS = st.sampled_from(["m1", "m2", "ticket:c1"])
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
    lambda thing, payment, as_of, status, amount: Fact(
        object_id=thing[0], kind=thing[1], payment=payment, as_of=as_of, status=status, amount=amount
    ),
    st.sampled_from(
        [("re_1", FactKind.REFUND), ("dp_1", FactKind.DISPUTE), ("cs_test_c1", FactKind.SESSION)]
    ),
    st.sampled_from(["pi_c1", None]),
    st.integers(1, 3),
    st.sampled_from(["pending", "succeeded", "failed", "paid"]),
    st.integers(1, 3),
)
Op = Callable[[Books], object]


def op(function: Callable[..., object], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Op]:
    return st.tuples(*arguments).map(lambda drawn: lambda books: function(books, *drawn))


OPS: st.SearchStrategy[Op] = st.one_of(
    op(lambda b, s, m, at: b.add_session(samples.a_session(s, mailbox=m, token=s, at=at))
       if b.session(Digest(s)) is None else None, SESSIONS, MAILBOXES, SECONDS),
    op(lambda b, s, m, at: b.prove(s, mailbox=m, token_hash=Digest(s), at=at), SESSIONS, MAILBOXES, SECONDS),
    op(lambda b, s, at: b.see_session(s, at=at), SESSIONS, SECONDS),
    op(lambda b, s: b.end_session(s), SESSIONS),
    op(lambda b, m: b.end_sessions_of(m), MAILBOXES),
    op(lambda b, n: b.end_sessions_by(MoveId(n)), MOVES),
    op(lambda b, m, s: b.release(m, session=s), MAILBOXES, st.none() | SESSIONS),
    op(lambda b, c, r, at: b.add_checkout(samples.a_checkout(c, ref=r, at=at)), ROWS, st.none() | REFS, SECONDS),
    op(lambda b, c, r: b.bind_checkout(CheckoutId(c), ref=r, expires_at=None), ROWS, REFS),
    op(lambda b, c, at: b.take_turn(CheckoutId(c), now=at, gap=timedelta(seconds=5)), ROWS, SECONDS),
    op(lambda b, f: b.tell(f), FACTS),
    op(lambda b, c, m: b.book(samples.a_purchase(c, user=b.user_for(m, new_id=UserId(f"u{m}"), now=NOW), mailbox=m)),
       ROWS, MAILBOXES),
    op(lambda b, k, at: b.take(k, samples.TWO, now=at, ref=k + str(at.second % 3)), st.sampled_from("xy"), SECONDS),
    op(lambda b, k: b.give_back(k), st.sampled_from(["x0", "y1"])),
    op(lambda b, link, at, m, move, purpose: b.add_link(samples.a_link(link, at=at, mailbox=m, move=move, purpose=purpose))
       if b.link(link) is None else None, LINKS, SECONDS, MAILBOXES, st.none() | MOVES,
       st.sampled_from([LinkPurpose.LOGIN, LinkPurpose.TICKET, LinkPurpose.UNDO])),
    op(lambda b, link, at, used: b.spend_link(link, at=at, used_with=used), LINKS, SECONDS, st.none() | COOKIES),
    op(lambda b, link: b.count_code_try(link, most=2), LINKS),
    op(lambda b, s, m: b.supersede_links(m, asked_by=s), SESSIONS, MAILBOXES),
    op(lambda b, k, at, link, m, kind, urgency: b.queue(
        samples.a_mail(k, due=at, kind=kind, link=link, to=m, urgency=urgency)), MAILS, SECONDS,
       st.none() | LINKS, MAILBOXES, st.sampled_from([MailKind.LOGIN, MailKind.TICKET, MailKind.ADDRESS]),
       st.sampled_from(Urgency)),
    op(lambda b, at: [m.key for m in b.lease_mails(now=at, until=at + timedelta(seconds=9), limit=2)], SECONDS),
    op(lambda b, k, held, at: b.renew_lease(k, held_until=held, until=at), MAILS, SECONDS, SECONDS),
    op(lambda b, at: b.free_leases(now=at, until=at + timedelta(seconds=9)), SECONDS),
    op(lambda b, k, state, at: b.settle_mail(k, state=state, at=at, problem="p"), MAILS,
       st.sampled_from(list(MailState)), SECONDS),
    op(lambda b, r, o, at: b.quarantine(r, o, at=at, retry_at=at), REFS,
       st.sampled_from([Objection.NO_EMAIL, Objection.BAD_EMAIL]), SECONDS),
    op(lambda b, r, at: b.close_quarantine(r, at=at), REFS, SECONDS),
    op(lambda b, at: b.set_cursor("c", to=at), SECONDS),
    op(lambda b, p, at, due: b.mark_payment(p, at=at, due_at=due), PAYMENTS, SECONDS, SECONDS),
    op(lambda b, p, due: b.postpone_payment(p, due_at=due), PAYMENTS, SECONDS),
    op(lambda b, p: b.unmark_payment(p), PAYMENTS),
    op(lambda b, keys: b.stock_licences(samples.BOOK, keys), st.lists(KEYS, max_size=3)),
    op(lambda b, c: b.take_licence(samples.BOOK, checkout=CheckoutId(c)), ROWS),
    op(lambda b: b.serve_next_in_line(samples.BOOK)),
    op(lambda b, c, at: b.count_download(CheckoutId(c), samples.BOOK, "it", now=at, window=timedelta(seconds=30)),
       ROWS, SECONDS),
    op(lambda b, k, d: b.report_delivery(k, d), MAILS, st.sampled_from(list(Delivery))),
    op(lambda b, m, at: b.note_proof(m, at=at), MAILBOXES, SECONDS),
    op(lambda b, m, wanted: b.set_news(UserId(f"u{m}"), wanted=wanted), MAILBOXES, st.booleans()),
    op(lambda b, n, old, new, at, c, kind: b.begin_move(samples.a_move(n, old=old, new=new, at=at, checkouts=(c,), kind=kind))
       if b.move(MoveId(n)) is None else None, MOVES, MAILBOXES, MAILBOXES, SECONDS, ROWS,
       st.sampled_from(list(MoveKind))),
    op(lambda b, n, at, c: b.settle_move(MoveId(n), done_at=at, checkouts=c), MOVES, SECONDS,
       st.none() | st.lists(ROWS.map(CheckoutId), max_size=1)),
    op(lambda b, n, at: b.settle_move(MoveId(n), undone_at=at), MOVES, SECONDS),
    op(lambda b, n, at, before: b.settle_move(MoveId(n), done_at=at, before=before), MOVES, SECONDS, BEFORE),
    op(lambda b, m, at, kind: b.cancel_moves(m, at=at, kind=kind), MAILBOXES, SECONDS,
       st.none() | st.sampled_from(list(MoveKind))),
    op(lambda b, cs, old, m: b.hand_over(cs, old=old, mailbox=m,
                                         user=b.user_for(m, new_id=UserId(f"u{m}"), now=NOW)),
       st.lists(ROWS.map(CheckoutId), max_size=2), MAILBOXES, MAILBOXES),
    op(lambda b, m: b.drop_user_without_purchases(m), MAILBOXES),
    op(lambda b, old, new, s, n: b.turn_sessions(old, to=new, keep=s, change=MoveId(n)), MAILBOXES, MAILBOXES,
       SESSIONS, MOVES),
    op(lambda b, m, at: sorted(b.erase(m, at=at)), MAILBOXES, SECONDS),
    op(lambda b, c, at: b.erase_order(CheckoutId(c), at=at), ROWS, SECONDS),
    op(lambda b, m: b.forget(m) if not b.holdings_of(m) else None, MAILBOXES),
    op(lambda b, tag, at: b.note_erased_address(ErasedAddress(tag=tag, at=at)), st.sampled_from("xy"), SECONDS),
    op(lambda b, days: b.prune(now=NOW + timedelta(days=days)), st.sampled_from([1, 8, 20, 60])),
)  # fmt: skip


def everything(books: Books) -> object:
    held = b"".join(repr(sorted(map(repr, page))).encode() for page in (
        books.users_after("", limit=99), books.mails_after("", limit=99), books.quarantine_after("", limit=99),
        books.sessions_of(ANNA), books.sessions_of(BEN), books.waiting_quarantine(),
        books.due_again(NOW + timedelta(days=9), limit=99), books.waiting_mails(NOW + timedelta(days=9), late=timedelta()),
    ))  # fmt: skip
    one_by_one = (
        [books.checkout(CheckoutId(c)) for c in ("c1", "c2", "c3")],
        [books.link(LinkId(r * 16)) for r in ("ab", "cd")],
        [books.newest_login(SessionId(s)) for s in ("s1", "s2")],
        books.cursor("c"), books.first_checkout_at(), books.tally(), books.fact("re_1"),
        [books.user(m) for m in (ANNA, BEN)], [books.move(MoveId(n)) for n in ("m1", "m2")],
        [books.moves_to(m) for m in (ANNA, BEN)], [books.moves_from(m) for m in (ANNA, BEN)],
        [books.holders_of(m, since=NOW - timedelta(days=1)) for m in (ANNA, BEN)],
        [books.link_used_with(Digest(c)) for c in ("c1", "c2")],
        [books.moved(CheckoutId(c)) for c in ("c1", "c2", "c3")], [books.is_erased(CheckoutId(c)) for c in ("c1", "c2")],
        books.erasures_after("", limit=9), books.payments_due(NOW + timedelta(days=9), limit=9),
        [books.downloads_of(CheckoutId(c)) for c in ("c1", "c2", "c3")], [books.mails_to(m) for m in (ANNA, BEN)],
        books.quarantined("cs_test_1"), [books.moved_from(m) for m in (ANNA, BEN)],
        [books.checkouts_of(m) for m in (ANNA, BEN)], books.addresses_after("", limit=9),
        books.erased_addresses_after("", limit=9),
    )  # fmt: skip
    owned = [
        (user, [h.purchase for h in held]) for user, held in books.owners(samples.BOOK, after="", limit=9)
    ]
    purchases = [books.holding(CheckoutId(c)) for c in ("c1", "c2", "c3")]
    of_payment: list[object] = [
        (h and h.purchase) for h in (books.holding_of("pi_c1"), books.holding_of("pi_c9"))
    ]
    of_payment += [sorted(map(repr, books.facts_of(p))) for p in ("pi_c1", "pi_c9")]
    holdings = [
        (h.purchase, sorted(map(repr, h.facts)))
        for s in ("s1", "s2")
        for m in (ANNA, BEN, None)
        for h in sorted(books.holdings(SessionId(s), m), key=lambda h: h.purchase.checkout)
    ]
    by_mailbox = [[h.purchase for h in books.holdings_of(m)] for m in (ANNA, BEN)]
    return held, one_by_one, holdings, owned, [h and h.purchase for h in purchases], of_payment, by_mailbox


HISTORIES = st.lists(OPS, max_size=30)


def gives_the_fakes_answers(
    store: Store, history: list[Op], *, run: Callable[[Coroutine[Any, Any, Any]], Any]
) -> None:
    """Each answer of a history, and everything that stands in the books afterwards, is the fake's."""
    memory = MemoryStore()
    for work in history:
        expected = stepping.run(memory.transact(work))
        assert run(store.transact(work)) == expected
    assert run(store.transact(everything)) == stepping.run(memory.transact(everything))
