"""What providers say of an error is shown, stored and logged without the addresses and keys in it."""

from __future__ import annotations

import io
import json
import logging
import signal
from collections.abc import Iterator

import pytest

from domain import ports
from domain.redacting import redacted
from entrypoints.run.logs import BatchedLines


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("No such customer: Anna.Smith+x@shop.example.com", "No such customer: [address]"),
        ("550 5.1.1 <anna@example.com>: unknown", "550 5.1.1 <[address]>: unknown"),
        ("to=anna%40example.com&x=1", "to=[address]&x=1"),
        ("käthe@müller.example and b@x.com, too", "[address] and [address], too"),
        ("cut at anna@", "cut at [address]"),
        (
            "Invalid API Key provided: sk_live_51Habc********************xyz9",
            "Invalid API Key provided: [sk]",
        ),
        ("key 'rk_test_abc' and pk_live_x", "key '[rk]' and [pk]"),
        ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw== is wrong", "secret [whsec] is wrong"),
        ("re_8bKc_DEf9 is revoked", "[re] is revoked"),
        ("No such checkout.session: cs_test_a1B2c3.", "No such checkout.session: [cs]."),
        ("Authorization: Bearer abc.def", "Authorization: [Bearer]"),
        ("AKIAIOSFODNN7EXAMPLE does not exist", "[AKIA] does not exist"),
        ("smtp://bob:s3cret@mail.example.com:587", "smtp://bob:[address]:587"),
        ("are_we_there, score_1, the bearer of_this", "are_we_there, score_1, the bearer of_this"),
        ("Your card was declined (402): card_declined", "Your card was declined (402): card_declined"),
    ],
)
def test_addresses_and_keys_are_taken_out_and_all_else_stays(said: str, kept: str) -> None:
    assert redacted(said) == kept
    assert redacted(kept) == kept


LONG = 200_000
SHAPES = {
    "a run after @": "@" + "a" * LONG,
    "a run": "@ " + "a" * LONG,
    "%40 and a run": "%40 " + "a%4" * (LONG // 3),
    "@ alone": "@" * LONG,
    "addresses without end": "a@" * (LONG // 2),
    "queries": "a@b?" * (LONG // 4),
    "words": "@ " + "a " * (LONG // 2),
    "brackets": "@[" * (LONG // 2),
    "keys that do not begin": "sk_live_" * (LONG // 8),
    "secrets that do not begin": "_re" * (LONG // 3),
    "keys of AWS, too short": "AKIA*******-" * (LONG // 12),
    "Bearer of nothing": "Bearer" + " " * LONG,
    "many a Bearer of nothing": "Bearer ;" * (LONG // 8),
}


@pytest.fixture
def few_steps() -> Iterator[None]:
    """An end to what would take minutes of the processor; all of it takes far less than a second."""

    def stop(*_: object) -> None:
        pytest.fail("the time grows with the square of the length")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 10)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_text_of_any_shape_takes_few_steps(shape: str) -> None:
    assert len(redacted(SHAPES[shape])) <= LONG + len("[address]")


def test_a_provider_that_says_much_is_cut_between_two_words() -> None:
    error = ports.PaymentsRefused("no " * 664 + "anna.smith@example.com" + " no" * LONG)
    assert str(error) == "no " * 664 + "…"
    assert str(ports.PaymentsRefused("n" * LONG)) == "…"


PROVIDERS_ERRORS = [
    ports.PaymentsUnreachable, ports.PaymentsRefused, ports.MailNotSent, ports.MailUnknown, ports.MailRefused,
    ports.GoodsUnavailable,
]  # fmt: skip


@pytest.mark.parametrize("kind", PROVIDERS_ERRORS)
def test_a_providers_error_never_holds_them(kind: type[Exception]) -> None:
    error = kind("said no: sk_test_abc of anna@example.com")
    assert str(error) == "said no: [sk] of [address]"
    assert "anna" not in repr(error)


@pytest.mark.parametrize("as_json", [True, False])
def test_the_log_holds_none_even_of_what_caused_an_error(as_json: bool) -> None:
    stream = io.StringIO()
    handler = BatchedLines(stream, as_json=as_json)
    try:
        try:
            raise KeyError("sk_live_abc of anna@example.com")
        except KeyError as cause:
            raise ports.PaymentsRefused("Stripe said no to anna@example.com") from cause
    except ports.PaymentsRefused as error:
        record = logging.LogRecord("coatcheck", logging.ERROR, "", 0, "of %s", ("b@x.com",), None)
        record.exc_info = (type(error), error, error.__traceback__)
        record.fields = {"error": "whsec_abc", "count": 3}
    handler.emit(record)
    handler.close()
    line = stream.getvalue()
    for secret in ("anna", "b@x", "sk_live", "whsec_"):
        assert secret not in line
    for left in ("KeyError", "PaymentsRefused", "[sk] of [address]", "of [address]", "[whsec]"):
        assert left in line
    if as_json:
        assert json.loads(line)["count"] == 3
