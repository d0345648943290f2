"""Emails from the templates in `mail/`: for each a text, whose first line is the subject, and an HTML form."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from gettext import NullTranslations
from html import escape
from pathlib import Path
from typing import Any, Final

from minijinja import Environment, safe

from domain.colour import Colour, readable_on, text_on
from domain.emails import AccessLink, Email, NewRelease, UnreadableEmail
from domain.mail import CODE_SLOT, LINK_SLOT, Letter, opt_out_slot
from domain.ports import EmailNotRendered
from domain.product import ShopInfo
from domain.purchase import began_at
from domain.values import Money

_FOLDER: Final = Path(__file__).parent / "mail"
_ACT, _BRAND = Colour(0x24, 0x48, 0x3E), Colour(0x7A, 0x4B, 0x12)
_LIGHT, _DARK = Colour(0xFF, 0xFD, 0xF8), Colour(0x20, 0x23, 0x2B)
_BLANK_LINES: Final = re.compile(r"\n{3,}")


def english(language: str) -> NullTranslations:
    """No translations: every sentence as it is written in the templates."""
    return NullTranslations()


class PackagedTemplates:
    """The templates that ship with the shop. They are read once, here."""

    def __init__(self, translations: Callable[[str], NullTranslations] = english) -> None:
        self._translations = translations
        self._sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.iterdir())}
        self._environments: dict[str, Environment] = {}

    def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
        """See EmailTemplates."""
        if isinstance(email, UnreadableEmail):
            raise EmailNotRendered(f"the row does not hold the parameters of an email {email.template!r}")
        context = {field.name: _one_line(getattr(email, field.name)) for field in fields(email)}
        context |= {
            "shop_name": _one_line(shop.name),
            "support": shop.support.canonical,
            "base_url": base_url,
            "library": f"{base_url}/library",
            "language": language,
            "link": LINK_SLOT,
            "code": CODE_SLOT,
            "unsubscribe": opt_out_slot(email.user) if isinstance(email, NewRelease) else "",
            "look": _look_of(shop),
            "seller": shop.seller or _one_line(shop.name),
        }
        if isinstance(email, AccessLink):
            began = began_at(email.order)
            context["day"] = "" if began is None else f"{began.day} {began:%B %Y}"
            context["picture_at"] = f"{base_url}/share/{email.product}.png" if email.product else ""
        try:
            environment = self._environment(language)
            whole = environment.render_template(f"{email.template}.txt", **context)
            subject, _, text = _BLANK_LINES.sub("\n\n", whole).strip().partition("\n\n")
            html = environment.render_template(f"{email.template}.html", **context, subject=subject)
        except Exception as error:  # whatever a template can do: it must stop this email only
            reason = str(error).partition("\n")[0]
            raise EmailNotRendered(f"the template {email.template!r} failed: {reason}") from error
        return Letter(subject=subject, text=f"{text}\n", html=html)

    def _environment(self, language: str) -> Environment:
        """With the sentences of a language."""
        if language not in self._environments:
            environment = Environment(
                templates=self._sources,
                undefined_behavior="strict",
                trim_blocks=True,
                lstrip_blocks=True,
                auto_escape_callback=lambda name: "html" if name.endswith(".html") else None,
            )
            translations = self._translations(language)
            environment.add_global("_", _filled(translations.gettext))
            environment.add_filter("money", str)
            environment.add_filter("url", _url)
            self._environments[language] = environment
        return self._environments[language]


def _look_of(shop: ShopInfo) -> dict[str, str]:
    """The colours of an email: those of the shop's accent, readable in light and dark."""
    accent = Colour.parse(shop.accent)
    act, brand = accent or _ACT, accent or _BRAND
    return {
        "act": str(act),
        "on_act": str(text_on(act)),
        "brand": str(readable_on(brand, _LIGHT)),
        "brand_in_the_dark": str(readable_on(brand, _DARK)),
    }


def _filled(gettext: Callable[[str], str]) -> Callable[..., str]:
    """`_("Order %(order)s.", order=order)`: the sentence in another language, then its values."""

    def translate(sentence: str, **values: object) -> str:
        translated = gettext(sentence)
        return translated % values if values else translated

    return translate


def _url(address: str) -> str:
    """An address, escaped for an attribute but still to be read: minijinja's own escaping also hides slashes."""
    return safe(escape(address))


def _one_line(value: Any) -> Any:
    """A parameter without line breaks, which would make paragraphs of their own, or end the subject."""
    match value:
        case str():
            return " ".join(value.splitlines())
        case tuple():
            return tuple(_one_line(item) for item in value)
        case Money():
            return value
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: _one_line(getattr(value, f.name)) for f in fields(value)})
    return value
