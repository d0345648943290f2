"""MAILER, GOODS and PAYMENTS: a maintainer's own adapters, each made by a factory that the environment names."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, NoReturn, cast

from domain.ports import Goods, Mailer, Payments
from domain.redacting import words_of
from entrypoints.environment import EMAIL_PROVIDERS

_WRITTEN: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", re.ASCII)
_OTHERWISE: Final[Mapping[str, str]] = {
    "MAILER": f"leave MAILER out and set {' or '.join(EMAIL_PROVIDERS)}",
    "GOODS": "leave GOODS out to keep the goods in DATA_DIR or GOODS_URL",
    "PAYMENTS": "leave PAYMENTS out and set STRIPE_SECRET_KEY",
}


@dataclass(frozen=True, slots=True)
class Factory:
    """The function that makes an adapter, as named by a variable: `package.module:function`."""

    variable: str
    module: str
    name: str

    def __str__(self) -> str:
        """The name as written in .env."""
        return f"{self.variable}={self.module}:{self.name}"


class CustomAdapterRefused(Exception):
    """The adapter that a variable names cannot be used; the message gives the reason and the fix."""


class NoAccountHere(Exception):
    """Stripe does not take the payments; the message gives the alternative to setting up its account."""


def read_factory(text: str, *, named: str, problems: list[str]) -> Factory | None:
    """The factory a variable names; None if it names none, with any problem added. Nothing is imported yet."""
    if not text:
        return None
    match = _WRITTEN.fullmatch(text)
    if match is None:
        problems.append(f"{named} is {text!r}: write it like package.module:function, or {_OTHERWISE[named]}")
        return None
    return Factory(variable=named, module=match[1], name=match[2])


def custom_mailer(factory: Factory, environment: Mapping[str, str]) -> Mailer:
    """Have the factory make it. Raises CustomAdapterRefused."""
    return cast("Mailer", _made(factory, environment, port=Mailer))


def custom_goods(factory: Factory, environment: Mapping[str, str]) -> Goods:
    """Have the factory make them. Raises CustomAdapterRefused."""
    return cast("Goods", _made(factory, environment, port=Goods))


def custom_payments(factory: Factory, environment: Mapping[str, str]) -> Payments:
    """Have the factory make them. Raises CustomAdapterRefused."""
    return cast("Payments", _made(factory, environment, port=Payments))


def no_account(factory: Factory) -> NoReturn:
    """Raises NoAccountHere."""
    raise NoAccountHere(
        f"{factory} takes the payments, so there is nothing to set up at Stripe: "
        "have that provider report to BASE_URL/webhook"
    )


def _made(factory: Factory, environment: Mapping[str, str], *, port: type) -> object:
    make = _found(factory)
    try:
        made = make(environment)
    except (Exception, SystemExit) as error:
        raise CustomAdapterRefused(
            f"{factory} raised {words_of(error)}: set or mend what it names, or {_OTHERWISE[factory.variable]}"
        ) from error
    missing = _methods(port) - (set() if isinstance(made, type) else set(dir(made)))
    if missing:
        kind = (
            f"the class {made.__name__}"
            if isinstance(made, type)
            else f"an object of type {type(made).__name__}"
        )
        raise CustomAdapterRefused(
            f"{factory} returned {kind}, which lacks {', '.join(sorted(missing))}: have it return an object with every "
            f"method of domain.ports.{port.__name__}"
        )
    return made


def _found(factory: Factory) -> Callable[[Mapping[str, str]], Any]:
    """The function itself. Raises CustomAdapterRefused."""
    try:
        module = importlib.import_module(factory.module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and _is_of(error.name, factory.module):
            raise CustomAdapterRefused(
                f"{factory}: there is no module {error.name}: install its package, or put its folder on PYTHONPATH"
            ) from error
        raise CustomAdapterRefused(
            f"{factory}: the module cannot be imported, it raised {words_of(error)}: "
            f"mend it, or {_OTHERWISE[factory.variable]}"
        ) from error
    try:
        found = attrgetter(factory.name)(module)
    except AttributeError:
        raise CustomAdapterRefused(
            f"{factory}: {module.__file__ or module.__name__} has no {factory.name}: "
            "name the function in it that makes the adapter"
        ) from None
    if not callable(found) or inspect.iscoroutinefunction(found):
        kind = "an async function" if callable(found) else f"of type {type(found).__name__}"
        raise CustomAdapterRefused(
            f"{factory}: {factory.name} is {kind}: name a plain function that takes the environment "
            "and returns the adapter"
        )
    return cast("Callable[[Mapping[str, str]], Any]", found)


def _is_of(missing: str | None, module: str) -> bool:
    """Whether the missing module is the named one or a package that contains it."""
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _methods(port: type) -> set[str]:
    return {name for name in vars(port) if not name.startswith("_")}
