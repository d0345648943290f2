"""The hosted payment page, between the shop's Buy and the return to the shop."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.pages.rendering import SandboxPages, see_other
from entrypoints.sandbox.stripe.cards import CardAnswer, bank_of, card_problems
from entrypoints.sandbox.stripe.deliveries import Deliveries
from entrypoints.sandbox.stripe.forms import fields_of
from entrypoints.sandbox.stripe.objects import Refusal
from entrypoints.sandbox.stripe.payments import NO_ADDRESS
from entrypoints.sandbox.stripe.promotions import INVALID, apply_code, take_code_back
from entrypoints.sandbox.stripe.sessions import completed, settle_session, takes_cards, takes_debits
from entrypoints.sandbox.stripe.totals import tax_is_included
from entrypoints.sandbox.world import Json, Manners, World

AnyRequest = Request[Any, Any, Any]
MANNERS: Final[dict[str, tuple[str, Manners]]] = {
    "before": ("before you are sent back (Stripe's usual way)", Manners()),
    "after": ("three seconds after you are back", Manners(delay=3.0, before_redirect=False)),
    "twice": ("twice at once, while you are sent back", Manners(copies=2, before_redirect=False)),
    "five": ("five times at once, while you are sent back", Manners(copies=5, before_redirect=False)),
    "late": ("a minute late", Manners(delay=60.0, before_redirect=False)),
    "never": ("never", Manners(copies=0)),
}


_TYPED: Final = ("email", "number", "expiry", "cvc", "name", "method", "country", "postal", "tax_id", "code")


class HostedPages:
    """GET and POST /c/pay/{cs}, and the 3-D Secure page between."""

    def __init__(self, world: World, deliveries: Deliveries, pages: SandboxPages) -> None:
        self._world = world
        self._deliveries = deliveries
        self._pages = pages

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers."""
        return [
            get("/c/pay/{cs:str}", status_code=200)(self.show),
            post("/c/pay/{cs:str}", status_code=303)(self.pay),
            post("/c/pay/{cs:str}/3ds", status_code=303)(self.confirm),
        ]

    async def show(self, cs: FromPath[str]) -> ASGIResponse:
        """The form."""
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return self._over(session)
        return self._form(session, {}, {})

    async def pay(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """Handle Pay, and the buttons of the promotion code."""
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return self._over(session)
        fields = await fields_of(request)
        about_code = self._code(session, fields)
        if about_code is not None:
            return about_code
        problems = _problems(session, fields)
        if problems:
            return self._form(session, fields, problems, status=400)
        answer = bank_of(fields.get("number", "")) if _by_card(session, fields) else CardAnswer.PAYS
        if answer is CardAnswer.DECLINES:
            words = {"number": "Your card was declined. Please try a different card."}
            return self._form(session, fields, words, status=402)
        if answer is CardAnswer.ASKS:
            kept = {name: fields.get(name, "") for name in ("name", "country", "postal", "tax_id")}
            kept |= {"email": _email(session, fields), "webhook": fields.get("webhook", "before")}
            return self._pages.html(
                "three_d_secure.html", session=session, lines=self._lines(session), kept=list(kept.items())
            )  # fmt: skip
        return await self._finish(session, fields, delayed=not _by_card(session, fields))

    def _code(self, session: Json, fields: dict[str, str]) -> ASGIResponse | None:
        """A new or removed code changes the total, so show the page again first. None: the code is unchanged."""
        typed = fields.get("code", "").strip()
        if fields.get("do") == "remove":
            take_code_back(self._world, session)
            return self._form(session, {**fields, "code": ""}, {})
        if not typed:
            return (
                None
                if fields.get("do") != "apply"
                else self._form(session, fields, {"code": INVALID}, status=400)
            )
        try:
            apply_code(self._world, session, typed)
        except Refusal as refusal:
            return self._form(session, fields, {"code": str(refusal)}, status=400)
        return self._form(session, {**fields, "code": ""}, {})

    async def confirm(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """Handle the shopper's answer to their bank."""
        session = self._world.sessions.get(cs)
        if session is None or session["status"] != "open":
            return self._over(session)
        fields = await fields_of(request)
        if fields.get("answer") != "complete":
            words = {
                "number": "We are unable to authenticate your payment method. Please choose a different one."
            }
            return self._form(session, fields, words, status=402)
        return await self._finish(session, fields, delayed=False)

    async def _finish(self, session: Json, fields: dict[str, str], *, delayed: bool) -> ASGIResponse:
        back = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
        settle_session(
            self._world, session["id"], email=_email(session, fields), name=fields.get("name", ""),
            delayed=delayed, address=_address(session, fields), tax_ids=_tax_ids(session, fields),
            card=fields.get("number", ""),
        )  # fmt: skip
        chosen = MANNERS.get(fields.get("webhook", ""))
        manners = self._world.manners if chosen is None or fields.get("webhook") == "before" else chosen[1]
        await self._deliveries.send([completed(self._world, session)], manners)
        return see_other(back)

    def _lines(self, session: Json) -> list[Json]:
        return self._world.lines[session["id"]]

    def _form(
        self, session: Json, fields: dict[str, str], problems: dict[str, str], *, status: int = 200
    ) -> ASGIResponse:
        given = {name: fields.get(name, "") for name in _TYPED}
        applied = [self._world.codes[d["promotion_code"]]["code"] for d in session["discounts"]]
        free = session["amount_total"] == 0
        return self._pages.html(
            "pay.html", status=status, session=session, lines=self._lines(session), given=given, problems=problems,
            manners=[(name, words) for name, (words, _) in MANNERS.items()], applied=applied, free=free,
            cards=takes_cards(session) and not free, debits=takes_debits(session) and not free,
            asks_address=asks_address(session), asks_tax_id=_asks_tax_id(session),
            tax_words="Tax (included)" if tax_is_included(self._world, session) else "Tax",
            webhook=fields.get("webhook", "before"),
        )  # fmt: skip

    def _over(self, session: Json | None) -> ASGIResponse:
        status, words = 404, "no such page"
        if session is not None:
            status, words = 410, "paid already" if session["status"] == "complete" else "expired"
        heading = "There is nothing to pay here"
        why = "A payment page is over once it is paid or has expired."
        return self._pages.over(words, self._world.shop_url, status=status, heading=heading, why=why)


def asks_address(session: Json) -> bool:
    """Whether the page asks for an address: if the session requires one, or tax depends on it."""
    return bool(session["billing_address_collection"] == "required" or session["automatic_tax"]["enabled"])


def _asks_tax_id(session: Json) -> bool:
    return bool(session.get("tax_id_collection", {}).get("enabled"))


def _email(session: Json, fields: dict[str, str]) -> str:
    return str(session["customer_email"] or fields.get("email", "").strip())


def _by_card(session: Json, fields: dict[str, str]) -> bool:
    """Whether a card pays; also true where the page offers no choice."""
    if session["amount_total"] == 0:
        return False
    wants_debit = fields.get("method") == "debit" or not takes_cards(session)
    return not (wants_debit and takes_debits(session))


def _problems(session: Json, fields: dict[str, str]) -> dict[str, str]:
    problems = {} if "@" in _email(session, fields) else {"email": "Your email is incomplete."}
    if _by_card(session, fields):
        problems |= card_problems(fields.get("number", ""), fields.get("expiry", ""), fields.get("cvc", ""))
    country = fields.get("country", "").strip()
    if asks_address(session) and not (len(country) == 2 and country.isalpha()):
        problems["country"] = "A country has two letters, such as DE."
    return problems


def _address(session: Json, fields: dict[str, str]) -> Json | None:
    if not asks_address(session):
        return None
    postal = fields.get("postal", "").strip() or None
    return {**NO_ADDRESS, "country": fields.get("country", "").strip().upper(), "postal_code": postal}


def _tax_ids(session: Json, fields: dict[str, str]) -> list[Json]:
    value = fields.get("tax_id", "").strip()
    return [{"type": "eu_vat", "value": value}] if value and _asks_tax_id(session) else []
