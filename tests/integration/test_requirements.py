"""Everything a shop is installed from is pinned by hash, in the versions that the tests run on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from testkit.servers import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def pins_of(name: str) -> dict[str, str]:
    """Versions by package; every one of them with hashes."""
    entries = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    assert all("--hash=sha256:" in entry for entry in entries), name
    found = [re.match(r"([a-z0-9.-]+)(?:\[[^]]*])?==(\S+)", entry) for entry in entries]
    return {pin[1]: pin[2] for pin in found if pin is not None}


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_extra_has_its_file_of_hashes_in_the_versions_that_are_tested(extra: str) -> None:
    pins, tested = pins_of(f"requirements-{extra}.txt"), pins_of("requirements-dev.txt")
    for wanted in EXTRAS[extra] + PROJECT["dependencies"]:
        name = re.split(r"[\[<>=~! ]", wanted)[0]
        assert name in pins, wanted
    assert pins.items() <= tested.items()


def test_the_shop_itself_runs_in_the_versions_that_are_tested() -> None:
    assert pins_of("requirements.txt").items() <= pins_of("requirements-dev.txt").items()


def test_what_the_image_is_made_from_is_what_the_shop_is_installed_from() -> None:
    wheel, build = pins_of("requirements-wheel.txt"), pins_of("requirements-build.txt")
    assert wheel | build == pins_of("requirements.txt")
    assert "hatchling" not in wheel


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_no_lock_file_names_a_place(path: Path) -> None:
    assert not re.search(r"://|^-", path.read_text(), re.MULTILINE)
