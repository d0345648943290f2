"""The processes that tests start: they die with the tests, and a warm one behaves as one that was executed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from testkit.servers import ROOT, STARTER, clean_environment, free_port

pytestmark = pytest.mark.long

SANDBOX = [sys.executable, "-m", "entrypoints.sandbox", "--port"]
HELP = [sys.executable, "-m", "entrypoints.cli", "serve", "--help"]
TESTS = """
import signal, sys, tempfile, time
from pathlib import Path
from testkit.servers import STARTER, clean_environment

signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background ignores it
with tempfile.TemporaryFile() as log:
    for port, warm in zip(sys.argv[1:], (False, True)):
        command = [sys.executable, "-m", "entrypoints.sandbox", "--port", port]
        out = log.fileno()
        print(STARTER.start(command, cwd=Path("/"), env=clean_environment(), out=out, err=out, warm=warm).pid)
    print(flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_broken_off_leaves_no_process_behind(number: signal.Signals) -> None:
    command = [sys.executable, "-c", TESTS, str(free_port()), str(free_port())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        children = [os.pidfd_open(int(run.stdout.readline())) for _ in range(2)]
        run.send_signal(number)
    for child in children:
        assert select.select([child], [], [], 20)[0], "it lives on"
        os.close(child)


@pytest.mark.parametrize("warm", [False, True])
def test_a_process_tells_its_end_as_the_system_does(tmp_path: Path, warm: bool) -> None:
    with tempfile.TemporaryFile() as log:
        out, env = log.fileno(), clean_environment()
        refused = STARTER.start([*SANDBOX, "x"], cwd=tmp_path, env=env, out=out, err=out, warm=warm)
        assert (refused.wait(20), refused.poll()) == (2, 2)
        killed = STARTER.start(
            [*SANDBOX, str(free_port())], cwd=tmp_path, env=env, out=out, err=out, warm=warm
        )
        assert killed.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            killed.wait(0.01)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(20) == -signal.SIGKILL


def test_a_warm_command_says_what_an_executed_one_says(tmp_path: Path) -> None:
    """Its folder and its variables are its own, too."""
    for command in (HELP, [*HELP[:3], "status"], [*HELP[:3], "nonsense"]):
        env = clean_environment(COATCHECK="no such setting")
        (tmp_path / ".env").write_text("BASE_URL=not a URL\n")
        warm, executed = (
            STARTER.run(command, cwd=tmp_path, env=env, timeout=60, warm=warm) for warm in (True, False)
        )
        assert (warm.returncode, warm.stdout, warm.stderr) == (
            executed.returncode,
            executed.stdout,
            executed.stderr,
        )


def test_what_a_process_reads_before_our_code_runs_makes_it_an_executed_one(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(7)\n")
    env = clean_environment(PYTHONPATH=str(tmp_path))
    assert STARTER.run(HELP, cwd=tmp_path, env=env, timeout=60, warm=True).returncode == 7
