"""The composition root: every part of the shop, and where to swap it. Port and adapter meet here.

`adapters` has the settings and the adapters, `use_cases` what the shop does with them; here are the pages, and the
application that holds them. To swap a part, pass another:
`Container(settings=…, mailer=MyMailer(…))`; see docs/adapters.md.
"""

from __future__ import annotations

from dependency_injector import providers
from dependency_injector.providers import Singleton

from domain.usecases.payment_address import ListPaymentAddresses
from entrypoints import choices
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
from entrypoints.container.adapters import Adapters
from entrypoints.container.use_cases import UseCases
from entrypoints.http.account import AccountPages
from entrypoints.http.app import Frontage, build_app
from entrypoints.http.checkout import CheckoutPages
from entrypoints.http.cookies import Cookies
from entrypoints.http.errors import ErrorPages
from entrypoints.http.files import FilePages
from entrypoints.http.health import HealthPages, Leaving, MetricsPage
from entrypoints.http.library import LibraryPages
from entrypoints.http.orders import OrderPages
from entrypoints.http.page import PageFrame, Pages
from entrypoints.http.payment_details import KnownDetails
from entrypoints.http.preview import PreviewPages
from entrypoints.http.purchase_page import PurchasePages
from entrypoints.http.share import SharePages
from entrypoints.http.shop import ShopPages
from entrypoints.http.signin import SigninPages
from entrypoints.http.webhooks import EmailWebhook, PaymentWebhook
from entrypoints.run.metrics import CountedEvents
from entrypoints.run.outbox_worker import OutboxWorker
from entrypoints.run.timers import Worker
from entrypoints.run.tracing import start_traces, telling


class Container(UseCases):
    """Every part is built once, on first use."""

    # ------------------------------------------------------------------ pages
    banner = providers.Callable(choices.test_banner, Adapters.settings, Adapters.payments)
    cookies = Singleton(Cookies, https=Adapters.settings.provided.https, host=Adapters.settings.provided.host)
    pages = Singleton(Pages)
    frame = Singleton(
        PageFrame,
        pages=pages,
        catalogue=Adapters.catalogue,
        cookies=cookies,
        identify_viewer=UseCases.identify_viewer,
        base_url=UseCases.base_url,
        banner=banner,
    )
    problems = Singleton(ErrorPages, frame)
    shop_pages = Singleton(
        ShopPages,
        frame=frame,
        sold_out=UseCases.check_stock,
        list_pending=UseCases.list_pending,
        code_links=UseCases.code_links,
        clock=Adapters.clock,
    )
    preview_pages = Singleton(
        PreviewPages, frame=frame, shop=shop_pages, preview_product=UseCases.preview_product
    )
    share_pages = Singleton(SharePages, frame=frame, painter=Adapters.painter)
    checkout_pages = Singleton(
        CheckoutPages,
        frame=frame,
        shop=shop_pages,
        start_checkout=UseCases.start_checkout,
        order_free=UseCases.order_free,
        clock=Adapters.clock,
    )
    purchase_pages = Singleton(
        PurchasePages,
        frame=frame,
        return_from_payment=UseCases.return_from_payment,
        open_purchase=UseCases.open_purchase,
    )
    file_pages = Singleton(FilePages, frame=frame, fetch_file=UseCases.fetch_file)
    order_pages = Singleton(
        OrderPages,
        frame=frame,
        show_receipt=UseCases.show_receipt,
        resend_access_link=UseCases.resend_access_link,
        change_address=UseCases.change_address,
        details=Singleton(KnownDetails, UseCases.show_receipt),
        clock=Adapters.clock,
    )
    account_pages = Singleton(
        AccountPages,
        frame=frame,
        own_data=UseCases.own_data,
        change_address=UseCases.change_address,
        email_preferences=UseCases.email_preferences,
        erase_me=UseCases.erase_me,
        clock=Adapters.clock,
    )
    payment_webhook = Singleton(
        PaymentWebhook,
        hear=Singleton(CountedEvents, UseCases.handle_payment_webhook, UseCases.meter),
        signature_header=Adapters.payments.provided.signature_header,
    )
    email_webhook = Singleton(EmailWebhook, hear=UseCases.handle_email_webhook)
    signin_pages = Singleton(
        SigninPages,
        frame=frame,
        request_login=UseCases.request_login,
        redeem=UseCases.redeem_link,
        sign_out=UseCases.sign_out,
        clock=Adapters.clock,
        randomness=Adapters.randomness,
    )
    library_pages = Singleton(
        LibraryPages,
        frame=frame,
        list_bounced_emails=UseCases.list_bounced_emails,
        list_pending=UseCases.list_pending,
        list_payment_addresses=Singleton(ListPaymentAddresses, store=Adapters.store, clock=Adapters.clock),
        sign_out=UseCases.sign_out,
    )
    leaving = Singleton(Leaving)
    health_pages = Singleton(
        HealthPages,
        store=Adapters.store,
        trusted_proxies=Adapters.settings.provided.trusted_proxies,
        leaving=leaving,
    )
    metrics_page = Singleton(
        MetricsPage,
        meter=UseCases.meter,
        store=Adapters.store,
        clock=Adapters.clock,
        token=Adapters.settings.provided.metrics_token,
    )

    # ------------------------------------------------------------------ the back office
    admin_frame = Singleton(
        AdminFrame,
        pages=Singleton(admin_pages),
        cookie=Singleton(AdminCookie, https=Adapters.settings.provided.https),
        identify=UseCases.identify_staff,
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
    export_pages = Singleton(ExportPages, frame=admin_frame, export=UseCases.export_list)
    home_pages = Singleton(
        HomePages,
        frame=admin_frame,
        show_figures=UseCases.show_figures,
        list_news=UseCases.list_news,
        check_first_days=UseCases.check_first_days,
        list_staff=UseCases.list_staff,
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
        dashboard=dashboard,
        last=Singleton(LastSweep),
    )
    email_pages = Singleton(
        EmailPages,
        frame=admin_frame,
        list_emails=UseCases.list_emails,
        report_status=UseCases.report_status,
        send_refused=UseCases.send_refused,
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
        find=UseCases.find_sales,
        code_links=UseCases.code_links,
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
    doctor_pages = Singleton(
        DoctorPages, frame=admin_frame, environment=Adapters.settings.provided.environment
    )
    settings_pages = Singleton(
        SettingsPages, frame=admin_frame, settings=Adapters.settings, keyring=UseCases.keyring
    )

    # ------------------------------------------------------------------ the application
    traces = Singleton(start_traces, Adapters.settings.provided.traces_to)
    families = providers.List(
        shop_pages,
        preview_pages,
        share_pages,
        checkout_pages,
        purchase_pages,
        file_pages,
        order_pages,
        account_pages,
        payment_webhook,
        email_webhook,
        signin_pages,
        library_pages,
        health_pages,
        metrics_page,
        signing_in_pages,
        people_pages,
        export_pages,
        home_pages,
        import_pages,
        sale_action_pages,
        customer_action_pages,
        todo_pages,
        provider_pages,
        email_pages,
        sales_pages,
        search_pages,
        sale_pages,
        customers_pages,
        customer_pages,
        products_pages,
        product_pages,
        doctor_pages,
        settings_pages,
    )
    app = Singleton(
        build_app,
        families=families,
        frontage=Singleton(
            Frontage,
            base_url=UseCases.base_url,
            host=Adapters.settings.provided.host,
            admin_url=Adapters.settings.provided.admin_url,
            https=Adapters.settings.provided.https,
            payment_origin=Adapters.payments.provided.page_origin,
            goods_origin=Adapters.goods.provided.origin,
            trusted_proxies=Adapters.settings.provided.trusted_proxies,
        ),
        cookies=cookies,
        problems=problems,
        access=providers.Callable(choices.noting, UseCases.meter, Adapters.log_access, traces),
        leaving=leaving,
        address=UseCases.address_watch,
    )
    outbox_worker = Singleton(
        OutboxWorker,
        lease_mail=UseCases.lease_mail,
        deliver_mail=UseCases.deliver_mail,
        note_mail=UseCases.meter.provided.mail,
    )
    worker = Singleton(
        Worker,
        outbox=outbox_worker,
        send_refunds=UseCases.send_refunds,
        reconcile=UseCases.reconcile,
        retry=UseCases.retry_quarantine,
        recheck_payments=UseCases.recheck_payments,
        supply_licences=UseCases.supply_licences,
        review_catalogue=UseCases.review_catalogue,
        send_sales_digest=UseCases.send_sales_digest,
        sum_days=UseCases.sum_days,
        run_uploads=UseCases.run_uploads,
        link_audit=UseCases.link_audit,
        store=Adapters.store,
        clock=Adapters.clock,
        catalogue=Adapters.catalogue,
        goods=Adapters.goods,
        address=UseCases.address_watch,
        code_links=UseCases.code_links,
        scrub_what_waits=UseCases.erase_me.provided.scrub_what_waits,
        expire_duplicates=UseCases.expire_duplicates,
        paid=UseCases.paid_lately.provided.waiting,
        alone=providers.Callable(choices.serves_alone, Adapters.settings),
        note_round=providers.Callable(telling, UseCases.meter.provided.round, traces),
    )
