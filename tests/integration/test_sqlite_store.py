"""The store on an SQLite file: the contract, the same answers as memory, and its own promises under faults."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory.store import MemoryStore
from adapters.sqlite.connections import AlreadyServed, NotDurable, open_reader
from adapters.sqlite.store import SqliteStore
from contracts import store as samples
from contracts.store import ANNA, BEN, NOW, StoreContract
from domain.books import Books, BooksView
from domain.claim import Objection
from domain.mail import MailKind, MailState
from domain.ports import Store, StoreBusy, StoreUnavailable
from domain.purchase import Fact, FactKind
from domain.values import CheckoutId, Digest, LinkId, ProviderRef, SessionId, UserId
from support import stepping

T = TypeVar("T")


class TestSqliteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def opened(self, tmp_path: Path) -> Iterator[None]:
        self._folder, self._stores = tmp_path, []
        self.store = self.open_store()
        yield
        for store in self._stores:
            store.close()

    def open_store(self) -> Store:
        store = SqliteStore.open(self._folder / f"{len(self._stores)}.db", serving=True)
        self._stores.append(store)
        return store

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        async def all_at_once() -> list[T | BaseException]:
            return await asyncio.gather(*(work() for work in works), return_exceptions=True)

        return asyncio.run(all_at_once())


# ------------------------------------------------------------------ the same answers as the fake

SECONDS = st.integers(0, 100).map(lambda n: NOW + timedelta(seconds=n))
ROWS = st.sampled_from(["c1", "c2", "c3"])
REFS = st.sampled_from(["cs_test_1", "cs_test_2", "cs_test_c1"]).map(ProviderRef)
SESSIONS = st.sampled_from(["s1", "s2"]).map(SessionId)
MAILS = st.sampled_from(["m1", "m2", "m3"])
LINKS = st.sampled_from(["ab" * 16, "cd" * 16]).map(LinkId)
MAILBOXES = st.sampled_from([ANNA, BEN])
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
    op(lambda b, c, r, at: b.add_checkout(samples.a_checkout(c, ref=r, at=at)), ROWS, st.none() | REFS, SECONDS),
    op(lambda b, c, r: b.bind_checkout(CheckoutId(c), ref=r, expires_at=None), ROWS, REFS),
    op(lambda b, c, at: b.take_turn(CheckoutId(c), now=at, gap=timedelta(seconds=5)), ROWS, SECONDS),
    op(lambda b, f: b.tell(f), FACTS),
    op(lambda b, c, m: b.book(samples.a_purchase(c, user=b.user_for(m, new_id=UserId(f"u{m}"), now=NOW), mailbox=m)),
       ROWS, MAILBOXES),
    op(lambda b, k, at: b.take(k, samples.TWO, now=at, ref=k + str(at.second % 3)), st.sampled_from("xy"), SECONDS),
    op(lambda b, k: b.give_back(k), st.sampled_from(["x0", "y1"])),
    op(lambda b, link, at: b.add_link(samples.a_link(link, at=at)) if b.link(link) is None else None, LINKS, SECONDS),
    op(lambda b, link, at: b.spend_link(link, at=at), LINKS, SECONDS),
    op(lambda b, link: b.count_code_try(link, most=2), LINKS),
    op(lambda b, s, m: b.supersede_links(m, asked_by=s), SESSIONS, MAILBOXES),
    op(lambda b, k, at, link: b.queue(samples.a_mail(k, due=at, kind=MailKind.LOGIN, link=link)), MAILS, SECONDS,
       st.none() | LINKS),
    op(lambda b, at: [m.key for m in b.lease_mails(now=at, until=at + timedelta(seconds=9), limit=2)], SECONDS),
    op(lambda b, k, state, at: b.settle_mail(k, state=state, at=at, problem="p"), MAILS,
       st.sampled_from(list(MailState)), SECONDS),
    op(lambda b, r, o, at: b.quarantine(r, o, at=at, retry_at=at), REFS,
       st.sampled_from([Objection.NO_EMAIL, Objection.BAD_EMAIL]), SECONDS),
    op(lambda b, r, at: b.close_quarantine(r, at=at), REFS, SECONDS),
    op(lambda b, at: b.set_cursor("c", to=at), SECONDS),
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
    )  # fmt: skip
    holdings = [
        (h.purchase, sorted(map(repr, h.facts)))
        for s in ("s1", "s2")
        for m in (ANNA, BEN, None)
        for h in sorted(books.holdings(SessionId(s), m), key=lambda h: h.purchase.checkout)
    ]
    return held, one_by_one, holdings


@settings(max_examples=150)
@given(st.lists(OPS, max_size=25))
def test_sqlite_and_memory_give_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory, history: list[Op]
) -> None:
    """Any history of works: each answer, and everything that stands in the books afterwards."""
    memory = MemoryStore()
    file = tmp_path_factory.mktemp("same") / "shop.db"
    sqlite = SqliteStore.open(file, serving=True)
    try:
        for work in history:
            expected = stepping.run(memory.transact(work))
            assert asyncio.run(sqlite.transact(work)) == expected
        assert asyncio.run(sqlite.transact(everything)) == stepping.run(memory.transact(everything))
    finally:
        sqlite.close()


# ------------------------------------------------------------------ promises of its own


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


def test_it_promises_durability_and_keeps_others_out(path: Path) -> None:
    store = SqliteStore.open(path, serving=True)
    try:
        pragmas = {p: store._write_connection.execute(f"PRAGMA {p}").fetchone()[0]
                   for p in ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(AlreadyServed, match="stop it first"):
            SqliteStore.open(path, serving=True)
    finally:
        store.close()
    SqliteStore.open(path, serving=True).close()


def test_a_lost_unique_index_is_found_at_the_start(path: Path) -> None:
    SqliteStore.open(path, serving=True).close()
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX users_email")
    connection.close()
    with pytest.raises(NotDurable, match=r"users \(email\)"):
        SqliteStore.open(path, serving=True)


def test_readers_cannot_write(path: Path) -> None:
    SqliteStore.open(path, serving=True).close()
    reader = open_reader(path)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM users")
    reader.close()


def test_those_who_wait_are_committed_together(path: Path) -> None:
    async def main() -> int:
        store = SqliteStore.open(path, serving=True)
        try:
            before = store.commits
            await asyncio.gather(
                *(store.transact(lambda b, n=n: b.queue(samples.a_mail(f"m{n}"))) for n in range(200))
            )
            return store.commits - before
        finally:
            store.close()

    assert asyncio.run(main()) <= 20


def test_cancelling_a_caller_neither_withdraws_its_work_nor_harms_the_writer(path: Path) -> None:
    async def main() -> list[bool]:
        store = SqliteStore.open(path, serving=True)
        try:
            began, go = threading.Event(), threading.Event()

            def slow(books: Books) -> bool:
                began.set()
                go.wait(5)
                return books.queue(samples.a_mail("slow"))

            task = asyncio.create_task(store.transact(slow))
            await asyncio.to_thread(began.wait)
            task.cancel()
            await asyncio.sleep(0)
            go.set()
            again = await store.transact(lambda b: b.queue(samples.a_mail("slow")))
            return [task.cancelled(), again]
        finally:
            store.close()

    assert asyncio.run(main()) == [True, False], "it was cancelled, and its mail stands"


def test_a_full_queue_refuses_before_it_began(path: Path) -> None:
    async def main() -> tuple[int, int]:
        store = SqliteStore.open(path, serving=True)
        try:
            go = threading.Event()
            blocker = asyncio.create_task(store.transact(lambda _: go.wait(5)))
            await asyncio.sleep(0.05)
            works = [store.transact(lambda b, n=n: b.queue(samples.a_mail(f"m{n:03}"))) for n in range(300)]
            waiting = asyncio.gather(*works, return_exceptions=True)
            await asyncio.sleep(0.05)
            go.set()
            answers = await waiting
            await blocker
            refused = sum(isinstance(a, StoreBusy) for a in answers)
            written = await store.read(lambda b: len(b.mails_after("", limit=999)))
            return refused, written
        finally:
            store.close()

    assert asyncio.run(main()) == (300 - 256, 256)


def test_a_lock_held_by_another_program_is_busy_and_passes(path: Path) -> None:
    store = SqliteStore.open(path, serving=True)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreBusy):
            asyncio.run(store.transact(lambda b: b.queue(samples.a_mail())))
        other.execute("ROLLBACK")
        assert asyncio.run(store.transact(lambda b: b.queue(samples.a_mail()))) is True
    finally:
        other.close()
        store.close()


def test_a_full_disk_leaves_nothing_half_written_and_works_again_by_itself(path: Path) -> None:
    """max_page_count gives SQLITE_FULL, which ends the whole transaction: each work is run again alone, once."""
    store = SqliteStore.open(path, serving=True)
    pages = store._write_connection.execute("PRAGMA page_count").fetchone()[0]
    big = samples.a_mail("big")
    huge = samples.replace(big, letter=samples.replace(big.letter, html="x" * 2_000_000))

    async def crowd() -> list[Any]:
        small = [store.transact(lambda b, n=n: b.queue(samples.a_mail(f"small{n}"))) for n in range(5)]
        return await asyncio.gather(store.transact(lambda b: b.queue(huge)), *small, return_exceptions=True)

    try:
        store._write_connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        answers = asyncio.run(crowd())
        assert isinstance(answers[0], StoreUnavailable)
        assert answers[1:] == [True] * 5
        store._write_connection.execute("PRAGMA max_page_count = 1000000")
        assert asyncio.run(store.transact(lambda b: b.queue(huge))) is True
    finally:
        store.close()


def test_a_backup_is_a_whole_shop_and_holds_no_secret(path: Path, tmp_path: Path) -> None:
    store = SqliteStore.open(path, serving=True)
    asyncio.run(store.transact(lambda b: b.queue(samples.a_mail())))
    copy = tmp_path / "copy.db"
    assert store.backup(copy) == copy.stat().st_size
    store.close()
    restored = SqliteStore.open(copy, serving=True)
    assert asyncio.run(restored.read(lambda b: b.mail("m1"))) == samples.a_mail()
    restored.close()


def test_a_commit_of_another_process_is_seen_soon_and_one_of_our_own_at_once(path: Path) -> None:
    server, neighbour = SqliteStore.open(path, serving=True), SqliteStore.open(path, serving=False)
    try:
        assert asyncio.run(server.read(lambda b: b.session(Digest("t1")))) is None
        asyncio.run(neighbour.transact(lambda b: b.add_session(samples.a_session())))
        asyncio.run(asyncio.sleep(0.1))
        assert asyncio.run(server.read(lambda b: b.session(Digest("t1")))) == samples.a_session()
        asyncio.run(server.transact(lambda b: b.end_session(SessionId("s1"))))
        assert asyncio.run(server.read(lambda b: b.session(Digest("t1")))) is None
    finally:
        server.close()
        neighbour.close()


def test_no_read_ever_sees_two_states(path: Path) -> None:
    """What is remembered and what is looked up afresh are of one state, whoever commits in between."""
    server, neighbour = SqliteStore.open(path, serving=True), SqliteStore.open(path, serving=False)
    seen: list[tuple[bool, bool]] = []

    def look(books: BooksView) -> tuple[bool, bool]:
        pair = (books.session(Digest("t1")) is not None, books.mail("m1") is not None)
        seen.append(pair)
        return pair

    def both(books: Books) -> None:
        books.add_session(samples.a_session())
        books.queue(samples.a_mail())

    async def main() -> tuple[bool, bool]:
        await server.read(lambda b: b.session(Digest("t1")))  # remembered: there is none
        await neighbour.transact(both)
        return await server.read(look)  # at once, so that what is remembered is not yet doubted

    try:
        assert asyncio.run(main()) == (True, True)
        assert (False, True) not in seen
    finally:
        server.close()
        neighbour.close()
