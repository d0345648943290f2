"""Values: frozen in every respect, and created as mutable ones are."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Generic, TypeVar

import pytest

from domain.frozen import frozen, maker


@frozen
class Coat:
    hook: int
    colour: str = "grey"
    pockets: list[str] = field(default_factory=list)
    note: str = field(default="", compare=False, repr=False)


@frozen
class Ticket:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("below 0")


def test_no_field_can_be_set_deleted_or_added() -> None:
    coat = Coat(1)
    with pytest.raises(FrozenInstanceError):
        coat.hook = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del coat.hook
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        coat.sleeves = 2  # type: ignore[attr-defined]
    assert not hasattr(coat, "__dict__")
    assert (type(coat), coat.hook) == (Coat, 1)


def test_arguments_are_taken_by_place_and_name_with_defaults_and_refused_by_name() -> None:
    assert Coat(1, colour="red") == Coat(hook=1, colour="red", pockets=[])
    assert Coat(1).pockets is not Coat(1).pockets
    with pytest.raises(TypeError, match="hook"):
        Coat()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="sleeves"):
        Coat(1, sleeves=2)  # type: ignore[call-arg]


def test_a_value_compares_shows_copies_and_hashes_as_a_dataclass_does() -> None:
    coat = Coat(1, note="torn")
    assert coat == Coat(1)
    assert coat != Coat(2)
    assert repr(coat) == "Coat(hook=1, colour='grey', pockets=[])"
    assert replace(coat, hook=3) == Coat(3)
    assert copy.deepcopy(coat) == coat
    assert pickle.loads(pickle.dumps(coat)).note == "torn"
    assert [one.name for one in fields(Coat)] == ["hook", "colour", "pockets", "note"]
    assert len({Ticket(1), Ticket(1), Ticket(2)}) == 2
    match coat:
        case Coat(hook, colour):
            assert (hook, colour) == (1, "grey")


T = TypeVar("T")


@frozen
class Parcel(Generic[T]):
    inside: T


class Cloak(Coat):
    """A subclass whose objects have a layout of their own, as fakes in tests do."""


@frozen
class Numbered(Ticket):
    row: str


def test_a_subclass_is_created_and_frozen_too() -> None:
    cloak = Cloak(1, pockets=["left"])
    assert (type(cloak), cloak.hook, cloak.pockets) == (Cloak, 1, ["left"])
    with pytest.raises(FrozenInstanceError):
        cloak.hook = 2  # type: ignore[misc]
    numbered = Numbered(1, "A")
    assert (type(numbered), numbered.number, numbered.row) == (Numbered, 1, "A")
    with pytest.raises(ValueError, match="below 0"):
        Numbered(-1, "A")


def test_what_is_checked_after_the_fields_are_written_sees_a_frozen_value() -> None:
    with pytest.raises(ValueError, match="below 0"):
        Ticket(-1)
    assert Ticket(0).number == 0


def test_a_maker_creates_what_the_class_creates() -> None:
    make = maker(Coat)
    coat = make(1, colour="red")
    assert coat == Coat(1, colour="red")
    assert (type(coat), hash(maker(Ticket)(7))) == (Coat, hash(Ticket(7)))
    assert maker(Parcel)(inside=7) == Parcel(7)
    assert make(hook=1).pockets is not make(hook=1).pockets
    with pytest.raises(FrozenInstanceError):
        coat.hook = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="hook"):
        make()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="sleeves"):
        make(1, sleeves=2)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="below 0"):
        maker(Ticket)(-1)
    assert pickle.loads(pickle.dumps(make(1, note="torn"))).note == "torn"
    assert replace(make(1), hook=3) == Coat(3)


def test_a_maker_of_a_class_with_a_base_writes_and_checks_the_fields_of_both() -> None:
    make = maker(Numbered)
    assert make(1, row="A") == Numbered(1, "A")
    assert type(make(1, row="A")) is Numbered
    with pytest.raises(ValueError, match="below 0"):
        make(-1, "A")


def test_there_is_no_maker_of_a_class_that_is_not_frozen() -> None:
    with pytest.raises(KeyError):
        maker(Cloak)
