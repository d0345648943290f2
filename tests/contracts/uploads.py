"""What every store promises of uploaded files: pieces in order, one writer at a time, and gone when they are to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from contracts.every_field import UPLOAD
from contracts.samples import ANNA, BOOK, DAY, MINUTE, NOW, SECOND
from contracts.under_test import StoreUnderTest

from domain.csv_rows import Piece
from domain.transaction import Transaction
from domain.uploads import NOTED_FOR, Upload, UploadState
from domain.values import CheckoutId


def an_upload(row: str = "u1", *, state: UploadState = UploadState.READY, at: datetime = NOW) -> Upload:
    return Upload(
        id=row, name=f"{row}.csv", by="cli:anna", at=at, expires_at=at + DAY, due_at=at, state=state
    )


def a_piece(number: int = 0, *, line: int = 1, text: str = "a,b\n1,2\n") -> Piece:
    return Piece.of(text, number=number, line=line)


class UploadContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _add_uploads(self, *uploads: Upload, pieces: Sequence[Piece] = ()) -> None:
        for upload in uploads:
            self.do(lambda tx, upload=upload: tx.uploads.add(replace(upload, state=UploadState.ARRIVING)))
            for piece in pieces:
                assert self.do(lambda tx, upload=upload, piece=piece: tx.uploads.add_piece(upload.id, piece))
            held = self._held_upload(upload.id)
            if held != upload:
                assert self.do(lambda tx, held=held, upload=upload: tx.uploads.replace(held, upload))

    def _held_upload(self, row: str) -> Upload:
        found = self.see(lambda tx: tx.uploads.get(row))
        assert found is not None
        return found

    def test_a_file_is_kept_as_it_is_and_only_one_of_two_writers_changes_it(self) -> None:
        first = an_upload(state=UploadState.ARRIVING)
        self._add_uploads(first)
        assert self._held_upload("u1") == first
        assert self.do(lambda tx: tx.uploads.replace(first, UPLOAD))
        assert self._held_upload("u1") == UPLOAD
        assert not self.do(lambda tx: tx.uploads.replace(first, first))
        assert self.do(lambda tx: tx.uploads.replace(UPLOAD, first))
        assert self._held_upload("u1") == replace(first, version=2)
        assert self.see(lambda tx: tx.uploads.get("u9")) is None

    def test_of_many_writers_at_once_one_succeeds(self) -> None:
        self._add_uploads(an_upload(state=UploadState.ARRIVING))
        held = self._held_upload("u1")
        write = lambda: self.store.transact(lambda tx: tx.uploads.replace(held, held))  # noqa: E731
        assert self.together(*[write] * 6).count(True) == 1

    def test_files_are_listed_the_newest_first(self) -> None:
        self._add_uploads(an_upload("u2"), an_upload("u3"), an_upload("u1"))
        assert [one.id for one in self.see(lambda tx: tx.uploads.newest(limit=2))] == ["u3", "u2"]

    def test_a_piece_is_found_by_its_number_and_by_a_line_in_it(self) -> None:
        pieces = [a_piece(0), a_piece(1, line=3, text="ü,€\n" * 5), a_piece(2, line=8, text="end")]
        self._add_uploads(an_upload("u1"), pieces=pieces)
        self._add_uploads(an_upload("u2"), pieces=[a_piece(0, text="other\n")])

        def with_line(line: int) -> Piece | None:
            return self.see(lambda tx: tx.uploads.piece_with("u1", line))

        assert [with_line(line) for line in (1, 2, 3, 7, 8, 99)] == [
            pieces[0], pieces[0], pieces[1], pieces[1], pieces[2], pieces[2],
        ]  # fmt: skip
        assert self.see(lambda tx: tx.uploads.piece("u1", 1)) == pieces[1]
        assert pieces[1].lines == ["ü,€\n"] * 5
        assert self.see(lambda tx: (tx.uploads.piece("u1", 3), tx.uploads.piece_with("u9", 1))) == (
            None,
            None,
        )

    def test_what_has_arrived_takes_no_more_pieces(self) -> None:
        self._add_uploads(an_upload("u1"))
        assert not self.do(lambda tx: tx.uploads.add_piece("u1", a_piece()))
        assert not self.do(lambda tx: tx.uploads.add_piece("u9", a_piece()))
        assert self.see(lambda tx: tx.uploads.piece("u1", 0)) is None

    def test_the_longest_due_of_those_that_are_worked_on_comes_first(self) -> None:
        working = {"u1": UploadState.IMPORTING, "u2": UploadState.CHECKING, "u3": UploadState.CHECKED}
        for row, state in working.items():
            self._add_uploads(
                replace(an_upload(row, state=state), due_at=NOW + (0 if row == "u2" else 1) * SECOND)
            )

        def due(now: datetime) -> str | None:
            found = self.see(lambda tx: tx.uploads.due(now=now))
            return None if found is None else found.id

        assert [due(NOW - SECOND), due(NOW), due(NOW + SECOND), due(NOW + DAY)] == [None, "u2", "u2", None]
        held = self._held_upload("u2")
        self.do(lambda tx: tx.uploads.replace(held, replace(held, due_at=NOW + MINUTE)))
        assert due(NOW + SECOND) == "u1"

    def test_pieces_go_alone_or_with_their_file(self) -> None:
        self._add_uploads(an_upload("u1"), an_upload("u2"), pieces=[a_piece(0), a_piece(1, line=3)])
        assert self.do(lambda tx: tx.uploads.drop_pieces("u1")) == 2
        assert self._held_upload("u1").name == "u1.csv"
        assert self.do(lambda tx: tx.uploads.drop("u2"))
        assert not self.do(lambda tx: tx.uploads.drop("u2"))
        assert self.see(lambda tx: [tx.uploads.piece(row, 0) for row in ("u1", "u2")]) == [None, None]

    def test_pruning_takes_the_pieces_after_a_day_and_the_file_after_a_month(self) -> None:
        self._add_uploads(
            an_upload("u1"), replace(an_upload("u2"), expires_at=NOW + 2 * DAY), pieces=[a_piece()]
        )
        pieces = lambda tx: [tx.uploads.piece(row, 0) is not None for row in ("u1", "u2")]  # noqa: E731
        assert self.do(lambda tx: tx.retention.prune(now=NOW + DAY - SECOND)) == 0
        assert self.do(lambda tx: tx.retention.prune(now=NOW + DAY)) == 1
        assert self.see(pieces) == [False, True]
        assert self.do(lambda tx: tx.retention.prune(now=NOW + NOTED_FOR)) == 1
        assert self.do(lambda tx: tx.retention.prune(now=NOW + NOTED_FOR + SECOND)) == 2
        assert self.see(lambda tx: tx.uploads.newest(limit=9)) == []

    def test_a_deletion_of_a_person_takes_every_file_that_waits(self) -> None:
        for state in UploadState:
            self._add_uploads(replace(an_upload(state.value), state=state), pieces=[a_piece()])
            if not state.holds_file:
                self.do(lambda tx, state=state: tx.uploads.drop_pieces(state.value))
        before = [self._held_upload(state.value) for state in UploadState]
        self.do(lambda tx: tx.erasures.forget(ANNA))
        for held in before:
            assert self.see(lambda tx, held=held: tx.uploads.piece(held.id, 0)) is None
            forgotten = replace(held, state=UploadState.FORGOTTEN, version=held.version + 1)
            assert self._held_upload(held.id) == (forgotten if held.state.holds_file else held)

    def test_a_copy_of_the_shop_has_no_files(self) -> None:
        self._add_uploads(an_upload("u1"), pieces=[a_piece()])
        self.do(lambda tx: tx.shop.open("s1"))
        self.do(lambda tx: tx.shop.become("s2", "https://other.example", at=NOW))
        assert self.see(lambda tx: (tx.uploads.get("u1"), tx.uploads.piece("u1", 0))) == (None, None)

    def test_a_listed_key_is_given_away_by_its_name_once(self) -> None:
        def work(tx: Transaction) -> list[bool]:
            tx.licences.stock(BOOK, ["ONE", "TWO"])
            one, two = CheckoutId("c1"), CheckoutId("c2")
            return [
                tx.licences.take(BOOK, "TWO", checkout=one),
                tx.licences.take(BOOK, "TWO", checkout=two),
                tx.licences.take(BOOK, "THREE", checkout=one),
                tx.licences.assign(BOOK, checkout=two) == "ONE",
                tx.licences.any_free(BOOK),
            ]

        assert self.do(work) == [True, False, False, True, False]
        self.do(lambda tx: tx.licences.stock(BOOK, ["ONE", "TWO"]))
        assert not self.do(lambda tx: tx.licences.any_free(BOOK)), "nor again"
