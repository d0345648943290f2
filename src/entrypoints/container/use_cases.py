"""The use cases, with the ports that each asks."""

from __future__ import annotations

from dependency_injector import providers
from dependency_injector.providers import Singleton

from adapters.resend.reports import ResendReports
from domain.keys import Keyring
from domain.ports import MailReports
from domain.usecases.act_on_fraud_warnings import ActOnFraudWarnings
from domain.usecases.announce import Announce
from domain.usecases.ask_right import AskRight
from domain.usecases.book_payment import BookPayment
from domain.usecases.book_sale import BookSale
from domain.usecases.change_address import ChangeAddress
from domain.usecases.check_audit import CheckAudit
from domain.usecases.check_first_days import CheckFirstDays
from domain.usecases.check_stock import CheckStock
from domain.usecases.choose_language import ChooseLanguage
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.code_links import CodeLinks
from domain.usecases.compare_with_provider import CompareWithProvider
from domain.usecases.confirm_withdrawal import ConfirmWithdrawal
from domain.usecases.correct_address import CorrectAddress
from domain.usecases.decide_withdrawal import DecideWithdrawal
from domain.usecases.deliver_mail import DeliverMail
from domain.usecases.email_preferences import EmailPreferences
from domain.usecases.erase_again import EraseAgain
from domain.usecases.erase_customer import EraseCustomer
from domain.usecases.erase_me import EraseMe
from domain.usecases.expire_duplicates import ExpireDuplicates
from domain.usecases.export_list import ExportList
from domain.usecases.export_records import ExportRecords
from domain.usecases.fetch_file import FetchFile
from domain.usecases.find_sales import FindSales
from domain.usecases.find_withdrawal import FindWithdrawal
from domain.usecases.go_live import GoLive
from domain.usecases.grant_product import GrantProduct
from domain.usecases.hand_over_data import HandOverData
from domain.usecases.handle_email_webhook import HandleEmailWebhook
from domain.usecases.handle_payment_webhook import HandlePaymentWebhook
from domain.usecases.identify_staff import IdentifyStaff
from domain.usecases.identify_viewer import IdentifyViewer
from domain.usecases.import_rows import ImportRows
from domain.usecases.import_sales import ImportSales
from domain.usecases.invite_staff import InviteStaff
from domain.usecases.join_staff import JoinStaff
from domain.usecases.lease_mail import LeaseMail
from domain.usecases.link_audit import LinkAudit
from domain.usecases.list_audit import ListAudit
from domain.usecases.list_bounced_emails import ListBouncedEmails
from domain.usecases.list_customers import ListCustomers
from domain.usecases.list_emails import ListEmails
from domain.usecases.list_ledger import ListLedger
from domain.usecases.list_news import ListNews
from domain.usecases.list_pending import ListPending
from domain.usecases.list_products import ListProducts
from domain.usecases.list_sales import ListSales
from domain.usecases.list_staff import ListStaff
from domain.usecases.list_todo import ListTodo
from domain.usecases.list_withdrawals import ListWithdrawals
from domain.usecases.look_at_decision import LookAtDecision
from domain.usecases.look_at_release import LookAtRelease, TryAnnouncement
from domain.usecases.look_at_sale import LookAtCustomer, LookAtSale
from domain.usecases.manage_passkeys import ManagePasskeys
from domain.usecases.manage_staff import ManageStaff, SignOutStaff
from domain.usecases.manage_uploads import ManageUploads
from domain.usecases.merge_customers import MergeCustomers
from domain.usecases.open_purchase import OpenPurchase
from domain.usecases.order_free import OrderFree
from domain.usecases.own_address import BecomeCopy, OwnAddress
from domain.usecases.own_data import ShowOwnData
from domain.usecases.preview_product import PreviewProduct
from domain.usecases.read_again import AskProvider
from domain.usecases.receive_upload import ReceiveUpload
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile import Reconcile
from domain.usecases.reconcile_by_hand import ReconcileByHand
from domain.usecases.record_fact import RecordFact
from domain.usecases.redeem_link import RedeemLink
from domain.usecases.replace_key import ReplaceKey
from domain.usecases.report_status import ReportStatus
from domain.usecases.report_withdrawals import ReportWithdrawals
from domain.usecases.request_login import RequestLogin
from domain.usecases.request_refund import RequestRefund
from domain.usecases.resend_access_link import ResendAccessLink
from domain.usecases.resend_to_customer import ResendToCustomer
from domain.usecases.restore_purchase import RestorePurchase
from domain.usecases.retry_quarantine import RetryQuarantine
from domain.usecases.return_from_payment import ReturnFromPayment
from domain.usecases.review_catalogue import ReviewCatalogue
from domain.usecases.revoke_purchase import RevokePurchase
from domain.usecases.run_uploads import ImportFile, RunUploads
from domain.usecases.send_owner_link import SendOwnerLink
from domain.usecases.send_refunds import SendRefunds
from domain.usecases.send_refused import SendRefused
from domain.usecases.send_sales_digest import SendSalesDigest
from domain.usecases.show_customer import ShowCustomer
from domain.usecases.show_figures import ShowFigures
from domain.usecases.show_person import ShowPerson
from domain.usecases.show_receipt import ShowReceipt
from domain.usecases.show_sale import ShowSale
from domain.usecases.sign_in_staff import SignInStaff
from domain.usecases.sign_out import SignOut
from domain.usecases.sign_out_customer import SignOutCustomer
from domain.usecases.start_checkout import StartCheckout
from domain.usecases.sum_days import SumDays
from domain.usecases.sum_sales import SumSales
from domain.usecases.supply_licences import SupplyLicences
from domain.usecases.write_note import WriteNote
from entrypoints.container.adapters import Adapters
from entrypoints.run.address_watch import AddressWatch
from entrypoints.run.metrics import Metrics
from entrypoints.run.paid_lately import PaidLately


class UseCases(Adapters):
    """What the shop does."""

    settings, clock, randomness, store = (
        Adapters.settings,
        Adapters.clock,
        Adapters.randomness,
        Adapters.store,
    )
    payments, mailer, email_templates = Adapters.payments, Adapters.mailer, Adapters.email_templates
    catalogue, goods, ceremonies = Adapters.catalogue, Adapters.goods, Adapters.ceremonies

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
    choose_language = Singleton(ChooseLanguage, store=store, clock=clock)
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
    reconcile_by_hand = Singleton(
        ReconcileByHand, store=store, reconcile=reconcile, clock=clock, randomness=randomness
    )
    retry_quarantine = Singleton(RetryQuarantine, store=store, payments=payments, claim=claim, clock=clock)
    supply_licences = Singleton(SupplyLicences, store=store, catalogue=catalogue, clock=clock)
    review_catalogue = Singleton(ReviewCatalogue, store=store, catalogue=catalogue, clock=clock)
    announce = Singleton(
        Announce, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness
    )
    look_at_release = Singleton(
        LookAtRelease, store=store, catalogue=catalogue, templates=email_templates, base_url=base_url
    )
    try_announcement = Singleton(
        TryAnnouncement, store=store, catalogue=catalogue, clock=clock, randomness=randomness
    )
    send_link = Singleton(SendOwnerLink, store=store, keyring=keyring, clock=clock, randomness=randomness)
    report_status = Singleton(
        ReportStatus, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness
    )
    send_refused = Singleton(SendRefused, store=store, keyring=keyring, clock=clock, randomness=randomness)
    export_records = Singleton(ExportRecords, store=store)
    export_list = Singleton(ExportList, store=store, clock=clock, randomness=randomness)
    preview_product = Singleton(
        PreviewProduct, catalogue=catalogue, keyring=keyring, clock=clock, base_url=base_url
    )
    sum_sales = Singleton(SumSales, store=store)
    list_sales = Singleton(ListSales, store=store)
    find_sales = Singleton(FindSales, store=store)
    show_sale = Singleton(ShowSale, store=store, clock=clock)
    sum_days = Singleton(SumDays, store=store, catalogue=catalogue, clock=clock)
    show_figures = Singleton(ShowFigures, store=store, catalogue=catalogue, clock=clock, sum_days=sum_days)
    list_products = Singleton(
        ListProducts, store=store, catalogue=catalogue, clock=clock, sum_days=sum_days,
        review_catalogue=review_catalogue,
    )  # fmt: skip
    list_todo = Singleton(ListTodo, store=store, catalogue=catalogue, clock=clock)
    list_news = Singleton(ListNews, store=store)
    check_first_days = Singleton(CheckFirstDays, store=store, catalogue=catalogue, clock=clock)
    list_emails = Singleton(ListEmails, store=store, clock=clock)
    compare_with_provider = Singleton(CompareWithProvider, store=store, clock=clock)
    ask_provider = Singleton(
        AskProvider, store=store, payments=payments, claim=claim, reconcile=reconcile_by_hand,
        recheck_payments=recheck_payments, clock=clock, randomness=randomness,
    )  # fmt: skip
    list_customers = Singleton(ListCustomers, store=store)
    hand_over_data = Singleton(HandOverData, store=store, clock=clock, randomness=randomness)
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
    revoke_purchase = Singleton(RevokePurchase, store=store, clock=clock, randomness=randomness)
    restore_purchase = Singleton(RestorePurchase, store=store, clock=clock, randomness=randomness)
    request_refund = Singleton(
        RequestRefund, store=store, payments=payments, catalogue=catalogue, clock=clock, randomness=randomness
    )
    act_on_fraud_warnings = Singleton(
        ActOnFraudWarnings, store=store, payments=payments, catalogue=catalogue, clock=clock,
        request_refund=request_refund,
    )  # fmt: skip
    confirm_withdrawal = Singleton(
        ConfirmWithdrawal,
        store=store,
        catalogue=catalogue,
        keyring=keyring,
        clock=clock,
        randomness=randomness,
    )
    find_withdrawal = Singleton(FindWithdrawal, store=store)
    list_withdrawals = Singleton(ListWithdrawals, store=store)
    decide_withdrawal = Singleton(
        DecideWithdrawal,
        store=store,
        payments=payments,
        catalogue=catalogue,
        clock=clock,
        randomness=randomness,
    )
    report_withdrawals = Singleton(
        ReportWithdrawals, store=store, catalogue=catalogue, clock=clock, decide=decide_withdrawal
    )
    send_refunds = Singleton(
        SendRefunds, store=store, payments=payments, note=note, clock=clock, base_url=base_url
    )
    ask_right = Singleton(AskRight, store=store, clock=clock, randomness=randomness)
    look_at_sale = Singleton(LookAtSale, store=store, payments=payments)
    look_at_decision = Singleton(
        LookAtDecision,
        store=store,
        catalogue=catalogue,
        templates=email_templates,
        clock=clock,
        base_url=base_url,
    )
    look_at_customer = Singleton(LookAtCustomer, store=store)
    correct_address = Singleton(
        CorrectAddress, store=store, keyring=keyring, clock=clock, randomness=randomness
    )
    merge_customers = Singleton(
        MergeCustomers, store=store, keyring=keyring, clock=clock, randomness=randomness
    )
    replace_key = Singleton(
        ReplaceKey, store=store, catalogue=catalogue, keyring=keyring, clock=clock, randomness=randomness
    )
    write_note = Singleton(WriteNote, store=store, clock=clock, randomness=randomness)
    sign_out_customer = Singleton(SignOutCustomer, store=store, clock=clock, randomness=randomness)
    erase_customer = Singleton(
        EraseCustomer, store=store, clock=clock, randomness=randomness, erase_me=erase_me
    )
    book_payment = Singleton(
        BookPayment, store=store, payments=payments, catalogue=catalogue, keyring=keyring, clock=clock,
        randomness=randomness, booking=booking,
    )  # fmt: skip
    send_sales_digest = Singleton(SendSalesDigest, store=store, catalogue=catalogue, clock=clock)
    list_audit = Singleton(ListAudit, store=store)
    link_audit = Singleton(LinkAudit, store=store, keyring=keyring, clock=clock, randomness=randomness)
    check_audit = Singleton(CheckAudit, store=store, keyring=keyring)
    invite_staff = Singleton(InviteStaff, store=store, keyring=keyring, clock=clock, randomness=randomness)
    join_staff = Singleton(
        JoinStaff, store=store, ceremonies=ceremonies, keyring=keyring, clock=clock, randomness=randomness
    )
    sign_in_staff = Singleton(
        SignInStaff, store=store, ceremonies=ceremonies, keyring=keyring, clock=clock, randomness=randomness
    )
    identify_staff = Singleton(IdentifyStaff, store=store, clock=clock)
    manage_passkeys = Singleton(
        ManagePasskeys,
        store=store,
        ceremonies=ceremonies,
        keyring=keyring,
        clock=clock,
        randomness=randomness,
    )
    manage_staff = Singleton(ManageStaff, store=store, clock=clock, randomness=randomness)
    sign_out_staff = Singleton(SignOutStaff, store=store, clock=clock, randomness=randomness)
    list_staff = Singleton(ListStaff, store=store, clock=clock)
    import_sales = Singleton(ImportSales, store=store, catalogue=catalogue, clock=clock)
    import_rows = Singleton(ImportRows, store=store, catalogue=catalogue, keyring=keyring, clock=clock)
    receive_upload = Singleton(ReceiveUpload, store=store, clock=clock, randomness=randomness)
    manage_uploads = Singleton(
        ManageUploads, store=store, catalogue=catalogue, clock=clock, randomness=randomness, rows=import_rows
    )
    run_uploads = Singleton(RunUploads, store=store, catalogue=catalogue, clock=clock, rows=import_rows)
    import_file = Singleton(
        ImportFile, store=store, catalogue=catalogue, clock=clock, randomness=randomness, rows=import_rows
    )
