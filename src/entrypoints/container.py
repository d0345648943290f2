"""The composition root: every part of the shop, and where to swap it. Port and adapter meet here.

Read it from top to bottom: settings, adapters, use cases, pages, and the application that holds them. To swap a
part, pass another: `Container(settings=…, mailer=MyMailer(…))`; see docs/adapters.md.
"""

from __future__ import annotations

from dependency_injector import containers, providers
from dependency_injector.providers import Singleton

from adapters.console.mailer import ConsoleMailer
from adapters.files.catalogue import FolderCatalogue
from adapters.files.goods import FolderGoods
from adapters.files.inside import open_goods
from adapters.files.last_good import LastGood
from adapters.files.seen_files import SeenFiles
from adapters.postgres import no_copies, open_postgres
from adapters.resend.mailer import ResendMailer
from adapters.resend.reports import ResendReports
from adapters.resvg.painter import ResvgPainter
from adapters.s3.goods import S3Goods
from adapters.smtp.mailer import SmtpMailer
from adapters.sqlite.copies import SqliteCopies
from adapters.sqlite.store import SqliteStore
from adapters.stripe.account import StripeAccount
from adapters.stripe.payments import StripePayments
from adapters.system import SystemClock, SystemRandomness
from adapters.templates.emails import PackagedTemplates
from domain.keys import Keyring
from domain.payment_account import PaymentAccount
from domain.ports import (
    Catalogue,
    Clock,
    EmailTemplates,
    Goods,
    Mailer,
    MailReports,
    Payments,
    Randomness,
    SharePainter,
    Store,
)
from domain.usecases.announce import Announce
from domain.usecases.book_sale import BookSale
from domain.usecases.change_address import ChangeAddress
from domain.usecases.check_stock import CheckStock
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.code_links import CodeLinks
from domain.usecases.deliver_mail import DeliverMail
from domain.usecases.email_preferences import EmailPreferences
from domain.usecases.erase_again import EraseAgain
from domain.usecases.erase_me import EraseMe
from domain.usecases.expire_duplicates import ExpireDuplicates
from domain.usecases.export_records import ExportRecords
from domain.usecases.fetch_file import FetchFile
from domain.usecases.find_sales import FindSales
from domain.usecases.go_live import GoLive
from domain.usecases.grant_product import GrantProduct
from domain.usecases.handle_email_webhook import HandleEmailWebhook
from domain.usecases.handle_payment_webhook import HandlePaymentWebhook
from domain.usecases.identify_viewer import IdentifyViewer
from domain.usecases.import_sales import ImportSales
from domain.usecases.lease_mail import LeaseMail
from domain.usecases.list_audit import ListAudit
from domain.usecases.list_bounced_emails import ListBouncedEmails
from domain.usecases.list_customers import ListCustomers
from domain.usecases.list_ledger import ListLedger
from domain.usecases.list_pending import ListPending
from domain.usecases.list_sales import ListSales
from domain.usecases.list_todo import ListTodo
from domain.usecases.open_purchase import OpenPurchase
from domain.usecases.order_free import OrderFree
from domain.usecases.own_address import BecomeCopy, OwnAddress
from domain.usecases.own_data import ShowOwnData
from domain.usecases.payment_address import ListPaymentAddresses
from domain.usecases.preview_product import PreviewProduct
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile import Reconcile
from domain.usecases.record_fact import RecordFact
from domain.usecases.redeem_link import RedeemLink
from domain.usecases.report_status import ReportStatus
from domain.usecases.request_login import RequestLogin
from domain.usecases.resend_access_link import ResendAccessLink
from domain.usecases.resend_to_customer import ResendToCustomer
from domain.usecases.retry_quarantine import RetryQuarantine
from domain.usecases.return_from_payment import ReturnFromPayment
from domain.usecases.review_catalogue import ReviewCatalogue
from domain.usecases.send_owner_link import SendOwnerLink
from domain.usecases.send_refused import SendRefused
from domain.usecases.send_sales_digest import SendSalesDigest
from domain.usecases.show_customer import ShowCustomer
from domain.usecases.show_figures import ShowFigures
from domain.usecases.show_person import ShowPerson
from domain.usecases.show_receipt import ShowReceipt
from domain.usecases.show_sale import ShowSale
from domain.usecases.sign_out import SignOut
from domain.usecases.start_checkout import StartCheckout
from domain.usecases.sum_days import SumDays
from domain.usecases.sum_sales import SumSales
from domain.usecases.supply_licences import SupplyLicences
from entrypoints import choices
from entrypoints.custom_adapters import custom_goods, custom_mailer, custom_payments, no_account
from entrypoints.http.account import AccountPages
from entrypoints.http.app import Frontage, build_app
from entrypoints.http.checkout import CheckoutPages
from entrypoints.http.cookies import Cookies
from entrypoints.http.errors import ErrorPages
from entrypoints.http.file_response import disposition
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
from entrypoints.maintenance.backup import Copies
from entrypoints.places import storage_of
from entrypoints.run.address_watch import AddressWatch
from entrypoints.run.logs import log
from entrypoints.run.metrics import CountedEvents, Metrics
from entrypoints.run.outbox_worker import OutboxWorker
from entrypoints.run.paid_lately import PaidLately
from entrypoints.run.timers import Worker
from entrypoints.run.tracing import start_traces, telling
from entrypoints.settings import Settings


class Container(containers.DeclarativeContainer):
    """Every part is built once, on first use."""

    settings = providers.Dependency(instance_of=Settings)
    serving = providers.Object(False)
    """Whether this process owns the database (serve), or runs beside a server (the other commands)."""
    confirms_address = providers.Object(False)
    """Whether serving confirms the address by itself: a demo's port is nobody's address."""
    log_access = providers.Object(print)
    """The sink of access lines: `BatchedLines.access`."""

    # ------------------------------------------------------------------ adapters: the outside world
    clock: providers.Provider[Clock] = Singleton(SystemClock)
    randomness: providers.Provider[Randomness] = Singleton(SystemRandomness)
    store: providers.Provider[Store] = choices.one_of(
        providers.Callable(choices.engine, settings),
        sqlite=Singleton(SqliteStore.open, settings.provided.database, serving=serving),
        postgres=Singleton(open_postgres, settings.provided.database.url),
    )
    copies: providers.Provider[Copies] = choices.one_of(
        providers.Callable(choices.engine, settings),
        sqlite=Singleton(SqliteCopies, settings.provided.database),
        postgres=providers.Callable(no_copies),
    )
    """Copies of the database, for backups. Database servers have tools of their own for that."""
    goods: providers.Provider[Goods] = choices.one_of(
        providers.Callable(choices.keeper, settings),
        folder=Singleton(FolderGoods, settings.provided.goods_dir),
        s3=Singleton(
            S3Goods,
            providers.Callable(storage_of, settings.provided.goods_bucket),
            known=Singleton(SeenFiles, settings.provided.known_in_bucket),
            opened=providers.Object(open_goods),
            disposition=providers.Object(disposition),
        ),
        custom=Singleton(custom_goods, settings.provided.goods, settings.provided.environment),
    )
    email_templates: providers.Provider[EmailTemplates] = Singleton(
        PackagedTemplates, complain=providers.Object(log.error)
    )
    catalogue: providers.Provider[Catalogue] = Singleton(
        FolderCatalogue,
        settings.provided.catalogue,
        complain=providers.Object(log.error),
        warn=providers.Object(log.warning),
        shelve=goods.provided.shelve,
        check_emails=email_templates.provided.mistakes_in,
        kept=Singleton(LastGood, settings.provided.last_good_dir, writes=serving),
    )
    stripe_payments: providers.Provider[Payments] = Singleton(
        StripePayments,
        key=settings.provided.stripe_secret_key,
        webhook_secrets=settings.provided.stripe_webhook_secrets,
        api_base=settings.provided.stripe_api_base,
    )
    payments: providers.Provider[Payments] = choices.one_of(
        providers.Callable(choices.payee, settings),
        stripe=stripe_payments,
        custom=Singleton(custom_payments, settings.provided.payments, settings.provided.environment),
    )
    account: providers.Provider[PaymentAccount] = choices.one_of(
        providers.Callable(choices.payee, settings),
        stripe=Singleton(StripeAccount, stripe_payments),
        custom=providers.Callable(no_account, settings.provided.payments),
    )
    mailer: providers.Provider[Mailer] = choices.one_of(
        settings.provided.email_provider,
        resend=Singleton(
            ResendMailer,
            api_key=settings.provided.resend_api_key,
            sender=settings.provided.email_from,
            api_url=settings.provided.resend_api_url,
        ),
        smtp=Singleton(SmtpMailer, url=settings.provided.smtp_url, sender=settings.provided.email_from),
        console=Singleton(ConsoleMailer),
        custom=Singleton(custom_mailer, settings.provided.mailer, settings.provided.environment),
    )
    painter: providers.Provider[SharePainter] = Singleton(ResvgPainter, warn=providers.Object(log.warning))

    # ------------------------------------------------------------------ use cases
    keyring = Singleton(Keyring.of, settings.provided.session_secrets)
    base_url = settings.provided.base_url
    go_live = Singleton(GoLive, store=store, payments=payments, clock=clock)
    own_address = Singleton(OwnAddress, store=store, catalogue=catalogue, base_url=base_url)
    address_watch = Singleton(AddressWatch, own_address, go_live=go_live)
    become_copy = Singleton(
        BecomeCopy, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness,
        base_url=base_url,
    )  # fmt: skip
    identify_viewer = Singleton(IdentifyViewer, store=store, clock=clock)
    booking = Singleton(BookSale, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness)
    meter = Singleton(Metrics)
    paid_lately = Singleton(PaidLately, meter.provided.claim)
    claim = Singleton(
        ClaimPurchase, payments=payments, catalogue=catalogue, keyring=keyring, clock=clock, booking=booking,
        observe=paid_lately.provided.note
    )  # fmt: skip
    note = Singleton(RecordFact, clock=clock)
    code_links = Singleton(CodeLinks, payments=payments, catalogue=catalogue, clock=clock)
    start_checkout = Singleton(
        StartCheckout, store=store, payments=payments, catalogue=catalogue, code_links=code_links, keyring=keyring,
        clock=clock, randomness=randomness, base_url=base_url
    )  # fmt: skip
    return_from_payment = Singleton(
        ReturnFromPayment, store=store, payments=payments, claim=claim, keyring=keyring, clock=clock
    )
    handle_payment_webhook = Singleton(
        HandlePaymentWebhook, store=store, payments=payments, claim=claim, note=note, clock=clock
    )
    order_free = Singleton(
        OrderFree, store=store, payments=payments, catalogue=catalogue, keyring=keyring, clock=clock,
        randomness=randomness, booking=booking
    )  # fmt: skip
    check_stock = Singleton(CheckStock, store=store)
    list_bounced_emails = Singleton(ListBouncedEmails, store=store)
    list_pending = Singleton(ListPending, store=store)
    open_purchase = Singleton(OpenPurchase, identify_viewer=identify_viewer, store=store, clock=clock)
    show_receipt = Singleton(ShowReceipt, store=store, payments=payments, clock=clock)
    resend_access_link = Singleton(
        ResendAccessLink, store=store, catalogue=catalogue, keyring=keyring, clock=clock,
        randomness=randomness
    )  # fmt: skip
    change_address = Singleton(
        ChangeAddress, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness
    )
    email_preferences = Singleton(EmailPreferences, store=store, keyring=keyring, clock=clock)
    own_data = Singleton(ShowOwnData, store=store, clock=clock)
    erase_me = Singleton(EraseMe, store=store, clock=clock, keyring=keyring, randomness=randomness)
    erase_again = Singleton(EraseAgain, store=store, clock=clock, keyring=keyring)
    request_login = Singleton(
        RequestLogin, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness
    )
    redeem_link = Singleton(
        RedeemLink, store=store, keyring=keyring, clock=clock, randomness=randomness, booking=booking
    )
    sign_out = Singleton(SignOut, store=store, keyring=keyring, clock=clock)
    fetch_file = Singleton(
        FetchFile, identify_viewer=identify_viewer, store=store, catalogue=catalogue, goods=goods, clock=clock
    )
    lease_mail = Singleton(
        LeaseMail, store=store, templates=email_templates, catalogue=catalogue, keyring=keyring, clock=clock,
        randomness=randomness, base_url=base_url,
    )  # fmt: skip
    deliver_mail = Singleton(
        DeliverMail, store=store, mailer=mailer, catalogue=catalogue, keyring=keyring, clock=clock, base_url=base_url
    )  # fmt: skip
    mail_reports: providers.Provider[MailReports] = Singleton(
        ResendReports, secrets=settings.provided.resend_webhook_secrets
    )
    handle_email_webhook = Singleton(
        HandleEmailWebhook, store=store, reports=mail_reports, catalogue=catalogue, clock=clock
    )
    recheck_payments = Singleton(
        RecheckPayments, store=store, payments=payments, catalogue=catalogue, claim=claim, note=note, clock=clock
    )  # fmt: skip
    expire_duplicates = Singleton(ExpireDuplicates, store=store, payments=payments, claim=claim, clock=clock)
    reconcile = Singleton(
        Reconcile, store=store, payments=payments, claim=claim, note=note, recheck_payments=recheck_payments,
        expire_duplicates=expire_duplicates, clock=clock
    )  # fmt: skip
    retry_quarantine = Singleton(RetryQuarantine, store=store, payments=payments, claim=claim, clock=clock)
    supply_licences = Singleton(SupplyLicences, store=store, catalogue=catalogue, clock=clock)
    review_catalogue = Singleton(ReviewCatalogue, store=store, catalogue=catalogue, clock=clock)
    announce = Singleton(Announce, store=store, catalogue=catalogue, keyring=keyring, clock=clock)
    send_link = Singleton(SendOwnerLink, store=store, keyring=keyring, clock=clock, randomness=randomness)
    report_status = Singleton(ReportStatus, store=store, keyring=keyring, clock=clock, randomness=randomness)
    send_refused = Singleton(SendRefused, store=store, keyring=keyring, clock=clock, randomness=randomness)
    export_records = Singleton(ExportRecords, store=store)
    preview_product = Singleton(
        PreviewProduct, catalogue=catalogue, keyring=keyring, clock=clock, base_url=base_url
    )
    sum_sales = Singleton(SumSales, store=store)
    list_sales = Singleton(ListSales, store=store)
    find_sales = Singleton(FindSales, store=store)
    show_sale = Singleton(ShowSale, store=store, clock=clock)
    sum_days = Singleton(SumDays, store=store, catalogue=catalogue, clock=clock)
    show_figures = Singleton(ShowFigures, store=store, catalogue=catalogue, clock=clock, sum_days=sum_days)
    list_todo = Singleton(ListTodo, store=store, clock=clock)
    list_customers = Singleton(ListCustomers, store=store)
    show_person = Singleton(ShowPerson, store=store, clock=clock)
    list_ledger = Singleton(ListLedger, store=store)
    show_customer = Singleton(ShowCustomer, store=store, clock=clock)
    resend_to_customer = Singleton(
        ResendToCustomer, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness,
    )  # fmt: skip
    grant_product = Singleton(
        GrantProduct, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness,
        booking=booking,
    )  # fmt: skip
    send_sales_digest = Singleton(SendSalesDigest, store=store, catalogue=catalogue, clock=clock)
    list_audit = Singleton(ListAudit, store=store)
    import_sales = Singleton(ImportSales, store=store, catalogue=catalogue, clock=clock)

    # ------------------------------------------------------------------ pages
    banner = providers.Callable(choices.test_banner, settings, payments)
    cookies = Singleton(Cookies, https=settings.provided.https, host=settings.provided.host)
    pages = Singleton(Pages)
    frame = Singleton(
        PageFrame, pages=pages, catalogue=catalogue, cookies=cookies, identify_viewer=identify_viewer,
        base_url=base_url, banner=banner,
    )  # fmt: skip
    problems = Singleton(ErrorPages, frame)
    shop_pages = Singleton(
        ShopPages, frame=frame, sold_out=check_stock, list_pending=list_pending, code_links=code_links, clock=clock
    )  # fmt: skip
    preview_pages = Singleton(PreviewPages, frame=frame, shop=shop_pages, preview_product=preview_product)
    share_pages = Singleton(SharePages, frame=frame, painter=painter)
    checkout_pages = Singleton(
        CheckoutPages, frame=frame, shop=shop_pages, start_checkout=start_checkout, order_free=order_free, clock=clock,
    )  # fmt: skip
    purchase_pages = Singleton(
        PurchasePages, frame=frame, return_from_payment=return_from_payment, open_purchase=open_purchase
    )
    file_pages = Singleton(FilePages, frame=frame, fetch_file=fetch_file)
    order_pages = Singleton(
        OrderPages, frame=frame, show_receipt=show_receipt, resend_access_link=resend_access_link,
        change_address=change_address, details=Singleton(KnownDetails, show_receipt), clock=clock,
    )  # fmt: skip
    account_pages = Singleton(
        AccountPages, frame=frame, own_data=own_data, change_address=change_address,
        email_preferences=email_preferences, erase_me=erase_me, clock=clock,
    )  # fmt: skip
    payment_webhook = Singleton(
        PaymentWebhook,
        hear=Singleton(CountedEvents, handle_payment_webhook, meter),
        signature_header=payments.provided.signature_header,
    )
    email_webhook = Singleton(EmailWebhook, hear=handle_email_webhook)
    signin_pages = Singleton(
        SigninPages, frame=frame, request_login=request_login, redeem=redeem_link, sign_out=sign_out, clock=clock,
        randomness=randomness,
    )  # fmt: skip
    library_pages = Singleton(
        LibraryPages, frame=frame, list_bounced_emails=list_bounced_emails, list_pending=list_pending,
        list_payment_addresses=Singleton(ListPaymentAddresses, store=store, clock=clock), sign_out=sign_out,
    )  # fmt: skip
    leaving = Singleton(Leaving)
    health_pages = Singleton(
        HealthPages, store=store, trusted_proxies=settings.provided.trusted_proxies, leaving=leaving
    )
    metrics_page = Singleton(
        MetricsPage, meter=meter, store=store, clock=clock, token=settings.provided.metrics_token
    )

    # ------------------------------------------------------------------ the application
    traces = Singleton(start_traces, settings.provided.traces_to)
    families = providers.List(
        shop_pages, preview_pages, share_pages, checkout_pages, purchase_pages, file_pages, order_pages, account_pages,
        payment_webhook, email_webhook, signin_pages, library_pages, health_pages, metrics_page,
    )  # fmt: skip
    app = Singleton(
        build_app,
        families=families,
        frontage=Singleton(
            Frontage,
            base_url=base_url,
            host=settings.provided.host,
            https=settings.provided.https,
            payment_origin=payments.provided.page_origin,
            goods_origin=goods.provided.origin,
            trusted_proxies=settings.provided.trusted_proxies,
        ),
        cookies=cookies,
        problems=problems,
        access=providers.Callable(choices.noting, meter, log_access, traces),
        leaving=leaving,
        address=address_watch,
    )
    outbox_worker = Singleton(
        OutboxWorker, lease_mail=lease_mail, deliver_mail=deliver_mail, note_mail=meter.provided.mail
    )
    worker = Singleton(
        Worker,
        outbox=outbox_worker, reconcile=reconcile, retry=retry_quarantine, recheck_payments=recheck_payments,
        supply_licences=supply_licences, review_catalogue=review_catalogue, send_sales_digest=send_sales_digest,
        sum_days=sum_days,
        store=store, clock=clock,
        catalogue=catalogue, goods=goods, address=address_watch, code_links=code_links,
        scrub_what_waits=erase_me.provided.scrub_what_waits,
        expire_duplicates=expire_duplicates,
        paid=paid_lately.provided.waiting,
        alone=providers.Callable(choices.serves_alone, settings),
        note_round=providers.Callable(telling, meter.provided.round, traces),
    )  # fmt: skip
