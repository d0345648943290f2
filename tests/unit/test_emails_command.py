"""`coatcheck emails`: what it prints is the template as it ships, to be saved and edited."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from adapters.templates.emails import PackagedTemplates
from entrypoints.cli_emails import emails

TEMPLATES = PackagedTemplates().built_in


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_printed_is_the_template_line_by_line_without_any_settings(name: str) -> None:
    done = CliRunner(env={"BASE_URL": None, "SESSION_SECRET": None}).invoke(emails, [name])
    assert done.exit_code == 0
    assert done.output == TEMPLATES[name]


def test_the_list_names_every_template_and_the_parts_last() -> None:
    listed = CliRunner().invoke(emails, []).output.split()
    assert sorted(listed) == sorted(TEMPLATES)
    assert listed[0] == "access_closed.html"
    assert listed[-1].startswith("_")


def test_an_unknown_name_is_refused() -> None:
    done = CliRunner().invoke(emails, ["access-link"])
    assert done.exit_code == 2
    assert "there is no email template 'access-link'" in done.output
