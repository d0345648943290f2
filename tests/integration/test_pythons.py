"""Which interpreter `make pythons` takes for a version."""

from __future__ import annotations

import tomllib
from pathlib import Path

from testkit.pythons import SUPPORTED, find
from testkit.servers import ROOT


def a_program(path: Path) -> str:
    path.parent.mkdir(parents=True)
    path.touch(0o755)
    return str(path)


def test_the_one_on_the_path_is_taken(tmp_path: Path) -> None:
    a_program(tmp_path / "pyenv" / "3.13.1" / "bin" / "python3.13")
    on_path = a_program(tmp_path / "bin" / "python3.13")
    assert find("3.13", path=str(tmp_path / "bin"), pyenv=tmp_path / "pyenv") == on_path


def test_else_the_newest_of_pyenv_which_a_shim_does_not_hide(tmp_path: Path) -> None:
    a_program(tmp_path / "pyenv" / "3.13.9" / "bin" / "python3.13")
    newest = a_program(tmp_path / "pyenv" / "3.13.10" / "bin" / "python3.13")
    a_program(tmp_path / "pyenv" / "3.12.11" / "bin" / "python3.12")
    a_program(tmp_path / "shims" / "python3.13")
    assert find("3.13", path=str(tmp_path / "shims"), pyenv=tmp_path / "pyenv") == newest


def test_one_that_is_nowhere_is_not_found(tmp_path: Path) -> None:
    a_program(tmp_path / "bin" / "python3.13")
    assert find("3.14", path=str(tmp_path / "bin"), pyenv=tmp_path) is None


def test_every_version_that_the_package_names_is_tried() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    versions = {one.rpartition(" ")[2] for one in named if "Python :: 3." in one}
    assert versions <= set(SUPPORTED)
