"""One running shop for the tests that only look; those that break things start their own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from testkit.bazaar import stock_a_bazaar
from testkit.browsing import ARGUMENTS, Demo, Device, MakeDevice, ServedShop
from testkit.postgres import PostgresServer, a_postgres
from testkit.s3 import an_s3_server
from testkit.servers import ShopServer, a_shop
from testkit.tools import chromium, postgres_binaries
from testkit.waiting import LONG_ENOUGH

ENGINES = ["sqlite", "postgres"]
InDatabase = Callable[[], dict[str, str]]

# How fast an answer comes is judged by no test: a busy machine may take its time.
expect.set_options(timeout=LONG_ENOUGH * 1000)
for phase in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, phase, LONG_ENOUGH)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked `engines` runs on each of them; everything else on SQLite."""
    if "engine" in metafunc.fixturenames and metafunc.definition.get_closest_marker("engines"):
        metafunc.parametrize("engine", ENGINES, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def in_database(engine: str, request: pytest.FixtureRequest) -> InDatabase:
    """What a shop is told of a new database on this engine."""
    if engine == "sqlite":
        return dict
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda: {"DATABASE_URL": server.url(server.new_database())}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, in_database: InDatabase) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("shop"), **in_database()) as running:
        yield running


@pytest.fixture
def own_shop(tmp_path_factory: pytest.TempPathFactory, in_database: InDatabase) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("own"), **in_database()) as running:
        yield running


@pytest.fixture(scope="session")
def bazaar(tmp_path_factory: pytest.TempPathFactory, in_database: InDatabase) -> Iterator[ShopServer]:
    """A shop that sells in every way."""
    folder = tmp_path_factory.mktemp("bazaar")
    stock_a_bazaar(folder / "catalogue")
    with a_shop(folder, **in_database()) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, engine: str, in_database: InDatabase
) -> Iterator[Demo | ServedShop]:
    """The demo as it is; on another engine than its own, a shop with the same stand-in beside it."""
    if engine != "sqlite":
        with a_shop(tmp_path_factory.mktemp("served"), **in_database()) as shop:
            yield ServedShop(shop=shop.url, sandbox=shop.sandbox.url)
        return
    folder = tmp_path_factory.mktemp("demo")
    (folder / ".env").write_text("BASE_URL=https://must.not.be.read\n")
    running = Demo(folder)
    running.process.start(f"{running.shop}/readyz")
    yield running
    assert running.process.stop(signal.SIGINT) == 0


@pytest.fixture
def device(browser: Browser) -> Iterator[MakeDevice]:
    """Makes browser profiles; afterwards none of them may have complained, or asked anybody else for anything."""
    made: list[Device] = []

    def make(**options: object) -> Device:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        made.append(Device(context, context.new_page()))
        return made[-1]

    yield make
    for one in made:
        assert one.complaints == []
        assert one.foreign == []
        one.context.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with an_s3_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all; every test takes a database of its own."""
    postgres_binaries()
    with a_postgres() as server:
        yield server


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """A new database on it, for one test."""
    database = postgres.new_database()
    yield postgres.url(database)
    postgres.drop(database)
