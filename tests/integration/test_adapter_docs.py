"""What docs/adapters.md shows does what it says."""

from __future__ import annotations

import asyncio
from pathlib import Path

from entrypoints.container import Container
from entrypoints.run.opening import close_shop, open_shop
from testkit.documented import blocks, run_blocks
from testkit.settings import some_settings


def test_its_mailer_has_as_many_lines_as_it_says() -> None:
    code = [line for line in blocks()[0].splitlines() if line.strip()]
    assert len([line for line in code if not line.startswith(("import", "from", '"""'))]) <= 40


def test_a_shop_with_its_mailer_opens_answers_and_closes(tmp_path: Path) -> None:
    try_it = run_blocks(spool=tmp_path / "spool")["try_it"]
    settings = some_settings(tmp_path / "data")
    assert asyncio.run(try_it(settings)) == 200

    async def again() -> None:
        """The books are free: another process may serve them."""
        container = Container(settings=settings, serving=True)
        await open_shop(container)
        await close_shop(container)

    asyncio.run(again())
