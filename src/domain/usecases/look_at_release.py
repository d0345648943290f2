"""Before a new version is announced: who would be emailed, what the email says, and a test of it."""

from __future__ import annotations

from functools import partial
from typing import Final

from domain import outbox_keys
from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.mail import Letter, MailKind
from domain.ports import Catalogue, Clock, EmailNotRendered, EmailTemplates, Randomness, Store
from domain.product import Product
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.announce import hears_of_releases, release_email, version_of
from domain.usecases.authorise import refusal, write_down
from domain.usecases.send_email import send_email
from domain.values import EmailAddress, ProductId, UserId

LOOKED_AT: Final = 10_000
"""Owners that are counted; of more, the page says so."""
_AT_ONCE: Final = 100
_NOBODY: Final = UserId("")
"""Whom a test is for: its link to unsubscribe leads to the account."""


@frozen
class ReleaseSeen:
    """What announcing the files of a product as they are now would do."""

    product: Product
    version: str
    """A fingerprint of the files."""
    wanted: int
    """Owners who would be emailed."""
    known: int
    """Owners who were emailed about these very files before."""
    left_out: int
    """Owners who opted out, own nothing that opens, or cannot be emailed."""
    complete: bool
    """Whether all owners were counted."""
    letter: Letter | None
    """What the email says; None if its template fails."""
    done: bool
    """Whether the form that was named was submitted before."""


@frozen
class LookAtRelease:
    """`coatcheck announce --dry-run`. Reads only, beside the customers (`Store.survey`)."""

    store: Store
    catalogue: Catalogue
    templates: EmailTemplates
    base_url: str

    async def __call__(self, product: ProductId, *, form: str = "") -> ReleaseSeen | None:
        """None if the catalogue has no such product. `form`: the one that is submitted. Raises StoreUnavailable."""
        edition = self.catalogue.current()
        found = edition.products.get(product)
        if found is None or not found.present:
            return None
        done = await self.store.read(lambda tx: bool(form) and tx.audit.by_form(form) is not None)
        counts, after, looked_at = [0, 0, 0], "", 0
        while looked_at < LOOKED_AT:
            part, after = await self.store.survey(partial(_count, found, after))
            counts = [total + more for total, more in zip(counts, part, strict=True)]
            looked_at += sum(part)
            if not after:
                break
        try:
            email = release_email(found, _NOBODY)
            letter = self.templates.render(email, language="", shop=edition.shop, base_url=self.base_url)
        except EmailNotRendered:
            letter = None
        wanted, known, left_out = counts
        return ReleaseSeen(
            product=found, version=version_of(found), wanted=wanted, known=known, left_out=left_out,
            complete=not after, letter=letter, done=done,
        )  # fmt: skip


def _count(product: Product, after: str, tx: ReadTransaction) -> tuple[tuple[int, int, int], str]:
    """Wanted, known and left out among the next owners after a user id; the last of them, "" at the end."""
    owners, version = tx.purchases.owners_after(product.id, after=after, limit=_AT_ONCE), version_of(product)
    hear = [user.id for user, holdings in owners if hears_of_releases(tx, user, holdings)]
    known = sum(tx.outbox.get(outbox_keys.release(product.id, version, user)) is not None for user in hear)
    counted = (len(hear) - known, known, len(owners) - len(hear))
    return counted, owners[-1][0].id if len(owners) == _AT_ONCE else ""


@frozen
class TrialQueued:
    """The test is on its way, now or since the same form was submitted before."""

    to: EmailAddress


@frozen
class TryAnnouncement:
    """The email about a new version, to whoever is about to announce it and nobody else."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, product: ProductId, to: EmailAddress, *, actor: Actor, form: str
    ) -> TrialQueued | NotAllowed | None:
        """None if the catalogue has no such product. `form`: names this request. Raises StoreUnavailable."""
        found = self.catalogue.current().products.get(product)
        if found is None or not found.present:
            return None
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        email = release_email(found, _NOBODY)

        def work(tx: Transaction) -> TrialQueued | NotAllowed:
            not_allowed = refusal(tx, AuditAction.TRY_ANNOUNCEMENT, product, asked=asked)
            if not_allowed is not None:
                return not_allowed
            if tx.audit.by_form(form) is None:
                write_down(tx, asked.line(AuditAction.TRY_ANNOUNCEMENT, product))
                key = outbox_keys.release_test(product, asked.id)
                send_email(tx, email, key=key, kind=MailKind.NOTICE, to=to, now=now)
            return TrialQueued(to)

        return await self.store.transact(work)
