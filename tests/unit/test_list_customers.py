"""The list of customers, a page at a time, and one of them by id."""

from __future__ import annotations

from domain.access import NotYours, Opens
from domain.audit import AuditAction, AuditResult
from domain.customer_list import CustomerFilter, CustomerOrder
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor, Role, StaffId
from domain.usecases.list_customers import CustomersPage
from domain.usecases.own_data import OwnData
from domain.usecases.sign_out_customer import NoSuchCustomer
from domain.values import ProductId, UserId
from entrypoints.testing import BOOK, Browser, Shop
from testkit.by_hand import CLI, log
from testkit.stepping import run


def a_shop(buyers: int) -> Shop:
    shop = Shop()
    for number in range(buyers):
        shop.clock.tick(seconds=1)
        Browser(shop).buy_and_pay(f"c{number:03}@example.com")
    return shop


def names(page: CustomersPage) -> list[int]:
    return [int(row.user.mailbox.canonical[1:4]) for row in page.rows]


def test_a_page_leads_to_the_older_customers_and_back_again() -> None:
    shop = a_shop(120)
    first = run(shop.list_customers(CustomerFilter()))
    assert (names(first), first.before, first.stopped) == (list(range(119, 69, -1)), None, False)
    second = run(shop.list_customers(CustomerFilter(), after=first.after))
    third = run(shop.list_customers(CustomerFilter(), after=second.after))
    assert (names(second), names(third)) == (list(range(69, 19, -1)), list(range(19, -1, -1)))
    assert third.after is None
    again = run(shop.list_customers(CustomerFilter(), before=third.before))
    assert names(again) == names(second)
    assert run(shop.list_customers(CustomerFilter(), after=again.after)).rows == third.rows
    start = run(shop.list_customers(CustomerFilter(), before=again.before))
    assert (start.rows, start.before) == (first.rows, None)


def test_every_order_leads_through_all_pages_and_back_again() -> None:
    shop = a_shop(120)
    up, down = list(range(120)), list(range(119, -1, -1))
    for order, listed in (
        (CustomerOrder.OLDEST, up), (CustomerOrder.A_TO_Z, up), (CustomerOrder.Z_TO_A, down),
    ):  # fmt: skip
        pages = [run(shop.list_customers(CustomerFilter(), order=order))]
        while pages[-1].after is not None:
            pages.append(run(shop.list_customers(CustomerFilter(), order=order, after=pages[-1].after)))
        assert [names(page) for page in pages] == [listed[:50], listed[50:100], listed[100:]]
        second = run(shop.list_customers(CustomerFilter(), order=order, before=pages[2].before))
        assert names(second) == listed[50:100]
        first = run(shop.list_customers(CustomerFilter(), order=order, before=second.before))
        assert (names(first), first.before) == (listed[:50], None)


def test_what_is_ahead_of_an_early_page_fills_the_first_one() -> None:
    shop = a_shop(60)
    tenth = run(shop.list_customers(CustomerFilter())).rows[10].user.id
    page = run(shop.list_customers(CustomerFilter(), before=tenth))
    assert (len(page.rows), page.before) == (50, None)


def test_a_customer_is_shown_by_id_and_an_unknown_one_is_none() -> None:
    shop = a_shop(1)
    [row] = run(shop.list_customers(CustomerFilter())).rows
    person = run(shop.show_person.of_user(row.user.id, product=ProductId("zine")))
    assert person is not None
    assert person.customer.mailbox == row.user.mailbox
    assert [(one.product, type(one.access)) for one in person.access] == [(BOOK, Opens), ("zine", NotYours)]
    assert run(shop.show_person.of_user(UserId("0" * 32))) is None


def test_each_time_that_the_data_of_a_customer_is_handed_over_is_a_line() -> None:
    shop = a_shop(1)
    [row] = run(shop.list_customers(CustomerFilter())).rows
    viewer = Actor("staff:s1", role=Role.VIEWER, fresh=True, staff=StaffId("s1"))
    refused = run(shop.hand_over_data(row.user.id, actor=viewer, form="a"))
    assert refused == NotAllowed(Verdict.WRONG_ROLE)
    for _ in range(2):
        own = run(shop.hand_over_data(row.user.id, actor=CLI, form="b"))
        assert isinstance(own, OwnData)
        assert (own.mailbox, len(own.holdings)) == (row.user.mailbox, 1)
    assert run(shop.hand_over_data("nobody", actor=CLI, form="c")) == NoSuchCustomer()
    lines = [(line.action, line.result) for line in log(shop)]
    assert sorted(lines, key=str) == [
        (AuditAction.HAND_OVER_DATA, AuditResult.DONE),
        (AuditAction.HAND_OVER_DATA, AuditResult.DONE),
        (AuditAction.HAND_OVER_DATA, AuditResult.REFUSED),
    ]
