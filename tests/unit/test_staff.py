"""Who is let into the back office, and for how long: rules and use cases, with passkeys that are made in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.memory.passkeys import MemoryAuthenticator
from domain.audit import AuditAction, AuditResult
from domain.rights import RIGHTS, NotAllowed, Verdict, verdict
from domain.staff import Actor, Passkey, Role, StaffId, StaffLinkKind, wants_passkey
from domain.usecases.identify_staff import Door
from domain.usecases.invite_staff import Invited, WhyNotInvited
from domain.usecases.manage_passkeys import PasskeyChange
from domain.usecases.manage_staff import StaffChange
from domain.usecases.request_login import NotAnAddress
from domain.usecases.staff_access import SignedIn, WhyNotIn
from entrypoints.testing import BASE_URL, PHOTOS, Browser, HandClock
from entrypoints.testing.office import HOST, Colleague, Office
from testkit.by_hand import log
from testkit.stepping import run

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)

# From the specification of the back office: action, who may, whether a passkey must have been used just before.
TABLE = [
    ("grant", "owner support", True),
    ("revoke", "owner support", True),
    ("restore", "owner support", True),
    ("refund", "owner support", True),
    ("dismiss-refund", "owner support", False),
    ("resend", "owner support", False),
    ("send-link", "owner support", False),
    ("send-again", "owner support", False),
    ("dismiss-payment", "owner support", False),
    ("dismiss-bounce", "owner support", False),
    ("import", "owner", True),
    ("announce", "owner", True),
    ("try-announcement", "owner", True),
    ("reconcile", "owner support", False),
    ("export", "owner support viewer", False),
    ("export-with-addresses", "owner", True),
    ("correct-address", "owner support", True),
    ("merge-customers", "owner", True),
    ("replace-key", "owner support", True),
    ("write-note", "owner support", False),
    ("sign-out-customer", "owner support", False),
    ("erase-customer", "owner", True),
    ("hand-over-data", "owner", True),
    ("book-payment", "owner support", True),
    ("accept-withdrawal", "owner support", True),
    ("refuse-withdrawal", "owner support", False),
    ("read-again", "owner support", False),
    ("invite-staff", "owner", True),
    ("link-staff", "owner", True),
    ("change-role", "owner", True),
    ("disable-staff", "owner", True),
    ("enable-staff", "owner", True),
    ("add-passkey", "owner support viewer", True),
    ("remove-passkey", "owner support viewer", True),
    ("end-staff-sessions", "owner support viewer", False),
]


@pytest.fixture
def office() -> Office:
    return Office()


def told(office: Office, event: str) -> set[str]:
    """To whom an email about such an event is on its way."""
    mails = office.shop.memory.tables.outbox.values()
    return {mail.to.canonical for mail in mails if getattr(mail.email, "event", "") == event}


def wait(office: Office, time: timedelta) -> None:
    office.shop.clock.tick(seconds=time.total_seconds())


@pytest.mark.parametrize(("action", "roles", "fresh"), TABLE)
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("is_fresh", [True, False])
def test_who_may_do_what(action: str, roles: str, fresh: bool, role: Role, is_fresh: bool) -> None:
    actor = Actor("staff:s1", role=role, fresh=is_fresh, staff=StaffId("s1"))
    expected = Verdict.MAY
    if role.value not in roles.split():
        expected = Verdict.WRONG_ROLE
    elif fresh and not is_fresh:
        expected = Verdict.PROVE_AGAIN
    assert verdict(actor, AuditAction(action)) is expected


def test_every_action_that_somebody_asks_for_has_a_right() -> None:
    in_or_on_the_host = {
        AuditAction.JOIN, AuditAction.SIGN_IN, AuditAction.ENTER_BY_LINK,
        AuditAction.MOVE, AuditAction.CONFIRM_ADDRESS, AuditAction.ERASE_AGAIN, AuditAction.UNKNOWN,
    }  # fmt: skip
    assert {action.value for action in RIGHTS} == {row[0] for row in TABLE}
    assert set(AuditAction) - RIGHTS.keys() == in_or_on_the_host, "no page asks for these"


# ------------------------------------------------------------------ the door


def test_without_staff_and_invitation_there_is_no_back_office(office: Office) -> None:
    assert run(office.identify.door()) is Door.CLOSED
    office.invitation("anna@example.com")
    assert run(office.identify.door()) is Door.INVITED
    wait(office, 15 * MINUTE)
    assert run(office.identify.door()) is Door.CLOSED, "who never came is nobody"
    office.member("ben@example.com")
    assert run(office.identify.door()) is Door.OPEN


def test_the_first_owner_is_invited_on_the_host_adds_a_passkey_and_is_in(office: Office) -> None:
    anna = office.member("Anna@Example.com")
    here = anna.here
    assert here is not None
    assert (here.member.email.canonical, here.member.role) == ("anna@example.com", Role.OWNER)
    [row] = run(office.staff())
    assert row.member == here.member
    assert [(key.id, key.label) for key in row.passkeys] == [(*anna.device.keys, "Firefox on Linux")]
    assert anna.actor == Actor(
        f"staff:{here.member.id}", role=Role.OWNER, fresh=True, staff=here.member.id, session=here.session.id
    )
    assert {(line.actor, line.action.value, line.object_id) for line in log(office.shop)} == {
        ("cli:ada", "invite-staff", here.member.id),
        (f"staff:{here.member.id}", "join", here.member.id),
    }


def test_a_link_is_used_once(office: Office) -> None:
    invited = office.invitation("anna@example.com")
    assert isinstance(Colleague(office, "anna").use(invited), SignedIn)
    assert Colleague(office, "thief").use(invited) is WhyNotIn.NO_LINK


def test_of_two_who_hold_the_same_page_of_a_link_one_is_let_in(office: Office) -> None:
    invited = office.invitation("anna@example.com")
    seen = run(office.join.look(invited.token))
    assert seen is not None
    outcomes = []
    for name in ("anna", "thief"):
        one = Colleague(office, name)
        answer = one.device.create(seen.options)
        outcomes.append(run(office.join(invited.token, seen.challenge, answer, visitor=one.visitor)))
    assert isinstance(outcomes[0], SignedIn)
    assert outcomes[1] is WhyNotIn.NO_LINK


@pytest.mark.parametrize(("by_owner", "lives"), [(False, 15 * MINUTE), (True, 24 * HOUR)])
def test_how_long_an_invitation_is_good(office: Office, by_owner: bool, lives: timedelta) -> None:
    actor = office.member("anna@example.com").actor if by_owner else HOST
    invited = office.invitation("ben@example.com", Role.SUPPORT, actor=actor)
    wait(office, lives - MILLISECOND)
    assert run(office.join.look(invited.token)) is not None
    wait(office, MILLISECOND)
    assert run(office.join.look(invited.token)) is None
    assert Colleague(office, "ben").use(invited) is WhyNotIn.NO_LINK


def test_the_same_form_shows_the_same_link_and_another_form_ends_it(office: Office) -> None:
    first = run(office.invite("anna@example.com", Role.OWNER, actor=HOST, form="f1"))
    assert run(office.invite("anna@example.com", Role.OWNER, actor=HOST, form="f1")) == first
    assert isinstance(first, Invited)
    office.invitation("anna@example.com")
    assert run(office.join.look(first.token)) is None


def test_a_form_that_made_one_link_shows_it_to_nobody_who_asks_for_another(office: Office) -> None:
    boss = office.member("boss@example.com")
    office.member("anna@example.com", Role.SUPPORT)
    entry = run(office.invite.entry("anna@example.com", actor=HOST, form="f1"))
    first = run(office.invite("ben@example.com", Role.VIEWER, actor=boss.actor, form="f2"))
    assert isinstance(entry, Invited)
    assert isinstance(first, Invited)
    for form, others in (("f1", entry), ("f2", first)):
        shown = run(office.invite("anna@example.com", Role.SUPPORT, actor=boss.actor, form=form))
        assert isinstance(shown, Invited)
        assert (shown.kind, shown.member.email.canonical) == (StaffLinkKind.INVITE, "anna@example.com")
        assert shown.token != others.token


def test_what_is_kept_of_a_link_does_not_open_it(office: Office) -> None:
    invited = office.invitation("anna@example.com")
    tables = repr(office.shop.memory.tables)
    assert invited.token not in tables
    assert run(office.join.look("0" * 64)) is None


@pytest.mark.parametrize("typed", ["", "anna", "anna@", "@example.com", "anna@example.com\nBcc: x@y.z"])
def test_only_an_address_is_invited(office: Office, typed: str) -> None:
    outcome = run(office.invite(typed, Role.OWNER, actor=HOST, form="f1"))
    assert isinstance(outcome, NotAnAddress)


def test_a_disabled_member_is_not_invited_and_a_role_is_not_changed_by_inviting(office: Office) -> None:
    office.member("anna@example.com")
    ben = office.member("ben@example.com", Role.SUPPORT)
    again = run(office.invite("ben@example.com", Role.VIEWER, actor=HOST, form="f1"))
    assert again is WhyNotInvited.OTHER_ROLE
    member = ben.actor.staff
    assert member is not None
    assert run(office.manage.disable(member, actor=HOST, form="f2")) is StaffChange.DONE
    assert (
        run(office.invite("ben@example.com", Role.SUPPORT, actor=HOST, form="f3")) is WhyNotInvited.DISABLED
    )


def test_no_owner_signs_in_as_another_by_inviting_them_again(office: Office) -> None:
    anna, ben = office.member("anna@example.com"), office.member("ben@example.com")
    cara = office.member("cara@example.com", Role.SUPPORT)
    for form, (email, role, outcome) in enumerate(
        [
            ("ben@example.com", Role.OWNER, WhyNotInvited.OWNER),
            ("anna@example.com", Role.OWNER, Invited),  # herself: a passkey for another device
            ("cara@example.com", Role.SUPPORT, Invited),
            ("dora@example.com", Role.OWNER, Invited),
            ("dora@example.com", Role.OWNER, Invited),
        ]
    ):
        found = run(office.invite(email, role, actor=anna.actor, form=f"again{form}"))
        assert outcome in (found, type(found)), email
    assert isinstance(run(office.invite("ben@example.com", Role.OWNER, actor=HOST, form="h")), Invited)
    assert (ben.actor.role, cara.actor.role) == (Role.OWNER, Role.SUPPORT)


# ------------------------------------------------------------------ signing in


def test_a_passkey_is_the_whole_sign_in(office: Office) -> None:
    anna = office.member("anna@example.com")
    anna.token = ""
    assert anna.here is None
    assert isinstance(anna.sign_in(), SignedIn)
    assert anna.here is not None


def test_a_stranger_s_passkey_and_one_that_did_not_verify_its_user_get_the_same_answer(
    office: Office,
) -> None:
    anna, stranger = office.member("anna@example.com"), Colleague(office, "stranger")
    stranger.device.keys["x"] = b"a key"
    assert stranger.sign_in() is WhyNotIn.WRONG
    anna.device.verifies = False
    assert anna.sign_in() is WhyNotIn.WRONG


@pytest.mark.parametrize("synced", [True, False])
def test_an_answer_is_good_once_and_for_five_minutes(office: Office, synced: bool) -> None:
    anna = office.member("anna@example.com", synced=synced)
    asked = office.sign_in.ask()
    answer = anna.device.get(asked.options)
    assert isinstance(run(office.sign_in(asked.challenge, answer, visitor=anna.visitor)), SignedIn)
    assert run(office.sign_in(asked.challenge, answer, visitor=anna.visitor)) is WhyNotIn.TOO_LATE
    for pause, expected in ((5 * MINUTE - MILLISECOND, SignedIn), (5 * MINUTE, WhyNotIn)):
        asked = office.sign_in.ask()
        answer = anna.device.get(asked.options)
        wait(office, pause)
        assert isinstance(run(office.sign_in(asked.challenge, answer, visitor=anna.visitor)), expected)


def test_a_challenge_of_another_purpose_or_shop_is_none(office: Office) -> None:
    anna, other = office.member("anna@example.com"), Office()
    wait(other, MILLISECOND)
    here = anna.here
    assert here is not None
    again = run(office.sign_in.ask_again(here))
    answer = anna.device.get(again.options)
    assert run(office.sign_in(again.challenge, answer, visitor=anna.visitor)) is WhyNotIn.TOO_LATE
    for challenge in ("", "AAAA", again.challenge[:-2] + "AA"):
        assert run(office.sign_in(challenge, answer, visitor=anna.visitor)) is WhyNotIn.TOO_LATE


def test_a_falling_counter_ends_the_passkey_and_every_session_and_is_told(office: Office) -> None:
    anna = office.member("anna@example.com")
    office.member("owner@example.com")
    assert isinstance(anna.sign_in(), SignedIn)
    anna.device.counter = 0
    assert anna.sign_in() is WhyNotIn.WRONG
    assert anna.here is None
    anna.device.counter = 50
    assert anna.sign_in() is WhyNotIn.WRONG, "it is not hers any more"
    assert [line.action.value for line in log(office.shop) if line.result is AuditResult.ENDED] == ["sign-in"]
    told = {
        mail.to.canonical
        for mail in office.shop.memory.tables.outbox.values()
        if mail.email.event == "passkey-copied"
    }  # type: ignore[union-attr]  # only notices are here
    assert told == {"anna@example.com", "owner@example.com"}


@pytest.mark.parametrize(
    ("held", "used", "copied"),
    [(0, 0, False), (0, 1, False), (5, 6, False), (5, 5, True), (5, 4, True), (5, 0, True)],
)
def test_a_counter_of_zero_is_no_counter(held: int, used: int, copied: bool) -> None:
    passkey = Passkey("p", StaffId("s"), b"", held, synced=False, label="", added_at=HandClock().now())
    assert passkey.is_copied(used) is copied


def test_ten_tries_of_a_network_in_ten_minutes_and_twenty_wrong_ones_of_an_account_in_an_hour(
    office: Office,
) -> None:
    anna, stranger = office.member("anna@example.com"), Colleague(office, "stranger", network="198.51.100.1")
    stranger.device.keys["x"] = b"a key"
    assert [stranger.sign_in() for _ in range(11)] == [WhyNotIn.WRONG] * 10 + [WhyNotIn.TOO_OFTEN]
    wait(office, 10 * MINUTE)
    assert stranger.sign_in() is WhyNotIn.WRONG
    anna.device.verifies, outcomes = False, []
    for n in range(21):
        anna.network = f"203.0.113.{n}"
        outcomes.append(anna.sign_in())
    assert outcomes == [WhyNotIn.WRONG] * 20 + [WhyNotIn.TOO_OFTEN]
    anna.device.verifies = True
    assert isinstance(anna.sign_in(), SignedIn), "nobody locks her out with wrong answers in her name"


def test_colleagues_behind_one_address_do_not_lock_each_other_out(office: Office) -> None:
    """Whoever moves money uses a passkey every five minutes, and an office has one address."""
    colleagues = [office.member(f"c{n}@example.com", Role.SUPPORT) for n in range(8)]
    assert len({one.network for one in colleagues}) == 1
    for _ in range(2):
        assert all(isinstance(one.prove_again(), SignedIn) for one in colleagues)
    stranger = Colleague(office, "stranger", network=colleagues[0].network)
    stranger.device.keys["x"] = b"a key"
    assert [stranger.sign_in() for _ in range(11)] == [WhyNotIn.WRONG] * 10 + [WhyNotIn.TOO_OFTEN]
    assert colleagues[0].prove_again() is WhyNotIn.TOO_OFTEN, "none is looked at for a while"


def test_a_session_ends_an_hour_after_it_was_seen_and_twelve_after_it_began(office: Office) -> None:
    anna, clock = office.member("anna@example.com"), office.shop.clock
    began = clock.now()
    while clock.now() - began < 12 * HOUR - 30 * MINUTE:
        wait(office, 30 * MINUTE)
        assert anna.here is not None
    wait(office, 30 * MINUTE)
    assert anna.here is None
    anna.sign_in()
    wait(office, HOUR)
    assert anna.here is None


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(office: Office) -> None:
    anna = office.member("anna@example.com")
    for _ in range(3):
        wait(office, 20 * MINUTE - MILLISECOND)
        assert run(office.identify(anna.visitor, polls=True)) is not None
    wait(office, 20 * MINUTE)
    assert run(office.identify(anna.visitor, polls=True)) is None


def test_a_new_browser_is_told_and_a_known_one_is_not(office: Office) -> None:
    anna = office.member("anna@example.com")
    anna.token = ""
    anna.sign_in()
    assert told(office, "new-browser") == set()
    anna.token, anna.label = "", "Safari on Mac"
    anna.sign_in()
    assert told(office, "new-browser") == {"anna@example.com"}


# ------------------------------------------------------------------ proving it again


def test_what_changes_rights_needs_a_fresh_passkey_and_the_old_token_is_dead_then(office: Office) -> None:
    anna = office.member("anna@example.com")
    wait(office, 5 * MINUTE)
    assert run(office.invite("ben@example.com", Role.VIEWER, actor=anna.actor, form="f1")) == NotAllowed(
        Verdict.PROVE_AGAIN
    )
    stolen = anna.token
    assert isinstance(anna.prove_again(), SignedIn)
    assert isinstance(
        run(office.invite("ben@example.com", Role.VIEWER, actor=anna.actor, form="f2")), Invited
    )
    anna.token = stolen
    assert anna.here is None


def test_another_member_s_passkey_proves_nothing_here(office: Office) -> None:
    anna, ben = office.member("anna@example.com"), office.member("ben@example.com", Role.VIEWER)
    here = anna.here
    assert here is not None
    asked = run(office.sign_in.ask_again(here))
    with pytest.raises(ValueError, match="none"):
        ben.device.get(asked.options)
    forced = asked.options.replace(next(iter(anna.device.keys)), next(iter(ben.device.keys)))
    answer = ben.device.get(forced)
    assert run(office.sign_in.again(here, asked.challenge, answer, visitor=anna.visitor)) is WhyNotIn.WRONG


# ------------------------------------------------------------------ a lost passkey


def test_a_link_of_the_host_lets_an_owner_in_for_an_hour_and_counts_as_fresh_for_a_quarter(
    office: Office,
) -> None:
    office.member("anna@example.com")
    made = run(office.invite.entry("anna@example.com", actor=HOST, form="f1"))
    assert isinstance(made, Invited)
    assert made.kind is StaffLinkKind.ENTRY
    lost = Colleague(office, "anna")
    assert isinstance(lost.use(made), SignedIn)
    wait(office, 15 * MINUTE - MILLISECOND)
    assert lost.actor.fresh
    wait(office, MILLISECOND)
    assert not lost.actor.fresh
    wait(office, 45 * MINUTE)
    assert lost.here is None


def test_a_link_of_the_host_is_good_for_ten_minutes(office: Office) -> None:
    office.member("anna@example.com")
    made = run(office.invite.entry("anna@example.com", actor=HOST, form="f1"))
    assert isinstance(made, Invited)
    wait(office, 10 * MINUTE)
    assert Colleague(office, "anna").use(made) is WhyNotIn.NO_LINK


def test_a_link_without_a_passkey_is_made_on_the_host_alone_and_for_members_alone(office: Office) -> None:
    anna = office.member("anna@example.com")
    refused = run(office.invite.entry("anna@example.com", actor=anna.actor, form="f1"))
    assert refused == NotAllowed(Verdict.WRONG_ROLE)
    assert run(office.invite.entry("ben@example.com", actor=HOST, form="f2")) is WhyNotInvited.NOBODY


# ------------------------------------------------------------------ passkeys of one's own


def test_a_second_passkey_is_asked_for_until_there_are_two_or_one_is_synced(office: Office) -> None:
    assert [wants_passkey(n, synced=s) for n, s in ((1, False), (2, False), (1, True), (3, False))] == [
        True, False, False, False,
    ]  # fmt: skip
    anna = office.member("anna@example.com")
    [row] = run(office.staff())
    assert row.wants_passkey
    assert _add(office, anna) is PasskeyChange.DONE
    [row] = run(office.staff())
    assert not row.wants_passkey


def _add(office: Office, who: Colleague, *, form: str = "") -> object:
    here, another = who.here, Colleague(office, who.email)
    assert here is not None
    asked = run(office.passkeys.ask(here))
    answer = another.device.create(asked.options)
    who.device.keys |= another.device.keys
    return run(
        office.passkeys.add(here, asked.challenge, answer, visitor=who.visitor, form=form or office.form())
    )


def test_the_last_passkey_stays_and_another_s_is_not_one_s_own(office: Office) -> None:
    anna, ben = office.member("anna@example.com"), office.member("ben@example.com")
    [only] = anna.device.keys
    assert run(office.passkeys.remove(anna.visitor, only, form="f1")) is PasskeyChange.LAST
    assert run(office.passkeys.remove(ben.visitor, only, form="f2")) is PasskeyChange.GONE
    _add(office, anna)
    assert run(office.passkeys.remove(anna.visitor, only, form="f3")) is PasskeyChange.DONE
    assert run(office.passkeys.remove(anna.visitor, only, form="f3")) is PasskeyChange.DONE, "the same form"
    del anna.device.keys[only]
    assert isinstance(anna.sign_in(), SignedIn)


def test_a_stolen_cookie_adds_and_removes_no_passkey(office: Office) -> None:
    anna = office.member("anna@example.com")
    _add(office, anna)
    wait(office, 5 * MINUTE)
    refused = NotAllowed(Verdict.PROVE_AGAIN)
    assert _add(office, anna) == refused
    assert run(office.passkeys.remove(anna.visitor, next(iter(anna.device.keys)), form="f9")) == refused
    lines = [line.action.value for line in log(office.shop) if line.result is AuditResult.REFUSED]
    assert sorted(lines) == ["add-passkey", "remove-passkey"]


# ------------------------------------------------------------------ managing others


def test_support_and_viewers_manage_nobody_and_each_try_is_a_line(office: Office) -> None:
    anna = office.member("anna@example.com")
    target = anna.actor.staff
    assert target is not None
    for role in (Role.SUPPORT, Role.VIEWER):
        actor = office.member(f"{role.value}@example.com", role).actor
        outcomes = [
            run(office.invite("x@example.com", Role.OWNER, actor=actor, form=office.form())),
            run(office.manage.set_role(target, Role.VIEWER, actor=actor, form=office.form())),
            run(office.manage.disable(target, actor=actor, form=office.form())),
            run(office.manage.enable(target, actor=actor, form=office.form())),
        ]
        assert outcomes == [NotAllowed(Verdict.WRONG_ROLE)] * 4
        refused = [line for line in log(office.shop) if line.result is AuditResult.REFUSED]
        assert sorted(line.action.value for line in refused if line.actor == actor.name) == [
            "change-role", "disable-staff", "enable-staff", "invite-staff",
        ]  # fmt: skip
    assert anna.here is not None


def test_the_last_owner_stays_one(office: Office) -> None:
    anna = office.member("anna@example.com").actor
    ben = office.member("ben@example.com").actor
    assert anna.staff is not None
    assert ben.staff is not None
    assert run(office.manage.disable(ben.staff, actor=anna, form="f1")) is StaffChange.DONE
    for change in (
        office.manage.set_role(anna.staff, Role.VIEWER, actor=anna, form="f2"),
        office.manage.disable(anna.staff, actor=HOST, form="f3"),
    ):
        assert run(change) is StaffChange.LAST_OWNER
    assert run(office.manage.enable(ben.staff, actor=anna, form="f4")) is StaffChange.DONE
    assert run(office.manage.set_role(anna.staff, Role.SUPPORT, actor=anna, form="f5")) is StaffChange.DONE


def test_an_owner_who_never_joined_is_not_the_one_who_remains(office: Office) -> None:
    anna = office.member("anna@example.com").actor
    ben = office.invitation("ben@example.com", Role.OWNER, actor=anna)
    assert anna.staff is not None
    for change in (
        office.manage.set_role(anna.staff, Role.VIEWER, actor=anna, form="f1"),
        office.manage.disable(anna.staff, actor=anna, form="f2"),
    ):
        assert run(change) is StaffChange.LAST_OWNER
    assert isinstance(Colleague(office, "ben").use(ben), SignedIn)
    assert run(office.manage.disable(anna.staff, actor=anna, form="f3")) is StaffChange.DONE


def test_an_owner_who_came_in_by_a_link_disables_who_never_joined_and_not_whoever_alone_has_a_passkey(
    office: Office,
) -> None:
    anna = office.member("anna@example.com").actor
    cara = office.invitation("cara@example.com", Role.OWNER).member
    ben = office.invitation("ben@example.com", Role.OWNER).member
    entry = run(office.invite.entry("ben@example.com", actor=HOST, form="f1"))
    assert isinstance(entry, Invited)
    came = Colleague(office, "ben")
    assert isinstance(came.use(entry), SignedIn)
    assert anna.staff is not None
    assert run(office.manage.disable(cara.id, actor=came.actor, form="f2")) is StaffChange.DONE
    assert run(office.manage.disable(anna.staff, actor=came.actor, form="f3")) is StaffChange.LAST_OWNER
    assert run(office.manage.disable(anna.staff, actor=HOST, form="f4")) is StaffChange.DONE, "to the rescue"
    assert run(office.manage.disable(ben.id, actor=came.actor, form="f5")) is StaffChange.LAST_OWNER
    assert run(office.manage.disable(ben.id, actor=HOST, form="f6")) is StaffChange.LAST_OWNER


def test_who_is_disabled_is_out_at_once_and_comes_back_with_their_passkeys(office: Office) -> None:
    office.member("anna@example.com")
    ben = office.member("ben@example.com", Role.SUPPORT)
    invited = office.invitation("ben@example.com", Role.SUPPORT)
    member = ben.actor.staff
    assert member is not None
    run(office.manage.disable(member, actor=HOST, form="f1"))
    assert ben.here is None
    assert ben.sign_in() is WhyNotIn.WRONG
    assert Colleague(office, "ben").use(invited) is WhyNotIn.NO_LINK
    run(office.manage.enable(member, actor=HOST, form="f2"))
    assert ben.here is None
    assert isinstance(ben.sign_in(), SignedIn)


@pytest.mark.parametrize("joined", [True, False])
def test_an_open_link_of_somebody_who_is_disabled_lets_nobody_in_even_once_they_are_enabled(
    office: Office, joined: bool
) -> None:
    office.member("anna@example.com")
    if joined:
        office.member("ben@example.com", Role.SUPPORT)
    link = office.invitation("ben@example.com", Role.SUPPORT)
    assert run(office.join.look(link.token)) is not None
    told = {"actor": HOST}
    assert run(office.manage.disable(link.member.id, form="off", **told)) is StaffChange.DONE
    assert run(office.join.look(link.token)) is None
    assert Colleague(office, "ben").use(link) is WhyNotIn.NO_LINK
    assert run(office.manage.enable(link.member.id, form="on", **told)) is StaffChange.DONE
    assert run(office.join.look(link.token)) is None
    assert Colleague(office, "ben").use(link) is WhyNotIn.NO_LINK
    again = office.invitation("ben@example.com", Role.SUPPORT)
    assert isinstance(Colleague(office, "ben").use(again), SignedIn), "an invitation made since does"


@pytest.mark.parametrize("how", ["disabled", "support"])
def test_nobody_comes_in_by_an_invitation_of_somebody_who_may_invite_nobody_any_more(
    office: Office, how: str
) -> None:
    boss, gone = office.member("boss@example.com"), office.member("gone@example.com")
    theirs = office.invitation("friend@example.com", actor=gone.actor)
    again = office.invitation("ben@example.com", actor=gone.actor)
    others = [office.invitation("ben@example.com", actor=boss.actor), office.invitation("host@example.com")]
    who, told = gone.actor.staff, {"actor": boss.actor, "form": office.form()}
    assert who is not None
    change = (
        office.manage.disable(who, **told)
        if how == "disabled"
        else office.manage.set_role(who, Role(how), **told)
    )  # type: ignore[arg-type]  # an actor and a form
    assert run(change) is StaffChange.DONE
    for link in (theirs, again):
        assert Colleague(office, "friend").use(link) is WhyNotIn.NO_LINK
    for link in others:
        assert isinstance(Colleague(office, "invited by others").use(link), SignedIn)


def test_a_new_role_counts_at_once(office: Office) -> None:
    office.member("anna@example.com")
    ben = office.member("ben@example.com", Role.SUPPORT)
    member = ben.actor.staff
    assert member is not None
    assert run(office.manage.set_role(member, Role.VIEWER, actor=HOST, form="f1")) is StaffChange.DONE
    assert ben.actor.role is Role.VIEWER
    assert run(office.manage.set_role(member, Role.VIEWER, actor=HOST, form="f2")) is StaffChange.SAME
    assert run(office.manage.set_role(StaffId("x"), Role.VIEWER, actor=HOST, form="f3")) is StaffChange.NOBODY


def test_one_signs_out_here_elsewhere_or_in_one_browser(office: Office) -> None:
    anna = office.member("anna@example.com")
    others = []
    for label in ("Safari on Mac", "Chrome on Android"):
        other = Colleague(office, "anna", label=label)
        other.device = anna.device
        other.sign_in()
        others.append(other)
    first = others[0].here
    assert first is not None
    assert run(office.sign_out.one(anna.visitor, first.session.id, form="f1"))
    assert [other.here is None for other in others] == [True, False]
    assert run(office.sign_out.others(anna.visitor, form="f2")) == 1
    assert others[1].here is None
    assert anna.here is not None
    assert run(office.sign_out(anna.visitor))
    assert anna.here is None


def test_nobody_ends_another_s_session(office: Office) -> None:
    anna, ben = office.member("anna@example.com"), office.member("ben@example.com")
    here = anna.here
    assert here is not None
    assert not run(office.sign_out.one(ben.visitor, here.session.id, form="f1"))
    assert anna.here is not None


def test_every_change_is_told_to_the_member_and_to_all_owners_and_names_nobody_else(office: Office) -> None:
    office.member("anna@example.com")
    office.member("ben@example.com")
    office.member("cleo@example.com", Role.VIEWER)
    mails = [
        mail
        for mail in office.shop.memory.tables.outbox.values()
        if getattr(mail.email, "event", "") == "joined"
    ]
    told_of = {(mail.to.canonical, getattr(mail.email, "about", "")) for mail in mails}
    assert told_of == {
        ("anna@example.com", ""),
        ("anna@example.com", "b•••@example.com"),
        ("ben@example.com", ""),
        ("anna@example.com", "c•••@example.com"),
        ("ben@example.com", "c•••@example.com"),
        ("cleo@example.com", ""),
    }


# ------------------------------------------------------------------ what staff does to sales


@pytest.mark.parametrize("role", list(Role))
def test_money_and_access_are_moved_by_those_whose_role_allows_it_with_a_fresh_passkey(
    office: Office, role: Role
) -> None:
    shop = office.shop
    anna = Browser(shop)
    anna.buy_and_pay("anna@example.com")
    [purchase] = shop.memory.tables.purchases.values()
    member = office.member("staff@example.com", role)
    wait(office, 5 * MINUTE)

    def asked(actor: Actor) -> list[object]:
        told: dict[str, Any] = {"actor": actor, "reason": "they asked"}
        return [
            run(shop.revoke(purchase.checkout, form="f1", **told)),
            run(shop.restore(purchase.checkout, form="f2", **told)),
            run(shop.request_refund(purchase.checkout, "1.00", form="f3", **told)),
            run(shop.grant_product(PHOTOS, "ben@example.com", form="f4", **told)),
        ]

    before = repr(sorted(shop.memory.tables.facts)), len(shop.memory.tables.purchases)
    stale = asked(member.actor)
    why = Verdict.WRONG_ROLE if role is Role.VIEWER else Verdict.PROVE_AGAIN
    assert stale[0] == NotAllowed(why)
    assert stale[3] == NotAllowed(why)
    assert (repr(sorted(shop.memory.tables.facts)), len(shop.memory.tables.purchases)) == before
    member.prove_again()
    done = [type(outcome).__name__ for outcome in asked(member.actor)]
    assert (
        done
        == {
            Role.OWNER: ["Decided", "Decided", "RefundAsked", "Granted"],
            Role.SUPPORT: ["Decided", "Decided", "NotAllowed", "Granted"],
            Role.VIEWER: ["NotAllowed", "Unchanged", "NotAllowed", "NotAllowed"],
        }[role]
    )


def test_a_link_ends_the_session_that_its_browser_had(office: Office) -> None:
    anna = office.member("anna@example.com")
    before = anna.token
    invited = office.invitation("ben@example.com", Role.VIEWER)
    anna.device = MemoryAuthenticator(origin=BASE_URL)
    assert isinstance(anna.use(invited), SignedIn)
    anna.token = before
    assert anna.here is None, "its cookie is gone, so nobody could end it there any more"
