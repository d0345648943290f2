"""What the page of emails says of how many it shows."""

from __future__ import annotations

import pytest

from domain.values import EmailAddress
from entrypoints.admin.emails import MOST, caption_to, waiting_caption


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
