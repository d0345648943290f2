"""Emails from the templates in `mail/`: for each a text, whose first line is the subject, and an HTML form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from html import escape, unescape
from pathlib import Path
from typing import Any, Final

from minijinja import Environment, TemplateError, safe

from adapters.templates.samples import BASE_URL, SAMPLES, SHOP
from domain.colour import Colour, readable_on, text_on
from domain.emails import AccessLink, Email, NewRelease, UnreadableEmail
from domain.mail import CODE_SLOT, LINK_SLOT, Letter, opt_out_slot
from domain.ports import AS_WRITTEN, SOURCE, EmailNotRendered, Language, TemplateMistake
from domain.product import ShopInfo
from domain.purchase import began_at
from domain.values import Money, UserId

_FOLDER: Final = Path(__file__).parent / "mail"
_ACT, _BRAND = Colour(0x24, 0x48, 0x3E), Colour(0x7A, 0x4B, 0x12)
_LIGHT, _DARK = Colour(0xFF, 0xFD, 0xF8), Colour(0x20, 0x23, 0x2B)
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_COMMAND: Final = re.compile(r"`([^`]+)`")
_CODE: Final = (
    r"""<code style="font-family:ui-monospace,Consolas,Menlo,monospace;font-size:0.92em">\1</code>"""
)
_Own = tuple[tuple[str, str], ...]
"""The merchant's own templates: names and sources."""
_SAID: Final = re.compile(r"^(?:caused by: )?(.+) \(in (.+?):(\d+)\)$", re.MULTILINE)
"""What minijinja says of an error, with template and line; the innermost comes last."""
_FUEL: Final = 1_000_000
"""Steps that a template of the merchant's may take: a tenth of a second."""
_OUT_OF_FUEL: Final = "engine ran out of fuel"
_TOO_MANY_STEPS: Final = "takes more than a million steps: is there a loop that hardly ends?"
_MOST_ENVIRONMENTS: Final = 16
_UNKNOWN: Final = "is not the name of an email or of a part of one: `coatcheck emails` lists them"
_NO_SUBJECT: Final = "begins with the subject, one line, and an empty line"
_MAILED: Final = (".png", ".jpg", ".jpeg", ".gif")
"""Pictures that email programs show; few show SVG, WebP or AVIF."""
_VARIABLES: Final = {LINK_SLOT: "link", CODE_SLOT: "code", opt_out_slot(UserId("sample")): "unsubscribe"}


def as_written(code: str) -> Language:
    """No translations: every sentence as it is written in the templates."""
    return AS_WRITTEN


class PackagedTemplates:
    """The templates that ship with the shop, which are read once, here; and the merchant's own in place of them."""

    def __init__(
        self,
        language: Callable[[str], Language] = as_written,
        *,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`language`: of a code. `complain`: told of a template of the merchant's that fails, although it was good with
        sample values.
        """
        self._language = language
        self._complain = complain
        self.built_in: Final = {
            path.name: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.iterdir())
        }
        self._environments: dict[tuple[str, _Own], Environment] = {}

    def render(self, email: Email, *, language: str, shop: ShopInfo, base_url: str) -> Letter:
        """See EmailTemplates."""
        if isinstance(email, UnreadableEmail):
            raise EmailNotRendered(f"the row does not hold the parameters of an email {email.template!r}")
        code = language or shop.language
        context = _context_of(email, language=self._language(code), shop=shop, base_url=base_url)
        if shop.emails:
            try:
                letter = _letter(self._environment(code, shop.emails), email, context)
                _check_law(email, letter, context)
                return letter
            except Exception as error:
                reason = str(error).partition("\n")[0]
                self._complain(f"emails/{email.template}: the built-in template is used instead: {reason}")
        try:
            return _letter(self._environment(code, ()), email, context)
        except Exception as error:  # whatever a template can do: it must stop this email only
            reason = str(error).partition("\n")[0]
            raise EmailNotRendered(f"the template {email.template!r} failed: {reason}") from error

    def mistakes_in(self, templates: Mapping[str, str]) -> Sequence[TemplateMistake]:
        """See EmailTemplates."""
        unknown = [
            TemplateMistake(name=name, line=None, what=_UNKNOWN)
            for name in templates
            if name not in self.built_in
        ]
        if unknown:
            return unknown
        alone = [self._mistake_in({name: source}) for name, source in templates.items()]
        found = [mistake for mistake in alone if mistake is not None]
        together = None if found or len(templates) < 2 else self._mistake_in(templates)
        return found if together is None else [together]

    def _mistake_in(self, own: Mapping[str, str]) -> TemplateMistake | None:
        """The first one that shows with sample values."""
        environment = self._new_environment(SOURCE, own)
        parts = [name for name in own if name.startswith("_")]
        for email in SAMPLES:
            names = [name for name in _names_of(email) if name in own] + parts
            if names:
                mistake = self._mistake_with(email, environment, names)
                if mistake is not None:
                    return mistake
        return None

    def _mistake_with(
        self, email: Email, environment: Environment, names: Sequence[str]
    ) -> TemplateMistake | None:
        """`names`: of the merchant's templates that make this email; the first is blamed for what names none."""
        context = _context_of(email, language=self._language(SOURCE), shop=SHOP, base_url=BASE_URL)
        try:
            letter = _letter(environment, email, context)
        except Exception as error:  # a filter's own, too: it must not stop the catalogue
            places = _SAID.findall(str(error))
            if not isinstance(error, TemplateError) or not places:
                reason = str(error).partition("\n")[0]
                return TemplateMistake(name=names[0], line=None, what=f"{type(error).__name__}: {reason}")
            what, name, line = places[-1]
            what = _TOO_MANY_STEPS if what == _OUT_OF_FUEL else what
            if name in names:
                return TemplateMistake(name=name, line=int(line), what=what)
            return TemplateMistake(name=names[0], line=None, what=f"{what} (in {name}, line {line})")
        usual = _letter(self._environment(SOURCE, ()), email, context)
        for name, told, said in zip(
            _names_of(email), (letter.text, letter.html), (usual.text, usual.html), strict=True
        ):
            lacking = [variable for slot, variable in _VARIABLES.items() if slot in said and slot not in told]
            if lacking:
                where = name if name in names else names[0]
                words = f"lacks {{{{ {lacking[0]} }}}}, which the built-in template shows"
                return TemplateMistake(name=where, line=None, what=words)
        if not letter.subject or "\n" in letter.subject:
            return TemplateMistake(name=names[0], line=1, what=_NO_SUBJECT)
        return None

    def _environment(self, language: str, own: _Own) -> Environment:
        """With the sentences of a language, and the merchant's own templates."""
        if (language, own) not in self._environments:
            if len(self._environments) >= _MOST_ENVIRONMENTS:
                self._environments.clear()
            self._environments[language, own] = self._new_environment(language, dict(own))
        return self._environments[language, own]

    def _new_environment(self, language: str, own: Mapping[str, str]) -> Environment:
        environment = Environment(
            templates={**self.built_in, **own},
            undefined_behavior="strict",
            trim_blocks=True,
            lstrip_blocks=True,
            auto_escape_callback=lambda name: "html" if name.endswith(".html") else None,
        )
        spoken = self._language(language)
        environment.add_global("_", _filled(spoken))
        environment.add_filter("money", spoken.money)
        environment.add_filter("url", _url)
        environment.add_filter("commands", _commands)
        if own:
            environment.fuel = _FUEL
        return environment


def _context_of(email: Email, *, language: Language, shop: ShopInfo, base_url: str) -> dict[str, Any]:
    """What a template can say: the email's parameters, and what is the same in all emails."""
    context = {field.name: _one_line(getattr(email, field.name)) for field in fields(email)}
    context |= {
        "shop_name": _one_line(shop.name),
        "support": shop.support.canonical,
        "base_url": base_url,
        "library": f"{base_url}/library",
        "language": language.code,
        "link": LINK_SLOT,
        "code": CODE_SLOT,
        "unsubscribe": _unsubscribe(email, base_url) if isinstance(email, NewRelease) else "",
        "look": _look_of(shop),
        "logo_at": f"{base_url}/logo" if shop.logo.lower().endswith(_MAILED) else "",
        "seller": shop.seller or _one_line(shop.name),
    }
    if isinstance(email, AccessLink):
        began = began_at(email.order)
        context["day"] = "" if began is None else language.day(began.astimezone(shop.zone).date())
        context["waived"] = "" if email.waiver is None else _moment(email.waiver.given_at, language, shop)
        context["opens"] = _moment(email.opens_at, language, shop) if email.opens_at else ""
        sold = shop.law.withdrawal and email.paid.amount
        context["withdraw_at"] = f"{base_url}/withdraw" if sold else ""
        context["picture_at"] = f"{base_url}/share/{email.product}.png" if email.product else ""
    return context


def _moment(at: str, language: Language, shop: ShopInfo) -> str:
    """As "30 November 2026, 13:00 CET": by the shop's clock, to the minute, with the zone's name."""
    there = datetime.fromisoformat(at).astimezone(shop.zone)
    return f"{language.day(there.date())}, {there:%H:%M %Z}"


def _unsubscribe(email: NewRelease, base_url: str) -> str:
    """A test of the email is for nobody who could opt out: it shows where customers can do that, too."""
    return opt_out_slot(email.user) if email.user else f"{base_url}/account"


def _letter(environment: Environment, email: Email, context: Mapping[str, Any]) -> Letter:
    in_text, in_html = _names_of(email)
    whole = environment.render_template(in_text, **context)
    subject, _, text = _BLANK_LINES.sub("\n\n", whole).strip().partition("\n\n")
    html = environment.render_template(in_html, **context, subject=subject)
    return Letter(subject=subject, text=f"{text}\n", html=html)


def _check_law(email: Email, letter: Letter, context: Mapping[str, Any]) -> None:
    """Raise ValueError for an email that was to confirm a waiver in full, or when a purchase opens, and does not."""
    if not isinstance(email, AccessLink):
        return
    needed = {} if email.waiver is None else dict.fromkeys(email.waiver.sentences, "waiver.sentences")
    needed |= {context["opens"]: "opens"} if email.opens_at else {}
    bodies = letter.text, unescape(letter.html)
    for words, variable in needed.items():
        if not all(words in body for body in bodies):
            raise ValueError(f"it lacks {{{{ {variable} }}}}, which the law asks this email to say")


def _names_of(email: Email) -> tuple[str, str]:
    return f"{email.template}.txt", f"{email.template}.html"


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


def _filled(language: Language) -> Callable[..., str]:
    """`_("Order %(order)s.", order=order)`: the sentence in another language, then its values."""

    def translate(sentence: str, **values: object) -> str:
        translated = language.gettext(sentence)
        amounts = {name: language.money(value) for name, value in values.items() if isinstance(value, Money)}
        return translated % (values | amounts) if values else translated

    return translate


def _url(address: str) -> str:
    """An address, escaped for an attribute but still to be read: minijinja's own escaping also hides slashes."""
    return safe(escape(address))


def _commands(words: str) -> str:
    """Words of an HTML email, with each `command` in letters of one width."""
    return safe(_COMMAND.sub(_CODE, escape(str(words))))


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
