"""`coatcheck demo --shop NAME`: each example shop opens, in a folder of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.browsing import Demo
from testkit.demos import a_browser, buy, mailbox, page_at, running
from testkit.servers import clean_environment
from testkit.waiting import wait_until


@pytest.mark.parametrize(
    ("name", "folder", "heading", "product", "sender"),
    [
        ("cloakroom-press", ".coatcheck-demo", "Cloakroom Press", "harbour-five-hours",
         "Cloakroom Press <tickets@cloakroom.example>"),
        ("night-signals", ".coatcheck-demo-night-signals", "Night Signals", "tape-echo",
         "Night Signals <tickets@night-signals.example>"),
        ("plain-light", ".coatcheck-demo-plain-light", "Plain Light", "both-courses",
         "Plain Light <tickets@plain-light.example>"),
    ],
)  # fmt: skip
def test_each_example_shop_opens_in_a_folder_of_its_own_and_sells_its_first_product(
    tmp_path: Path, name: str, folder: str, heading: str, product: str, sender: str
) -> None:
    demo = Demo(tmp_path, arguments=("--shop", name))
    with running(demo), a_browser(demo) as browser:
        front = browser.get("/").text
        assert f"<span>{heading}</span></a>" in front
        assert re.findall(r'<h[23]><a href="/products/([^"]+)"', front)[0] == product
        buy(demo, browser, product)
        wait_until(lambda: len(mailbox(demo)) == 1)
        assert f"From {sender}<br>" in page_at(f"{demo.sandbox}{mailbox(demo)[0]}")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [folder]
    assert (tmp_path / folder / "coatcheck.db").exists()


def test_a_shop_that_is_unknown_is_refused_with_the_names_of_those_there_are(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "demo", "--shop", "bookshop"], cwd=tmp_path, env=clean_environment(),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "'bookshop' is not one of 'cloakroom-press', 'night-signals', 'plain-light'" in done.stderr
    assert not list(tmp_path.iterdir())
