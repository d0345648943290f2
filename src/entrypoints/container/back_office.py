"""The pages of the back office, with the use cases that each asks."""

from __future__ import annotations

from dependency_injector import providers
from dependency_injector.providers import Singleton

from entrypoints import choices
from entrypoints.admin.announcing import AnnouncePages
from entrypoints.admin.cookie import AdminCookie
from entrypoints.admin.customer import CustomerPages
from entrypoints.admin.customer_actions import CustomerActionPages
from entrypoints.admin.customers import CustomersPages
from entrypoints.admin.desk import Desk
from entrypoints.admin.doctor import DoctorPages
from entrypoints.admin.emails import EmailPages
from entrypoints.admin.exports import ExportPages
from entrypoints.admin.frame import AdminFrame, admin_pages
from entrypoints.admin.home import HomePages
from entrypoints.admin.imports import ImportPages
from entrypoints.admin.people import PeoplePages
from entrypoints.admin.product_page import ProductPages
from entrypoints.admin.products import ProductsPages
from entrypoints.admin.provider import LastSweep, ProviderPages
from entrypoints.admin.refund_right import RefundRight
from entrypoints.admin.sale import SalePages
from entrypoints.admin.sale_actions import SaleActionPages
from entrypoints.admin.sales import SalesPages
from entrypoints.admin.search import SearchPages
from entrypoints.admin.settings_page import SettingsPages
from entrypoints.admin.signing_in import SigningInPages
from entrypoints.admin.todo import TodoPages
from entrypoints.admin.waiting import Waiting
from entrypoints.admin.withdrawals import WithdrawalsPages
from entrypoints.container.adapters import Adapters
from entrypoints.container.use_cases import UseCases
from entrypoints.sale_names import SaleNames


class BackOffice(UseCases):
    """Every page family of `/admin`."""

    admin_frame = Singleton(
        AdminFrame,
        pages=Singleton(admin_pages),
        cookie=Singleton(AdminCookie, https=Adapters.settings.provided.https),
        identify=UseCases.identify_staff,
        sign_in=UseCases.sign_in_staff,
        catalogue=Adapters.catalogue,
        clock=Adapters.clock,
        randomness=Adapters.randomness,
        url=Adapters.settings.provided.admin_url,
        waiting=Singleton(Waiting, list_todo=UseCases.list_todo, clock=Adapters.clock),
    )
    signing_in_pages = Singleton(
        SigningInPages,
        frame=admin_frame,
        sign_in=UseCases.sign_in_staff,
        join=UseCases.join_staff,
        sign_out=UseCases.sign_out_staff,
    )
    people_pages = Singleton(
        PeoplePages,
        frame=admin_frame,
        list_staff=UseCases.list_staff,
        invite=UseCases.invite_staff,
        manage=UseCases.manage_staff,
        passkeys=UseCases.manage_passkeys,
        sign_out=UseCases.sign_out_staff,
        list_audit=UseCases.list_audit,
    )
    sale_names = Singleton(SaleNames, find=UseCases.find_sales, code_links=UseCases.code_links)
    export_pages = Singleton(
        ExportPages,
        frame=admin_frame,
        export=UseCases.export_list,
        names=sale_names,
        list_sales=UseCases.list_sales,
        livemode=Adapters.payments.provided.livemode,
    )
    home_pages = Singleton(
        HomePages,
        frame=admin_frame,
        show_figures=UseCases.show_figures,
        list_news=UseCases.list_news,
        check_first_days=UseCases.check_first_days,
        list_staff=UseCases.list_staff,
        shop_url=UseCases.base_url,
        livemode=Adapters.payments.provided.livemode,
        copies_itself=providers.Callable(choices.serves_alone, Adapters.settings),
    )

    dashboard = providers.Callable(choices.dashboard, Adapters.payments)
    todo_pages = Singleton(
        TodoPages, frame=admin_frame, report_status=UseCases.report_status, dashboard=dashboard
    )
    provider_pages = Singleton(
        ProviderPages,
        frame=admin_frame,
        compare=UseCases.compare_with_provider,
        ask=UseCases.ask_provider,
        report_status=UseCases.report_status,
        livemode=Adapters.payments.provided.livemode,
        last=Singleton(LastSweep),
    )
    email_pages = Singleton(
        EmailPages,
        frame=admin_frame,
        list_emails=UseCases.list_emails,
        report_status=UseCases.report_status,
        send_refused=UseCases.send_refused,
    )

    withdrawals_pages = Singleton(
        WithdrawalsPages,
        frame=admin_frame,
        list_withdrawals=UseCases.list_withdrawals,
        decide=UseCases.decide_withdrawal,
    )
    import_pages = Singleton(
        ImportPages,
        frame=admin_frame,
        receive=UseCases.receive_upload,
        uploads=UseCases.manage_uploads,
        catalogue=Adapters.catalogue,
        clock=Adapters.clock,
    )

    desk = Singleton(Desk, frame=admin_frame, ask_right=UseCases.ask_right)
    sale_action_pages = Singleton(
        SaleActionPages,
        desk=desk,
        look=UseCases.look_at_sale,
        look_at_decision=UseCases.look_at_decision,
        may_refund=Singleton(RefundRight, Adapters.account.provider),
        request_refund=UseCases.request_refund,
        revoke=UseCases.revoke_purchase,
        restore=UseCases.restore_purchase,
        resend=UseCases.resend_to_customer,
        correct=UseCases.correct_address,
        replace=UseCases.replace_key,
        note=UseCases.write_note,
    )
    customer_action_pages = Singleton(
        CustomerActionPages,
        desk=desk,
        look=UseCases.look_at_customer,
        correct=UseCases.correct_address,
        merge=UseCases.merge_customers,
        sign_out=UseCases.sign_out_customer,
        erase=UseCases.erase_customer,
        grant=UseCases.grant_product,
        book=UseCases.book_payment,
    )

    sales_pages = Singleton(
        SalesPages,
        frame=admin_frame,
        list_sales=UseCases.list_sales,
        names=sale_names,
        clock=Adapters.clock,
        livemode=Adapters.payments.provided.livemode,
        shop_url=UseCases.base_url,
    )
    search_pages = Singleton(
        SearchPages,
        frame=admin_frame,
        find=UseCases.find_sales,
        clock=Adapters.clock,
        livemode=Adapters.payments.provided.livemode,
    )
    sale_pages = Singleton(
        SalePages,
        frame=admin_frame,
        show=UseCases.show_sale,
        find=UseCases.find_sales,
        list_staff=UseCases.list_staff,
        clock=Adapters.clock,
        livemode=Adapters.payments.provided.livemode,
    )
    customers_pages = Singleton(
        CustomersPages,
        frame=admin_frame,
        list_customers=UseCases.list_customers,
        clock=Adapters.clock,
        livemode=Adapters.payments.provided.livemode,
        shop_url=UseCases.base_url,
    )
    customer_pages = Singleton(
        CustomerPages,
        frame=admin_frame,
        show=UseCases.show_person,
        hand_over=UseCases.hand_over_data,
        list_staff=UseCases.list_staff,
        livemode=Adapters.payments.provided.livemode,
    )
    products_pages = Singleton(
        ProductsPages,
        frame=admin_frame,
        list_products=UseCases.list_products,
        catalogue=Adapters.catalogue,
        folder=Adapters.settings.provided.catalogue,
    )
    product_pages = Singleton(
        ProductPages,
        frame=admin_frame,
        list_products=UseCases.list_products,
        folder=Adapters.settings.provided.catalogue,
        shop_url=UseCases.base_url,
    )
    announce_pages = Singleton(
        AnnouncePages,
        desk=desk,
        look=UseCases.look_at_release,
        announce=UseCases.announce,
        attempt=UseCases.try_announcement,
    )
    doctor_pages = Singleton(
        DoctorPages, frame=admin_frame, environment=Adapters.settings.provided.environment
    )
    settings_pages = Singleton(
        SettingsPages, frame=admin_frame, settings=Adapters.settings, keyring=UseCases.keyring
    )

    admin_families = providers.List(
        signing_in_pages,
        people_pages,
        export_pages,
        home_pages,
        todo_pages,
        provider_pages,
        email_pages,
        import_pages,
        withdrawals_pages,
        sale_action_pages,
        customer_action_pages,
        sales_pages,
        search_pages,
        sale_pages,
        customers_pages,
        customer_pages,
        products_pages,
        product_pages,
        announce_pages,
        doctor_pages,
        settings_pages,
    )
