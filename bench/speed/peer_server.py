"""The peer: the tutorial's own system, one uvicorn worker, in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from testkit.bring import TOOLS
from testkit.servers import ROOT, WEBHOOK_SECRET, Process, clean_environment, free_port

HERE = Path(__file__).parent / "peer"


def bring_peer() -> Path:
    """Its Python, with its locked requirements."""
    return _bring("peer", HERE / "requirements.txt")


def bring_shop() -> Path:
    """A Python with what the shop needs and nothing that only its tests do, which would cost memory and time."""
    return _bring("shop", ROOT / "requirements.txt")


def _bring(name: str, requirements: Path) -> Path:
    venv, wanted = TOOLS / name, hashlib.sha256(requirements.read_bytes()).hexdigest()
    python, done = venv / "bin" / "python", venv / ".done"
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(requirements)]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        done.write_text(wanted)
    return python


class Peer:
    """Running, with an owner's cookie once `buy` was called."""

    def __init__(self, folder: Path, sandbox_url: str) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        command = [
            str(bring_peer()), "-m", "uvicorn", "--app-dir", str(HERE), "seed_app:app", "--port", str(self.port),
            "--log-level", "warning", "--no-access-log",
        ]  # fmt: skip
        environment = clean_environment(
            BASE_URL=self.url, STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
            FAST_APP_SECRET="x", STRIPE_API_BASE=sandbox_url, SEED_DB=str(folder / "peer.db"),
        )  # fmt: skip
        environment.pop("PYTHONWARNINGS")
        environment.pop("PYTHONPATH")
        self.sandbox_url = sandbox_url
        self.process = Process(command, folder, environment, folder / "peer.log")

    def start(self) -> None:
        self.process.start(self.url)

    def owner_cookie(self) -> str:
        """Buy something there, and come back from the payment page."""
        with httpx.Client(base_url=self.url) as browser:
            page = browser.get("/buy/p1").headers["location"]
            cs = page.rpartition("/")[2]
            httpx.post(f"{self.sandbox_url}/_sandbox/sessions/{cs}/pay", json={"email": "owner@example.com"})
            browser.get("/view/p1", params={"session_id": cs})
            return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
