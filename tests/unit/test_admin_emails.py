"""What the pages of emails show, and to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from contracts import samples

from domain.emails import AccessLink, Email, LicenceArrived, LicenceLine
from domain.mail import Letter
from domain.values import EmailAddress, Money
from entrypoints.admin.customer_words import mail_row
from entrypoints.admin.emails import MOST, caption_to, text_of, waiting_caption

KEY = "ABCD-EFGH-1234"


@pytest.mark.parametrize(
    ("number", "waiting", "to"),
    [
        (0, "Emails that wait for you, oldest first: 0", "Emails to anna@example.com: 0"),
        (200, "Emails that wait for you, oldest first: 200", "Emails to anna@example.com: 200"),
        (
            3000,
            "Emails that wait for you: 3,000. The oldest 200 are shown.",
            "Emails to anna@example.com: 3,000. The newest 200 are shown.",
        ),
    ],
)
def test_a_page_shows_so_many_and_says_how_many_there_are(number: int, waiting: str, to: str) -> None:
    assert MOST == 200
    assert waiting_caption(number) == waiting
    assert caption_to(EmailAddress("anna@example.com"), number) == to


@pytest.mark.parametrize(
    "email",
    [
        AccessLink(product_name="Book", paid=Money(900, "usd"), order="c1", licences=(LicenceLine(KEY),)),
        LicenceArrived(product_name="Book", licence=LicenceLine(KEY, of="it"), order="c1"),
    ],
)
def test_viewers_read_an_email_without_its_licence_key(email: Email) -> None:
    letter = Letter("Your Book", f"Open it: {{{{coatcheck:link}}}}\nKey: {KEY}\n", "")
    mail = replace(samples.a_mail(), email=email, letter=letter)
    assert text_of(mail, masked=False) == f"Open it: [the link]\nKey: {KEY}\n"
    assert text_of(mail, masked=True) == "Open it: [the link]\nKey: ••••1234\n"
    row = mail_row(mail, UTC, now=samples.NOW, masked=True)
    assert KEY not in repr(row)
    assert "••••1234" in str(row["text"])
