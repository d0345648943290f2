"""Emails are queued as parameters and rendered once, by the worker: no template can stop or slow a sale."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from adapters.languages.packaged import PackagedLanguages
from adapters.templates.emails import PackagedTemplates
from domain.claim import RejectReason
from domain.colour import Colour
from domain.emails import (
    EMAILS,
    AccessClosed,
    AccessEmailBounced,
    AccessLink,
    AccountDeleted,
    AddressChangeRequested,
    CatalogueMistakes,
    ChangedItem,
    ConfirmAddress,
    ConfirmOrder,
    ConfirmOwner,
    CorrectionUndone,
    Email,
    EmailStuck,
    FraudWarned,
    LicenceArrived,
    LicenceLine,
    NewRelease,
    OpenAgain,
    OutOfLicenceKeys,
    PaymentFailed,
    PaymentQuarantined,
    ProviderProblem,
    Refunded,
    SaleMade,
    SalesDigest,
    SalesTotal,
    SignIn,
    StaffNotice,
    UnreadableEmail,
)
from domain.mail import BODY_KEPT, Letter, Mail, MailState
from domain.ports import SOURCE, EmailNotRendered, MailNotSent, TemplateMistake
from domain.product import ShopInfo
from domain.records import ProblemKind
from domain.staff import StaffEvent
from domain.usecases.report_status import SentAgain
from domain.values import Money, UserId
from domain.withdrawal_emails import (
    WithdrawalAccepted,
    WithdrawalReceived,
    WithdrawalRefused,
    WithdrawalsNoted,
    WithdrawalToProve,
)
from entrypoints.testing import BASE_URL, BOOK, EMAIL_TEMPLATES, Browser, Shop, an_edition
from testkit import by_hand
from testkit.stepping import run
from testkit.translating import Pseudo, all_sentences, english_in, forgotten, plain_words, visible

KNOWN = all_sentences()
LANGUAGES = PackagedLanguages()
TAGS = re.compile(r"<[^>]*>")
ANNA, MERCHANT = "anna@example.com", "help@shop.example"
SMALL, LARGE = Money(400, "usd"), Money(900, "usd")
NAME = "A & <b>\r\n\r\nB"
ORDER, ALL = ChangedItem(product_name=NAME, order="c1"), ChangedItem(bought_as="a•••@example.com")
TOTAL = SalesTotal(sales="3", gross="$27.00", taken_back="$9.00", net="$18.00")
SUMS = (r"\$27\.00", r"\$9\.00", r"\$18\.00")  # text, since they may exceed what `Money` holds
SAMPLES: tuple[Email, ...] = (
    AccessLink(product_name=NAME, paid=LARGE, order="c1"),
    AccessLink(product_name=NAME, paid=Money(0, "usd"), order="c1"),
    AccessLink(product_name=NAME, paid=Money(0, "usd"), order="c1", granted=True),
    AccessLink(product_name=NAME, paid=LARGE, order="c1", licences=(LicenceLine(key="K-1"), LicenceLine(key="K-2", of=NAME))),
    SignIn(),
    ConfirmOrder(product_name=NAME),
    *(ConfirmOwner(product_name=NAME, order="c1", here_only=here) for here in (False, True)),
    PaymentFailed(product=BOOK, product_name=NAME, price=LARGE, order="c1"),
    Refunded(product_name=NAME, refunded=LARGE, in_all=LARGE, paid=LARGE, closed=True, suspended=False, order="c1"),
    Refunded(product_name=NAME, refunded=SMALL, in_all=SMALL, paid=LARGE, closed=False, suspended=False, order="c1"),
    Refunded(product_name=NAME, refunded=SMALL, in_all=Money(800, "usd"), paid=LARGE, closed=False, suspended=False, order="c1"),
    Refunded(product_name=NAME, refunded=SMALL, in_all=SMALL, paid=LARGE, closed=False, suspended=True, order="c1"),
    Refunded(product_name=NAME, refunded=LARGE, in_all=LARGE, paid=LARGE, closed=True, suspended=False, order="c1", elsewhere=True),
    *(AccessClosed(product_name=NAME, order="c1", elsewhere=elsewhere) for elsewhere in (False, True)),
    OpenAgain(product=BOOK, product_name=NAME, order="c1"),
    LicenceArrived(product_name=NAME, licence=LicenceLine(key="K-1"), order="c1"),
    LicenceArrived(product_name=NAME, licence=LicenceLine(key="K-1", of=NAME), order="c1"),
    LicenceArrived(product_name=NAME, licence=LicenceLine(key="K-1"), order="c1", replaces=True),
    NewRelease(product=BOOK, product_name=NAME, files=(("Title", "it.txt"),), user=UserId("ab12")),
    *(ConfirmAddress(item=item, address=ANNA, here_only=here, merges=merges)
      for item in (ORDER, ALL) for here in (False, True) for merges in (False, True)),
    AddressChangeRequested(item=ORDER),
    AddressChangeRequested(item=ALL),
    *(ConfirmAddress(item=item, address=ANNA, here_only=False, merges=merges, by_staff=True)
      for item in (ORDER, ALL) for merges in (False, True)),
    *(AddressChangeRequested(item=item, by_staff=True) for item in (ORDER, ALL)),
    AccountDeleted(),
    OutOfLicenceKeys(product=BOOK, product_name=NAME),
    *(PaymentQuarantined(ref="cs_test_1", reason=reason.name) for reason in RejectReason),
    CorrectionUndone(orders=("c1", "c2"), was_done=True),
    CorrectionUndone(orders=("c1",), was_done=False),
    *(CorrectionUndone(orders=("c1",), was_done=done, by_staff=True) for done in (False, True)),
    AccessEmailBounced(key="access:c1", product_name=NAME, order="c1"),
    EmailStuck(kind="access", problem="no such key"),
    *(ProviderProblem(kind=kind.name, about="book", detail="no such key") for kind in ProblemKind if kind.is_refusal),
    EmailStuck(kind="access", problem="no such key", may_have_been_sent=True),
    EmailStuck(kind="access", problem="outcome_unknown", may_have_been_sent=True),
    FraudWarned(product_name=NAME, paid=LARGE, order="c1", refunded=False),
    FraudWarned(product_name=NAME, paid=LARGE, order="c1", refunded=True),
    SaleMade(product_name=NAME, paid=LARGE, order="c1"),
    SaleMade(product_name=NAME, paid=Money(0, "usd"), order="c1"),
    SalesDigest(first="2026-03-01", last="2026-03-01", sales=(SaleMade(product_name=NAME, paid=LARGE, order="c1"),), more="", totals=(TOTAL,)),
    SalesDigest(first="2026-03-01", last="2026-03-07", sales=(SaleMade(product_name=NAME, paid=LARGE, order="c1"),), more="2", totals=(TOTAL, TOTAL)),
    WithdrawalReceived(name="A Shop", contract="The book", at="2026-12-01 13:05:11+01:00"),
    WithdrawalToProve(product_name="The book", order="c1", name="A Shop", at="2026-12-01 13:05:11+01:00"),
    *(WithdrawalAccepted("The book", "c1", refund) for refund in (None, Money(900, "usd"))),
    *(WithdrawalRefused("no such key", "The book", order) for order in ("", "c1")),
    *(WithdrawalsNoted(one, other) for one, other in (("2", ""), ("", "1"), ("2", "1"))),
    *(StaffNotice(event.value, about, detail="Firefox on Linux") for event in StaffEvent for about in ("", "b•••@x.com")),
    CatalogueMistakes(problems=("no such key", "The book"), gone=(BOOK,), lost=()),
    CatalogueMistakes(problems=(), gone=(), lost=(BOOK, BOOK)),
)  # fmt: skip


def rendered(email: Email) -> Letter:
    return EMAIL_TEMPLATES.render(email, language="en", shop=an_edition().shop, base_url=BASE_URL)


def test_the_samples_are_of_every_email() -> None:
    assert {type(email) for email in SAMPLES} == set(EMAILS)


@pytest.mark.parametrize("email", SAMPLES, ids=lambda email: email.template)
def test_text_and_html_are_whole_and_say_the_same(email: Email) -> None:
    letter = rendered(email)
    assert letter == rendered(email), "the same parameters give the same bytes"
    assert "\n" not in letter.subject + letter.subject.strip()
    assert letter.text.endswith(f"A Shop\nQuestions? Write to: {MERCHANT}\n")
    assert letter.html.startswith("<!doctype html>")
    assert letter.html.endswith("</html>\n") or letter.html.endswith("</html>")
    assert "<b>" not in letter.html, "what was not written by us is escaped"
    slots = letter.text.count("{{coatcheck:"), letter.html.count("{{coatcheck:")
    assert (slots[0] > 0) == (slots[1] > 0)
    assert "\n\n\n" not in letter.text
    html = re.sub(r'<code style="[^"]*">(.*?)</code>', r"`\1`", letter.html)
    assert html.count("`") == letter.text.count("`"), "the commands"
    assert "`" not in letter.html, "there they are in letters of one width"
    for paragraph in letter.text.split("\n\n")[:-1]:
        for line in paragraph.splitlines():
            shown = line.strip().removesuffix(":").replace("&", "&amp;").replace("<", "&lt;")
            shown = shown.replace(">", "&gt;").replace("'", "&#x27;")
            # A label and what it says are cells of a table there.
            for cell in [shown] if shown in html else shown.split(": "):
                assert cell.replace("/", "&#x2f;") in html or cell in html


# What is the shop's, its customers' or the provider's own.
GIVEN = (
    r"\{\{coatcheck:[^}]*\}\}|https://\S+|[\w.•]+@[\w.]+", r"A Shop|Firefox on Linux|coatcheck export --format csv --from \S+ --to \S+|The book|\bbook\b|\bTitle\b|\bit\.txt|cs_test_1",
    # A row of the outbox as `coatcheck status` names it, and what the email provider said of it.
    r"\baccess:c1|“access”|no such key",
)  # fmt: skip


@pytest.mark.parametrize("email", SAMPLES, ids=lambda email: email.template)
def test_every_sentence_is_translated(email: Email) -> None:
    templates = PackagedTemplates(lambda language: Pseudo(KNOWN))
    letter = templates.render(email, language="xx", shop=an_edition().shop, base_url=BASE_URL)
    assert plain_words([letter.subject, *letter.text.splitlines()], allowed=GIVEN) == []
    assert forgotten(letter.html, allowed=GIVEN) == []


@pytest.mark.parametrize("code", [code for code in LANGUAGES.offered if code != SOURCE])
def test_no_english_is_left_in_another_language(code: str) -> None:
    templates, shop = PackagedTemplates(LANGUAGES.language), replace(an_edition().shop, languages=(code,))
    for email in SAMPLES:
        letter, english = templates.render(email, language="", shop=shop, base_url=BASE_URL), rendered(email)
        texts = [letter.subject, *letter.text.splitlines(), *visible(letter.html)]
        assert (
            english_in(
                texts, code, allowed=(*GIVEN, "`[^`]*`", "coatcheck .*", r"payment\W+\)", "To do", *SUMS)
            )
            == []
        ), email
        assert f'<html lang="{code}">' in letter.html
        assert letter.text.count("`") == english.text.count("`"), "the commands"
        assert TAGS.findall(letter.html.replace(f'lang="{code}"', 'lang="en"')) == TAGS.findall(english.html)
        assert letter.text.count("\n\n") == english.text.count("\n\n")


def test_an_amount_and_a_day_are_written_as_the_language_of_the_email_does() -> None:
    email = AccessLink(product_name="A", paid=Money(123450, "eur"), order="01a2293bd7ccaa4a")
    templates = PackagedTemplates(LANGUAGES.language)
    letter = templates.render(email, language="de", shop=an_edition().shop, base_url=BASE_URL)
    assert "1.234,50\N{NO-BREAK SPACE}€" in letter.text
    assert re.search(r"Bestellt am: \d+\. [A-Z][a-zä]+ 20\d\d\n", letter.text)
    assert templates.render(email, language="xx", shop=an_edition().shop, base_url=BASE_URL) == rendered(
        email
    )


def test_an_access_email_is_a_receipt() -> None:
    email = AccessLink(
        product_name="A <b> book", paid=Money(900, "usd"), order="01a2293bd7ccaa4a", licences=(LicenceLine("K-1", of=""),)
    )  # fmt: skip
    seller = replace(an_edition().shop, seller="Coat & Hook Ltd\n1 Peg Lane\nVAT 123")
    letter = EMAIL_TEMPLATES.render(email, language="en", shop=seller, base_url=BASE_URL)
    receipt = [
        "Order: 01a2293bd7ccaa4a", "Ordered: 29 November 2026", "Sold by: Coat & Hook Ltd, 1 Peg Lane, VAT 123",
        "Product: A <b> book", "Total: $9.00",
    ]  # fmt: skip
    assert "\n".join(receipt) in letter.text
    cells = re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", letter.html, re.DOTALL)
    assert cells == [
        ("Order", "01a2293bd7ccaa4a"), ("Ordered", "29 November 2026"),
        ("Sold by", "Coat &amp; Hook Ltd\n1 Peg Lane\nVAT 123"), ("Product", "A &lt;b&gt; book"), ("Total", "$9.00"),
    ]  # fmt: skip
    assert letter.html.index("K-1") < letter.html.index("The link works once"), (
        "the key is above the small print"
    )
    assert f"enter this email address at {BASE_URL}/library." in letter.text
    assert letter.html.count("<h1 ") == 1


@pytest.mark.parametrize("order", ["c1", "000000000000abcd", "zzzzzzzzzzzzzzzz", "ffffffffffffabcd"])
def test_an_order_number_that_holds_no_time_has_no_date(order: str) -> None:
    """That of an import, for one."""
    letter = rendered(AccessLink(product_name="The book", paid=Money(900, "usd"), order=order))
    assert "Ordered" not in letter.text + letter.html


@pytest.mark.parametrize(("accent", "label"), [("#ffd400", "#000000"), ("#400", "#ffffff"), ("", "#ffffff")])
def test_an_email_wears_the_accent_and_can_be_read_in_light_and_dark(accent: str, label: str) -> None:
    letter = EMAIL_TEMPLATES.render(
        SignIn(), language="en", shop=replace(an_edition().shop, accent=accent), base_url=BASE_URL
    )
    button = re.search(r"background:(#\w{6});color:(#\w{6})", letter.html)
    assert button is not None
    assert (button[1], button[2]) == (str(Colour.parse(accent or "#24483e")), label)
    brand = Colour.parse(re.search(r"font-weight:600;color:(#\w{6})", letter.html)[1])  # type: ignore[index]
    dark = Colour.parse(re.search(r"\.brand, \.soft a { color: (#\w{6})", letter.html)[1])  # type: ignore[index]
    assert brand is not None
    assert dark is not None
    assert brand.contrast(Colour(0xFF, 0xFD, 0xF8)) >= 4.5
    assert dark.contrast(Colour(0x20, 0x23, 0x2B)) >= 4.5


@pytest.mark.parametrize(
    ("logo", "shown"),
    [("logo.png", True), ("Logo.JPG", True), ("a.gif", True), ("logo.svg", False), ("logo.webp", False), ("", False)],
)  # fmt: skip
def test_emails_show_a_logo_that_email_programs_can_show(logo: str, shown: bool) -> None:
    shop = replace(an_edition().shop, logo=logo)
    for email in SAMPLES:
        letter = EMAIL_TEMPLATES.render(email, language="en", shop=shop, base_url=BASE_URL)
        assert (f'<img src="{BASE_URL}/logo"' in letter.html) is shown
        assert shop.name in letter.html, "for readers who see no pictures"


def test_every_reason_of_quarantine_has_a_sentence() -> None:
    texts = {rendered(PaymentQuarantined(ref="cs_1", reason=reason.name)).text for reason in RejectReason}
    assert len(texts) == len(RejectReason)
    without = rendered(PaymentQuarantined(ref="cs_1", reason="none of them")).text
    assert without not in texts


def test_an_email_that_cannot_be_read_is_not_rendered() -> None:
    with pytest.raises(EmailNotRendered, match="does not hold the parameters"):
        rendered(UnreadableEmail(template="access_link", parameters="{"))


# ------------------------------------------------------------------ the worker


class Templates:
    """The real ones; those named in `broken` fail, and `edition` is in every subject."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.edition = ""
        self.rendered: list[str] = []

    @property
    def built_in(self) -> Mapping[str, str]:
        return {}

    def mistakes_in(self, templates: Mapping[str, str]) -> Sequence[TemplateMistake]:
        return ()

    def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
        if email.template in self.broken:
            raise EmailNotRendered(f"the template {email.template!r} failed: on purpose")
        self.rendered.append(email.template)
        letter = EMAIL_TEMPLATES.render(email, language=language, shop=shop, base_url=base_url)
        return Letter(subject=letter.subject + self.edition, text=letter.text, html=letter.html)


def a_shop(*broken: str) -> tuple[Shop, Templates]:
    shop, templates = Shop(), Templates(*broken)
    shop.templates = templates
    return shop, templates


def sold(shop: Shop, email: str = ANNA, *, seconds_later: int = 0) -> Mail:
    ref = Browser(shop).buy()
    shop.payments.pay(ref, email=email)
    shop.clock.tick(seconds=seconds_later)
    shop.hear_of(ref)
    return next(mail for mail in shop.memory.tables.outbox.values() if str(mail.to) == email)


def test_a_broken_template_stops_its_own_email_and_nothing_else() -> None:
    shop, templates = a_shop("access_link")
    mail = sold(shop)
    assert len(shop.memory.tables.purchases) == 1
    shop.deliver_mail()
    held = shop.memory.tables.outbox[mail.key]
    assert (held.state, held.letter) == (MailState.STUCK, None)
    assert held.problem == "the template 'access_link' failed: on purpose"
    assert [m.subject for m in shop.letters_to(MERCHANT)] == ["An email is stuck"]
    assert "on purpose" in shop.letters_to(MERCHANT)[0].text
    assert [m.key for m in run(shop.report()).mails] == [mail.key]
    Browser(shop).ask_for_link(ANNA)
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to(ANNA)] == ["Sign in to A Shop"]
    templates.broken.clear()
    assert by_hand.send_again(shop, mail.key) is SentAgain.QUEUED
    shop.deliver_mail()
    assert shop.letters_to(ANNA)[-1].subject == "Your purchase: The book"


def test_templates_that_break_their_promise_stop_one_email_and_nothing_else() -> None:
    """A custom adapter may raise anything. The emails leased in the same round leave."""

    class Raises(Templates):
        def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
            if email.template == "access_link":
                raise ZeroDivisionError("by design")
            return super().render(email, language=language, shop=shop, base_url=base_url)

    shop = Shop()
    shop.templates = Raises()
    mail = sold(shop)
    Browser(shop).ask_for_link(ANNA)
    shop.deliver_mail()
    held = shop.memory.tables.outbox[mail.key]
    assert (held.state, held.unknown_since) == (MailState.STUCK, None)
    assert held.problem.startswith("ZeroDivisionError (test_emails.py, line ")
    assert held.problem.endswith(": by design")
    assert [m.subject for m in shop.letters_to(ANNA)] == ["Sign in to A Shop"]


def test_even_the_notice_of_a_broken_template_may_be_broken() -> None:
    shop, _ = a_shop("access_link", "email_stuck")
    sold(shop)
    shop.deliver_mail()
    assert {m.state for m in shop.memory.tables.outbox.values()} == {MailState.STUCK}


def test_an_email_is_rendered_once_whatever_becomes_of_the_templates() -> None:
    shop, templates = a_shop()
    sold(shop)
    assert templates.rendered == [], "nothing is rendered in a claim"
    shop.mailer.failing = MailNotSent("away")
    shop.deliver_mail()
    templates.edition = " (new)"
    shop.clock.tick(minutes=5)
    shop.mailer.failing = None
    shop.deliver_mail()
    assert [m.subject for m in shop.letters_to(ANNA)] == ["Your purchase: The book"]
    assert templates.rendered == ["access_link"]


def test_sending_again_renders_anew_with_a_new_link_under_a_new_key() -> None:
    shop, templates = a_shop()
    mail = sold(shop)
    shop.deliver_mail()
    first = shop.last_link(ANNA)
    templates.edition = " (new)"
    by_hand.send_again(shop, mail.key)
    shop.deliver_mail()
    assert shop.letters_to(ANNA)[-1].subject == "Your purchase: The book (new)"
    assert shop.last_link(ANNA) != first
    assert shop.memory.tables.outbox[f"{mail.key}#2"].email == mail.email


def test_a_body_is_deleted_25_hours_after_its_email_is_settled_and_the_rest_is_kept() -> None:
    shop, _ = a_shop()
    mail = sold(shop)
    shop.deliver_mail()
    sent = shop.memory.tables.outbox[mail.key]
    assert sent.letter is not None
    shop.clock.time += BODY_KEPT
    prune(shop)
    assert shop.memory.tables.outbox[mail.key] == sent
    shop.clock.tick(seconds=1)
    prune(shop)
    kept = shop.memory.tables.outbox[mail.key]
    assert kept.letter == Letter(subject=sent.letter.subject, text="", html="")
    assert kept.body_sha256 == sent.letter.body_sha256
    assert (kept.email, kept.language, kept.state) == (mail.email, "", MailState.SENT)
    by_hand.send_again(shop, mail.key)
    shop.deliver_mail()
    assert len(shop.letters_to(ANNA)) == 2, "it can be sent again from its parameters"


def test_the_body_of_a_stuck_email_is_kept() -> None:
    shop, _ = a_shop()
    mail = sold(shop)
    run(shop.lease_mail())
    run(
        shop.store.transact(lambda tx: tx.outbox.settle(mail.key, state=MailState.STUCK, at=shop.clock.now()))
    )
    shop.clock.tick(days=30)
    prune(shop)
    held = shop.memory.tables.outbox[mail.key].letter
    assert held is not None
    assert held.text


def prune(shop: Shop) -> None:
    now = shop.clock.now()
    run(shop.store.transact(lambda tx: tx.retention.prune(now=now)))


def test_parameters_are_of_the_sale_and_not_of_the_moment_it_was_booked() -> None:
    assert sold(Shop(), seconds_later=7).email == sold(Shop()).email
