"""Several nodes have the same timers: whoever comes first does the work, and nobody does it at once again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from entrypoints.worker import Worker
from support.shop import Shop
from support.stepping import run

PAUSE = timedelta(minutes=10)


def node(shop: Shop) -> Worker:
    """One of several on the same books; only what taking turns needs."""
    unused = cast("Any", None)
    return Worker(
        deliver=unused,
        reconcile=unused,
        read_payments=unused,
        supply_licences=unused,
        store=shop.store,
        clock=shop.clock,
        catalogue=unused,
        refresh_catalogue=unused,
        prune_goods=unused,
        alone=False,
    )


def test_of_several_nodes_one_has_the_turn() -> None:
    shop = Shop()
    nodes = [node(shop) for _ in range(3)]
    assert [run(one.our_turn("reconcile", pause=PAUSE)) for one in nodes] == [True, False, False]


def test_the_turn_comes_back_at_every_pause_and_to_another_node_when_its_holder_is_gone() -> None:
    shop = Shop()
    first, second = node(shop), node(shop)
    assert run(first.our_turn("reconcile", pause=PAUSE))
    shop.clock.tick(minutes=4)
    assert not run(second.our_turn("reconcile", pause=PAUSE)), (
        "its own timer is at another point of the pause"
    )
    shop.clock.tick(minutes=6)
    assert run(first.our_turn("reconcile", pause=PAUSE))
    shop.clock.tick(minutes=10)
    assert run(second.our_turn("reconcile", pause=PAUSE)), "the first one did not come"


def test_each_timer_has_turns_of_its_own() -> None:
    shop = Shop()
    assert run(node(shop).our_turn("reconcile", pause=PAUSE))
    assert run(node(shop).our_turn("prune", pause=PAUSE))
