"""The back office of an in-memory shop: its use cases, and members with a browser and a device of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from adapters.memory.passkeys import MemoryAuthenticator, MemoryCeremonies
from domain.staff import Actor, Role, StaffLinkKind, StaffVisitor
from domain.usecases.ask_right import AskRight
from domain.usecases.book_payment import BookPayment
from domain.usecases.check_audit import CheckAudit
from domain.usecases.correct_address import CorrectAddress
from domain.usecases.erase_customer import EraseCustomer
from domain.usecases.export_list import ExportList
from domain.usecases.identify_staff import IdentifyStaff
from domain.usecases.import_rows import ImportRows
from domain.usecases.invite_staff import Invited, InviteStaff
from domain.usecases.join_staff import JoinStaff
from domain.usecases.link_audit import LinkAudit
from domain.usecases.list_staff import ListStaff
from domain.usecases.look_at_decision import LookAtDecision
from domain.usecases.look_at_sale import LookAtCustomer, LookAtSale
from domain.usecases.manage_passkeys import ManagePasskeys
from domain.usecases.manage_staff import ManageStaff, SignOutStaff
from domain.usecases.manage_uploads import ManageUploads
from domain.usecases.merge_customers import MergeCustomers
from domain.usecases.read_again import AskProvider
from domain.usecases.receive_upload import ReceiveUpload
from domain.usecases.reconcile_by_hand import ReconcileByHand
from domain.usecases.replace_key import ReplaceKey
from domain.usecases.run_uploads import ImportFile, RunUploads
from domain.usecases.sign_in_staff import SignInStaff
from domain.usecases.sign_out_customer import SignOutCustomer
from domain.usecases.staff_access import SignedIn, SignedInStaff, WhyNotIn
from domain.usecases.write_note import WriteNote
from domain.values import digest_of
from entrypoints.testing.fakes import BASE_URL, run
from entrypoints.testing.shop import Shop

HOST = Actor.on_host("ada")


@dataclass
class Office:
    """Who works for a shop."""

    shop: Shop = field(default_factory=Shop)

    def __post_init__(self) -> None:
        self.ceremonies = MemoryCeremonies(origin=BASE_URL)

    @cached_property
    def invite(self) -> InviteStaff:
        shop = self.shop
        return InviteStaff(
            store=shop.store, keyring=shop.keyring, clock=shop.clock, randomness=shop.randomness
        )

    @cached_property
    def join(self) -> JoinStaff:
        shop = self.shop
        return JoinStaff(
            store=shop.store, ceremonies=self.ceremonies, keyring=shop.keyring, clock=shop.clock,
            randomness=shop.randomness,
        )  # fmt: skip

    @cached_property
    def sign_in(self) -> SignInStaff:
        shop = self.shop
        return SignInStaff(
            store=shop.store, ceremonies=self.ceremonies, keyring=shop.keyring, clock=shop.clock,
            randomness=shop.randomness,
        )  # fmt: skip

    @cached_property
    def identify(self) -> IdentifyStaff:
        return IdentifyStaff(store=self.shop.store, clock=self.shop.clock)

    @cached_property
    def passkeys(self) -> ManagePasskeys:
        shop = self.shop
        return ManagePasskeys(
            store=shop.store, ceremonies=self.ceremonies, keyring=shop.keyring, clock=shop.clock,
            randomness=shop.randomness,
        )  # fmt: skip

    @cached_property
    def manage(self) -> ManageStaff:
        return ManageStaff(store=self.shop.store, clock=self.shop.clock, randomness=self.shop.randomness)

    @cached_property
    def sign_out(self) -> SignOutStaff:
        return SignOutStaff(store=self.shop.store, clock=self.shop.clock, randomness=self.shop.randomness)

    @cached_property
    def staff(self) -> ListStaff:
        return ListStaff(store=self.shop.store, clock=self.shop.clock)

    @cached_property
    def import_rows(self) -> ImportRows:
        shop = self.shop
        return ImportRows(store=shop.store, catalogue=shop.catalogue, keyring=shop.keyring, clock=shop.clock)

    @cached_property
    def receive_upload(self) -> ReceiveUpload:
        return ReceiveUpload(store=self.shop.store, clock=self.shop.clock, randomness=self.shop.randomness)

    @cached_property
    def uploads(self) -> ManageUploads:
        shop = self.shop
        return ManageUploads(
            store=shop.store, catalogue=shop.catalogue, clock=shop.clock, randomness=shop.randomness,
            rows=self.import_rows,
        )  # fmt: skip

    @cached_property
    def run_uploads(self) -> RunUploads:
        shop = self.shop
        return RunUploads(store=shop.store, catalogue=shop.catalogue, clock=shop.clock, rows=self.import_rows)

    @cached_property
    def import_file(self) -> ImportFile:
        shop = self.shop
        return ImportFile(
            store=shop.store, catalogue=shop.catalogue, clock=shop.clock, randomness=shop.randomness,
            rows=self.import_rows,
        )  # fmt: skip

    @cached_property
    def reconcile(self) -> ReconcileByHand:
        shop = self.shop
        return ReconcileByHand(
            store=shop.store, reconcile=shop.reconcile, clock=shop.clock, randomness=shop.randomness
        )

    @cached_property
    def export(self) -> ExportList:
        shop = self.shop
        return ExportList(store=shop.store, clock=shop.clock, randomness=shop.randomness)

    @cached_property
    def link_audit(self) -> LinkAudit:
        shop = self.shop
        return LinkAudit(store=shop.store, keyring=shop.keyring, clock=shop.clock, randomness=shop.randomness)

    @cached_property
    def check_audit(self) -> CheckAudit:
        return CheckAudit(store=self.shop.store, keyring=self.shop.keyring)

    @cached_property
    def ask_right(self) -> AskRight:
        return AskRight(store=self.shop.store, clock=self.shop.clock, randomness=self.shop.randomness)

    @cached_property
    def look_at_sale(self) -> LookAtSale:
        return LookAtSale(store=self.shop.store, payments=self.shop.payments)

    @cached_property
    def look_at_decision(self) -> LookAtDecision:
        shop = self.shop
        return LookAtDecision(
            store=shop.store, catalogue=shop.catalogue, templates=shop.templates, clock=shop.clock,
            base_url=BASE_URL,
        )  # fmt: skip

    @cached_property
    def look_at_customer(self) -> LookAtCustomer:
        return LookAtCustomer(store=self.shop.store)

    @cached_property
    def correct_address(self) -> CorrectAddress:
        shop = self.shop
        return CorrectAddress(
            store=shop.store, keyring=shop.keyring, clock=shop.clock, randomness=shop.randomness
        )

    @cached_property
    def merge_customers(self) -> MergeCustomers:
        shop = self.shop
        return MergeCustomers(
            store=shop.store, keyring=shop.keyring, clock=shop.clock, randomness=shop.randomness
        )

    @cached_property
    def replace_key(self) -> ReplaceKey:
        shop = self.shop
        return ReplaceKey(
            store=shop.store, catalogue=shop.catalogue, keyring=shop.keyring, clock=shop.clock,
            randomness=shop.randomness,
        )  # fmt: skip

    @cached_property
    def write_note(self) -> WriteNote:
        return WriteNote(store=self.shop.store, clock=self.shop.clock, randomness=self.shop.randomness)

    @cached_property
    def sign_out_customer(self) -> SignOutCustomer:
        return SignOutCustomer(store=self.shop.store, clock=self.shop.clock, randomness=self.shop.randomness)

    @cached_property
    def erase_customer(self) -> EraseCustomer:
        shop = self.shop
        return EraseCustomer(
            store=shop.store, clock=shop.clock, randomness=shop.randomness, erase_me=shop.erase
        )

    @cached_property
    def book_payment(self) -> BookPayment:
        shop = self.shop
        return BookPayment(
            store=shop.store, payments=shop.payments, catalogue=shop.catalogue, keyring=shop.keyring,
            clock=shop.clock, randomness=shop.randomness, booking=shop.booking,
        )  # fmt: skip

    @cached_property
    def ask_provider(self) -> AskProvider:
        shop = self.shop
        return AskProvider(
            store=shop.store, payments=shop.payments, claim=shop.claim, reconcile=self.reconcile,
            recheck_payments=shop.recheck_payments, clock=shop.clock, randomness=shop.randomness,
        )  # fmt: skip

    def form(self) -> str:
        """The id of a new form."""
        return self.shop.randomness.token(16).hex()

    def invitation(self, email: str, role: Role = Role.OWNER, *, actor: Actor = HOST) -> Invited:
        """A new invitation."""
        made = run(self.invite(email, role, actor=actor, form=self.form()))
        assert isinstance(made, Invited), made
        return made

    def member(self, email: str, role: Role = Role.OWNER, *, synced: bool = False) -> Colleague:
        """Somebody who was invited, added a passkey, and is signed in."""
        new = Colleague(self, email, synced=synced)
        assert isinstance(new.use(self.invitation(email, role)), SignedIn)
        return new


@dataclass
class Colleague:
    """A member of staff at a browser with a device that holds their passkeys."""

    office: Office
    email: str
    network: str = "192.0.2.7"
    label: str = "Firefox on Linux"
    token: str = ""
    synced: bool = False
    """Whether the device's passkeys are."""

    def __post_init__(self) -> None:
        self.device = MemoryAuthenticator(origin=BASE_URL, synced=self.synced)

    @property
    def visitor(self) -> StaffVisitor:
        """What a request of this browser brings along."""
        held = digest_of(self.token.encode()) if self.token else None
        return StaffVisitor(token_hash=held, network=self.network, label=self.label)

    @property
    def here(self) -> SignedInStaff | None:
        """Who is signed in in this browser."""
        return run(self.office.identify(self.visitor))

    @property
    def actor(self) -> Actor:
        """Who acts in this browser. AssertionError if nobody is signed in."""
        here = self.here
        assert here is not None
        return here.actor(now=self.office.shop.clock.now())

    def use(self, invited: Invited) -> SignedIn | WhyNotIn:
        """Open a link and press its button."""
        seen = run(self.office.join.look(invited.token))
        if seen is None:
            return WhyNotIn.NO_LINK
        answer = self.device.create(seen.options) if seen.kind is StaffLinkKind.INVITE else ""
        return self._with(run(self.office.join(invited.token, seen.challenge, answer, visitor=self.visitor)))

    def sign_in(self) -> SignedIn | WhyNotIn:
        """Use a passkey to come in."""
        asked = self.office.sign_in.ask()
        answer = self.device.get(asked.options)
        return self._with(run(self.office.sign_in(asked.challenge, answer, visitor=self.visitor)))

    def prove_again(self) -> SignedIn | WhyNotIn:
        """Use a passkey once more."""
        here = self.here
        assert here is not None
        asked = run(self.office.sign_in.ask_again(here))
        answer = self.device.get(asked.options)
        return self._with(run(self.office.sign_in.again(here, asked.challenge, answer, visitor=self.visitor)))

    def _with(self, outcome: SignedIn | WhyNotIn) -> SignedIn | WhyNotIn:
        if isinstance(outcome, SignedIn):
            self.token = outcome.token
        return outcome
