"""Importing the sales of another shop: what is new, known and refused, once and for all, and who stays erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.csv_rows import CsvProblem, UnreadableCsv
from domain.customer_list import CustomerFilter
from domain.fact import Fact, FactKind
from domain.imports import Reason, checkout_id
from domain.keys import Keyring
from domain.product import Licences
from domain.purchase import LicenceKey, PurchaseState, Source
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor, Role, StaffId
from domain.uploads import KEPT_FOR, LEASE, MOST_UPLOADS, NOTED_FOR, Report, SeenIds, UploadState
from domain.usecases.manage_uploads import UploadChange
from domain.usecases.receive_upload import Receiving, TooManyUploads, UploadGone, shown_name
from domain.usecases.row_batches import AT_ONCE
from domain.values import EmailAddress, Money, ProductId
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop, a_product, an_edition
from entrypoints.testing.office import Office
from testkit.by_hand import log
from testkit.importing import GUMROAD, OWN, STRIPE, Importer, a_plan, renamed
from testkit.owners import signed_in
from testkit.stepping import run

HEADER = "external_id,address,product,paid,at,licence_key\n"
KIM = "pi_3Ohand0000000000000001"


def a_file(*rows: str) -> bytes:
    return (HEADER + "".join(f"{row}\n" for row in rows)).encode()


def of_people(count: int, *, first: int = 0) -> bytes:
    return a_file(*(f"{n},p{n}@example.com,book,9,2024-01-01," for n in range(first, first + count)))


def an_importer(*products: Any) -> Importer:
    return Importer(Office(Shop(edition=an_edition(*products)))) if products else Importer()


def keyed(pid: ProductId = BOOK, *keys: str) -> Any:
    return a_product(pid, licences=Licences(listed=keys or None))


def tables(importer: Importer) -> Any:
    return importer.office.shop.memory.tables


# ------------------------------------------------------------------ what comes of a file


def test_gumroads_sales_belong_to_who_has_them_there() -> None:
    importer = Importer()
    done = importer.bring(GUMROAD.read_bytes(), a_plan("gumroad"))
    assert done.report == Report(
        new=5,
        known=1,
        refused={
            Reason.REFUNDED: 1, Reason.CHARGED_BACK: 1, Reason.UNKNOWN_PRODUCT: 1, Reason.NO_ADDRESS: 1,
        },
        lines={
            Reason.REFUNDED: (5,), Reason.CHARGED_BACK: (7,), Reason.UNKNOWN_PRODUCT: (9,), Reason.NO_ADDRESS: (10,),
        },
        products={"=Prints, signed": 1},
    )  # fmt: skip
    assert set(importer.purchases) == {
        f"{name}@example.com" for name in ("ada", "carl", "emil", "gina", "ina")
    }
    ada, carl = importer.purchases["ada@example.com"], importer.purchases["carl@example.com"]
    assert ada == replace(
        ada,
        provider_ref=None,
        payment=None,
        paid_email=EmailAddress("ada@example.com"),
        product=BOOK,
        product_name="The book",
        paid=Money(900, "usd"),
        livemode=None,
        session=None,
        booked_at=datetime(2023, 5, 3, 14, 22, 1, tzinfo=UTC),
        source=Source.IMPORT,
        licences=(LicenceKey(BOOK, "6F0E4C97-B72A4E69-A11BF6C4-AF6517E7"),),
    )
    assert ada.checkout == checkout_id(
        shop="shop-1", source="gumroad", external_id="kL0psVL2admJSYRNs-OCMg=="
    )
    assert carl.paid_email is None
    assert "ben@example.com" not in repr(tables(importer))
    assert not tables(importer).outbox, "nobody is emailed"


@pytest.mark.parametrize("secrets", [None, ("quite another secret that is long enough",)])
@pytest.mark.parametrize(("path", "preset"), [(GUMROAD, "gumroad"), (STRIPE, "stripe"), (OWN, "own")])
def test_a_second_run_adds_nothing(path: Any, preset: str, secrets: tuple[str, ...] | None) -> None:
    importer = Importer()
    first = importer.bring(path.read_bytes(), a_plan(preset))
    assert first.report.new > 1
    before = dict(tables(importer).purchases)
    if secrets is not None:
        shop = Shop(given_store=importer.office.shop.store, secrets=secrets)
        shop.clock.tick(days=1)
        importer = Importer(Office(shop))
    second = importer.bring(path.read_bytes(), a_plan(preset))
    assert (second.report.new, second.report.known) == (0, first.report.new + first.report.known)
    assert second.report.refused == first.report.refused
    assert dict(tables(importer).purchases) == before


def test_an_owner_finds_their_purchase_and_key_in_the_library() -> None:
    importer = an_importer(keyed(BOOK), a_product(PHOTOS))
    importer.bring(GUMROAD.read_bytes(), a_plan("gumroad"))
    shop = importer.office.shop
    ada = Browser(shop)
    ada.ask_for_link("ada@example.com")
    shop.deliver_mail()
    ada.press(shop.last_link("ada@example.com"))
    assert ada.owned == {BOOK}
    [held] = ada.viewer.holdings
    assert [item.key for item in held.usable_keys(shop.clock.now())] == [
        "6F0E4C97-B72A4E69-A11BF6C4-AF6517E7"
    ]


def test_imported_customers_are_listed_by_their_first_sale_and_not_before_everybody_else() -> None:
    importer = Importer()
    shop = importer.office.shop
    Browser(shop).buy_and_pay("new@example.com")
    importer.bring(
        a_file("2,b@example.com,book,9,2024-03-01,", "1,a@example.com,book,9,2024-02-01,"), a_plan()
    )
    page = run(shop.list_customers(CustomerFilter()))
    assert [row.user.mailbox.canonical for row in page.rows] == [
        "new@example.com", "b@example.com", "a@example.com",
    ]  # fmt: skip


@pytest.mark.parametrize("more", [b"", of_people(9_000)])
def test_a_file_that_is_deleted_while_it_arrives_is_gone_and_not_called_empty(more: bytes) -> None:
    importer = Importer()
    shop = importer.office.shop
    Browser(shop).buy_and_pay("anna@example.com")
    shop.clock.tick(days=4)
    form = importer.office.form()
    receiving = run(importer.office.receive_upload.begin("a.csv", actor=importer.actor, form=form))
    assert isinstance(receiving, Receiving)
    run(receiving.feed(of_people(3)))
    erase(shop, "anna@example.com")

    def arrive() -> None:
        run(receiving.feed(more))
        run(receiving.end())

    with pytest.raises(UploadGone):
        arrive()


def test_two_shops_may_use_the_same_ids() -> None:
    importer = Importer()
    importer.bring(of_people(2), a_plan())
    other = importer.bring(of_people(2), a_plan(source="lemon"))
    assert (other.report.new, other.report.known) == (2, 0)


def test_products_are_named_by_the_merchant_and_what_is_unknown_is_counted() -> None:
    importer = Importer()
    content = a_file(
        "1,a@example.com,Prints,9,,", "2,b@example.com,Prints,9,,", "3,c@example.com,<b>x</b>,9,,"
    )
    first = importer.check(importer.upload(content), a_plan())
    assert first.report.products == {"Prints": 2, "<b>x</b>": 1}
    second = importer.check(first, a_plan(products=renamed(Prints="photos")))
    assert (second.report.new, second.report.products) == (2, {"<b>x</b>": 1})


def test_only_the_first_lines_and_names_are_kept() -> None:
    importer = Importer()
    rows = [f"{n},a{n}@example.com,product {n},9,," for n in range(100)]
    report = importer.check(importer.upload(a_file(*rows)), a_plan()).report
    assert report.refused == {Reason.UNKNOWN_PRODUCT: 100}
    assert report.lines == {Reason.UNKNOWN_PRODUCT: tuple(range(2, 22))}
    assert len(report.products) == 50


# ------------------------------------------------------------------ what is known


def test_our_own_sales_are_known_by_their_payment() -> None:
    importer = Importer()
    shop = importer.office.shop
    ref = Browser(shop).buy_and_pay("kim@example.com")
    ours = shop.payments.sessions[ref].payment
    content = STRIPE.read_text().replace(KIM, str(ours))
    done = importer.bring(content.encode(), a_plan("stripe"))
    assert (done.report.new, done.report.known) == (3, 1)
    held = [one for one in tables(importer).purchases.values() if one.payment == ours]
    assert [one.source for one in held] == [Source.SALE]


def test_rows_of_one_sale_are_one_purchase_also_far_apart() -> None:
    importer = Importer()
    rows = of_people(3 * AT_ONCE).decode().splitlines()
    content = "\n".join([*rows, rows[1], rows[2 * AT_ONCE]]).encode()
    done = importer.bring(content, a_plan())
    assert (done.report.new, done.report.known) == (3 * AT_ONCE, 2)


def test_seen_ids_are_all_kept_as_they_grow() -> None:
    seen = SeenIds()
    ids = [checkout_id(shop="s", source="x", external_id=str(n)) for n in range(20_000)]
    assert all(seen.add(one) for one in ids)
    assert not any(seen.add(one) for one in ids)


# ------------------------------------------------------------------ who was erased


def erase(shop: Shop, address: str) -> None:
    browser = Browser(shop)
    browser.ask_for_link(address)
    shop.deliver_mail()
    browser.press(shop.last_link(address))
    assert run(shop.erase(browser.visitor)).name == "DONE"


def test_an_erased_person_stays_erased_also_under_another_secret() -> None:
    importer = Importer()
    importer.bring(GUMROAD.read_bytes(), a_plan("gumroad"))
    erase(importer.office.shop, "ada@example.com")
    for secrets in (None, ("quite another secret that is long enough",)):
        if secrets:
            importer = Importer(Office(Shop(given_store=importer.office.shop.store, secrets=secrets)))
            importer.office.shop.clock.tick(days=1)
        again = importer.bring(GUMROAD.read_bytes(), a_plan("gumroad"))
        assert again.report.new == 0
        assert again.report.refused[Reason.ERASED] == 2
        assert again.report.lines[Reason.ERASED] == (2, 11)
        assert "ada@example.com" not in repr(tables(importer))


def test_a_customer_who_was_erased_before_the_first_import_is_not_brought_back() -> None:
    importer = Importer()
    shop = importer.office.shop
    anna, _ = signed_in(shop)
    assert run(shop.erase(anna.visitor)).name == "DONE"
    before, after = shop.clock.now() - timedelta(days=9), shop.clock.now() + timedelta(minutes=5)
    shop.clock.tick(minutes=10)
    content = a_file(
        f"1,anna@example.com,book,9,{before:%Y-%m-%dT%H:%M:%SZ},",
        "2,anna@example.com,book,9,,",
        f"3,anna@example.com,photos,9,{after:%Y-%m-%dT%H:%M:%SZ},",
    )
    done = importer.bring(content, a_plan())
    assert done.report.lines == {Reason.ERASED: (2, 3)}
    assert importer.purchases["anna@example.com"].product == PHOTOS, "bought after the deletion"
    shop.keyring = Keyring.of(("quite another secret that is long enough",))
    again = Importer(
        Office(Shop(given_store=shop.store, secrets=("a secret that is long enough, too, for it",)))
    )
    again.office.shop.clock.tick(minutes=10)
    assert again.bring(content, a_plan()).report.lines == {Reason.ERASED: (2, 3)}, "known by their orders now"


def test_a_deletion_takes_every_file_that_waits() -> None:
    importer = Importer()
    shop = importer.office.shop
    importer.bring(of_people(1), a_plan())
    waiting = importer.upload(of_people(3, first=1))
    checked = importer.check(importer.upload(of_people(3, first=1)), a_plan())
    importer.start(checked)
    erase(shop, "p0@example.com")
    assert not tables(importer).upload_pieces
    run(importer.office.run_uploads())
    states = [importer.held(one).state for one in (waiting, checked)]
    assert states == [UploadState.FORGOTTEN] * 2
    assert not importer.purchases
    assert importer.look(waiting).sample == ()


# ------------------------------------------------------------------ money


def test_refunds_and_disputes_reach_an_imported_stripe_payment() -> None:
    importer = Importer()
    shop = importer.office.shop
    importer.bring(STRIPE.read_bytes(), a_plan("stripe"))
    kim = importer.purchases["kim@example.com"]
    assert kim.payment == KIM
    fact = Fact(
        "re_1", FactKind.REFUND, KIM, as_of=int(shop.clock.now().timestamp()), status="succeeded", amount=900
    )
    assert shop.hear_fact(fact) == "noted"
    held = shop.memory.tables.purchases[kim.checkout]
    holding = run(shop.store.read(lambda tx: tx.purchases.with_facts(held.checkout)))
    assert holding is not None
    assert holding.standing.state is PurchaseState.REFUNDED
    assert [mail.email.__class__.__name__ for mail in tables(importer).outbox.values()] == ["Refunded"]


@pytest.mark.parametrize("with_session", [True, False])
def test_what_stripe_knows_of_a_partly_refunded_payment_is_read(with_session: bool) -> None:
    importer = Importer()
    shop, ned = importer.office.shop, "pi_3Ohand0000000000000004"
    if with_session:  # of another program on the same account, such as a payment link
        ref = Browser(shop).buy()
        shop.payments.pay(ref, email="ned@example.com")
        foreign = replace(shop.payments.sessions[ref], payment=ned, shop=None, reference=None, seal=None)
        shop.payments.sessions[ref] = foreign
        del tables(importer).checkouts[next(iter(tables(importer).checkouts))]
    shop.payments.facts["re_2"] = Fact("re_2", FactKind.REFUND, ned, as_of=1, status="succeeded", amount=200)
    importer.bring(STRIPE.read_bytes(), a_plan("stripe"))
    run(shop.recheck_payments())
    holding = run(shop.store.read(lambda tx: tx.purchases.by_payment(ned)))
    assert holding is not None
    assert (holding.purchase.paid.amount, holding.refunded) == (900, 200)
    assert holding.standing.state is PurchaseState.LIVE
    assert not tables(importer).due
    assert not tables(importer).quarantined


def test_a_payment_that_was_refunded_here_before_opens_nothing_and_sends_nothing() -> None:
    importer = Importer()
    shop = importer.office.shop
    shop.hear_fact(Fact("re_1", FactKind.REFUND, KIM, as_of=5, status="succeeded", amount=900))
    importer.bring(STRIPE.read_bytes(), a_plan("stripe"), email=True)
    told = {mail.to.canonical for mail in tables(importer).outbox.values()}
    assert "kim@example.com" not in told
    assert "leo@example.com" in told


def test_a_refund_that_was_heard_of_before_the_import_counts_on_its_day() -> None:
    importer = Importer()
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    fact = Fact("re_1", FactKind.REFUND, KIM, int(at.timestamp()), status="succeeded", amount=300)
    importer.office.shop.hear_fact(fact)
    importer.bring(STRIPE.read_bytes(), a_plan("stripe"))
    assert at in tables(importer).sums_touched


def test_a_day_that_was_summed_is_summed_again() -> None:
    importer = Importer()
    importer.bring(of_people(5), a_plan())
    assert dict(tables(importer).sums_touched) == {datetime(2024, 1, 1, tzinfo=UTC): 1}


# ------------------------------------------------------------------ licence keys


def test_a_key_from_the_file_is_kept_and_taken_off_the_list() -> None:
    importer = an_importer(keyed(BOOK, "ONE", "TWO", "THREE"), a_product(PHOTOS))
    run(importer.office.shop.supply_licences())
    importer.bring(
        a_file("1,a@example.com,book,9,,TWO", "2,b@example.com,book,9,,", "3,c@example.com,book,9,,"),
        a_plan(),
    )
    keys = {who: [item.key for item in one.licences] for who, one in importer.purchases.items()}
    assert keys == {"a@example.com": ["TWO"], "b@example.com": ["ONE"], "c@example.com": ["THREE"]}


def test_a_bundle_opens_what_is_in_it_and_has_its_keys() -> None:
    bundle = a_product(ProductId("all"), contains=(BOOK, PHOTOS))
    importer = an_importer(keyed(BOOK), a_product(PHOTOS), bundle)
    importer.bring(a_file("1,a@example.com,all,20,,THEIRS"), a_plan())
    held = importer.purchases["a@example.com"]
    assert held.products == (ProductId("all"), BOOK, PHOTOS)
    assert [item.product for item in held.licences] == [ProductId("all"), BOOK]


# ------------------------------------------------------------------ emails


def test_each_new_owner_is_emailed_once_if_the_merchant_says_so() -> None:
    importer = Importer()
    importer.bring(of_people(1), a_plan())
    importer.bring(of_people(3), a_plan(), email=True)
    importer.bring(of_people(3), a_plan(), email=True)
    shop = importer.office.shop
    shop.deliver_mail()
    assert sorted(mail.to.canonical for mail in shop.mailer.mailbox.values()) == [
        "p1@example.com",
        "p2@example.com",
    ]
    browser = Browser(shop)
    browser.press(shop.last_link("p1@example.com"))
    assert browser.owned == {BOOK}


# ------------------------------------------------------------------ who may, once, and how long


def as_role(role: Role, *, fresh: bool) -> Actor:
    return Actor("staff:s1", role=role, fresh=fresh, staff=StaffId("s1"))


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.VIEWER])
def test_nobody_but_an_owner_sees_or_does_anything(role: Role) -> None:
    importer = Importer()
    checked = importer.check(importer.upload(of_people(1)), a_plan())
    office, actor = importer.office, as_role(role, fresh=True)
    answers = [
        run(office.receive_upload.begin("x", actor=actor, form=office.form())),
        run(office.uploads.newest(actor=actor)),
        run(office.uploads.look(checked.id, actor=actor)),
        run(office.uploads.plan(checked.id, a_plan(), actor=actor)),
        run(office.uploads.start(checked.id, email=False, actor=actor, form=office.form())),
        run(office.uploads.drop(checked.id, actor=actor)),
    ]
    assert answers == [NotAllowed(Verdict.WRONG_ROLE)] * 6
    refused = [(line.action.value, line.result.value) for line in log(office.shop)]
    assert refused == [("import", "refused")] * 2
    assert importer.held(checked) == checked


def test_uploading_and_importing_need_a_fresh_passkey() -> None:
    importer = Importer()
    checked = importer.check(importer.upload(of_people(1)), a_plan())
    office, actor = importer.office, as_role(Role.OWNER, fresh=False)
    stale = NotAllowed(Verdict.PROVE_AGAIN)
    assert run(office.receive_upload.begin("x", actor=actor, form="f1")) == stale
    assert run(office.uploads.start(checked.id, email=False, actor=actor, form="f2")) == stale
    assert run(office.uploads.plan(checked.id, a_plan(), actor=actor)) is UploadChange.DONE
    run(office.run_uploads())
    assert run(
        office.uploads.start(checked.id, email=False, actor=replace(actor, fresh=True), form="f2")
    ) is (UploadChange.DONE)


def test_a_form_that_is_sent_twice_starts_one_import_and_leaves_one_line() -> None:
    importer = Importer()
    checked = importer.check(importer.upload(of_people(2)), a_plan())
    start = importer.office.uploads.start
    for _ in range(2):
        assert run(start(checked.id, email=False, actor=importer.actor, form="f1")) is UploadChange.DONE
    run(importer.office.run_uploads())
    assert run(start(checked.id, email=False, actor=importer.actor, form="f1")) is UploadChange.DONE
    assert run(start(checked.id, email=False, actor=importer.actor, form="f2")) is UploadChange.NOT_NOW
    lines = [(line.action.value, line.object_id, line.actor) for line in log(importer.office.shop)]
    assert lines == [("import", checked.id, "cli:ada")]
    assert len(importer.purchases) == 2


def test_a_file_cannot_be_imported_before_it_was_checked_or_planned_while_it_is_worked_on() -> None:
    importer = Importer()
    upload, office = importer.upload(of_people(2)), importer.office
    start = office.uploads.start
    assert run(start(upload.id, email=False, actor=importer.actor, form="f1")) is UploadChange.NOT_NOW
    assert run(office.uploads.plan(upload.id, a_plan(), actor=importer.actor)) is UploadChange.DONE
    assert run(office.uploads.plan(upload.id, a_plan(), actor=importer.actor)) is UploadChange.NOT_NOW
    assert run(start(upload.id, email=False, actor=importer.actor, form="f2")) is UploadChange.NOT_NOW
    assert run(start("nothing", email=False, actor=importer.actor, form="f3")) is UploadChange.GONE
    assert run(office.uploads.look("nothing", actor=importer.actor)) is None


def test_after_a_crash_another_node_goes_on_behind_the_last_lot() -> None:
    importer = Importer()
    checked = importer.check(importer.upload(of_people(4 * AT_ONCE)), a_plan())
    importer.start(checked)
    shop, store = importer.office.shop, importer.office.shop.store
    lots = 0

    async def dying(work: Any) -> Any:
        nonlocal lots
        lots += 1
        if lots == 4:  # the lease, two lots, and the end
            raise KeyboardInterrupt
        return await type(store).transact(store, work)

    broken = Importer(Office(Shop(given_store=_With(store, dying))))
    with pytest.raises(KeyboardInterrupt):
        run(broken.office.run_uploads())
    half = importer.held(checked)
    assert (half.state, half.report.new) == (UploadState.IMPORTING, 2 * AT_ONCE - 1)  # and the header
    assert len(importer.purchases) == 2 * AT_ONCE - 1
    assert run(importer.office.run_uploads()) == 0, "it is the dead one's for now"
    shop.clock.tick(seconds=LEASE.total_seconds())
    assert run(importer.office.run_uploads()) == 1
    done = importer.held(checked)
    assert (done.state, done.report.new, done.report.known) == (UploadState.DONE, 4 * AT_ONCE, 0)


def test_a_worker_that_lost_its_file_to_another_books_and_counts_nothing_more() -> None:
    importer = Importer()
    checked = importer.check(importer.upload(of_people(4 * AT_ONCE)), a_plan())
    importer.start(checked)
    store, overtaken = importer.office.shop.store, False

    async def slow(work: Any) -> Any:
        nonlocal overtaken
        if importer.held(checked).line > AT_ONCE and not overtaken:
            overtaken = True
            now = importer.held(checked)
            await store.transact(lambda tx: tx.uploads.replace(now, replace(now, due_at=now.at)))
            held = importer.held(checked)
            await store.transact(
                lambda tx: tx.uploads.replace(held, replace(held, state=UploadState.CHECKED))
            )
        return await store.transact(work)

    other = Importer(Office(Shop(given_store=_With(store, slow))))
    run(other.office.run_uploads())
    left = importer.held(checked)
    assert overtaken
    assert left.report.new == len(importer.purchases) == AT_ONCE - 1


class _With:
    """A store of which one method is another."""

    def __init__(self, store: Any, transact: Any) -> None:
        self._store = store
        self.transact = transact

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_file_goes_once_it_is_imported_or_after_a_day() -> None:
    importer = Importer()
    done = importer.bring(of_people(1), a_plan())
    waiting = importer.upload(of_people(1))
    arriving = run(importer.office.receive_upload.begin("x", actor=importer.actor, form="f1"))
    assert isinstance(arriving, Receiving)
    assert {key[0] for key in tables(importer).upload_pieces} == {waiting.id}
    shop = importer.office.shop
    for age, left in ((KEPT_FOR - timedelta(seconds=1), True), (KEPT_FOR, False)):
        now = waiting.at + age
        run(shop.store.transact(lambda tx, now=now: tx.retention.prune(now=now)))
        assert bool(tables(importer).upload_pieces) is left
    assert importer.held(done).report.new == 1, "what came of it is still known"
    shop.clock.tick(seconds=KEPT_FOR.total_seconds())
    assert run(importer.office.uploads.plan(waiting.id, a_plan(), actor=importer.actor)) is UploadChange.GONE
    run(shop.store.transact(lambda tx: tx.retention.prune(now=waiting.at + NOTED_FOR + timedelta(seconds=1))))
    assert not tables(importer).uploads


def test_an_import_that_outlasts_its_file_is_never_called_done() -> None:
    importer = Importer()
    checked = importer.check(importer.upload(of_people(2)), a_plan())
    importer.start(checked)
    importer.office.shop.clock.tick(seconds=KEPT_FOR.total_seconds())
    run(importer.office.run_uploads())
    assert importer.held(checked).state is UploadState.IMPORTING
    assert not importer.purchases


def test_only_so_many_files_wait_at_once() -> None:
    importer = Importer()
    uploads = [importer.upload(of_people(1)) for _ in range(MOST_UPLOADS)]
    begin = importer.office.receive_upload.begin
    assert run(begin("x", actor=importer.actor, form="f1")) == TooManyUploads()
    assert run(importer.office.uploads.drop(uploads[0].id, actor=importer.actor)) is UploadChange.DONE
    assert run(importer.office.uploads.drop(uploads[0].id, actor=importer.actor)) is UploadChange.GONE
    assert isinstance(run(begin("x", actor=importer.actor, form="f2")), Receiving)


# ------------------------------------------------------------------ bad files


def test_a_file_that_is_no_csv_leaves_nothing() -> None:
    importer = Importer()
    receiving = run(importer.office.receive_upload.begin("x.xlsx", actor=importer.actor, form="f1"))
    assert isinstance(receiving, Receiving)
    with pytest.raises(UnreadableCsv) as raised:
        run(receiving.feed(b"PK\x03\x04" + bytes(100)))
    assert raised.value.problem is CsvProblem.NOT_TEXT
    run(receiving.abandon())
    assert not tables(importer).uploads


def test_a_quotation_mark_that_is_never_closed_is_named_and_nothing_is_imported() -> None:
    importer = Importer()
    content = of_people(3) + b'4,"p4@example.com,book,9,,\n' + of_people(2000, first=5)
    checked = importer.check(importer.upload(content), a_plan())
    assert (checked.state, checked.problem, checked.problem_line) == (
        UploadState.BROKEN,
        CsvProblem.OPEN_QUOTE,
        5,
    )
    assert not importer.purchases


def test_a_separator_of_another_country_is_found() -> None:
    importer = Importer()
    content = of_people(2).replace(b",", b";")
    assert importer.bring(content, a_plan()).report.new == 2


def test_a_plan_without_its_columns_is_refused() -> None:
    importer = Importer()
    upload = importer.upload(of_people(1))
    found = run(importer.office.uploads.plan(upload.id, a_plan("gumroad"), actor=importer.actor))
    assert str(found) == "Purchase ID, Purchase Email / Buyer Email, Item Name"
    assert importer.held(upload).state is UploadState.READY


@pytest.mark.parametrize(
    ("name", "shown"),
    [("sales.csv", "sales.csv"), ("C:\\My Files\\a.csv", "a.csv"), ("../../x\r\ny", "xy"), ("", "file"), ("x" * 300, "x" * 100)],
)  # fmt: skip
def test_the_name_of_a_file_is_kept_without_its_folders(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_samples_are_the_first_rows_and_what_would_become_of_them() -> None:
    importer = Importer()
    importer.bring(of_people(2), a_plan())
    upload = importer.upload(of_people(9))
    assert [one.cells[1] for one in importer.look(upload).sample] == [f"p{n}@example.com" for n in range(5)]
    checked = importer.check(upload, a_plan())
    rows = importer.look(checked).rows
    assert [(row.owner.canonical, outcome.name) for row, outcome in rows] == [  # type: ignore[union-attr]  # none is refused
        ("p0@example.com", "KNOWN"), ("p1@example.com", "KNOWN"), ("p2@example.com", "NEW"), ("p3@example.com", "NEW"),
        ("p4@example.com", "NEW"),
    ]  # fmt: skip


def test_what_is_stored_of_a_file_beside_its_pieces_names_nobody() -> None:
    importer = Importer()
    content = a_file("1,anna@example.com,book,9,,", "2,anna@example.com,nothing,9,,")
    checked = importer.check(importer.upload(content), a_plan())
    assert "anna" not in repr(tables(importer).uploads[checked.id])
