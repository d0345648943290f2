"""The documentation names what is there: settings, commands, routes, events and files."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from adapters.stripe.wire import FOLLOWED
from domain.emails import EMAILS
from domain.purchase import Source
from entrypoints import cli
from entrypoints.environment import HELP
from testkit.docs import links_of

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def section(title: str) -> str:
    return REFERENCE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row below the head of the one table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def first_cells(text: str) -> list[str]:
    return [row[0] for row in rows(text)]


def plain(cell: str) -> str:
    """A cell without its markup."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", cell).replace("`", "")


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_setting_is_documented_as_serve_help_says_it() -> None:
    documented = [(plain(name), plain(meaning)) for name, meaning in rows(section("Settings"))]
    assert documented == list(HELP.items())


def test_every_command_is_documented() -> None:
    documented = {cell.strip("`").split(" ")[0] for cell in first_cells(section("Commands"))}
    assert documented == set(cli.main.commands)


def test_every_email_is_documented_with_what_a_template_can_say() -> None:
    text = (ROOT / "docs" / "emails.md").read_text(encoding="utf-8")
    documented = {plain(name): set(re.findall(r"`(\w+)`", variables)) for name, _, variables in rows(text)}
    more = {"link", "code", "unsubscribe", "day", "waived", "opens", "withdraw_at", "picture_at"}
    parameters = {email.template: {one.name for one in fields(email)} for email in EMAILS}
    assert {name: told - more for name, told in documented.items()} == parameters
    assert {name for name, told in documented.items() if "link" in told} == {
        "access_link", "sign_in", "confirm_order", "confirm_owner", "confirm_address", "address_change_requested",
        "withdrawal_to_prove",
    }  # fmt: skip


def test_every_route_is_documented() -> None:
    source = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "src/entrypoints/http").glob("*.py")
    )
    served = {
        path.replace(":str", "") for path in re.findall(r'\b(?:asgi|get|post|route)\(\s*"(/[^"]*)"', source)
    }
    assert len(served) > 30
    documented = re.findall(r"(/[^\s`\[]*)(?:\[[^`]*)?`", "".join(first_cells(section("Routes"))))
    assert set(documented) == served


def test_every_source_of_a_purchase_is_documented() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [of_ledger] = re.findall(r"^\| `source` \| (.*) \|$", operations, re.MULTILINE)
    [of_export] = re.findall(r'`"source"` of a purchase is ([^;]*);', section("Commands"))
    for listed in (of_ledger, of_export):
        assert set(re.findall(r"`(\w+)`", listed)) == {source.value for source in Source}


def test_every_event_that_is_followed_is_documented() -> None:
    listed, _, command = section("Stripe events").partition("```sh")
    assert set(re.findall(r"`((?:checkout|charge|refund|radar)\.[a-z_.]+)`", listed)) == FOLLOWED
    assert set(re.findall(r"--events (\S+)", command)[0].split(",")) == FOLLOWED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links_of(page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, fragment = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert fragment in {anchor(heading) for heading in headings}, target


def test_a_link_to_code_names_what_the_file_defines() -> None:
    page = ROOT / "docs" / "how-a-sale-works.md"
    found = re.findall(r"\[`(\w+)(?:\(\))?`\]\(([^)]+\.py)\)", page.read_text(encoding="utf-8"))
    assert len(found) > 6
    for name, file in found:
        source = (page.parent / file).read_text(encoding="utf-8")
        assert re.search(rf"^(class|def) {name}\b", source, re.MULTILINE), (name, file)


def test_decisions_are_numbered_one_by_one() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        assert file.read_text(encoding="utf-8").startswith(f"# {int(file.name[:4])}. "), file.name
