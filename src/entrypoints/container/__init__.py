"""The composition root: every part of the shop, and where to swap it. Port and adapter meet here.

`adapters` has the settings and the adapters, `use_cases` what the shop does with them, `back_office` the pages of
`/admin`; here are the pages of the shop, and the
application that holds them. To swap a part, pass another:
`Container(settings=…, mailer=MyMailer(…))`; see docs/adapters.md.
"""

from __future__ import annotations

import operator

from dependency_injector import providers
from dependency_injector.providers import Singleton

from domain.usecases.payment_address import ListPaymentAddresses
from entrypoints import choices
from entrypoints.container.adapters import Adapters
from entrypoints.container.back_office import BackOffice
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
from entrypoints.http.product_again import ProductAgain
from entrypoints.http.purchase_page import PurchasePages
from entrypoints.http.share import SharePages
from entrypoints.http.shop import ShopPages
from entrypoints.http.signin import SigninPages
from entrypoints.http.speech import Speech, SpokenCatalogue
from entrypoints.http.webhooks import EmailWebhook, PaymentWebhook
from entrypoints.http.withdrawal import WithdrawalPages
from entrypoints.run.metrics import CountedEvents
from entrypoints.run.outbox_worker import OutboxWorker
from entrypoints.run.peer_address import ProxyNotice
from entrypoints.run.shared_limits_watch import SharedLimitsWatch
from entrypoints.run.timers import Worker
from entrypoints.run.tracing import start_traces, telling


class Container(BackOffice):
    """Every part is built once, on first use."""

    # ------------------------------------------------------------------ pages
    banner = providers.Callable(choices.test_banner, Adapters.settings, Adapters.payments)
    cookies = Singleton(Cookies, https=Adapters.settings.provided.https, host=Adapters.settings.provided.host)
    pages = Singleton(Pages)
    speech = Singleton(Speech, languages=Adapters.languages, catalogue=Adapters.catalogue)
    frame = Singleton(
        PageFrame,
        pages=pages,
        catalogue=Singleton(SpokenCatalogue, Adapters.catalogue),
        cookies=cookies,
        identify_viewer=UseCases.identify_viewer,
        base_url=UseCases.base_url,
        banner=banner,
        speech=speech,
    )
    problems = Singleton(
        ErrorPages,
        frame,
        speech=speech,
        give_back=BackOffice.admin_frame.provided.given_back,
        lost=BackOffice.admin_frame.provided.lost,
    )
    shop_pages = Singleton(
        ShopPages,
        frame=frame,
        sold_out=UseCases.check_stock,
        list_pending=UseCases.list_pending,
        code_links=UseCases.code_links,
        choose_language=UseCases.choose_language,
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
        product_again=Singleton(
            ProductAgain,
            frame=frame,
            sold_out=UseCases.check_stock,
            code_links=UseCases.code_links,
            clock=Adapters.clock,
        ),
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
    withdrawal_pages = Singleton(
        WithdrawalPages,
        frame=frame,
        confirm_withdrawal=UseCases.confirm_withdrawal,
        find_withdrawal=UseCases.find_withdrawal,
        keyring=UseCases.keyring,
        clock=Adapters.clock,
        randomness=Adapters.randomness,
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
        languages=UseCases.choose_language,
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
        clock=Adapters.clock,
    )
    leaving = Singleton(Leaving)
    proxy_notice = Singleton(ProxyNotice, Adapters.settings.provided.trusted_proxies)
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
        withdrawal_pages,
        payment_webhook,
        email_webhook,
        signin_pages,
        library_pages,
        health_pages,
        metrics_page,
    )
    app = Singleton(
        build_app,
        families=providers.Callable(operator.add, families, BackOffice.admin_families),
        frontage=Singleton(
            Frontage,
            base_url=UseCases.base_url,
            host=Adapters.settings.provided.host,
            admin_url=Adapters.settings.provided.admin_url,
            https=Adapters.settings.provided.https,
            payment_origin=Adapters.payments.provided.page_origin,
            goods_origin=Adapters.goods.provided.origin,
            proxy_notice=proxy_notice,
        ),
        cookies=cookies,
        problems=problems,
        access=providers.Callable(choices.noting, UseCases.meter, Adapters.log_access, traces),
        leaving=leaving,
        address=UseCases.address_watch,
        speech=speech,
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
        act_on_fraud_warnings=UseCases.act_on_fraud_warnings,
        report_withdrawals=UseCases.report_withdrawals,
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
        shared_limits=Singleton(SharedLimitsWatch, proxy_notice, store=Adapters.store, clock=Adapters.clock),
        paid=UseCases.paid_lately.provided.waiting,
        alone=providers.Callable(choices.serves_alone, Adapters.settings),
        note_round=providers.Callable(telling, UseCases.meter.provided.round, traces),
    )
