"""One running shop for the tests that only look; those that break things start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.s3 import an_s3_server
from support.servers import ShopServer, a_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("shop")) as running:
        yield running


@pytest.fixture
def own_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with an_s3_server() as endpoint:
        yield endpoint
