"""Emails with sample values, with which the merchant's own templates are tried."""

from __future__ import annotations

from typing import Final

from domain.claim import RejectReason
from domain.emails import (
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
    WaiverLine,
)
from domain.product import ShopInfo
from domain.records import ProblemKind
from domain.staff import StaffEvent
from domain.values import EmailAddress, Money, ProductId, UserId
from domain.withdrawal_emails import (
    WithdrawalAccepted,
    WithdrawalReceived,
    WithdrawalRefused,
    WithdrawalsNoted,
    WithdrawalToProve,
)

_BOOK, _NAME, _ORDER = ProductId("sample"), "A sample product", "0192f0a4c1b2d3e4"
_SOME, _MORE, _ALL = Money(100, "usd"), Money(500, "usd"), Money(900, "usd")
_ONE, _EVERYTHING = ChangedItem(product_name=_NAME, order=_ORDER), ChangedItem(bought_as="a•••@shop.example")

_WAIVER = WaiverLine(
    "2026-11-30T12:00:00+00:00", "en", ("I want it at once.", "I know the rest."), text="ab" * 16
)

SHOP: Final = ShopInfo(
    id="sample", name="A sample shop", tagline="", support=EmailAddress("help@shop.example"), currency="usd"
)
BASE_URL: Final = "https://shop.example"
SAMPLES: Final[tuple[Email, ...]] = (
    AccessLink(product_name=_NAME, paid=_ALL, order=_ORDER),
    AccessLink(product_name=_NAME, paid=_ALL, order=_ORDER, waiver=_WAIVER),
    AccessLink(product_name=_NAME, paid=_ALL, order=_ORDER, opens_at=_WAIVER.given_at),
    *(AccessLink(product_name=_NAME, paid=Money(0, "usd"), order="imported", granted=given) for given in (False, True)),
    AccessLink(
        product_name=_NAME, paid=_ALL, order=_ORDER, product=_BOOK, price=_ALL, discount=_SOME, tax=_SOME,
        tax_on_top=True, licences=(LicenceLine(key="KEY-1"), LicenceLine(key="KEY-2", of=_NAME)),
    ),
    SignIn(),
    ConfirmOrder(product_name=_NAME),
    *(ConfirmOwner(product_name=_NAME, order=_ORDER, here_only=here) for here in (False, True)),
    PaymentFailed(product=_BOOK, product_name=_NAME, price=_ALL, order=_ORDER),
    *(
        Refunded(product_name=_NAME, refunded=_SOME, in_all=_MORE, paid=_ALL, closed=closed, suspended=suspended,
                 order=_ORDER, elsewhere=elsewhere)
        for closed, suspended, elsewhere in (
            (False, False, False), (True, False, False), (False, True, False), (True, False, True),
        )
    ),
    *(AccessClosed(product_name=_NAME, order=_ORDER, elsewhere=elsewhere) for elsewhere in (False, True)),
    OpenAgain(product=_BOOK, product_name=_NAME, order=_ORDER),
    *(LicenceArrived(product_name=_NAME, licence=LicenceLine(key="KEY-1", of=of), order=_ORDER) for of in ("", _NAME)),
    LicenceArrived(product_name=_NAME, licence=LicenceLine(key="KEY-1"), order=_ORDER, replaces=True),
    NewRelease(product=_BOOK, product_name=_NAME, files=(("The file", "file.pdf"),), user=UserId("sample")),
    *(
        ConfirmAddress(item=item, address="new@shop.example", here_only=here, merges=merges)
        for item in (_ONE, _EVERYTHING) for here in (False, True) for merges in (False, True)
    ),
    *(
        ConfirmAddress(item=item, address="new@shop.example", here_only=False, merges=merges, by_staff=True)
        for item in (_ONE, _EVERYTHING) for merges in (False, True)
    ),
    *(AddressChangeRequested(item=item, by_staff=by) for item in (_ONE, _EVERYTHING) for by in (False, True)),
    AccountDeleted(),
    OutOfLicenceKeys(product=_BOOK, product_name=_NAME),
    *(PaymentQuarantined(ref="cs_test_sample", reason=reason.name) for reason in RejectReason),
    *(CorrectionUndone(orders=(_ORDER,), was_done=done, by_staff=by) for done in (False, True) for by in (False, True)),
    AccessEmailBounced(key="access:sample", product_name=_NAME, order=_ORDER),
    *(EmailStuck(kind="access", problem=why, may_have_been_sent=maybe)
      for why, maybe in (("refused", False), ("outcome_unknown", True))),
    *(ProviderProblem(kind=kind.name, about="sample", detail="refused") for kind in ProblemKind if kind.is_refusal),
    *(FraudWarned(product_name=_NAME, paid=_ALL, order=_ORDER, refunded=done) for done in (False, True)),
    *(SaleMade(product_name=_NAME, paid=paid, order=_ORDER) for paid in (_ALL, Money(0, "usd"))),
    *(
        SalesDigest(first="2026-01-05", last=last, sales=(SaleMade(product_name=_NAME, paid=_ALL, order=_ORDER),),
                    more=more, totals=(SalesTotal(sales="51", gross="$459.00", taken_back="$0.00", net="$459.00"),))
        for last, more in (("2026-01-05", ""), ("2026-01-11", "50"))
    ),
    *(StaffNotice(event.value, about, detail="Firefox on Linux")
      for event in StaffEvent for about in ("", "a•••@shop.example")),
    WithdrawalReceived(name="A. Sample", contract=_ORDER, at="2026-01-05 13:05:11+01:00"),
    WithdrawalToProve(product_name=_NAME, order=_ORDER, name="A. Sample", at="2026-01-05 13:05:11+01:00"),
    *(WithdrawalAccepted(product_name=_NAME, order=_ORDER, refund=refund) for refund in (_ALL, None)),
    *(WithdrawalRefused(reason="It was opened.", contract=_ORDER, order=order) for order in (_ORDER, "")),
    *(WithdrawalsNoted(matched=one, unmatched=other) for one, other in (("2", "1"), ("1", ""), ("", "1"))),
    CatalogueMistakes(problems=("a mistake",), gone=(_BOOK,), lost=(_BOOK,)),
)  # fmt: skip
"""Of every email at least one, and of those that say different things one of each."""
