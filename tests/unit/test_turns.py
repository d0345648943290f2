"""Several nodes have the same timers: whoever comes first does the work, and nobody does it at once again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from domain.ports import StoreUnavailable
from domain.product import Licences
from domain.usecases.own_address import OwnAddress
from domain.values import CheckoutId
from entrypoints.run.address_watch import AddressWatch
from entrypoints.run.timers import Worker
from entrypoints.testing import BASE_URL, BOOK, Shop, a_product, an_edition
from testkit.stepping import run

PAUSE = timedelta(minutes=10)


def node(shop: Shop) -> Worker:
    """One of several on the same database; only what taking turns needs."""
    unused = cast("Any", None)
    return Worker(
        outbox=unused,
        send_refunds=unused,
        act_on_fraud_warnings=unused,
        report_withdrawals=unused,
        reconcile=unused,
        retry=unused,
        recheck_payments=unused,
        supply_licences=shop.supply_licences,
        review_catalogue=shop.review_catalogue,
        send_sales_digest=shop.send_sales_digest,
        sum_days=unused,
        run_uploads=unused,
        link_audit=unused,
        store=shop.store,
        clock=shop.clock,
        catalogue=shop.catalogue,
        goods=unused,
        code_links=unused,
        scrub_what_waits=unused,
        expire_duplicates=unused,
        shared_limits=unused,
        address=AddressWatch(
            OwnAddress(store=shop.store, catalogue=shop.catalogue, base_url=BASE_URL), go_live=shop.go_live
        ),
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


def test_a_new_list_of_licence_keys_is_stocked_again_if_the_store_was_away() -> None:
    shop = Shop(edition=an_edition(a_product(licences=Licences(listed=("key-1",)))))
    worker, store = node(shop), shop.store
    away = replace(worker, supply_licences=replace(shop.supply_licences, store=Away()))
    assert run(away.follow_edition("")) == ""
    assert run(worker.follow_edition("")) == shop.edition.version
    assert run(store.transact(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c1")))) == "key-1"
    assert run(away.follow_edition(shop.edition.version)) == shop.edition.version, (
        "what is stocked is left alone"
    )


def test_under_another_address_lists_of_licence_keys_wait_and_are_stocked_once_it_is_confirmed() -> None:
    """Whoever waited for a key would be emailed."""
    shop = Shop(edition=an_edition(a_product(licences=Licences(listed=("key-1",)))))
    worker = node(shop)
    run(shop.store.transact(lambda tx: tx.shop.open(shop.edition.shop.id)))
    run(shop.store.transact(lambda tx: tx.shop.confirm_address("https://elsewhere.example")))
    run(worker.address.look())
    assert run(worker.follow_edition("")) == ""
    assert run(shop.store.transact(lambda tx: tx.licences.assign(BOOK, checkout=CheckoutId("c1")))) is None
    run(worker.address.confirm())
    assert run(worker.follow_edition("")) == shop.edition.version
    assert run(shop.store.read(lambda tx: tx.shop.base_url())) == BASE_URL


class Away:
    """A store that cannot be reached."""

    async def transact(self, work: object) -> object:
        raise StoreUnavailable("the line broke")

    async def read(self, work: object) -> object:
        raise StoreUnavailable("the line broke")

    async def scrub(self) -> None:
        raise StoreUnavailable("the line broke")
