"""The email provider and its permission to send from the shop's address."""

from __future__ import annotations

from domain.ports import MailNotSent, MailRefused, MailUnknown
from entrypoints.container import Container
from entrypoints.environment import EMAIL_PROVIDERS
from entrypoints.maintenance.checks.finding import Finding, broken
from entrypoints.settings import Settings


async def mail_findings(container: Container, settings: Settings) -> list[Finding]:
    """Whether the email provider accepts the shop's key and sender."""
    custom = settings.mailer
    if settings.email_provider == "console":
        words = "no email provider is set: emails are printed where `serve` runs, on this machine only"
        return [Finding("mail", True, words)]
    mailer = container.mailer()
    try:
        await mailer.check()
        fine, words = await mailer.sender_found()
    except MailRefused as error:
        named = [name for name, provider in EMAIL_PROVIDERS.items() if provider == settings.email_provider]
        return [Finding("mail", False, f"{error}. Check {custom or ' or '.join(named)}")]
    except (MailNotSent, MailUnknown) as error:
        return [Finding("mail", False, f"{error}. Is this machine online?")]
    except Exception as error:
        return [broken("mail", custom, error)]
    works = (
        "the mail server can be used"
        if settings.email_provider == "smtp"
        else "the email provider takes our key"
    )
    ours = f"{works}; emails come from {settings.email_from}"
    return [
        Finding("mail", True, ours if custom is None else f"{custom} is ready"),
        Finding("sender", fine, words),
    ]
