"""The code blocks of docs/adapters.md, as somebody would copy them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from contracts.mailer import MailerContract

from testkit.servers import ROOT


def blocks() -> list[str]:
    """Every Python block, in order."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adapters.md").read_text(), re.DOTALL)
    assert len(found) >= 3
    return found


def run_blocks(*, spool: Path = Path("/nowhere")) -> dict[str, Any]:
    """Run them one after the other; the names they made. `spool`: where their mailer keeps its mail here."""
    names: dict[str, Any] = {"__name__": "shop_mail", "MailerContract": MailerContract}
    for block in blocks():
        exec(compile(block.replace("/var/spool/shop", str(spool)), "docs/adapters.md", "exec"), names)
    return names
