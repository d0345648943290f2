"""The program as people install it: a wheel in an environment of its own, run in an empty folder, far from this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import httpx
import pytest

from testkit.servers import BOOK, ROOT, Process, free_port
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

CONTENT = "Ottilie"
"""A word that only buyers of the book read."""


@pytest.fixture(scope="module")
def coatcheck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from a wheel that was built from the files of this repository alone."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    shutil.copytree(ROOT / "src", sources / "src", ignore=shutil.ignore_patterns("__pycache__"))
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], sources)
    [wheel] = folder.glob("coatcheck-*.whl")
    environment = folder / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    run([*pip, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)], folder)
    # What the wheel depends on comes from here, so that nothing is downloaded: the packages, not this repository.
    [site] = (environment / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin" / "coatcheck"


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=bare(), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bare(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more}


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
