"""Settings of a shop that is never called from outside."""

from __future__ import annotations

from pathlib import Path

from entrypoints.settings import Settings, load_settings
from testkit.servers import EXAMPLES


def some_settings(folder: Path, **more: str) -> Settings:
    env = {
        "BASE_URL": "http://localhost:1", "SESSION_SECRET": "x" * 32, "STRIPE_SECRET_KEY": "sk_test_abcdefgh",
        "STRIPE_WEBHOOK_SECRET": "whsec_1", "CATALOGUE": str(EXAMPLES), "DATA_DIR": str(folder), **more,
    }  # fmt: skip
    return load_settings(env, dotenv=None)
