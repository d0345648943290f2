"""The Containerfile without containers: its steps run on this machine, below a folder that stands for the root.

All stages share that folder, so `COPY --from` finds its files in place. Where the tests run as root, the program runs
as the image's user.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from testkit.servers import ROOT

CONTAINERFILE: Final = ROOT / "Containerfile"
IMAGE_USER: Final = 10001
_OURS: Final = re.compile(r"(?<![\w./])/(source|shop|opt)\b")
"""The folders that the image makes. Every other absolute path is the machine's own."""
_PYTHON: Final = """#!/bin/sh
# In the image one interpreter has pip, makes environments, and can be read by every user.
case "$2" in venv) exec {readable} "$@" ;; *) exec {own} "$@" ;; esac
"""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The word and the rest of each instruction, without comments, continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a file of the repository into the build."""
    sent, places = True, [path, *map(str, Path(path).parents)]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!").replace("**/", "*/")
            if any(fnmatch.fnmatch(place, pattern) for place in places):
                sent = line.startswith("!")
    return sent


@dataclass
class PlainImage:
    """What the Containerfile makes, below `root`."""

    root: Path
    folder: str = "/"
    user: str = "0:0"
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def build(self) -> None:
        self._write_python()
        for word, rest in instructions(CONTAINERFILE.read_text()):
            getattr(self, f"_{word.lower()}")(rest)

    def here(self, text: str) -> str:
        """A path or command of the image, for this machine."""
        found = _OURS.sub(lambda match: f"{self.root}/{match[1]}", text)
        return found if os.geteuid() == 0 else found.replace(str(IMAGE_USER), str(os.getuid()))

    def as_user(self, command: list[str]) -> list[str]:
        """A command as the user of the image, without any right that the compose file takes away."""
        drop: list[str] = []
        if os.geteuid() == 0:
            user, group = self.user.split(":")
            drop = [
                f"--reuid={user}",
                f"--regid={group}",
                "--clear-groups",
                "--bounding-set=-all",
                "--inh-caps=-all",
            ]
        program = shutil.which(command[0], path=self.variables()["PATH"])
        assert program is not None, command[0]
        return ["setpriv", "--no-new-privs", *drop, "--", program, *command[1:]]

    def variables(self) -> dict[str, str]:
        base = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "TMPDIR": f"{self.root}/tmp"}
        set_here = {name: os.path.expandvars(self.here(value)) for name, value in self.environment.items()}
        return {**base, **set_here}

    def _write_python(self) -> None:
        for name, mode in (("bin", 0o755), ("tmp", 0o1777)):
            (self.root / name).mkdir()
            (self.root / name).chmod(mode)
        shim = self.root / "bin" / "python"
        shim.write_text(_PYTHON.format(readable=readable_python(), own=sys.executable))
        shim.chmod(0o755)

    def _from(self, rest: str) -> None:
        assert rest.startswith("docker.io/library/python:3.")
        self.folder, self.user, self.arguments, self.environment = "/", "0:0", {}, {}

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        self.arguments[name] = default

    def _env(self, rest: str) -> None:
        self.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))

    def _workdir(self, rest: str) -> None:
        self.folder = rest
        Path(self.here(rest)).mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        if sources[0].startswith("--from="):
            assert sources[1:] == [target]
            assert Path(self.here(target)).is_dir()
            return
        to = Path(self.here(self.folder)) / target
        for source in sources:
            found = list(ROOT.glob(source))
            assert found, source
            for path in found:
                assert is_sent(str(path.relative_to(ROOT))), path
                if path.is_dir():
                    shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(path, to)

    def _run(self, rest: str) -> None:
        done = subprocess.run(
            ["sh", "-c", f"umask 022; {self.here(rest)}"],
            cwd=self.here(self.folder), env={**self.machine(), **self.variables(), **self.arguments},
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"

    @staticmethod
    def machine() -> dict[str, str]:
        """How this machine reaches its package index: the image's builder has such settings of its own."""
        return {
            name: value for name, value in os.environ.items() if name.startswith("PIP_") or name == "HOME"
        }

    def _user(self, rest: str) -> None:
        self.user = rest

    def _volume(self, rest: str) -> None:
        self.volumes.append(rest)

    def _expose(self, rest: str) -> None:
        assert rest.isdecimal()

    def _healthcheck(self, rest: str) -> None:
        self.health = json.loads(rest.partition("CMD ")[2])

    def _cmd(self, rest: str) -> None:
        self.command = json.loads(rest)


def readable_python() -> str:
    """An interpreter that the image's user can run; that of the tests, if it can."""
    base = str(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}"))
    drop = ["setpriv", f"--reuid={IMAGE_USER}", f"--regid={IMAGE_USER}", "--clear-groups", "--"]
    for found in (base, "/usr/local/bin/python3", "/usr/bin/python3"):
        command = [found, "-c", "import sys, venv; raise SystemExit(sys.version_info < (3, 11))"]
        if os.geteuid() == 0:
            command = [*drop, *command]
        if subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0:
            return found
    raise AssertionError("no Python 3.11 that every user can run")


def engine() -> str | None:
    """Docker or Podman, if it is running here and can fetch the image that ours is made from."""
    base = next(rest for word, rest in instructions(CONTAINERFILE.read_text()) if word == "FROM").split()[0]
    for name in ("docker", "podman"):
        if shutil.which(name) and _works(name, "info") and _works(name, "pull", "--quiet", base):
            return name
    return None


def _works(*command: str) -> bool:
    """Also false if nothing has come of it after minutes, as where a firewall swallows every packet."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=180).returncode == 0
    except subprocess.TimeoutExpired:
        return False
