"""The figures and charts of Home, in words."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from domain.day_sums import DaySum
from domain.purchase import Source
from domain.usecases.show_figures import Figures, Period, PeriodFigures
from domain.values import ProductId, decimal_text, money_text
from entrypoints.admin.charts import Chart, by_day
from entrypoints.admin.sale_filter import counted_at
from entrypoints.http.sentences import N_, _, ngettext

RANGES: Final = (30, 90, 365)
"""For how many days up to today the charts can be drawn."""
_PERIODS: Final = {
    Period.TODAY: N_("Today"), Period.WEEK: N_("7 days"), Period.MONTH: N_("30 days"), Period.YEAR: N_("12 months"),
}  # fmt: skip
_COLUMNS: Final = (
    "day", "currency", "sales", "gross", "refunded", "net", "free", "started", "paid", "opened",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a period. `compared`: with the time before. `at`: the list that it counts, if there is one."""

    name: str
    value: str
    compared: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """The figures of a period."""

    title: str
    lines: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of how many went how far. `width` in hundredths of the widest."""

    name: str
    number: int
    width: int
    share: str


def cards(figures: Figures, *, home: str) -> list[Card]:
    """One for each period, with the same lines. `home`: the shop's currency, which comes first."""
    found = {currency for one in figures.periods for currency in (*one.now, *one.before)}
    currencies = sorted(found, key=lambda currency: (currency != home, currency)) or [home]
    return [_card(one, currencies, gone_live=figures.gone_live) for one in figures.periods]


def _card(one: PeriodFigures, currencies: Sequence[str], *, gone_live: bool) -> Card:
    today = one.period is Period.TODAY
    now, before = _total(one.now.values()), _total(one.before.values())

    def listed(source: Source, *, tests: bool = False) -> str:
        return counted_at(tests and gone_live, source=source.value, **{"from": one.first.isoformat()})

    # Imported purchases are sales, too, and no list has both.
    sold_at = "" if one.imports.number else listed(Source.SALE, tests=True)
    lines = [
        Figure(
            _("Sales"), f"{now.sales:,}", _compared(now.sales, before.sales, _number, today=today), at=sold_at
        )
    ]
    for currency in currencies:
        there, then = one.now.get(currency, _none(currency)), one.before.get(currency, _none(currency))
        lines += _money(there, then, named=len(currencies) > 1, today=today)
    lines += [
        Figure(_("Free orders"), f"{now.free:,}", _compared(now.free, before.free, _number, today=today),
               at=listed(Source.FREE)),
        Figure(_("Given for free"), f"{one.grants.number:,}{'' if one.grants.complete else '+'}",
               at=listed(Source.GRANT)),
        Figure(_("Checkouts started"), f"{now.started:,}",
               _compared(now.started, before.started, _number, today=today)),
        Figure(_("of which paid"), f"{now.paid:,}", _share(now.paid, now.started)),
    ]  # fmt: skip
    return Card(title=_(_PERIODS[one.period]), lines=lines)


def _money(now: DaySum, before: DaySum, *, named: bool, today: bool) -> list[Figure]:
    def words(amount: int) -> str:
        return money_text(amount, now.currency)

    def name(what: str) -> str:
        return f"{what}, {now.currency.upper()}" if named else what

    return [
        Figure(name(_("Gross")), words(now.gross), _compared(now.gross, before.gross, words, today=today)),
        Figure(name(_("Refunded")), words(now.refunded), _compared(now.refunded, before.refunded, words, today=today)),
        Figure(name(_("Net")), words(net(now)), _compared(net(now), net(before), words, today=today)),
    ]  # fmt: skip


def _compared(now: int, before: int, words: Callable[[int], str], *, today: bool) -> str:
    """In words; a day that is not over is set beside the whole of the one before."""
    if today:
        return _("%(before)s yesterday", before=words(before))
    if now == before:
        return _("as before") if now else ""
    if not before:
        return _("none before")
    if now > before:
        return _("up from %(before)s", before=words(before))
    return _("down from %(before)s", before=words(before))


def _number(value: int) -> str:
    return f"{value:,}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part // whole} %" if whole else ""


def net(one: DaySum) -> int:
    """What was paid less what went back, in minor units; below zero on a day of refunds."""
    return one.gross - one.refunded


def _none(currency: str) -> DaySum:
    return DaySum(date.min, currency, ProductId(""))


def _total(sums: Iterable[DaySum]) -> DaySum:
    """The counts alone: amounts are never added across currencies."""
    found = list(sums)
    return DaySum(
        date.min, "", ProductId(""), sales=sum(one.sales for one in found), free=sum(one.free for one in found),
        started=sum(one.started for one in found), paid=sum(one.paid for one in found),
        opened=sum(one.opened for one in found),
    )  # fmt: skip


def charts(figures: Figures, today: date, *, days: int, home: str) -> list[Chart]:
    """Net per day in each currency of that time (`home`: of the shop, which comes first), and sales per day."""
    first = today - timedelta(days=days - 1)
    sums = [one for one in figures.days if one.day >= first]
    currencies = sorted(
        {one.currency for one in sums if one.gross or one.refunded}, key=lambda c: (c != home, c)
    )
    found = [_net_chart(sums, first, days, currency) for currency in currencies or [home]]
    sales = _filled(((one.day, one.sales) for one in sums), first, days)
    best = max(sales, key=lambda one: one[1])
    total = sum(number for _day, number in sales)
    said = ngettext("%(number)d sale in %(days)d days", "%(number)d sales in %(days)d days", total, days=days)
    finding = _(
        "%(said)s; the best day was %(day)s with %(best)d.", said=said, day=_day(best[0]), best=best[1]
    )
    return [
        *found,
        by_day(
            name="sales-per-day", title=_("Sales per day"), finding=finding if total else f"{said}.", values=sales,
            words=lambda value: ngettext("%(number)d sale", "%(number)d sales", value), beside=_number, day=_day,
            head=(_("Day"), _("Sales")),
        ),
    ]  # fmt: skip


def _net_chart(sums: Sequence[DaySum], first: date, days: int, currency: str) -> Chart:
    values = _filled(((one.day, net(one)) for one in sums if one.currency == currency), first, days)

    def words(amount: int) -> str:
        return money_text(amount, currency)

    best = max(values, key=lambda one: one[1])
    said = _("%(net)s net in %(days)d days", net=words(sum(amount for _day, amount in values)), days=days)
    finding = _(
        "%(said)s; the best day was %(day)s with %(best)s.", said=said, day=_day(best[0]), best=words(best[1])
    )
    return by_day(
        name=f"net-{currency}", title=_("Net per day, %(currency)s", currency=currency.upper()),
        finding=finding if best[1] else f"{said}.", values=values, words=words,
        beside=lambda amount: words(amount).removesuffix(".00").removesuffix(".000"), day=_day,
        head=(_("Day"), _("Net")),
    )  # fmt: skip


def steps(figures: Figures, today: date, *, days: int) -> tuple[str, list[Step]]:
    """How many of the checkouts that began in that time were paid, and of those, opened; and that in a sentence."""
    first = today - timedelta(days=days - 1)
    total = _total(one for one in figures.days if one.day >= first)
    named = ((_("started"), total.started), (_("paid"), total.paid), (_("opened"), total.opened))
    most = max(total.started, 1)
    found = [
        Step(name, number, 100 * number // most, _share(number, total.started)) for name, number in named
    ]
    finding = _(
        "Of %(started)s checkouts started in %(days)d days, %(paid)s were paid, and %(opened)s of these opened.",
        started=_number(total.started), paid=_number(total.paid), opened=_number(total.opened), days=days,
    )  # fmt: skip
    return finding, found


def _filled(values: Iterable[tuple[date, int]], first: date, days: int) -> list[tuple[date, int]]:
    """One value for each day, zero where nothing happened."""
    by: defaultdict[date, int] = defaultdict(int)
    for at, value in values:
        by[at] += value
    return [(at, by[at]) for at in (first + timedelta(days=n) for n in range(days))]


def _day(at: date) -> str:
    return f"{at.day} {at:%b %Y}"


def csv_of(sums: Sequence[DaySum]) -> bytes:
    """The sums of days as CSV (RFC 4180), amounts in major units."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    for one in sums:
        amounts = (decimal_text(amount, one.currency) for amount in (one.gross, one.refunded, net(one)))
        rows.writerow((
            one.day.isoformat(), one.currency.upper(), one.sales, *amounts, one.free, one.started,
            one.paid, one.opened,
        ))  # fmt: skip
    return out.getvalue().encode()
