"""The image and the compose file: built, started behind Caddy as compose starts them, and linted.

With Docker or Podman the image is built and run. Elsewhere the Containerfile's steps run on this machine, and the shop
runs as the image's user.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from testkit.containers import CONTAINERFILE, IMAGE_USER, PlainImage, engine, instructions, is_sent
from testkit.servers import ROOT, Process, clean_environment, free_port
from testkit.tools import program
from testkit.waiting import wait_until

COMPOSE = ROOT / "src" / "entrypoints" / "shop_template" / "compose.yaml"
BIN = Path(sys.executable).parent
INIT = ["init", "made", "--name", "Paper", "--support", "help@paper.example"]


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


# ------------------------------------------------------------------ what is written


def test_the_linter_of_containerfiles_finds_nothing() -> None:
    done = subprocess.run(
        [BIN / "hadolint", "--failure-threshold", "style", CONTAINERFILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_follows_the_schema_of_compose_files() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_installed_by_hash_and_belongs_to_nobody_who_runs_it() -> None:
    steps = list(instructions(CONTAINERFILE.read_text()))
    assert [word for word, _ in steps].count("FROM") == 2
    installs = [
        one for word, rest in steps if word == "RUN" for one in rest.split("&&") if " install " in one
    ]
    from_an_index = [one for one in installs if "pip" in one and "--no-index" not in one]
    assert len(from_an_index) == 2
    assert all("--require-hashes" in one and "--only-binary :all:" in one for one in from_an_index)
    last = dict(steps)
    assert last["USER"] == f"{IMAGE_USER}:{IMAGE_USER}"
    assert last["VOLUME"] == "/shop/data"
    assert not [rest for word, rest in steps if word == "COPY" and "--chown" in rest]


@pytest.mark.parametrize(
    "path",
    [".env", "data/coatcheck.db", ".git/config", ".venv/bin/python", "docs/a.md", "src/a/__pycache__/b.pyc"],
)
def test_no_secret_and_no_litter_is_sent_to_the_builder(path: str) -> None:
    assert not is_sent(path)


def test_the_compose_file_runs_the_shop_with_as_few_rights_as_it_needs() -> None:
    shop, caddy = compose()["services"]["shop"], compose()["services"]["caddy"]
    steps = dict(instructions(CONTAINERFILE.read_text()))
    assert shop["user"] == steps["USER"]
    assert shop["read_only"] is True
    assert shop["tmpfs"] == ["/tmp"]
    assert shop["cap_drop"] == ["ALL"]
    assert shop["security_opt"] == ["no-new-privileges:true"]
    assert shop["volumes"] == ["./catalogue:/shop/catalogue:ro", f"data:{steps['VOLUME']}"]
    assert set(compose()["volumes"]) == {"data", "caddy"}
    assert "ports" not in shop
    assert caddy["depends_on"] == {"shop": {"condition": "service_healthy"}}


def test_the_compose_file_builds_the_containerfile_and_asks_for_health_as_it_does() -> None:
    shop = compose()["services"]["shop"]
    assert shop["build"] == {"context": "${COATCHECK:-../coatcheck}", "dockerfile": CONTAINERFILE.name}
    assert "command" not in shop
    options, _, command = dict(instructions(CONTAINERFILE.read_text()))["HEALTHCHECK"].partition(" CMD ")
    words = [re.sub(r"^--", "", option).split("=") for option in options.split()]
    expected: dict[str, Any] = {name.replace("-", "_"): value for name, value in words}
    expected |= {"test": ["CMD", *json.loads(command)], "retries": int(expected["retries"])}
    assert shop["healthcheck"] == expected


# ------------------------------------------------------------------ built and started


@dataclass
class Started:
    """A shop out of the image: where it listens, how its HEALTHCHECK is run, and how it ends."""

    port: int
    is_healthy: Callable[[], bool]
    stop: Callable[[], None]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the image's user can enter, which pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="coatcheck-image-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def settings(site: str, dotenv: Path) -> dict[str, str]:
    """What the merchant fills in, and the rest as `coatcheck init` made it."""
    made = dict(line.split("=", 1) for line in dotenv.read_text().splitlines() if re.match(r"[A-Z_]+=", line))
    return {
        **made,
        "BASE_URL": site,
        "STRIPE_SECRET_KEY": "sk_test_ofthetests",
        "STRIPE_WEBHOOK_SECRET": "whsec_ofthetests",
        "TRUSTED_PROXIES": "127.0.0.1",
    }


def caddy(folder: Path, site: str, port: int) -> Process:
    """Caddy with the configuration of the compose file, in front of a port of this machine."""
    content = compose()["configs"]["caddyfile"]["content"]
    text = content.replace("${BASE_URL:?set it in .env}", site).replace("shop:8000", f"127.0.0.1:{port}")
    assert "$" not in text
    (folder / "Caddyfile").write_text(text)
    command = [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    home = {name: str(folder / "caddy") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    admin = f"unix/{folder}/caddy.sock"
    return Process(command, folder, clean_environment(CADDY_ADMIN=admin, **home), folder / "caddy.log")


def start_plainly(folder: Path, site: str) -> Started:
    image = PlainImage(folder / "root")
    image.root.mkdir()
    image.build()
    mine = folder / "merchant"
    mine.mkdir()
    mine.chmod(0o777)
    variables, port = image.variables(), free_port()
    subprocess.run(
        image.as_user(["coatcheck", *INIT]), cwd=mine, env=variables, check=True, capture_output=True
    )
    shutil.copytree(mine / "made" / "catalogue", image.here("/shop/catalogue"))
    variables |= settings(site, mine / "made" / ".env")
    command = image.as_user([*image.command, "--port", str(port)])
    shop = Process(command, Path(image.here(image.folder)), variables, folder / "shop.log")
    health = image.as_user([word.replace("8000", str(port)) for word in image.health])
    before = contents(image)

    def is_healthy() -> bool:
        return subprocess.run(health, env=variables, capture_output=True, check=False).returncode == 0

    def stop() -> None:
        assert shop.stop(signal.SIGTERM) == 0
        assert not is_healthy()
        assert contents(image) == before
        assert list(Path(image.here(image.volumes[0])).glob("*.db"))

    assert not is_healthy()
    shop.start(f"http://127.0.0.1:{port}/readyz")
    return Started(port, is_healthy, stop)


def contents(image: PlainImage) -> dict[Path, int]:
    """Every file that a read-only root file system would keep as it is, and when it was written."""
    free = {Path(image.here(path)) for path in (*image.volumes, "/tmp")} | {image.root / "tmp"}
    files = (path for path in image.root.rglob("*") if not path.is_symlink() and path.is_file())
    return {path: path.stat().st_mtime_ns for path in files if free.isdisjoint(path.parents)}


def start_in_a_container(with_engine: str, folder: Path, site: str) -> Started:
    name, port = f"coatcheck-{uuid.uuid4().hex[:8]}", free_port()
    shop = compose()["services"]["shop"]

    def told(*words: str, check: bool = True) -> str:
        done = subprocess.run([with_engine, *words], cwd=folder, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    in_its_format = ["--format", "docker"] if with_engine == "podman" else []
    told("build", *in_its_format, "--tag", name, "--file", str(CONTAINERFILE), str(ROOT))
    mine = folder / "merchant"
    mine.mkdir()
    mine.chmod(0o777)
    told("run", "--rm", "--volume", f"{mine}:/merchant", "--workdir", "/merchant", name, "coatcheck", *INIT)
    given = [f"--env={key}={value}" for key, value in settings(site, mine / "made" / ".env").items()]
    told(
        "run", "--detach", "--name", name, "--read-only", "--tmpfs", *shop["tmpfs"], "--cap-drop", *shop["cap_drop"],
        "--security-opt", *shop["security_opt"], "--user", shop["user"], "--publish", f"127.0.0.1:{port}:8000",
        "--volume", f"{mine}/made/catalogue:/shop/catalogue:ro", "--volume", f"{name}:/shop/data", *given, name,
    )  # fmt: skip

    def stop() -> None:
        told("stop", "--time", "30", name)
        code = told("inspect", "--format", "{{.State.ExitCode}}", name)
        told("rm", "--force", name)
        told("volume", "rm", name)
        told("rmi", name)
        assert code == "0"

    health = ("inspect", "--format", "{{.State.Health.Status}}", name)
    return Started(port, lambda: told(*health) == "healthy", stop)


@pytest.mark.long
def test_the_image_becomes_healthy_and_is_served_through_caddy(folder: Path) -> None:
    site = f"http://localhost:{free_port()}"
    found = engine()
    shop = start_in_a_container(found, folder, site) if found else start_plainly(folder, site)
    proxy = caddy(folder, site, shop.port)
    try:
        wait_until(shop.is_healthy, within=120)
        proxy.start(site)
        page = httpx.get(site)
        assert "<title>Paper</title>" in page.text
        assert "/products/first-product" in page.text
    finally:
        proxy.stop()
        shop.stop()
