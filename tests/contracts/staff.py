"""What every store promises of the people of the back office. Part of the store contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from contracts.samples import ANNA, BEN, DAY, MINUTE, NOW, SECOND
from contracts.under_test import StoreUnderTest

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
from domain.values import Digest, EmailAddress

S1, S2 = StaffId("s1"), StaffId("s2")


def a_member(row: StaffId = S1, email: EmailAddress = ANNA, role: Role = Role.OWNER) -> StaffMember:
    return StaffMember(id=row, email=email, role=role, since=NOW)


def a_staff_link(token: str = "t", member: StaffId = S1, *, lives: timedelta = MINUTE) -> StaffLink:
    return StaffLink(
        token_hash=Digest(token), kind=StaffLinkKind.INVITE, staff=member, made_at=NOW, expires_at=NOW + lives
    )


def a_passkey(row: str = "p1", member: StaffId = S1, *, at: datetime = NOW) -> Passkey:
    return Passkey(
        id=row,
        staff=member,
        public_key=b"key",
        counter=0,
        synced=False,
        label="Firefox on Linux",
        added_at=at,
    )


def a_staff_session(row: str = "x1", member: StaffId = S1, *, at: datetime = NOW) -> StaffSession:
    return StaffSession(
        id=StaffSessionId(row), token_hash=Digest(f"hash of {row}"), staff=member, started_at=at, seen_at=at,
        proved_at=at, label="Firefox on Linux",
    )  # fmt: skip


class StaffContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def _two(self) -> None:
        self.do(lambda tx: tx.staff.add(a_member()))
        self.do(lambda tx: tx.staff.add(a_member(S2, BEN, Role.SUPPORT)))

    def test_of_twenty_invitations_of_one_address_one_is_a_member(self) -> None:
        members = [a_member(StaffId(f"s{n:02}")) for n in range(20)]
        works = [partial(self.store.transact, lambda tx, one=one: tx.staff.add(one)) for one in members]
        answers = self.together(*works)
        assert sorted(answer is True for answer in answers) == [False] * 19 + [True]
        winner = members[answers.index(True)]
        assert self.see(lambda tx: tx.staff.all()) == [winner]
        assert self.see(lambda tx: tx.staff.by_address(ANNA)) == winner
        assert self.see(lambda tx: tx.staff.by_address(BEN)) is None

    def test_members_are_listed_in_order_of_id(self) -> None:
        self._two()
        assert [member.id for member in self.see(lambda tx: tx.staff.all())] == [S1, S2]

    def test_a_role_is_changed_once(self) -> None:
        self._two()
        assert self.do(lambda tx: tx.staff.set_role(S2, Role.VIEWER))
        assert not self.do(lambda tx: tx.staff.set_role(S2, Role.VIEWER))
        assert not self.do(lambda tx: tx.staff.set_role(StaffId("nobody"), Role.VIEWER))
        assert [m.role for m in self.see(lambda tx: tx.staff.all())] == [Role.OWNER, Role.VIEWER]

    def test_a_member_is_disabled_and_enabled_once(self) -> None:
        self._two()
        assert self.do(lambda tx: tx.staff.disable(S2, at=NOW + DAY))
        assert not self.do(lambda tx: tx.staff.disable(S2, at=NOW + 2 * DAY))
        ben = self.see(lambda tx: tx.staff.get(S2))
        assert ben == replace(a_member(S2, BEN, Role.SUPPORT), disabled_at=NOW + DAY)
        assert self.do(lambda tx: tx.staff.enable(S2))
        assert not self.do(lambda tx: tx.staff.enable(S2))
        assert self.see(lambda tx: tx.staff.get(S2)) == a_member(S2, BEN, Role.SUPPORT)

    def test_of_twenty_uses_of_a_link_one_counts(self) -> None:
        self._two()
        self.do(lambda tx: tx.staff.add_link(a_staff_link()))
        use = partial(self.store.transact, lambda tx: tx.staff.use_link(Digest("t"), at=NOW + SECOND))
        assert sorted(answer is True for answer in self.together(*[use] * 20)) == [False] * 19 + [True]
        link = self.see(lambda tx: tx.staff.link(Digest("t")))
        assert link == replace(a_staff_link(), used_at=NOW + SECOND)
        assert not self.do(lambda tx: tx.staff.use_link(Digest("another"), at=NOW))

    def test_a_link_is_open_until_it_is_used_or_expired_or_its_member_disabled(self) -> None:
        self._two()

        def is_open(at: datetime = NOW) -> bool:
            return bool(self.see(lambda tx: tx.staff.has_open_link(now=at)))

        assert not is_open()
        self.do(lambda tx: tx.staff.add_link(a_staff_link("a")))
        assert is_open()
        assert not is_open(NOW + MINUTE)
        self.do(lambda tx: tx.staff.use_link(Digest("a"), at=NOW))
        assert not is_open()
        self.do(lambda tx: tx.staff.add_link(a_staff_link("b", S2)))
        self.do(lambda tx: tx.staff.disable(S2, at=NOW))
        assert not is_open()

    def test_the_links_of_a_member_end_together(self) -> None:
        self._two()
        for token, member in (("a", S1), ("b", S1), ("c", S2)):
            self.do(lambda tx, t=token, m=member: tx.staff.add_link(a_staff_link(t, m)))
        self.do(lambda tx: tx.staff.use_link(Digest("a"), at=NOW))
        assert self.do(lambda tx: tx.staff.end_links(S1, at=NOW + SECOND)) == 1
        used = [self.see(lambda tx, t=token: tx.staff.link(Digest(t))).used_at for token in "abc"]
        assert used == [NOW, NOW + SECOND, None]

    def test_a_passkey_is_added_once_and_belongs_to_one_member(self) -> None:
        self._two()
        assert not self.see(lambda tx: tx.passkeys.any_active())
        assert self.do(lambda tx: tx.passkeys.add(a_passkey("p2", at=NOW + SECOND)))
        assert self.do(lambda tx: tx.passkeys.add(a_passkey("p9")))
        assert not self.do(lambda tx: tx.passkeys.add(a_passkey("p2", S2)))
        assert [key.id for key in self.see(lambda tx: tx.passkeys.of(S1))] == ["p9", "p2"]
        assert self.see(lambda tx: tx.passkeys.of(S2)) == []
        assert self.see(lambda tx: tx.passkeys.any_active())
        self.do(lambda tx: tx.staff.disable(S1, at=NOW))
        assert not self.see(lambda tx: tx.passkeys.any_active())

    def test_a_use_of_a_passkey_is_noted_and_a_removed_one_is_gone(self) -> None:
        self._two()
        self.do(lambda tx: tx.passkeys.add(a_passkey()))
        self.do(lambda tx: tx.passkeys.note_use("p1", counter=7, synced=True, at=NOW + SECOND))
        held = self.see(lambda tx: tx.passkeys.get("p1"))
        assert held == replace(a_passkey(), counter=7, synced=True, used_at=NOW + SECOND)
        assert self.do(lambda tx: tx.passkeys.remove("p1"))
        assert not self.do(lambda tx: tx.passkeys.remove("p1"))
        self.do(lambda tx: tx.passkeys.note_use("p1", counter=8, synced=True, at=NOW))
        assert self.see(lambda tx: tx.passkeys.get("p1")) is None

    def test_a_session_is_found_by_its_newest_token_alone(self) -> None:
        self._two()
        self.do(lambda tx: tx.staff_sessions.add(a_staff_session()))
        at = NOW + MINUTE
        assert self.do(
            lambda tx: tx.staff_sessions.prove(StaffSessionId("x1"), token_hash=Digest("new"), at=at)
        )
        assert self.see(lambda tx: tx.staff_sessions.by_token(Digest("hash of x1"))) is None
        held = self.see(lambda tx: tx.staff_sessions.by_token(Digest("new")))
        assert held == replace(a_staff_session(), token_hash=Digest("new"), proved_at=at, seen_at=at)
        gone = StaffSessionId("gone")
        assert not self.do(lambda tx: tx.staff_sessions.prove(gone, token_hash=Digest("z"), at=NOW))

    def test_a_session_is_never_seen_earlier_than_it_was(self) -> None:
        self._two()
        self.do(lambda tx: tx.staff_sessions.add(a_staff_session()))
        for at in (NOW + MINUTE, NOW + SECOND):
            self.do(lambda tx, at=at: tx.staff_sessions.touch(StaffSessionId("x1"), at=at))
        [held] = self.see(lambda tx: tx.staff_sessions.of(S1))
        assert held.seen_at == NOW + MINUTE

    def test_sessions_end_one_by_one_or_all_of_a_member_together(self) -> None:
        self._two()
        for row, member, at in (("x1", S1, NOW), ("x2", S1, NOW + SECOND), ("x3", S1, NOW), ("x4", S2, NOW)):
            session = a_staff_session(row, member, at=at)
            self.do(lambda tx, one=session: tx.staff_sessions.add(one))
        assert [s.id for s in self.see(lambda tx: tx.staff_sessions.of(S1))] == ["x2", "x3", "x1"]
        assert self.do(lambda tx: tx.staff_sessions.end(StaffSessionId("x1")))
        assert not self.do(lambda tx: tx.staff_sessions.end(StaffSessionId("x1")))
        assert self.do(lambda tx: tx.staff_sessions.end_of(S1)) == 2
        assert [s.id for s in self.see(lambda tx: tx.staff_sessions.of(S2))] == ["x4"]

    def test_old_sessions_and_links_of_staff_are_pruned_and_members_are_not(self) -> None:
        self._two()
        self.do(lambda tx: tx.staff_sessions.add(a_staff_session("old")))
        self.do(lambda tx: tx.staff_sessions.add(a_staff_session("new", at=NOW + SECOND)))
        self.do(lambda tx: tx.staff.add_link(a_staff_link("old", lives=timedelta(0))))
        self.do(lambda tx: tx.staff.add_link(a_staff_link("new", lives=SECOND)))
        self.do(lambda tx: tx.passkeys.add(a_passkey()))
        assert self.do(lambda tx: tx.retention.prune(now=NOW + 7 * DAY)) == 0
        assert self.do(lambda tx: tx.retention.prune(now=NOW + 7 * DAY + SECOND)) == 2
        assert [s.id for s in self.see(lambda tx: tx.staff_sessions.of(S1))] == ["new"]
        assert self.see(lambda tx: tx.staff.link(Digest("new"))) is not None
        assert len(self.see(lambda tx: tx.staff.all())) == 2
        assert self.see(lambda tx: tx.passkeys.of(S1)) == [a_passkey()]

    def test_in_another_shop_staff_has_to_come_in_again(self) -> None:
        self._two()
        self.do(lambda tx: tx.shop.open("shop"))
        self.do(lambda tx: tx.staff_sessions.add(a_staff_session()))
        self.do(lambda tx: tx.staff.add_link(a_staff_link()))
        self.do(lambda tx: tx.passkeys.add(a_passkey()))
        self.do(lambda tx: tx.shop.become("another", "https://another.example", at=NOW))
        assert self.see(lambda tx: tx.staff_sessions.of(S1)) == []
        assert self.see(lambda tx: tx.staff.link(Digest("t"))) is None
        assert self.see(lambda tx: tx.passkeys.of(S1)) == [a_passkey()]
