"""What an email says: its name and its parameters. The sentences are in the templates of `EmailTemplates`.

Parameters are known when the email is queued and taken from what it is about. Each is text, a flag, a `Money` or a
tuple of those, so that a store can keep an email as JSON. A store leaves out what is at its default, so a default never
changes: add another field.
"""

from __future__ import annotations

from typing import ClassVar, Final

from domain.frozen import frozen
from domain.values import Money, ProductId, UserId
from domain.withdrawal_emails import (
    WithdrawalAccepted,
    WithdrawalReceived,
    WithdrawalRefused,
    WithdrawalsNoted,
    WithdrawalToProve,
)


@frozen
class LicenceLine:
    """A licence key, and the name of the product it is for ("" for the product that was bought)."""

    key: str
    of: str = ""


@frozen
class WaiverLine:
    """A waiver of the right of withdrawal, in full: the sentences that were agreed to."""

    given_at: str
    """As `2026-11-30T12:00:00+00:00`."""
    language: str
    sentences: tuple[str, ...]
    text: str
    """Their hash."""


@frozen
class AccessLink:
    """What was bought or given, and the link that brings the customer back. Never a code."""

    template: ClassVar = "access_link"
    product_name: str
    paid: Money
    """0 for an order that was free."""
    order: str
    licences: tuple[LicenceLine, ...] = ()
    product: ProductId = ProductId("")
    """Whose picture the email shows; "" for none."""
    price: Money | None = None
    """Before a discount and a tax on top; None where there is neither, nor a tax that was in it."""
    discount: Money | None = None
    tax: Money | None = None
    tax_on_top: bool = False
    """Whether the tax was added to the price. Otherwise it is in it."""
    granted: bool = False
    """The merchant gave it."""
    waiver: WaiverLine | None = None
    """What makes this email the confirmation of it."""
    opens_at: str = ""
    """When it opens, as `given_at`, if nothing was waived and the shop sells so; "" if it opens at once."""


@frozen
class SignIn:
    """A link and a code that were asked for."""

    template: ClassVar = "sign_in"


@frozen
class ConfirmOrder:
    """Something free was ordered: the address is to be verified."""

    template: ClassVar = "confirm_order"
    product_name: str


@frozen
class ConfirmOwner:
    """A purchase that was paid without a usable address is to belong to this one: the address is to be verified."""

    template: ClassVar = "confirm_owner"
    product_name: str
    order: str
    here_only: bool
    """The browser that paid named the address: link and code work there. Else the merchant sent it: no code."""


@frozen
class PaymentFailed:
    """A delayed payment was declined."""

    template: ClassVar = "payment_failed"
    product: ProductId
    product_name: str
    price: Money
    order: str


@frozen
class Refunded:
    """Money was returned."""

    template: ClassVar = "refunded"
    product_name: str
    refunded: Money
    """This time."""
    in_all: Money
    paid: Money
    closed: bool
    """All that was paid is gone."""
    suspended: bool
    """A dispute is open, or a status is unknown."""
    order: str
    elsewhere: bool = False
    """Another purchase of the same address opens the product: it was bought twice, or in a bundle, too."""


@frozen
class AccessClosed:
    """The merchant closed a purchase. It does not say why."""

    template: ClassVar = "access_closed"
    product_name: str
    order: str
    elsewhere: bool = False
    """Another purchase of the same address opens the product."""


@frozen
class OpenAgain:
    """What was closed opens again: a refund failed, a dispute ended well, or the merchant restored it."""

    template: ClassVar = "open_again"
    product: ProductId
    product_name: str
    order: str


@frozen
class LicenceArrived:
    """The licence key that was missing when the access link was sent."""

    template: ClassVar = "licence_arrived"
    product_name: str
    licence: LicenceLine
    order: str
    replaces: bool = False
    """It takes the place of an earlier key, which is not valid any more."""


@frozen
class NewRelease:
    """A new version of something the reader owns, and the way to unsubscribe."""

    template: ClassVar = "new_release"
    product: ProductId
    product_name: str
    files: tuple[tuple[str, str], ...]
    """Title and name of each."""
    user: UserId
    """Who unsubscribes with its link; "" in a test of the email, which goes to staff."""


@frozen
class ChangedItem:
    """What moves to another address: one order, or all that was bought under `bought_as` (masked)."""

    product_name: str = ""
    order: str = ""
    bought_as: str = ""


@frozen
class ConfirmAddress:
    """To a new address: what would move to it, and how to confirm that."""

    template: ClassVar = "confirm_address"
    item: ChangedItem
    address: str
    here_only: bool
    """A change of a whole account completes only in the browser that asked; elsewhere its link shows a code."""
    merges: bool
    """The new address has purchases of its own."""
    by_staff: bool = False
    """The merchant asked: the link works in every browser for a day, and there is no code."""


@frozen
class AddressChangeRequested:
    """To the old address: what was asked for, and how to undo it. It does not name the new one."""

    template: ClassVar = "address_change_requested"
    item: ChangedItem
    by_staff: bool = False
    """The merchant asked, by hand."""


@frozen
class AccountDeleted:
    """To an address whose data the merchant deleted: the last email."""

    template: ClassVar = "account_deleted"


@frozen
class OutOfLicenceKeys:
    """To the merchant: a list of licence keys is used up."""

    template: ClassVar = "out_of_licence_keys"
    product: ProductId
    product_name: str


@frozen
class PaymentQuarantined:
    """To the merchant: Stripe reported something that was not acted on. `reason`: a RejectReason's name."""

    template: ClassVar = "payment_quarantined"
    ref: str
    reason: str


@frozen
class CorrectionUndone:
    """To the merchant: a corrected address was put back (`was_done`), or will not be corrected."""

    template: ClassVar = "correction_undone"
    orders: tuple[str, ...]
    was_done: bool
    by_staff: bool = False
    """The merchant had asked for it, by hand."""


@frozen
class AccessEmailBounced:
    """To the merchant: an access email came back. `key`: its key in the outbox.

    It does not name the customer's address: an account can be deleted, and this email is not one of its mailbox's.
    """

    template: ClassVar = "access_email_bounced"
    key: str
    product_name: str = ""
    order: str = ""


@frozen
class EmailStuck:
    """To the merchant: an email could not be sent. `kind`: a MailKind's value; `problem`: as `Mail.problem`."""

    template: ClassVar = "email_stuck"
    kind: str
    problem: str
    may_have_been_sent: bool = False


@frozen
class ProviderProblem:
    """To the merchant: the payment provider refuses something. `kind`: a ProblemKind's name; `detail`: its words."""

    template: ClassVar = "provider_problem"
    kind: str
    about: str
    detail: str


@frozen
class CatalogueMistakes:
    """To the merchant: what is wrong with the catalogue. `problems`: in the catalogue's own words."""

    template: ClassVar = "catalogue_mistakes"
    problems: tuple[str, ...]
    gone: tuple[ProductId, ...]
    """Products that customers own, and that are kept for them in their last good form alone."""
    lost: tuple[ProductId, ...]
    """The same without any form: their owners cannot open them."""


@frozen
class FraudWarned:
    """To the merchant: the card's issuer suspects fraud. `refunded`: whether the shop has asked for a refund."""

    template: ClassVar = "fraud_warned"
    product_name: str
    paid: Money
    order: str
    refunded: bool


@frozen
class SaleMade:
    """To the merchant: something was sold, or ordered if it is free. It does not name the customer."""

    template: ClassVar = "sale_made"
    product_name: str
    paid: Money
    order: str


@frozen
class SalesTotal:
    """The sales of one currency. Sums can be beyond the bound of `Money`, so they are text, as counts are."""

    sales: str
    gross: str
    taken_back: str
    """By refunds and lost disputes."""
    net: str


@frozen
class SalesDigest:
    """To the merchant: the sales of a day or a week. Days are `2026-11-30`, both included."""

    template: ClassVar = "sales_digest"
    first: str
    last: str
    sales: tuple[SaleMade, ...]
    more: str
    """How many others there are; "" for none."""
    totals: tuple[SalesTotal, ...]


@frozen
class StaffNotice:
    """To a member of staff and all owners: access to the back office changed, or was used in a new browser."""

    template: ClassVar = "staff_notice"
    event: str
    """A StaffEvent's value."""
    about: str
    """The member it is about, masked; "" in the email to that member."""
    detail: str = ""
    """The browser, or the new role."""


@frozen
class UnreadableEmail:
    """A row whose parameters are not those of any email above. It cannot be rendered."""

    template: str
    parameters: str


def licence_keys_of(email: Email) -> tuple[str, ...]:
    """The licence keys that stand in an email."""
    match email:
        case AccessLink():
            return tuple(line.key for line in email.licences)
        case LicenceArrived():
            return (email.licence.key,)
        case _:
            return ()


Email = (
    AccessLink | SignIn | ConfirmOrder | ConfirmOwner | PaymentFailed | Refunded | AccessClosed | OpenAgain
    | LicenceArrived | NewRelease | ConfirmAddress | AddressChangeRequested | AccountDeleted | OutOfLicenceKeys
    | PaymentQuarantined | CorrectionUndone | AccessEmailBounced | EmailStuck | ProviderProblem | CatalogueMistakes
    | SaleMade | SalesDigest | StaffNotice | FraudWarned | WithdrawalReceived | WithdrawalToProve
    | WithdrawalAccepted | WithdrawalRefused | WithdrawalsNoted | UnreadableEmail
)  # fmt: skip

EMAILS: Final = (
    AccessLink, SignIn, ConfirmOrder, ConfirmOwner, PaymentFailed, Refunded, AccessClosed, OpenAgain, LicenceArrived,
    NewRelease, ConfirmAddress, AddressChangeRequested, AccountDeleted, OutOfLicenceKeys, PaymentQuarantined,
    CorrectionUndone, AccessEmailBounced, EmailStuck, ProviderProblem, CatalogueMistakes, SaleMade, SalesDigest,
    StaffNotice, FraudWarned, WithdrawalReceived, WithdrawalToProve, WithdrawalAccepted, WithdrawalRefused,
    WithdrawalsNoted,
)  # fmt: skip
"""Every email that can be rendered."""
