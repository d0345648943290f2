"""An export of every sale by a served shop, during which sales are booked and customers are deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from bench.lists.office import Office
from bench.lists.watching import Gauge, Memory, OldestRead, Times, Wal, watching
from bench.speed.engines import Sqlite
from bench.speed.sales import MadeSale, Till, deliveries
from domain.export import COLUMNS, ExportKind
from testkit.office import form_on

_SALES_AT_REST: Final = 100
_SALES_EVERY: Final = 0.25
_SALES_MEANWHILE: Final = 6_000
_ERASURES_AT_REST: Final = 5
_ERASURES_EVERY: Final = 8.0
_AT_ONCE: Final = 2_000
_FLAT_OUT: Final = 5
_STOPS_READING_FOR: Final = 20.0


@dataclass
class Exporting:
    """What is measured, in order."""

    office: Office

    def run(self) -> None:
        """Print a row of each."""
        office = self.office
        child = office.shop.process.child
        assert child is not None
        self._pid = child.pid
        self._till = Till(office.shop, office.engine)
        self._forms = self._customers()
        self._stream = httpx.Client(base_url=office.shop.url, timeout=120, trust_env=False)
        self._stream.cookies, self._stream.headers = office.owner.http.cookies, office.owner.http.headers
        self._stripe = httpx.Client(base_url=office.shop.url, timeout=120, trust_env=False)
        office.shop.clients += [self._stream, self._stripe]
        self._rest()
        self._whole()
        self._slow_reader()
        self._flat_out(exports=0)
        self._flat_out(exports=2)

    def _rest(self) -> None:
        sales = self._till.draw(_SALES_AT_REST)
        print(f"sales booked, nothing else going on: {Times([self._book(sale) for sale in sales])}")
        self.office.owner.prove()
        took = [self._erase() for _ in range(_ERASURES_AT_REST)]
        print(f"customers deleted, nothing else going on: {Times(took)}", flush=True)

    def _whole(self) -> None:
        sales = iter(self._till.draw(_SALES_MEANWHILE))
        booked: list[float] = []
        erased: list[float] = []
        memory, gauge = Memory(self._pid), self._gauge()
        self.office.owner.prove()
        with (
            watching(memory, gauge),
            self._beside(lambda: booked.append(self._book(next(sales))), every=_SALES_EVERY),
            self._beside(lambda: erased.append(self._erase()), every=_ERASURES_EVERY),
        ):
            begun = time.perf_counter()
            lines, size = self._export()
            took = time.perf_counter() - begun
        assert lines > self.office.past.number, lines
        print(f"export: {lines:,} lines, {size / 1e6:.0f} MB in {took:.0f} s ({lines / took:,.0f} lines/s)")
        print(f"  memory of the shop: {memory}")
        print(f"  {gauge}")
        print(f"  sales booked meanwhile: {Times(booked)}")
        print(f"  customers deleted meanwhile: {Times(erased)}", flush=True)

    def _slow_reader(self) -> None:
        """Somebody who begins to download, and then reads nothing."""
        self.office.owner.prove()
        memory, gauge = Memory(self._pid), self._gauge()
        with watching(memory, gauge), self._request() as answer:
            next(answer.iter_raw())
            time.sleep(_STOPS_READING_FOR)
        print(f"a reader that stops for {_STOPS_READING_FOR:.0f} s: memory {memory}; {gauge}", flush=True)

    def _flat_out(self, *, exports: int) -> None:
        """Sales as fast as they can be booked."""
        lots = [self._till.draw(_AT_ONCE) for _ in range(_FLAT_OUT)]
        gauge, ended, rates = self._gauge(), threading.Event(), []
        self.office.owner.prove()
        with watching(gauge):
            readers = [threading.Thread(target=self._read_until, args=(ended,)) for _ in range(exports)]
            for reader in readers:
                reader.start()
            try:
                rates = [self._till.tell(sales, self.office.shop.url) for sales in lots]
            finally:
                ended.set()
                for reader in readers:
                    reader.join()
        print(
            f"{_AT_ONCE * _FLAT_OUT:,} sales, 64 at a time, beside {exports} exports: "
            f"{sum(rates) / len(rates):,.0f}/s; {gauge}",
            flush=True,
        )

    def _gauge(self) -> Gauge:
        engine = self.office.engine
        return Wal(engine.path) if isinstance(engine, Sqlite) else OldestRead(engine.url)

    # ------------------------------------------------------------------ what is done

    @contextmanager
    def _request(self) -> Iterator[httpx.Response]:
        fields = {"kind": "sales", "format": "csv", "column": list(COLUMNS[ExportKind.SALES])}
        self._stream.cookies = self.office.owner.http.cookies  # they change with each use of the passkey
        with self._stream.stream("POST", "/admin/exports", data=fields) as answer:
            assert answer.status_code == 200, answer.headers
            yield answer

    def _export(self) -> tuple[int, int]:
        """Lines and bytes."""
        lines = size = 0
        with self._request() as answer:
            for part in answer.iter_raw():
                lines, size = lines + part.count(b"\n"), size + len(part)
        return lines, size

    def _read_until(self, ended: threading.Event) -> None:
        with self._request() as answer:
            for _ in answer.iter_raw():
                if ended.is_set():
                    break

    def _book(self, sale: MadeSale) -> float:
        [shot] = deliveries([sale])
        begun = time.perf_counter()
        answer = self._stripe.post(shot.path, content=shot.body, headers=shot.headers)
        took = time.perf_counter() - begun
        assert answer.status_code == 200, answer.text
        return took

    def _erase(self) -> float:
        path, page = next(self._forms)
        fields = {**form_on(page, path), "reason": "They asked for it."}
        begun = time.perf_counter()
        answer = self.office.owner.http.post(path, data=fields)
        took = time.perf_counter() - begun
        assert answer.headers.get("location", "").endswith("done=erased"), (answer.status_code, answer.text)
        return took

    def _customers(self) -> Iterator[tuple[str, httpx.Response]]:
        """The pages on which some are deleted who are spread over the past; and their paths."""
        past = self.office.past
        for n in range(past.number // 200, past.number, past.number // 200):
            path = f"/admin/customers/{past.user_of(n)}/erase"
            page = self.office.owner.get(path)
            if page.is_redirect:  # the passkey was used more than five minutes ago
                self.office.owner.prove()
                page = self.office.owner.get(path)
            if page.status_code == 200:  # else they were deleted in an earlier run
                yield path, page

    @contextmanager
    def _beside(self, act: Callable[[], object], *, every: float) -> Iterator[None]:
        """Do it again and again in a thread, with so many seconds between. What fails is noted as missed."""
        ended = threading.Event()

        def run() -> None:
            try:
                while not ended.is_set():
                    act()
                    ended.wait(every)
            except Exception as error:
                self.office.missed.append(f"{type(error).__name__} beside the export: {error}")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
