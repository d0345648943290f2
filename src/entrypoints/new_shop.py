"""The folder of a new shop: its files, filled in from a template, and written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from domain.currencies import CURRENCIES, currency_digits
from domain.values import EmailAddress, InvalidEmail, decimal_text, name_problem

TEMPLATE: Final = Path(__file__).parent / "shop_template"
SETTINGS: Final = ".env"
_RENAMED: Final = {"env": SETTINGS, "gitignore": ".gitignore"}
"""Files that tools would take for their own if they had their real names in this repository."""
_PLACEHOLDER: Final = re.compile(r"\{\{ (\w+) \}\}")
_PRICE: Final = 9
_PRICES: Final = {
    90: "bwp czk egp hnl lsl mdl mur mxn nad nio scr sle srd szl thb try twd uah uyu zar zmw",
    900: "afn all amd aoa bdt crc cve djf dop dzd etb gmd gyd htg huf inr isk jmd jpy kes kgs kmf kzt lkr lrd mkd mzn "
    "npr php pkr rsd rub sos vuv xaf xof xpf yer",
    9_000: "ars bif cdf clp cop gnf khr krw mga mmk mnt mwk ngn pyg rwf tzs ugx",
    90_000: "idr lak lbp std uzs vnd",
}
"""Prices of the example product in currencies where 9 is worth too little to be charged (Stripe takes no less than
about half a dollar: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""


class InTheWay(Exception):
    """Something that would be written exists already."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What only the merchant knows. Each has passed its `read_` function."""

    name: str
    currency: str
    support: str


def read_name(text: str) -> str:
    """The name of a shop. Raises ValueError with what is wrong, as of `catalogue/shop.toml`."""
    if (problem := name_problem(text)) is not None:
        raise ValueError(f"name {problem}")
    return text.strip()


def read_currency(text: str) -> str:
    """The code of a currency that Stripe charges, in lower case. Raises ValueError likewise."""
    if (code := text.strip().lower()) not in CURRENCIES:
        raise ValueError(f'currency is {text!r}, which Stripe does not charge: write it like "usd"')
    return code


def read_support(text: str) -> str:
    """An address that can be emailed, as it is stored. Raises ValueError likewise."""
    try:
        return str(EmailAddress.parse(text))
    except InvalidEmail as error:
        raise ValueError(f"support is {text!r}: {error}") from error


def files_of(answers: Answers, *, folder: Path, program: Path, secret: str) -> dict[str, bytes]:
    """Every file of the shop, by its path in `folder`, which is absolute. `program`: the command `coatcheck`."""
    values = {
        "name": _quoted(answers.name),
        "currency": _quoted(answers.currency),
        "support": _quoted(answers.support),
        "price": _quoted(example_price(answers.currency)),
        "secret": secret,
        "folder": _in_unit(folder),
        "program": _in_unit(program),
    }
    found: dict[str, bytes] = {}
    for path in sorted(TEMPLATE.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(TEMPLATE))
            text = _PLACEHOLDER.sub(lambda match: values[match[1]], path.read_text(encoding="utf-8"))
            found[_RENAMED.get(name, name)] = text.encode()
    return found


def example_price(currency: str) -> str:
    """A price that Stripe can charge in that currency, in its usual form: `9.00`, `900`."""
    units = next((units for units, codes in _PRICES.items() if currency in codes.split()), _PRICE)
    return decimal_text(units * 10 ** currency_digits(currency), currency)


def in_the_way(folder: Path) -> list[str]:
    """What exists already of that which would be written in a folder."""
    made = {_RENAMED.get(path.name, path.name) for path in TEMPLATE.iterdir()}
    return sorted(name for name in made if os.path.lexists(folder / name))


def write_shop(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write every file, or none; secrets are for their owner alone from the first byte.

    Raises InTheWay if one exists, OSError if one cannot be written.
    """
    with contextlib.ExitStack() as undo:
        for name, content in files.items():
            path = folder / name
            _make_folders(path.parent, undo)
            try:
                handle = os.open(
                    path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if name == SETTINGS else 0o666
                )
            except FileExistsError as error:
                raise InTheWay(str(path)) from error
            undo.callback(_quietly, path.unlink)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        undo.pop_all()


def _make_folders(folder: Path, undo: contextlib.ExitStack) -> None:
    missing = [one for one in (folder, *folder.parents) if not os.path.lexists(one)]
    for one in reversed(missing):
        one.mkdir()
        undo.callback(_quietly, one.rmdir)


def _quietly(undo: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        undo()


def _quoted(text: str) -> str:
    """A string of TOML. Names have no control characters, so that JSON's form is TOML's, too."""
    return msgspec.json.encode(text).decode()


def _in_unit(path: Path) -> str:
    """A path in a systemd unit, where % begins a specifier (systemd.unit(5))."""
    return str(path).replace("%", "%%")
