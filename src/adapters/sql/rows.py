"""Rows to domain objects and back, by hand: this is on the path of every request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.claim import Objection
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Delivery, Letter, Mail, MailKind, MailState, Urgency
from domain.moves import Before, Move, MoveKind
from domain.purchase import Checkout, Fact, FactKind, LicenceKey, Purchase
from domain.records import Download, Quarantined, User
from domain.session import Session
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    Money,
    MoveId,
    ProductId,
    SessionId,
    UserId,
)

Row = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_OLD_NO_NEWS: Final = 1
_NEW_NO_NEWS: Final = 2

SESSION: Final = "id, token_hash, mailbox, started_at, seen_at, label, move_id, former"
CHECKOUT: Final = (
    "id, pid, product_name, amount, currency, session_id, mailbox, livemode, started_at, "
    "provider_ref, expires_at, contents, discounts"
)
PURCHASE: Final = (
    "checkout_id, provider_ref, payment, user_id, mailbox, paid_email, pid, product_name, amount, currency, "
    "livemode, session_id, booked_at, contents, licences"
)
FACT: Final = "object_id, kind, payment, as_of, status, amount"
LINK: Final = (
    "id, key, purpose, mailbox, asked_by, pid, made_at, sent_at, used_at, superseded, code_tries, checkout_id, "
    "move_id, used_with"
)
MAIL: Final = (
    "key, kind, mailbox, subject, text, html, link_id, key_name, queued_at, due_at, state, attempts, "
    "unknown_since, sent_at, problem, delivery, urgency"
)
USER: Final = "id, email, since, proved_at, wants_news"
MOVE: Final = "id, kind, old, new, asked_by, asked_at, checkouts, done_at, undone_at, old_since, no_news"
DOWNLOAD: Final = "checkout_id, pid, name, last_at, times"
QUARANTINE: Final = "ref, objection, first_at, last_at, tries, retry_at, closed_at"

_MAIL_KINDS: Final = {kind.value: kind for kind in MailKind}
_MAIL_STATES: Final = {state.value: state for state in MailState}
_URGENCIES: Final = tuple(Urgency)
_FACT_KINDS: Final = {kind.value: kind for kind in FactKind}
_DELIVERIES: Final = {delivery.value: delivery for delivery in Delivery}
_MOVE_KINDS: Final = {kind.value: kind for kind in MoveKind}
_PURPOSES: Final = {purpose.value: purpose for purpose in LinkPurpose}


def micros(moment: datetime) -> int:
    """An aware moment as microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe_micros(moment: datetime | None) -> int | None:
    """The same, where there may be none."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Microseconds since 1970 as an aware moment in UTC."""
    return _EPOCH + value * _MICROSECOND


def maybe_moment(value: int | None) -> datetime | None:
    """The same, where there may be none."""
    return None if value is None else _EPOCH + value * _MICROSECOND


def maybe_address(text: str | None) -> EmailAddress | None:
    """A stored address is canonical already."""
    return None if text is None else EmailAddress(text)


def session_of(row: Row) -> Session:
    """From the columns of SESSION."""
    return Session(
        id=SessionId(row[0]),
        token_hash=Digest(row[1]),
        mailbox=maybe_address(row[2]),
        started_at=moment(row[3]),
        seen_at=moment(row[4]),
        label=row[5],
        change=row[6],
        former=row[7],
    )


def session_row(session: Session) -> Row:
    """To the columns of SESSION."""
    return (
        session.id,
        session.token_hash,
        None if session.mailbox is None else session.mailbox.canonical,
        micros(session.started_at),
        micros(session.seen_at),
        session.label,
        session.change,
        session.former,
    )


def checkout_of(row: Row) -> Checkout:
    """From the columns of CHECKOUT."""
    return Checkout(
        id=CheckoutId(row[0]),
        product=ProductId(row[1]),
        product_name=row[2],
        price=Money(row[3], row[4]),
        session=row[5],
        mailbox=maybe_address(row[6]),
        livemode=bool(row[7]),
        started_at=moment(row[8]),
        provider_ref=row[9],
        expires_at=maybe_moment(row[10]),
        contents=_words(row[11]),
        discounts=bool(row[12]),
    )


def _words(text: str) -> tuple[ProductId, ...]:
    """Product ids in a row, with a space between."""
    return tuple(ProductId(word) for word in text.split(" ")) if text else ()


def _licences(text: str) -> tuple[LicenceKey, ...]:
    """`<product> <key>`, a line each: a key may have spaces in it, a product's id has none."""
    pairs = (line.split(" ", 1) for line in text.split("\n")) if text else ()
    return tuple(LicenceKey(product=ProductId(product), key=key) for product, key in pairs)


def licences_text(licences: Iterable[LicenceKey]) -> str:
    """Back to text."""
    return "\n".join(f"{item.product} {item.key}" for item in licences)


def checkout_row(checkout: Checkout) -> Row:
    """To the columns of CHECKOUT."""
    return (
        checkout.id,
        checkout.product,
        checkout.product_name,
        checkout.price.amount,
        checkout.price.currency,
        checkout.session,
        None if checkout.mailbox is None else checkout.mailbox.canonical,
        int(checkout.livemode),
        micros(checkout.started_at),
        checkout.provider_ref,
        maybe_micros(checkout.expires_at),
        " ".join(checkout.contents),
        int(checkout.discounts),
    )


def purchase_of(row: Row) -> Purchase:
    """From the columns of PURCHASE."""
    return Purchase(
        checkout=CheckoutId(row[0]),
        provider_ref=row[1],
        payment=row[2],
        user=row[3],
        mailbox=maybe_address(row[4]),
        paid_email=maybe_address(row[5]),
        product=ProductId(row[6]),
        product_name=row[7],
        paid=Money(row[8], row[9]),
        livemode=bool(row[10]),
        session=row[11],
        booked_at=moment(row[12]),
        contents=_words(row[13]),
        licences=_licences(row[14]),
    )


def purchase_row(purchase: Purchase) -> Row:
    """To the columns of PURCHASE."""
    return (
        purchase.checkout,
        purchase.provider_ref,
        purchase.payment,
        purchase.user,
        None if purchase.mailbox is None else purchase.mailbox.canonical,
        None if purchase.paid_email is None else purchase.paid_email.canonical,
        purchase.product,
        purchase.product_name,
        purchase.paid.amount,
        purchase.paid.currency,
        int(purchase.livemode),
        purchase.session,
        micros(purchase.booked_at),
        " ".join(purchase.contents),
        licences_text(purchase.licences),
    )


def fact_of(row: Row) -> Fact:
    """From the columns of FACT."""
    return Fact(
        object_id=row[0], kind=_FACT_KINDS[row[1]], payment=row[2], as_of=row[3], status=row[4], amount=row[5]
    )


def fact_row(fact: Fact) -> Row:
    """To the columns of FACT."""
    return (fact.object_id, fact.kind.value, fact.payment, fact.as_of, fact.status, fact.amount)


def link_of(row: Row) -> MagicLink:
    """From the columns of LINK."""
    return MagicLink(
        id=LinkId(row[0]),
        key=row[1],
        purpose=_PURPOSES[row[2]],
        mailbox=EmailAddress(row[3]),
        asked_by=row[4],
        product=row[5],
        made_at=moment(row[6]),
        sent_at=maybe_moment(row[7]),
        used_at=maybe_moment(row[8]),
        superseded=bool(row[9]),
        code_tries=row[10],
        checkout=row[11],
        move=row[12],
        used_with=row[13],
    )


def link_row(link: MagicLink) -> Row:
    """To the columns of LINK."""
    return (
        link.id,
        link.key,
        link.purpose.value,
        link.mailbox.canonical,
        link.asked_by,
        link.product,
        micros(link.made_at),
        maybe_micros(link.sent_at),
        maybe_micros(link.used_at),
        int(link.superseded),
        link.code_tries,
        link.checkout,
        link.move,
        link.used_with,
    )


def mail_of(row: Row) -> Mail:
    """From the columns of MAIL."""
    return Mail(
        key=row[0],
        kind=_MAIL_KINDS[row[1]],
        to=EmailAddress(row[2]),
        letter=Letter(subject=row[3], text=row[4], html=row[5]),
        link=row[6],
        key_name=row[7],
        queued_at=moment(row[8]),
        due_at=moment(row[9]),
        state=_MAIL_STATES[row[10]],
        attempts=row[11],
        unknown_since=maybe_moment(row[12]),
        sent_at=maybe_moment(row[13]),
        problem=row[14],
        delivery=None if row[15] is None else _DELIVERIES[row[15]],
        urgency=_URGENCIES[row[16]],
    )


def mail_row(mail: Mail) -> Row:
    """To the columns of MAIL."""
    letter = mail.letter
    return (
        mail.key,
        mail.kind.value,
        mail.to.canonical,
        letter.subject,
        letter.text,
        letter.html,
        mail.link,
        mail.key_name,
        micros(mail.queued_at),
        micros(mail.due_at),
        mail.state.value,
        mail.attempts,
        maybe_micros(mail.unknown_since),
        maybe_micros(mail.sent_at),
        mail.problem,
        None if mail.delivery is None else mail.delivery.value,
        mail.urgency.value,
    )


def user_of(row: Row) -> User:
    """From the columns of USER."""
    return User(
        id=UserId(row[0]),
        mailbox=EmailAddress(row[1]),
        since=moment(row[2]),
        proved_at=maybe_moment(row[3]),
        wants_news=bool(row[4]),
    )


def move_of(row: Row) -> Move:
    """From the columns of MOVE."""
    return Move(
        id=MoveId(row[0]),
        kind=_MOVE_KINDS[row[1]],
        old=EmailAddress(row[2]),
        new=EmailAddress(row[3]),
        asked_by=SessionId(row[4]),
        asked_at=moment(row[5]),
        checkouts=tuple(CheckoutId(word) for word in row[6].split(" ")) if row[6] else (),
        done_at=maybe_moment(row[7]),
        undone_at=maybe_moment(row[8]),
        before=_before(row[9], row[10]),
    )


def move_row(move: Move) -> Row:
    """To the columns of MOVE."""
    return (
        move.id,
        move.kind.value,
        move.old.canonical,
        move.new.canonical,
        move.asked_by,
        micros(move.asked_at),
        " ".join(move.checkouts),
        maybe_micros(move.done_at),
        maybe_micros(move.undone_at),
        *before_row(move.before),
    )


def _before(since: int | None, no_news: int | None) -> Before | None:
    if no_news is None:
        return None
    return Before(
        since=maybe_moment(since),
        old_wanted_news=not no_news & _OLD_NO_NEWS,
        new_wanted_news=not no_news & _NEW_NO_NEWS,
    )


def before_row(before: Before | None) -> Row:
    """To the last two columns of MOVE: since when the old address was a customer's, and who wanted no news."""
    if before is None:
        return None, None
    no_news = (0 if before.old_wanted_news else _OLD_NO_NEWS) | (
        0 if before.new_wanted_news else _NEW_NO_NEWS
    )
    return maybe_micros(before.since), no_news


def download_of(row: Row) -> Download:
    """From the columns of DOWNLOAD."""
    return Download(
        checkout=CheckoutId(row[0]),
        product=ProductId(row[1]),
        name=row[2],
        last_at=moment(row[3]),
        times=row[4],
    )


def quarantined_of(row: Row) -> Quarantined:
    """From the columns of QUARANTINE."""
    return Quarantined(
        ref=row[0],
        objection=Objection[row[1]],
        first_at=moment(row[2]),
        last_at=moment(row[3]),
        tries=row[4],
        retry_at=maybe_moment(row[5]),
        closed_at=maybe_moment(row[6]),
    )
