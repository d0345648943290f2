"""Starts the processes of the tests: a command as it is, or a program of ours out of a process that imported it.

Importing the shop takes two seconds of a core, and the tests start it hundreds of times. What is started dies with the
tests, however they end: each child with the starter, and the starter when the other end of its socket is closed.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_MESSAGE: Final = 2**20
_PROGRAMS: Final = {
    "entrypoints.cli": "entrypoints.cli",
    "entrypoints.sandbox": "entrypoints.sandbox.__main__",
}
"""What `python -m` calls them, and the module that has their `main`."""
_AT_START: Final = ("LD_PRELOAD", "TZ", "MALLOC_ARENA_MAX")
"""Variables that a process reads before it runs any code of ours."""


@dataclass
class Child:
    """A process that the starter started; in its own session. As of `subprocess.Popen`, what tests ask of it."""

    pid: int
    command: Sequence[str]
    _end: socket.socket
    _code: int | None = None

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.command, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _look(self, timeout: float | None) -> int | None:
        if self._code is None and select.select([self._end], [], [], timeout)[0]:
            told = self._end.recv(16)
            self._end.close()
            self._code = int(told) if told else -signal.SIGKILL  # the starter is gone, and took it along
        return self._code


@dataclass
class Starter:
    """The one of this process; started when it is first needed."""

    environment: Mapping[str, str]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @functools.cached_property
    def _control(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=self.environment,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

        def end() -> None:
            ours.close()
            process.wait()

        atexit.register(end)
        return ours

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        out: int,
        err: int,
        warm: bool = False,
    ) -> Child:
        """Run it; `warm`: `python -m` of a program of ours runs in a fork of what has imported it."""
        module = command[2] if warm and self._knows(command, env) else ""
        request = {"command": [*command], "module": module, "cwd": str(cwd), "env": dict(env)}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            socket.send_fds(self._control, [json.dumps(request).encode()], [out, err, theirs.fileno()])
            answer = self._control.recv(_MESSAGE)
        assert answer, "the starter is gone"
        return Child(int(answer), command, ours)

    def _knows(self, command: Sequence[str], env: Mapping[str, str]) -> bool:
        if tuple(command[:2]) != (sys.executable, "-m") or command[2] not in _PROGRAMS:
            return False
        early = {name for name in {*env, *self.environment} if name in _AT_START or name.startswith("PYTHON")}
        return all(env.get(name) == self.environment.get(name) for name in early)

    def run(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float, warm: bool
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` does, with both outputs."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = self.start(command, cwd=cwd, env=env, out=out.fileno(), err=err.fileno(), warm=warm)
            try:
                code = child.wait(timeout)
            except BaseException:
                child.send_signal(signal.SIGKILL)
                raise
            out.seek(0), err.seek(0)
            return subprocess.CompletedProcess(command, code, out.read().decode(), err.read().decode())


# ---------------------------------------------------------------------- in the starter


def _serve(control: socket.socket) -> Callable[[], object]:
    """Start what is asked for until nobody asks any more. In a child: what it has to run."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ends: dict[int, int] = {}
    warm = False
    while True:
        ready = select.select([control, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 1024)
            _bury(ends)
        if control not in ready:
            continue
        told, descriptors, _, _ = socket.recv_fds(control, _MESSAGE, 3)
        if not told:
            control.close()
            sys.exit()
        request, (out, err, end), starter = json.loads(told), descriptors, os.getpid()
        if request["module"] and not warm:
            _warm_up()
            warm = True
        if pid := os.fork():
            ends[pid] = end
            os.close(out)
            os.close(err)
            control.send(str(pid).encode())
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        for one in (woken, wake, end, *ends.values()):
            os.close(one)
        return functools.partial(_become, request, out, err, starter)


def _bury(ends: dict[int, int]) -> None:
    """Tell of every child that is dead."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            end = ends.pop(found[0])
            with contextlib.suppress(OSError):  # nobody waits for it any more
                os.write(end, str(os.waitstatus_to_exitcode(found[1])).encode())
            os.close(end)


def _become(request: dict[str, object], out: int, err: int, starter: int) -> None:
    os.setsid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != starter:
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for here, there in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(here, there)
        os.close(here)
    os.chdir(str(request["cwd"]))
    command, env = request["command"], request["env"]
    assert isinstance(command, list)
    assert isinstance(env, dict)
    if not request["module"]:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and who is executed would, too
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(command[0], command, env)
    os.environ.clear()
    os.environ.update(env)
    name = str(request["module"])
    program = importlib.import_module(_PROGRAMS[name])
    sys.path.insert(0, str(request["cwd"]))
    sys.argv = [str(program.__file__), *command[3:]]
    program.main(prog_name=f"python -m {name}")


def _warm_up() -> None:
    from litestar import Litestar

    for module in (*_PROGRAMS.values(), "adapters.postgres.store"):
        importlib.import_module(module)
    Litestar()  # it imports some more when it is first used
    gc.collect()
    gc.freeze()


def _main() -> None:
    sys.path.pop(0)  # the folder of this file
    control = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)
    _serve(control)()


if __name__ == "__main__":
    _main()
