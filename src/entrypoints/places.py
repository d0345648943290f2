"""Where a shop can be kept, backed up and moved to, and what opening such a place may raise.

Beside the container the only module that knows adapters.
"""

from __future__ import annotations

from pathlib import Path

from adapters.files.reading import CatalogueRefused
from adapters.files.vault import FolderVault
from adapters.postgres.errors import TargetRefused, UnfitDatabase
from adapters.postgres.opening import (
    NoBackupHere,
    PostgresNotInstalled,
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
from entrypoints.maintenance.backup import Vault
from entrypoints.maintenance.copy_store import Target
from entrypoints.run.tracing import TelemetryNotInstalled
from entrypoints.settings import PostgresAddress, SettingsRefused

CANNOT_OPEN = (
    NotDurable, AlreadyServed, UnfitDatabase, PostgresNotInstalled, CatalogueRefused, S3NotInstalled,
    TelemetryNotInstalled, SettingsRefused,
)  # fmt: skip
"""What opening the parts may raise, each with sentences that say what to do."""
CANNOT_SET_UP = (NoAccountHere, CustomAdapterRefused)
"""What is raised where the payments are not Stripe's, or cannot be built; the sentence says what to do."""
CANNOT_BACK_UP = (NoBackupHere,)
"""What is raised where others make the copies; the sentence says who."""
CANNOT_RESTORE = (BadCopy, InTheWay)
"""What copies of the database may raise, in the same way."""
CANNOT_MOVE = (NotMovable, TargetRefused, UnreadableFile)
"""What the two sides of a move may raise, in the same way."""


def storage_of(bucket: Bucket) -> Place:
    """A bucket, as the adapter is told of it."""
    return Place(
        bucket=bucket.name,
        prefix=bucket.prefix,
        region=bucket.region,
        endpoint=bucket.endpoint,
        key_id=bucket.key_id,
        secret=bucket.secret,
    )


def vault_at(place: Path | Bucket, *, scratch: Path) -> Vault:
    """Where backups are kept. `scratch`: room for a copy of the database on this machine. Raises S3NotInstalled."""
    return FolderVault(place) if isinstance(place, Path) else S3Vault(storage_of(place), scratch=scratch)


def shop_file(path: Path) -> ShopFile:
    """A shop's database, to be moved elsewhere."""
    return ShopFile(path)


def could_be_shop(path: Path) -> bool:
    """Whether a shop can be opened at a path: there is one, or nothing."""
    return not path.exists() or is_shop(path)


def tutorial_file(path: Path) -> TutorialFile | None:
    """The database of a shop built along the tutorial; None if the file is none."""
    return TutorialFile(path) if is_tutorial(path) else None


def place_at(address: PostgresAddress) -> Target:
    """Where a shop can be moved to. Raises PostgresNotInstalled, UnfitDatabase."""
    return target_on_postgres(address.url)
