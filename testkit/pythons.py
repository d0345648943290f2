"""The unit tests under every Python that the shop supports and that is found here, each in an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from testkit.bring import ROOT, TOOLS

SUPPORTED: Final = ("3.11", "3.12", "3.13", "3.14")
PYENV: Final = Path.home() / ".pyenv" / "versions"
BIN: Final = Path(sys.executable).parent


def find(version: str, *, path: str | None = None, pyenv: Path = PYENV) -> str | None:
    """The interpreter of that version: on PATH (None: this process's), else the newest that pyenv has installed."""
    candidates = sorted(pyenv.glob(f"{version}.*/bin/python{version}"), key=_patch)
    on_path = shutil.which(f"python{version}", path=path)
    # pyenv's shims are on PATH for versions that are not chosen, and then only say so.
    if on_path is not None and "shims" not in Path(on_path).parts:
        return on_path
    return str(candidates[-1]) if candidates else None


def _patch(program: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in program.parts[-3].split(".") if part.isdecimal())


def make_environment(version: str, interpreter: str) -> Path:
    """Its Python, with everything that the tests need, and the shop from this folder."""
    home = TOOLS / "pythons" / version
    python = home / "bin" / "python"
    if not python.exists():
        _run(interpreter, "-m", "venv", "--without-pip", str(home))
    into = ["install", "--quiet", "--python", str(python)]
    _run(str(BIN / "uv"), "pip", *into, "--require-hashes", "-r", "requirements-dev.txt")
    _run(str(BIN / "uv"), "pip", *into, "--no-deps", "--no-build-isolation", "--editable", ".")
    return python


def _run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def main(testers: str) -> int:
    """Run them; a summary at the end. 1 if a test failed, or if nothing was found to run them with."""
    results: dict[str, str] = {}
    for version in SUPPORTED:
        interpreter = find(version)
        if interpreter is None:
            results[version] = "not found"
            continue
        print(f"Python {version}: {interpreter}", flush=True)
        try:
            python = make_environment(version, interpreter)
        except subprocess.CalledProcessError as error:
            print(error, file=sys.stderr)
            results[version] = "FAILED: its packages cannot be installed"
            continue
        command = [str(python), "-m", "pytest", "-q", "tests/unit", "-n", testers, "-p", "no:cacheprovider"]
        done = subprocess.run(command, cwd=ROOT, check=False)
        results[version] = "passed" if done.returncode == 0 else "FAILED"
    for version, result in results.items():
        print(f"Python {version}: {result}")
    worst = any(result.startswith("FAILED") for result in results.values())
    return 1 if worst or "passed" not in results.values() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
