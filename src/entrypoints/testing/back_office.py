"""What the back office reads and does, for the shop in memory."""

from __future__ import annotations

from functools import cached_property

from adapters.memory.catalogue import MemoryCatalogue
from adapters.memory.payments import MemoryPayments
from domain.keys import Keyring
from domain.ports import EmailTemplates, Randomness, Store
from domain.usecases.announce import Announce
from domain.usecases.check_first_days import CheckFirstDays
from domain.usecases.compare_with_provider import CompareWithProvider
from domain.usecases.decide_withdrawal import DecideWithdrawal
from domain.usecases.find_sales import FindSales
from domain.usecases.hand_over_data import HandOverData
from domain.usecases.list_customers import ListCustomers
from domain.usecases.list_emails import ListEmails
from domain.usecases.list_news import ListNews
from domain.usecases.list_products import ListProducts
from domain.usecases.list_sales import ListSales
from domain.usecases.list_todo import ListTodo
from domain.usecases.list_withdrawals import ListWithdrawals
from domain.usecases.look_at_release import LookAtRelease, TryAnnouncement
from domain.usecases.report_withdrawals import ReportWithdrawals
from domain.usecases.request_refund import RequestRefund
from domain.usecases.restore_purchase import RestorePurchase
from domain.usecases.review_catalogue import ReviewCatalogue
from domain.usecases.revoke_purchase import RevokePurchase
from domain.usecases.show_customer import ShowCustomer
from domain.usecases.show_figures import ShowFigures
from domain.usecases.show_person import ShowPerson
from domain.usecases.show_sale import ShowSale
from domain.usecases.sum_days import SumDays
from entrypoints.testing.fakes import BASE_URL, HandClock


class BackOffice:
    """A part of `Shop`, which has the adapters."""

    store: Store
    payments: MemoryPayments
    catalogue: MemoryCatalogue
    clock: HandClock
    randomness: Randomness
    keyring: Keyring
    templates: EmailTemplates

    @cached_property
    def announce(self) -> Announce:
        return Announce(
            store=self.store, catalogue=self.catalogue, keyring=self.keyring, clock=self.clock,
            randomness=self.randomness,
        )  # fmt: skip

    @cached_property
    def look_at_release(self) -> LookAtRelease:
        return LookAtRelease(
            store=self.store, catalogue=self.catalogue, templates=self.templates, base_url=BASE_URL
        )

    @cached_property
    def try_announcement(self) -> TryAnnouncement:
        return TryAnnouncement(
            store=self.store, catalogue=self.catalogue, clock=self.clock, randomness=self.randomness
        )

    @cached_property
    def review_catalogue(self) -> ReviewCatalogue:
        return ReviewCatalogue(store=self.store, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def list_sales(self) -> ListSales:
        return ListSales(store=self.store)

    @cached_property
    def find_sales(self) -> FindSales:
        return FindSales(store=self.store)

    @cached_property
    def show_sale(self) -> ShowSale:
        return ShowSale(store=self.store, clock=self.clock)

    @cached_property
    def list_customers(self) -> ListCustomers:
        return ListCustomers(store=self.store)

    @cached_property
    def hand_over_data(self) -> HandOverData:
        return HandOverData(store=self.store, clock=self.clock, randomness=self.randomness)

    @cached_property
    def show_person(self) -> ShowPerson:
        return ShowPerson(store=self.store, clock=self.clock)

    @cached_property
    def sum_days(self) -> SumDays:
        return SumDays(store=self.store, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def show_figures(self) -> ShowFigures:
        return ShowFigures(
            store=self.store, catalogue=self.catalogue, clock=self.clock, sum_days=self.sum_days
        )

    @cached_property
    def list_news(self) -> ListNews:
        return ListNews(store=self.store)

    @cached_property
    def check_first_days(self) -> CheckFirstDays:
        return CheckFirstDays(store=self.store, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def list_emails(self) -> ListEmails:
        return ListEmails(store=self.store, clock=self.clock)

    @cached_property
    def compare_with_provider(self) -> CompareWithProvider:
        return CompareWithProvider(store=self.store, clock=self.clock)

    @cached_property
    def list_products(self) -> ListProducts:
        return ListProducts(
            store=self.store, catalogue=self.catalogue, clock=self.clock, sum_days=self.sum_days,
            review_catalogue=self.review_catalogue,
        )  # fmt: skip

    @cached_property
    def list_todo(self) -> ListTodo:
        return ListTodo(store=self.store, catalogue=self.catalogue, clock=self.clock)

    @cached_property
    def list_withdrawals(self) -> ListWithdrawals:
        return ListWithdrawals(store=self.store)

    @cached_property
    def decide_withdrawal(self) -> DecideWithdrawal:
        return DecideWithdrawal(
            store=self.store, payments=self.payments, catalogue=self.catalogue, clock=self.clock,
            randomness=self.randomness,
        )  # fmt: skip

    @cached_property
    def report_withdrawals(self) -> ReportWithdrawals:
        return ReportWithdrawals(
            store=self.store, catalogue=self.catalogue, clock=self.clock, decide=self.decide_withdrawal
        )

    @cached_property
    def request_refund(self) -> RequestRefund:
        return RequestRefund(
            store=self.store,
            payments=self.payments,
            catalogue=self.catalogue,
            clock=self.clock,
            randomness=self.randomness,
        )

    @cached_property
    def revoke(self) -> RevokePurchase:
        return RevokePurchase(store=self.store, clock=self.clock, randomness=self.randomness)

    @cached_property
    def restore(self) -> RestorePurchase:
        return RestorePurchase(store=self.store, clock=self.clock, randomness=self.randomness)

    @cached_property
    def show_customer(self) -> ShowCustomer:
        return ShowCustomer(store=self.store, clock=self.clock)
