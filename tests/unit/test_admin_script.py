"""The back office has one script, which stays small: everything but a passkey works without it."""

from __future__ import annotations

from entrypoints.admin.frame import admin_pages

MOST_BYTES = 4_000


def test_the_one_script_of_the_back_office_stays_small() -> None:
    scripts = {name: content for name, (content, _) in admin_pages().assets.items() if name.endswith(".js")}
    assert list(scripts) == ["admin.js"]
    assert len(scripts["admin.js"]) <= MOST_BYTES
