"""Render an email once, before its first attempt, and store the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.mail import Letter, Mail
from domain.ports import EmailNotRendered, EmailTemplates
from domain.product import ShopInfo
from domain.redacting import words_of
from domain.transaction import Transaction
from domain.usecases.settle_unsent import stick


def render(templates: EmailTemplates, mail: Mail, *, shop: ShopInfo, base_url: str) -> Letter | str:
    """The letter, or why there is none."""
    try:
        return templates.render(mail.email, language=mail.language, shop=shop, base_url=base_url)
    except EmailNotRendered as error:
        return str(error)
    except (
        Exception
    ) as error:  # custom templates may break their promise; no other email must wait for this one
        return words_of(error)


def keep_letters(
    tx: Transaction,
    mails: Sequence[Mail],
    letters: Mapping[str, Letter | str],
    *,
    shop: ShopInfo,
    now: datetime,
) -> Sequence[Mail]:
    """Store new letters by outbox key, so that every attempt sends the same bytes; the mails that have one now."""
    kept = []
    for mail in mails:
        letter = letters.get(mail.key, mail.letter)
        if isinstance(letter, str):
            stick(tx, mail, letter, shop=shop, now=now)
        elif letter is not None and (stored := tx.outbox.keep_letter(mail.key, letter)) is not None:
            kept.append(replace(mail, letter=stored, body_sha256=stored.body_sha256))
    return kept
