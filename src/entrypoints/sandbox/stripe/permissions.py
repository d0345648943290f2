"""The permissions of a restricted key. https://docs.stripe.com/keys/restricted-api-keys"""

from __future__ import annotations

from typing import Final

from entrypoints.sandbox.stripe.objects import Refusal

# A refund is part of "Charges and Refunds".
_RESOURCES: Final = {
    "checkout/sessions": "checkout_session", "payment_intents": "payment_intent", "charges": "charge",
    "refunds": "charge", "disputes": "dispute", "promotion_codes": "promotion_code", "coupons": "coupon",
    "invoices": "invoice", "customers": "customer", "webhook_endpoints": "webhook", "events": "event",
    "products": "product", "prices": "plan", "payment_methods": "payment_method",
    "radar/early_fraud_warnings": "radar_early_fraud_warning",
}  # fmt: skip
_EXPANDED: Final = {"payment_intent": "payment_intent", "invoice": "invoice", "coupon": "coupon"}
PERMISSIONS: Final = frozenset(f"{name}_{way}" for name in _RESOURCES.values() for way in ("read", "write"))


def check_permission(
    held: frozenset[str] | None, method: str, path: str, expand: list[str], *, key: str
) -> None:
    """Refuse a call, or an expansion, that the key may not make. `held`: None for a key that may do everything."""
    if held is None:
        return
    below = path.removeprefix("/v1/")
    name = next((known for start, known in _RESOURCES.items() if below.startswith(start)), None)
    needed = [] if name is None else [f"{name}_{'read' if method == 'GET' else 'write'}"]
    needed += [f"{_EXPANDED[last]}_read" for item in expand if (last := item.rpartition(".")[2]) in _EXPANDED]
    for permission in needed:
        # Writing includes reading.
        if permission not in held and permission.replace("_read", "_write") not in held:
            raise Refusal(
                403,
                f"The provided key '{key[:8]}***{key[-4:]}' does not have the required permissions for this endpoint. "
                f"Having the 'rak_{permission}' permission would allow this request to continue.",
            )
