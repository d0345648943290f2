"""A customer's browser with its cookies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from domain.session import Visitor
from domain.usecases.checkout_outcomes import ConfirmationEmailed, RedirectToPayment
from domain.usecases.identify_viewer import Viewer
from domain.usecases.link_outcomes import LinkRejected, SignedIn, SignedInAlready
from domain.usecases.request_login import CheckYourEmail
from domain.usecases.return_outcomes import Returned
from domain.values import CheckoutId, ProductId, ProviderRef, digest_of
from domain.waiver import NO_BOXES, Boxes
from entrypoints.testing.fakes import BOOK, run
from entrypoints.testing.shop import Shop

Came = TypeVar("Came", bound=SignedIn | SignedInAlready | LinkRejected)


@dataclass
class Browser:
    """A shopper's browser, which stores the cookies it receives."""

    shop: Shop
    network: str = "192.0.2.1"
    token: str | None = None
    device: str | None = None
    form: str | None = None
    """The cookie set by the page of a link."""
    proofs: dict[CheckoutId, str] = field(default_factory=dict)
    """The cookies of its checkouts."""

    @property
    def visitor(self) -> Visitor:
        digest, form = (
            None if cookie is None else digest_of(cookie.encode()) for cookie in (self.token, self.form)
        )
        return Visitor(
            token_hash=digest,
            network=self.network,
            label="A browser",
            device=self.device,
            form=form,
            checkouts=tuple((one, digest_of(proof.encode())) for one, proof in self.proofs.items()),
        )

    def buy(
        self,
        product: ProductId = BOOK,
        *,
        again: bool = False,
        currency: str = "",
        code: str = "",
        boxes: Boxes = NO_BOXES,
    ) -> ProviderRef:
        """Press Buy; return the provider's session."""
        started = run(
            self.shop.start_checkout(
                self.visitor, product, again=again, currency=currency, code=code, boxes=boxes
            )
        )
        assert isinstance(started, RedirectToPayment), started
        self.token = started.new_token or self.token
        self.proofs[started.checkout] = started.proof
        return ProviderRef(started.url.rpartition("/")[2])

    def take(
        self, product: ProductId = BOOK, *, email: str | None = None, again: bool = False, amount: str = ""
    ) -> object:
        """Press Get for a free product."""
        answer = run(
            self.shop.order_free(self.visitor, product, currency="", amount=amount, email=email, again=again)
        )
        if isinstance(answer, ConfirmationEmailed):
            self.token = answer.new_token or self.token
        return answer

    def come_back(self, ref: ProviderRef, product: ProductId = BOOK) -> Returned:
        """Follow the provider's success redirect."""
        return run(self.shop.come_back(self.visitor, product, ref))

    def buy_and_pay(
        self, email: str, product: ProductId = BOOK, *, again: bool = False, boxes: Boxes = NO_BOXES
    ) -> ProviderRef:
        """Buy and pay; the webhook arrives first, and the mail is delivered."""
        ref = self.buy(product, again=again, boxes=boxes)
        self.shop.payments.pay(ref, email=email)
        self.shop.hear_of(ref, event=f"evt_{ref[-8:]}")
        self.shop.deliver_mail()
        return ref

    def ask_for_link(self, email: str) -> object:
        answer = run(self.shop.request_login(self.visitor, email))
        if isinstance(answer, CheckYourEmail):
            self.token = answer.new_token or self.token
        return answer

    def press(self, token: str) -> SignedIn | SignedInAlready | LinkRejected:
        """Press the button of a link."""
        return self._enter(run(self.shop.redeem.by_link(self.visitor, token)))

    def type_code(self, code: str) -> SignedIn | LinkRejected:
        return self._enter(run(self.shop.redeem.by_code(self.visitor, code)))

    def _enter(self, came: Came) -> Came:
        if isinstance(came, SignedIn):
            self.token, self.device = came.token, came.device
        return came

    @property
    def viewer(self) -> Viewer:
        return run(self.shop.identify_viewer(self.visitor))

    @property
    def owned(self) -> frozenset[ProductId]:
        return self.viewer.owned
