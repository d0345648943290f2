"""The places for a shop, its backups and its moves, and the exceptions of opening them.

Apart from the container, the only module that imports adapters.
"""

from __future__ import annotations

from pathlib import Path

from adapters.files.reading import CatalogueRefused
from adapters.files.vault import FolderVault
from adapters.postgres import (
    NoBackupHere,
    PostgresNotInstalled,
    TargetRefused,
    UnfitDatabase,
    target_on_postgres,
)
from adapters.s3.connecting import Place, S3NotInstalled
from adapters.s3.vault import S3Vault
from adapters.sqlite.connections import AlreadyServed, NotDurable
from adapters.sqlite.copies import BadCopy, InTheWay
from adapters.sqlite.copying import NotMovable, ShopFile, is_shop
from adapters.tutorial.file import TutorialFile, UnreadableFile, is_tutorial
from entrypoints.bucket import Bucket
from entrypoints.custom_adapters import (
    CustomAdapterRefused,
    NoAccountHere,
)
from entrypoints.environment import SettingsRefused
from entrypoints.maintenance.backup import Vault
from entrypoints.maintenance.copy_store import Target
from entrypoints.run.tracing import TelemetryNotInstalled
from entrypoints.settings import PostgresAddress

CANNOT_OPEN = (
    NotDurable, AlreadyServed, UnfitDatabase, PostgresNotInstalled, CatalogueRefused, S3NotInstalled,
    TelemetryNotInstalled, SettingsRefused,
)  # fmt: skip
"""Exceptions of opening the parts, each with a message that explains the fix."""
CANNOT_SET_UP = (NoAccountHere, CustomAdapterRefused)
"""Raised if the payments are not Stripe's or cannot be built; the message explains the fix."""
CANNOT_BACK_UP = (NoBackupHere,)
"""Raised if other tools make the copies; the message names them."""
CANNOT_RESTORE = (BadCopy, InTheWay)
"""Exceptions of copying the database, with messages likewise."""
CANNOT_MOVE = (NotMovable, TargetRefused, UnreadableFile)
"""Exceptions of either side of a move, with messages likewise."""


def storage_of(bucket: Bucket) -> Place:
    """A bucket in the adapter's terms."""
    return Place(
        bucket=bucket.name,
        prefix=bucket.prefix,
        region=bucket.region,
        endpoint=bucket.endpoint,
        key_id=bucket.key_id,
        secret=bucket.secret,
    )


def vault_at(place: Path | Bucket, *, scratch: Path) -> Vault:
    """The vault at a place. `scratch`: a folder on this machine for a copy of the database. Raises S3NotInstalled."""
    return FolderVault(place) if isinstance(place, Path) else S3Vault(storage_of(place), scratch=scratch)


def shop_file(path: Path) -> ShopFile:
    """A shop's database file, as the source of a move."""
    return ShopFile(path)


def could_be_shop(path: Path) -> bool:
    """Whether a shop can be opened at a path: it holds a shop, or nothing."""
    return not path.exists() or is_shop(path)


def tutorial_file(path: Path) -> TutorialFile | None:
    """The database of a shop built along the tutorial; None if the file is not one."""
    return TutorialFile(path) if is_tutorial(path) else None


def place_at(address: PostgresAddress) -> Target:
    """The target of a move. Raises PostgresNotInstalled, UnfitDatabase."""
    return target_on_postgres(address.url)
