"""The program as people install it: a wheel in an environment of its own, run in an empty folder, far from this one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import Distribution, distributions
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from testkit.servers import BOOK, ROOT, Process, free_port
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

CONTENT = "Ottilie"
"""A word that only buyers of the book read."""
WITHOUT_LICENCE = {"resvg-py", "rich-click", "sqlite-fts4"}


LARGEST = 245
"""Megabytes that an environment without pip may take on the disk: docs/size.md lists what is in it."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make release` made of the files of this repository alone."""
    sources = tmp_path_factory.mktemp("sources")
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE", "requirements-wheel.txt"):
        shutil.copy(ROOT / name, sources)
    shutil.copytree(ROOT / "src", sources / "src", ignore=shutil.ignore_patterns("__pycache__"))
    # The tools are this environment's, which the target would otherwise make first.
    (sources / ".venv").symlink_to(Path(sys.prefix))
    run(["make", "--silent", "--old-file", ".venv/.dev", "release"], sources)
    return sources


@pytest.fixture(scope="module")
def coatcheck(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    environment = folder / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    install(release, environment)
    # What the wheel depends on comes from here, so that nothing is downloaded: the packages, not this repository.
    [site] = (environment / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin" / "coatcheck"


def install(release: Path, environment: Path) -> None:
    [wheel] = (release / "dist").glob("coatcheck-*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install", "--quiet"]
    run([*pip, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)], release)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=bare(), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bare(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more}


def test_a_release_is_a_wheel_the_sources_and_a_list_of_what_they_need(release: Path) -> None:
    made = {path.name for path in (release / "dist").iterdir()}
    assert made == {
        "coatcheck-0.1.0-py3-none-any.whl", "coatcheck-0.1.0.tar.gz", "coatcheck-0.1.0.cdx.json",
    }  # fmt: skip


def test_the_list_names_every_locked_package_with_its_version_and_licence(release: Path) -> None:
    text = (release / "dist" / "coatcheck-0.1.0.cdx.json").read_text()
    listed = json.loads(text)
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert listed["metadata"]["component"]["licenses"][0]["expression"] == "Apache-2.0 AND Bitstream-Vera"
    found = {canonicalize_name(one["name"]): one for one in listed["components"]}
    assert {name: one["version"] for name, one in found.items()} == locked(release)
    assert all(one["purl"].startswith(f"pkg:pypi/{name}@") for name, one in found.items())
    # These say it in no form that the list has a place for: in a file, or in words of their own.
    assert {name for name, one in found.items() if not one.get("licenses")} <= WITHOUT_LICENCE
    [ours] = [one for one in listed["dependencies"] if one["ref"] == "root-component"]
    assert {"litestar", "stripe"} <= {one.partition("==")[0] for one in ours["dependsOn"]}
    assert str(release) not in text


def locked(release: Path) -> dict[str, str]:
    """Versions by package, of those that are installed on this system."""
    entries = (release / "requirements-wheel.txt").read_text().replace("\\\n", " ").splitlines()
    wanted = [Requirement(entry.partition("--hash")[0]) for entry in entries]
    assert len(wanted) > 40
    here = [one for one in wanted if one.marker is None or one.marker.evaluate()]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in here}


@pytest.fixture(scope="module")
def whole(release: Path) -> Path:
    """The environment that the list of packages was read off, with the wheel in it."""
    environment = release / ".tools" / "release"
    install(release, environment)
    return environment


def test_an_environment_without_pip_is_small(whole: Path) -> None:
    assert 100 < size_without_pip(whole) <= LARGEST


def test_what_takes_more_than_two_megabytes_is_documented_with_its_size(whole: Path) -> None:
    [packages] = whole.glob("lib/python3*/site-packages")
    found = {canonicalize_name(one.name): megabytes(one) for one in distributions(path=[str(packages)])}
    rows = re.findall(r"^\| ([a-z-]+) \| (\d+) \|", (ROOT / "docs" / "size.md").read_text(), re.MULTILINE)
    documented = {name: int(size) for name, size in rows}
    assert {name for name, size in found.items() if size > 2} - {"coatcheck"} == set(documented) - {
        "coatcheck"
    }
    for name, size in documented.items():
        assert found[canonicalize_name(name)] == pytest.approx(size, rel=0.25, abs=1), name


def megabytes(package: Distribution) -> float:
    """With the bytecode of its modules."""
    files = {Path(str(file.locate())).resolve() for file in package.files or []}
    compiled = (
        one
        for file in files
        if file.suffix == ".py"
        for one in file.parent.glob(f"__pycache__/{file.stem}.*.pyc")
    )
    return sum(file.lstat().st_blocks * 512 for file in files | set(compiled) if file.exists()) / 2**20


def size_without_pip(environment: Path) -> float:
    """Megabytes on the disk, as `du -m` counts them; pip is there because sqlite-utils asks for it."""
    [packages] = environment.glob("lib/python3*/site-packages")
    pip = {packages / "pip", *packages.glob("pip-*.dist-info")}
    found = [path.lstat() for path in environment.rglob("*") if pip.isdisjoint((path, *path.parents))]
    return sum(one.st_blocks * 512 for one in found) / 2**20


def test_the_code_comes_from_the_wheel(coatcheck: Path, tmp_path: Path) -> None:
    code = "import domain, entrypoints.cli, adapters; print(domain.__file__, adapters.__file__, entrypoints.cli.__file__)"
    found = run([str(coatcheck.parent / "python"), "-c", code], tmp_path).split()
    assert all(Path(file).is_relative_to(coatcheck.parent.parent) for file in found), found
    assert run([str(coatcheck), "--version"], tmp_path) == "coatcheck, version 0.1.0\n"


def test_its_demo_sells_from_an_empty_folder(coatcheck: Path, tmp_path: Path) -> None:
    port = free_port(in_a_row=2)
    shop, stand_in = f"http://localhost:{port}", f"http://127.0.0.1:{port + 1}"
    demo = Process([str(coatcheck), "demo"], tmp_path, bare(PORT=str(port)), tmp_path / "terminal.log")
    demo.start(f"{shop}/readyz")
    try:
        with httpx.Client(base_url=shop, headers={"origin": shop}) as browser:
            assert "The Last Cloakroom" in browser.get("/").text
            cs = browser.post(f"/buy/{BOOK}").headers["location"].rpartition("/")[2]
            httpx.post(f"{stand_in}/_sandbox/sessions/{cs}/pay", json={"email": "anna@example.com"})
            page = browser.get(f"/view/{BOOK}", params={"session_id": cs}, follow_redirects=True)
            assert CONTENT in page.text
        mailbox = f"{stand_in}/_sandbox/mails?to=anna@example.com"
        wait_until(lambda: len(httpx.get(mailbox).json()) == 1)
    finally:
        assert demo.stop() == 0


def test_it_makes_a_whole_shop_whose_unit_runs_it(coatcheck: Path, tmp_path: Path) -> None:
    run([str(coatcheck), "init", "shop", "--name", "Paper", "--support", "help@paper.example"], tmp_path)
    made = {path.name for path in (tmp_path / "shop").rglob("*") if path.is_file()}
    template = [
        path for path in (ROOT / "src" / "entrypoints" / "shop_template").rglob("*") if path.is_file()
    ]
    assert len(made) == len(template)
    assert made >= {".env", ".gitignore", "shop.toml", "compose.yaml"}
    assert f'ExecStart="{coatcheck}" serve' in (tmp_path / "shop" / "coatcheck.service").read_text()
