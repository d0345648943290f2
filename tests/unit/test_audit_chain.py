"""The audit log is a chain: what was changed, added or taken out shows; what is pruned or erased does not break it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from contracts.samples import NOW

from domain.audit import KEPT_FOR, AuditAction, AuditLine, AuditResult, ByHand
from domain.audit_chain import AuditLink, Checkpoint, Flaw
from domain.keys import Keyring
from domain.staff import Actor
from domain.usecases.check_audit import AuditCheck, CheckAudit
from domain.usecases.link_audit import LinkAudit
from domain.usecases.staff_access import SignedIn, WhyNotIn
from domain.values import CheckoutId
from entrypoints.testing import Shop
from entrypoints.testing.office import Colleague, Office
from testkit.by_hand import log
from testkit.stepping import run

HOUR = timedelta(hours=1)
ADA = Actor.on_host("ada")
OLD, NEW = "an older secret, thirty-two characters", "a newer secret of more than 32 characters"


@pytest.fixture
def office() -> Office:
    return Office()


def act(office: Office, number: int, *, reason: str = "") -> AuditLine:
    """Something is done by hand, a minute later."""
    shop = office.shop
    shop.clock.tick(seconds=60)
    asked = ByHand.asked(ADA, form=f"f{number}", now=shop.clock.now(), entropy=shop.randomness.token(26))
    line = asked.line(AuditAction.REVOKE, f"c{number}", reason=reason)
    assert run(shop.store.transact(lambda tx: tx.audit.append(line)))
    return line


def linked(office: Office, count: int = 4) -> list[AuditLine]:
    lines = [act(office, number, reason=f"why {number}") for number in range(1, count + 1)]
    assert run(office.link_audit()) == count
    return lines


def check(office: Office, *, kept: AuditLink | None = None) -> AuditCheck:
    return run(office.check_audit(kept=kept))


def change(office: Office, line: AuditLine, **values: Any) -> None:
    office.shop.memory.tables.audit[line.id] = replace(office.shop.memory.tables.audit[line.id], **values)


def test_lines_are_linked_later_and_the_log_is_whole(office: Office) -> None:
    assert check(office) == AuditCheck(
        lines=0, since=None, newest=None, unlinked=0, unknown=0, broken=None, has_kept=None
    )
    first = act(office, 1, reason="a review")
    act(office, 2)
    assert (check(office).unlinked, check(office).since) == (2, None)
    assert run(office.link_audit()) == 2
    assert run(office.link_audit()) == 0
    act(office, 3)
    found = check(office)
    assert (found.lines, found.since, found.unlinked, found.broken) == (2, first.at, 1, None)
    assert found.is_whole
    assert found.newest is not None
    assert found.newest.sequence == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("form", "f9"), ("at", None), ("actor", "cli:eve"), ("action", AuditAction.RESTORE), ("object_id", "c9"),
        ("result", AuditResult.REFUSED), ("reason_hash", "ab" * 32), ("times", 2),
    ],
)  # fmt: skip
def test_a_changed_line_is_found(office: Office, field: str, value: Any) -> None:
    lines = linked(office)
    change(office, lines[1], **{field: value or lines[1].at + timedelta(microseconds=1)})
    broken = check(office).broken
    assert broken is not None
    assert (broken.flaw, broken.sequence) == (Flaw.CHANGED, 2)


def test_a_changed_reason_or_salt_is_found_and_an_added_one(office: Office) -> None:
    lines = linked(office)
    for values in ({"reason": "why 9"}, {"salt": "00"}):
        change(office, lines[2], **values)
        broken = check(office).broken
        assert broken is not None
        assert (broken.flaw, broken.sequence, broken.at) == (Flaw.REASON, 3, lines[2].at)
        change(office, lines[2], reason=lines[2].reason, salt=lines[2].salt)
        assert check(office).is_whole
    bare = act(office, 5)
    run(office.link_audit())
    change(office, bare, reason="as if there had been one")
    assert check(office).broken is not None


def test_an_erased_reason_leaves_the_chain_whole_and_its_hash_cannot_be_guessed(office: Office) -> None:
    line = linked(office)[0]
    run(
        office.shop.store.transact(lambda tx: tx.erasures.erase_order(CheckoutId(line.object_id), at=line.at))
    )
    left = log(office.shop)[0]
    assert (left.reason, left.salt, left.reason_hash) == ("", "", line.reason_hash)
    assert check(office).is_whole
    other = act(office, 9, reason=line.reason)
    assert other.reason_hash != line.reason_hash, "salted"


def test_a_reason_without_a_salt_is_never_written() -> None:
    short = ByHand.asked(Actor.on_host("ada"), form="f1", now=NOW, entropy=b"x" * 10)
    assert short.line(AuditAction.SIGN_IN, "s1").reason_hash == ""
    with pytest.raises(ValueError, match="salt"):
        short.line(AuditAction.REVOKE, "c1", reason="asked by phone")


def test_a_line_taken_out_or_put_in_is_found(office: Office) -> None:
    lines, tables = linked(office), office.shop.memory.tables
    held, link = tables.audit.pop(lines[1].id), tables.audit_links.pop(lines[1].id)
    broken = check(office).broken
    assert broken is not None
    assert (broken.flaw, broken.sequence) == (Flaw.MISSING, 2)
    tables.audit[held.id], tables.audit_links[held.id] = held, link
    assert check(office).is_whole
    forged = replace(held, id="ff" * 16, form="f9")
    tables.audit[forged.id], tables.audit_links[forged.id] = forged, AuditLink(5, link.signature)
    broken = check(office).broken
    assert broken is not None
    assert (broken.flaw, broken.sequence) == (Flaw.CHANGED, 5)


def test_two_lines_that_changed_places_are_found(office: Office) -> None:
    lines, links = linked(office), office.shop.memory.tables.audit_links
    one, two = lines[1].id, lines[2].id
    links[one], links[two] = links[two], links[one]
    assert check(office).broken is not None


def test_lines_cut_off_at_the_end_show_against_a_link_that_was_kept(office: Office) -> None:
    lines, tables = linked(office), office.shop.memory.tables
    kept = check(office).newest
    assert kept is not None
    act(office, 5)
    run(office.link_audit())
    assert check(office, kept=kept).has_kept is True
    for line in (*lines[3:], log(office.shop)[-1]):
        del tables.audit[line.id], tables.audit_links[line.id]
    assert check(office).is_whole, "nothing here says that there was more"
    found = check(office, kept=kept)
    assert (found.has_kept, found.is_whole) == (False, False)
    act(office, 6)
    run(office.link_audit())
    assert check(office, kept=kept).has_kept is False, "another line has that number now"


def test_a_kept_link_is_written_and_read(office: Office) -> None:
    linked(office)
    kept = check(office).newest
    assert kept is not None
    assert AuditLink.parse(str(kept)) == kept
    for text in ("", "4", f"{kept}0", f"x{kept}", "4.aa.bb"):
        with pytest.raises(ValueError):
            AuditLink.parse(text)


def test_a_rotated_secret_still_verifies_while_it_is_listed() -> None:
    shop = Shop()
    office = Office(shop)

    def with_secrets(*secrets: str) -> tuple[LinkAudit, CheckAudit]:
        keyring = Keyring.of(secrets)
        return (
            LinkAudit(store=shop.store, keyring=keyring, clock=shop.clock, randomness=shop.randomness),
            CheckAudit(store=shop.store, keyring=keyring),
        )

    act(office, 1)
    run(with_secrets(OLD)[0]())
    second = act(office, 2)
    run(with_secrets(NEW, OLD)[0]())
    found = run(with_secrets(NEW, OLD)[1]())
    assert (found.lines, found.unknown, found.broken) == (2, 0, None)
    found = run(with_secrets(NEW)[1]())
    assert (found.lines, found.unknown, found.since, found.broken) == (1, 1, second.at, None)
    broken = run(with_secrets(OLD)[1]()).broken
    assert broken is not None
    assert (broken.flaw, broken.sequence) == (Flaw.UNKNOWN_KEY, 2), "else any line could be excused"
    links = shop.memory.tables.audit_links
    [one, *_] = links
    links[one] = replace(links[one], signature=f"00000000.{'0' * 64}")
    broken = run(with_secrets(NEW)[1]()).broken
    assert broken is not None
    assert broken.flaw is Flaw.CHANGED, "the next line is signed with the name of its key"


def test_old_lines_are_pruned_behind_a_signed_checkpoint(office: Office) -> None:
    lines = linked(office)
    office.shop.clock.tick(seconds=(KEPT_FOR - timedelta(minutes=2)).total_seconds())
    new = act(office, 5)
    kept = check(office).newest
    assert run(office.link_audit()) == 1
    assert [line.id for line in log(office.shop)] == [lines[2].id, lines[3].id, new.id]
    found = check(office, kept=kept)
    assert (found.lines, found.since, found.is_whole, found.has_kept) == (3, lines[2].at, True, True)
    checkpoint = office.shop.memory.tables.audit_checkpoint[1]
    assert (checkpoint.link.sequence, checkpoint.at) == (2, lines[1].at)


def test_a_checkpoint_cannot_be_made_up_to_hide_lines(office: Office) -> None:
    lines, tables = linked(office), office.shop.memory.tables
    office.shop.clock.tick(seconds=(KEPT_FOR - timedelta(minutes=2)).total_seconds())
    run(office.link_audit())
    honest = tables.audit_checkpoint[1]
    link = tables.audit_links[lines[3].id]
    for forged in (
        replace(honest, link=AuditLink(link.sequence - 1, tables.audit_links[lines[2].id].signature)),
        replace(honest, at=honest.at + timedelta(days=1)),
        replace(honest, signature=honest.signature[:-1] + ("0" if honest.signature[-1] != "0" else "1")),
        replace(honest, signature=f"00000000.{'0' * 64}"),
    ):
        tables.audit_checkpoint[1] = forged
        broken = check(office).broken
        assert broken is not None
        assert broken.flaw is Flaw.CHECKPOINT
    del tables.audit_checkpoint[1]
    broken = check(office).broken
    assert broken is not None
    assert broken.flaw is Flaw.MISSING
    tables.audit_checkpoint[1] = honest
    assert check(office).is_whole


def test_a_checkpoint_hides_nothing_behind_a_secret_that_nobody_has(office: Office) -> None:
    """Lines are taken out, and a checkpoint in their place names a secret as if it had been taken out since."""
    lines, tables = linked(office), office.shop.memory.tables
    hidden = tables.audit_links[lines[1].id]
    made_up = Checkpoint(link=hidden, at=lines[1].at, signature=f"00000000.{'0' * 64}")
    run(office.shop.store.transact(lambda tx: tx.audit_chain.prune(made_up)))
    broken = check(office).broken
    assert broken is not None
    assert (broken.flaw, broken.sequence) == (Flaw.CHECKPOINT, 2)


def test_a_checkpoint_whose_secret_was_taken_out_is_no_flaw_where_the_lines_behind_it_have_none() -> None:
    shop = Shop()
    office = Office(shop)
    old, new = Keyring.of((OLD,)), Keyring.of((NEW,))
    parts = {"store": shop.store, "clock": shop.clock, "randomness": shop.randomness}
    for number in (1, 2):
        shop.clock.tick(hours=1)
        act(office, number)
    run(LinkAudit(keyring=old, **parts)())  # type: ignore[arg-type]
    shop.clock.tick(seconds=(KEPT_FOR - timedelta(minutes=30)).total_seconds())
    run(LinkAudit(keyring=old, **parts)())  # type: ignore[arg-type]
    act(office, 3)
    run(LinkAudit(keyring=new, **parts)())  # type: ignore[arg-type]
    found = run(CheckAudit(store=shop.store, keyring=new)())
    assert (found.lines, found.unknown, found.broken) == (1, 1, None)


def test_numbers_go_on_when_all_lines_were_pruned(office: Office) -> None:
    linked(office)
    office.shop.clock.tick(seconds=(KEPT_FOR + HOUR).total_seconds())
    run(office.link_audit())
    assert log(office.shop) == []
    assert check(office).newest is not None
    act(office, 9)
    run(office.link_audit())
    found = check(office)
    assert found.newest is not None
    assert (found.newest.sequence, found.lines, found.is_whole) == (5, 1, True)


# ------------------------------------------------------------------ refused sign-ins


def test_refused_sign_ins_are_one_line_for_each_network_and_hour(office: Office) -> None:
    anna, strangers = office.member("anna@example.com"), [Colleague(office, "x"), Colleague(office, "y")]
    strangers[1].network = "198.51.100.9"
    for who, tries in ((strangers[0], 12), (strangers[1], 1)):
        for _ in range(tries):
            asked = office.sign_in.ask()
            assert isinstance(run(office.sign_in(asked.challenge, "{}", visitor=who.visitor)), WhyNotIn)
    run(office.link_audit())
    assert not any(line.result is AuditResult.REFUSED for line in log(office.shop)), "the hour goes on"
    office.shop.clock.tick(seconds=HOUR.total_seconds())
    run(office.link_audit())
    run(office.link_audit())
    refused = [line for line in log(office.shop) if line.result is AuditResult.REFUSED]
    assert sorted(line.times for line in refused) == [1, 12]
    assert {line.action for line in refused} == {AuditAction.SIGN_IN}
    assert len({line.actor for line in refused}) == 2
    assert "198.51.100" not in repr(refused), "a network is named by a keyed hash"
    assert check(office).is_whole
    assert isinstance(anna.sign_in(), SignedIn)


def test_whoever_has_many_addresses_is_one_line_an_hour_all_the_same(office: Office) -> None:
    """An IPv6 /48 has 65,536 of the networks by which limits are counted, and the log keeps its lines for two years."""
    for number in range(20):
        stranger = Colleague(office, "x")
        stranger.network = f"2001:db8:1:{number:x}::/64" if number % 2 else f"198.51.100.{number}"
        run(office.sign_in(office.sign_in.ask().challenge, "{}", visitor=stranger.visitor))
    office.shop.clock.tick(seconds=HOUR.total_seconds())
    run(office.link_audit())
    assert [line.times for line in log(office.shop) if line.result is AuditResult.REFUSED] == [10, 10]


def test_a_wrong_link_for_staff_is_counted_too(office: Office) -> None:
    invited = office.invitation("anna@example.com")
    thief = Colleague(office, "thief")
    assert run(office.join("no such token", "", "", visitor=thief.visitor)) is WhyNotIn.NO_LINK
    assert run(office.join(invited.token, "", "", visitor=thief.visitor)) is WhyNotIn.TOO_LATE
    office.shop.clock.tick(seconds=HOUR.total_seconds())
    run(office.link_audit())
    [line] = [line for line in log(office.shop) if line.result is AuditResult.REFUSED]
    assert (line.times, line.object_id, line.actor.partition(":")[0]) == (2, "", "network")
