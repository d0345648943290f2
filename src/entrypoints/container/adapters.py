"""The adapters, each behind the port that it implements, and which of them the settings choose."""

from __future__ import annotations

from dependency_injector import containers, providers
from dependency_injector.providers import Singleton

from adapters.console.mailer import ConsoleMailer
from adapters.fido2 import LazyCeremonies
from adapters.files.catalogue import FolderCatalogue
from adapters.files.goods import FolderGoods
from adapters.files.inside import open_goods
from adapters.files.last_good import LastGood
from adapters.files.seen_files import SeenFiles
from adapters.languages.packaged import PackagedLanguages
from adapters.postgres import no_copies, open_postgres
from adapters.resend.mailer import ResendMailer
from adapters.resvg.painter import ResvgPainter
from adapters.s3.goods import S3Goods
from adapters.smtp.mailer import SmtpMailer
from adapters.sqlite.copies import SqliteCopies
from adapters.sqlite.store import SqliteStore
from adapters.stripe.account import StripeAccount
from adapters.stripe.payments import StripePayments
from adapters.system import SystemClock, SystemRandomness
from adapters.templates.emails import PackagedTemplates
from domain.payment_account import PaymentAccount
from domain.ports import (
    Catalogue,
    Ceremonies,
    Clock,
    EmailTemplates,
    Goods,
    Languages,
    Mailer,
    Payments,
    Randomness,
    SharePainter,
    Store,
)
from entrypoints import choices
from entrypoints.custom_adapters import custom_goods, custom_mailer, custom_payments, no_account
from entrypoints.http.file_response import disposition
from entrypoints.maintenance.backup import Copies
from entrypoints.places import storage_of
from entrypoints.run.logs import log
from entrypoints.settings import Settings


class Adapters(containers.DeclarativeContainer):
    """The outside world, as the settings have it."""

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
    languages: providers.Provider[Languages] = Singleton(PackagedLanguages)
    email_templates: providers.Provider[EmailTemplates] = Singleton(
        PackagedTemplates, languages.provided.language, complain=providers.Object(log.error)
    )
    catalogue: providers.Provider[Catalogue] = Singleton(
        FolderCatalogue,
        settings.provided.catalogue,
        complain=providers.Object(log.error),
        warn=providers.Object(log.warning),
        shelve=goods.provided.shelve,
        check_emails=email_templates.provided.mistakes_in,
        check_language=languages.provided.problem_with,
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
    ceremonies: providers.Provider[Ceremonies] = Singleton(
        LazyCeremonies, origin=settings.provided.admin_url, name=settings.provided.admin_host
    )
    painter: providers.Provider[SharePainter] = Singleton(ResvgPainter, warn=providers.Object(log.warning))
