"""What is typed into the search field and which pages are opened, when a served back office is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final
from urllib.parse import urlencode

from adapters.sql.record import micros
from bench.lists.past import COMMON, PRODUCTS, RARE, Past

FAR: Final = 0.2
"""A page "far behind" begins at the sale before which only so much of the past lies."""
_STATES: Final = ("open", "partly-refunded", "refunded", "disputed", "suspended", "charged-back", "revoked")


def typed(past: Past, shop: str, *, number: int) -> Mapping[str, Sequence[str]]:
    """So many different texts of each kind that the search accepts, about sales that are spread over the past."""
    step = past.number // (number + 1)
    some = [_owned(past, step * (n + 1)) for n in range(number)]
    refunded, disputed = (_of_kind(past, some, kinds) for kinds in (("refund", "part"), ("dispute", "lost")))
    lately = range(past.events_since(), past.number)
    heard = lately[:: len(lately) // number][:number]
    keyed = [past.sold_with_key(n) for n in some]
    addresses = [past.addresses[past.buyers[n]] for n in some]
    local = [address.partition("@")[0] for address in addresses]
    orders = [past.checkouts[n] for n in some]
    return {
        "address": addresses,
        "@domain": [f"@firm{n % 25}.example" for n in range(number - 1)] + ["@gmail.com"],
        "order number": [order[:16] for order in orders],
        "order number, 12 characters": [order[:12] for order in orders],
        "cs_…": [past.refs[n] for n in some],
        "pi_…": [past.payments[n] for n in some],
        "ch_… (the shop stores none)": [f"ch_3{past.payments[n][4:]}" for n in some],
        "re_…": [f"re_3{past.payments[n][4:]}" for n in refunded],
        "du_…": [f"du_1{past.payments[n][4:]}" for n in disputed],
        "evt_…": [past.event(n) for n in heard],
        "licence key": [past.key(n) for n in keyed],
        "address of a page of the shop": [f"{shop}/receipt/{order}" for order in orders],
        "address of a page of Stripe": [f"https://dashboard.stripe.com/payments/{past.payments[n]}" for n in some],
        "beginning of an address": [text[: 2 + n % 4] for n, text in enumerate(local)],
        "name before the @": local,
        "name at another domain": [f"{text}@nowhere.example" for text in local],
        "product": [f"product {n % PRODUCTS}" for n in range(number)],
        "no hit": [f"nothing like {text}" for text in local],
        "hostile": ["%_'\"\\" * (n + 1) for n in range(number)],
    }  # fmt: skip


def _owned(past: Past, n: int) -> int:
    """The next sale whose buyer is known."""
    return n if past.user_of(n) is not None else n + 1


def _of_kind(past: Past, some: Sequence[int], kinds: tuple[str, ...]) -> list[int]:
    return [next(n for n in range(one, past.number) if past.kind(n) in kinds) for one in some[:-1]] + [
        next(n for n in range(past.number) if past.kind(n) in kinds)
    ]


def pages(past: Past) -> Mapping[str, Sequence[str]]:
    """Addresses by name: the first page of each list, and one far behind where it has pages."""
    n = int(past.number * FAR)
    while past.user_of(n) is None or n % 4 or past.kind(n) != "refund":
        n += 1
    late, lines = past.number - n, past.lines()
    heard = past.events_since() + (past.number - past.events_since()) // 5
    mark, late_mark = (f"{micros(past.at[one])}-{past.checkouts[one]}" for one in (n, late))
    found = {f"sales{name}": _sales(fields, mark) for name, fields in _filters().items()}
    found["sales, oldest first"] = (_at("sales", sort="oldest"), _at("sales", sort="oldest", after=late_mark))
    for sort, (name, fields) in product(("largest", "smallest"), _SORTED.items()):
        amount = f"{2000}-{past.checkouts[n]}"
        found[f"sales, {name}, {sort} first"] = (
            _at("sales", sort=sort, **fields), _at("sales", sort=sort, after=amount, **fields),
        )  # fmt: skip
    found["sales, too many to sort by amount"] = (_at("sales", sort="largest", currency="usd"),)
    found["sales, awaiting payment"] = (_at("sales", state="awaiting-payment"),)
    user = past.user_of(n) or ""
    for name, fields in _CUSTOMERS.items():
        found[f"customers{name}"] = (_at("customers", **fields), _at("customers", after=user, **fields))
    return found | {
        "products": (_at("products"),),
        "one product": (_at("products/product-0"), _at("products/product-19")),
        "emails, waiting": (_at("emails"),),
        "emails, access": (
            _at("emails", kind="access"), _at("emails", kind="access", before=f"access:{past.checkouts[n]}"),
        ),
        "emails, to an address": (_at("emails", to=past.addresses[past.buyers[n]]),),
        "audit log": (_at("audit"), _at("audit", before=past.line(lines[int(len(lines) * FAR)]))),
        "Stripe": (_at("stripe"), _at("stripe", before=f"{past.at[heard].timestamp():.6f}-{past.event(heard)}")),
        "to do": (_at("todo"), _at("todo", only="never-opened")),
        "one sale": (_at(f"sales/{past.checkouts[n]}"),),
        "one customer": (_at(f"customers/{user}"),),
    }  # fmt: skip


_SORTED: Final[Mapping[str, dict[str, str]]] = {
    "imported": {"currency": "usd", "source": "import"},
    "at a domain": {"currency": "jpy", "text": "@firm3.example"},
}
_CUSTOMERS: Final[Mapping[str, dict[str, str]]] = {
    "": {},
    ", bought a common product": {"bought": "product-0"},
    ", bought a rare product": {"bought": "product-19"},
    ", bought nothing like it": {"bought": "nothing"},
    ", did not buy a common product": {"without": "product-0"},
    ", opened nothing yet": {"opened": "never"},
    ", bought a rare product, opened nothing yet": {"bought": "product-19", "opened": "never"},
}


def _filters() -> Mapping[str, dict[str, str]]:
    wanted: dict[str, dict[str, str]] = {"": {}} | {f", {state}": {"state": state} for state in _STATES}
    wanted |= {f", from {source}": {"source": source} for source in ("sale", "free", "grant", "import")}
    wanted |= {f", of {name}": {"product": name} for name in ("product-0", "product-19", "nothing")}
    wanted |= {f", address {state}": {"address": state} for state in ("unverified", "bounced", "none")}
    wanted |= {f", promotion {code}": {"promotion": code} for code in (COMMON, RARE, "promo_none")}
    wanted |= {
        f", {text}": {"text": text} for text in ("@gmail.com", "@firm3.example", "ab", "a")
    }  # all customers of a domain, or those whose address begins like that
    return wanted | {
        ", in jpy": {"currency": "jpy"},
        ", 20 to 24 usd": {"currency": "usd", "least": "20", "most": "24"},
        ", from 9,000 usd": {"currency": "usd", "least": "9000"},
        ", opened": {"opened": "yes"},
        ", never opened": {"opened": "no"},
        ", open and never opened": {"state": "open", "opened": "no"},
        ", refunded, of product-19": {"state": "refunded", "product": "product-19"},
        ", granted, never opened, of product-3": {"source": "grant", "opened": "no", "product": "product-3"},
        ", a month long ago": {"from": "2024-05-01", "to": "2024-05-31"},
    }


def _sales(fields: dict[str, str], mark: str) -> Sequence[str]:
    return _at("sales", **fields), _at("sales", after=mark, **fields)


def _at(path: str, **fields: str) -> str:
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"/admin/{path}" + (f"?{query}" if query else "")
