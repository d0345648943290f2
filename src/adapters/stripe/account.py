"""What is set up in the merchant's Stripe account: looked at by `doctor`, and registered by `stripe-setup`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import stripe

from adapters.stripe.offering import add_terms, naming_methods, price_data
from adapters.stripe.payments import StripePayments, body_of, within_time
from adapters.stripe.promotions import COUPON, decode_codes
from adapters.stripe.wire import (
    FOLLOWED,
    OF_DOCTOR,
    StripeEndpoint,
    decode_endpoint,
    decode_endpoints,
    decode_session,
)
from domain.payment_account import CheckoutTrial, Registered
from domain.ports import PaymentsRefused, PaymentsUnreachable
from domain.values import Money

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

API_VERSION: Final = stripe.api_version
"""The version that the SDK speaks, and whose events it was tested with."""
_MOST: Final = 100
_MOST_LINES: Final = 100
_DESCRIPTION: Final = "Coatcheck"
_NO_PAYMENT: Final = "pi_doctor_asks_for_none"


class StripeAccount:
    """See PaymentAccount. Every method raises PaymentsUnreachable and PaymentsRefused, as the payments port does."""

    def __init__(self, payments: StripePayments) -> None:
        self._payments = payments

    @property
    def followed(self) -> Sequence[str]:
        """The events that the shop subscribes to, in order."""
        return _events()

    async def try_checkout(self, trial: CheckoutTrial, *, url: str) -> None:
        """See PaymentAccount. https://docs.stripe.com/api/checkout/sessions/expire"""
        sessions = self._payments.client().v1.checkout.sessions
        with naming_methods(trial.terms):
            made = decode_session(
                body_of(await within_time(sessions.create_async(_trial_params(trial, url))))
            )
        # It opened, and nobody knows its address: if it cannot be closed, it ends by itself within a day.
        with contextlib.suppress(PaymentsRefused, PaymentsUnreachable):
            await within_time(sessions.expire_async(made.id))

    async def refund_problem(self) -> str | None:
        """See PaymentAccount. A payment that cannot exist is asked for: without the permission the answer is a 403.

        https://docs.stripe.com/keys/restricted-api-keys
        """
        try:
            await within_time(
                self._payments.client().v1.refunds.create_async({"payment_intent": _NO_PAYMENT, "amount": 1})
            )
        except PaymentsRefused as error:
            return str(error) if isinstance(error.__cause__, stripe.PermissionError) else None
        return None

    async def _endpoints(self, url: str) -> list[StripeEndpoint]:
        """https://docs.stripe.com/api/webhook_endpoints/list; an account has 16 at most."""
        page = await within_time(self._payments.client().v1.webhook_endpoints.list_async({"limit": _MOST}))
        return [endpoint for endpoint in decode_endpoints(body_of(page)).data if endpoint.url == url]

    async def webhook_problem(self, url: str) -> str | None:
        """What is wrong with the webhook endpoint of that address, in a sentence; None if nothing."""
        found = await self._endpoints(url)
        if not found:
            return f"Stripe has no endpoint {url}: run `coatcheck stripe-setup`"
        if len(found) > 1:
            return f"Stripe has {len(found)} endpoints {url}, so every event arrives twice: delete all but one there"
        endpoint = found[0]
        if endpoint.status != "enabled":
            return f"the endpoint {url} is {endpoint.status}: run `coatcheck stripe-setup`"
        missing = sorted(FOLLOWED - set(endpoint.enabled_events))
        if missing and "*" not in endpoint.enabled_events:
            return f"the endpoint {url} is not told of {', '.join(missing)}: run `coatcheck stripe-setup`"
        return _version_problem(endpoint)

    async def register_webhook(self, url: str) -> Registered:
        """Have Stripe report there what a shop follows, and nothing else; never at a second endpoint."""
        endpoints = self._payments.client().v1.webhook_endpoints
        found = await self._endpoints(url)
        if not found:
            made = await within_time(endpoints.create_async({
                "url": url, "enabled_events": _events(), "api_version": cast("Any", API_VERSION),
                "description": _DESCRIPTION,
            }))  # fmt: skip
            return Registered(secret=decode_endpoint(body_of(made)).secret, changed=True, problem="")
        endpoint = found[0]
        changed = set(endpoint.enabled_events) != FOLLOWED or endpoint.status != "enabled"
        if changed:
            await within_time(
                endpoints.update_async(endpoint.id, {"enabled_events": _events(), "disabled": False})
            )
        return Registered(secret="", changed=changed, problem=_version_problem(endpoint) or "")

    async def codes_that_take_all(self) -> Sequence[str]:
        """The promotion codes that take everything off. https://docs.stripe.com/api/promotion_codes/list"""
        codes = self._payments.client().v1.promotion_codes
        found: list[str] = []
        after: dict[str, str] = {}
        while True:
            params: Any = {"active": True, "limit": _MOST, "expand": [COUPON], **after}
            listed = decode_codes(body_of(await within_time(codes.list_async(params))))
            found += [code.code for code in listed.data if code.takes_all]
            if not listed.has_more or not listed.data:
                return found
            after = {"starting_after": listed.data[-1].id}


def _trial_params(trial: CheckoutTrial, url: str) -> SessionCreateParams:
    """The lowest price as one line, and a line that costs nothing for every other tax code."""
    terms, first = trial.terms, trial.tax_codes[0]
    nothing = Money(0, trial.price.currency)
    lines = [price_data(trial.price, name=trial.name, tax_code=first, terms=terms)]
    lines += [
        price_data(nothing, name=trial.name, tax_code=code, terms=terms)
        for code in trial.tax_codes[1:_MOST_LINES]
    ]
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": line} for line in lines],
        "metadata": {**OF_DOCTOR},
        "payment_intent_data": {"metadata": {**OF_DOCTOR}},
        "success_url": url,
        "cancel_url": url,
    }
    if terms.promotion_codes:
        params["allow_promotion_codes"] = True
    add_terms(params, terms)
    return params


def _events() -> list[Any]:
    return sorted(FOLLOWED)


def _version_problem(endpoint: StripeEndpoint) -> str | None:
    """An endpoint keeps the version that it was made with; None there is the account's own."""
    if endpoint.api_version in (None, API_VERSION):
        return None
    return (
        f"the endpoint {endpoint.url} speaks {endpoint.api_version}, and not {API_VERSION}: delete it in Stripe's "
        "dashboard, run `coatcheck stripe-setup`, and put the new signing secret beside the old one"
    )
