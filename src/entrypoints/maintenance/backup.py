"""Backups: the database and the goods, in a folder or in S3-compatible storage, with the erasures apart.

    erasures/<moment>.txt         erased persons (entrypoints.maintenance.erasures) not listed in other files here
    goods/<2 digits>/<64 digits>  contents under their SHA-256, stored once for all backups
    <moment>/coatcheck.db         one backup's database
    <moment>/manifest.json        written last: a backup without it does not count

Files read from a vault are untrusted: every name is checked, and every file is read only up to the size
allowed for it. See docs/decisions/0011-backups.md.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

from domain.ports import Goods, Store
from domain.records import ErasedAddress
from domain.values import CheckoutId
from entrypoints.maintenance.erasures import BadErasures, Erasures, read_erasures

DATABASE: Final = "coatcheck.db"
MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_NAME: Final = "%Y-%m-%dT%H-%M-%S.%fZ"
NAMED: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{6}Z")
_ERASURES: Final = re.compile(r"erasures/[0-9A-Za-z][0-9A-Za-z._-]{0,99}\.txt")
_LARGEST_TEXT: Final = 64 * 1024 * 1024
"""Size limit of a manifest or a file of erasures: half a million contents, or orders."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Size = Annotated[int, Meta(ge=0, le=2**46)]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Word = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._+!-]{1,100}\Z")]
"""The name of a release, or of a migration."""
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z", max_length=2000)]


class Vault(Protocol):
    """A place for backups: files with names such as `goods/ab/ab12…`, each complete or absent.

    Every method may raise OSError, with a message for the merchant, and blocks: call it in a thread.
    """

    @property
    def place(self) -> str:
        """Its name in messages."""

    def workspace(self) -> AbstractContextManager[Path]:
        """A temporary folder on this machine for files that are then put."""

    def names(self, prefix: str) -> list[str]:
        """The sorted names of all files in a folder and its subfolders; "" for all files."""

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None if it does not exist."""

    def put(self, name: str, source: Path, *, sha256: str) -> None:
        """Store a file's content under a name, durably, replacing an existing file.

        If its bytes do not match the hash, nothing is stored. A file in the workspace may be moved.
        """

    def read(self, name: str, *, most: int) -> Iterator[bytes]:
        """The bytes of a file, in chunks, but at most `most`."""


class Copied(Protocol):
    """The contents of a copy of the database."""

    @property
    def shop(self) -> str:
        """The shop's id."""

    @property
    def base_url(self) -> str | None:
        """The BASE_URL that its shop was served under; None if it never was."""

    @property
    def schema(self) -> tuple[str, ...]:
        """The names of the migrations applied to it."""

    @property
    def purchases(self) -> int:
        """How many there are."""

    @property
    def users(self) -> int:
        """How many there are."""

    @property
    def audit(self) -> str | None:
        """The newest link of the audit log (`domain.audit_chain`); None if it has none yet."""


class Copies(Protocol):
    """Copies of the database. See adapters.sqlite.copies for the exceptions of each."""

    path: Path

    def snapshot(self, target: Path) -> None:
        """Copy the live database as of one moment."""

    def look_into(self, copy: Path) -> Copied:
        """Inspect a copy."""

    def erased_orders_in(self, copy: Path) -> list[CheckoutId]:
        """The checkouts of erased persons."""

    def erased_addresses_in(self, copy: Path) -> list[ErasedAddress]:
        """The erased addresses."""

    def held_free(self) -> AbstractContextManager[None]:
        """Hold the database's place: meanwhile no server runs, and there is no database."""

    def check_free(self) -> None:
        """Check that there is no database."""

    def opened_alone(self, copy: Path) -> AbstractAsyncContextManager[Store]:
        """A store on a copy."""

    def make_fit(self, copy: Path, *, moment: datetime) -> None:
        """Prepare a copy made at `moment` for use now."""

    def put_in_place(self, copy: Path) -> None:
        """Move a copy to the database's path."""


class NoBackup(Exception):
    """The backup does not exist or is not sound; the message gives the reason."""


class Kept(msgspec.Struct, frozen=True):
    """One file of a backup."""

    sha256: Sha256
    size: Size


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files and facts of a backup."""

    format: Annotated[int, Meta(ge=1, le=2**31)]
    coatcheck: Word
    shop: Annotated[Line, Meta(min_length=1)]
    moment: Annotated[datetime, Meta(tz=True)]
    schema: tuple[Word, ...]
    purchases: Number
    users: Number
    database: Kept
    goods: tuple[Kept, ...]
    audit: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}\.[0-9a-f]{8}\.[0-9a-f]{64}\Z")] | None = None
    """The newest link of the audit log: `coatcheck audit --check --against` finds out whether it is still there."""
    goods_elsewhere: Line = ""
    """The bucket that holds the goods, if the backup itself does not."""


@dataclass(frozen=True, slots=True)
class Made:
    """The result of a backup."""

    name: str
    manifest: Manifest
    new_goods: int
    new_erasures: int


Progress = Callable[[int], None]
"""Called with the number of bytes processed since the last call."""


def blob_name(sha256: str) -> str:
    """The name of a content in a vault."""
    return f"goods/{sha256[:2]}/{sha256}"


def back_up(
    vault: Vault,
    copies: Copies,
    goods: Goods,
    *,
    version: str,
    now: Callable[[], datetime],
    done: Progress,
) -> Made:
    """Make a backup while the shop keeps running. Raises OSError, StoreUnavailable, BadCopy, NoBackup.

    An interruption leaves nothing that looks like a backup; goods stored by then serve the next one.
    """
    kept, new_goods = _keep_goods(vault, goods, done)
    with vault.workspace() as folder:
        moment = now().astimezone(UTC)
        name = moment.strftime(_NAME)
        copy = folder / DATABASE
        copies.snapshot(copy)
        found = copies.look_into(copy)
        _check_same_shop(vault, found.shop)
        new_erasures = _carry_erasures(vault, erasures_of(copies, copy), name=name, folder=folder)
        database = Kept(sha256=digest(copy), size=copy.stat().st_size)
        vault.put(f"{name}/{DATABASE}", copy, sha256=database.sha256)
        done(database.size)
        manifest = Manifest(
            format=_FORMAT, coatcheck=version, shop=found.shop, moment=moment, schema=found.schema,
            purchases=found.purchases, users=found.users, database=database, goods=kept,
            audit=found.audit, goods_elsewhere=goods.elsewhere,
        )  # fmt: skip
        _put_bytes(vault, f"{name}/{MANIFEST}", _written(manifest), folder=folder)
    return Made(name=name, manifest=manifest, new_goods=new_goods, new_erasures=new_erasures)


def _keep_goods(vault: Vault, goods: Goods, done: Progress) -> tuple[tuple[Kept, ...], int]:
    kept: list[Kept] = []
    new = 0
    for blob in goods.blobs():
        name = blob_name(blob.sha256)
        if vault.size(name) != blob.size:
            try:
                vault.put(name, blob.path, sha256=blob.sha256)
            except FileNotFoundError:  # deleted meanwhile: the catalogue has not named it for long
                continue
            new += 1
        done(blob.size)
        kept.append(Kept(sha256=blob.sha256, size=blob.size))
    return tuple(kept), new


def _check_same_shop(vault: Vault, shop: str) -> None:
    """A vault holds the backups of one shop only, so that they are never confused with another's."""
    for name in reversed(backups_in(vault)):
        found = manifest_of(vault, name).shop
        if found != shop:
            raise NoBackup(f"{vault.place} holds backups of another shop ({found}): give each its own place")
        return


def _carry_erasures(vault: Vault, erased: Erasures, *, name: str, folder: Path) -> int:
    """Store erasures that no file there has yet, in a new file: nothing is rewritten, so nothing can be lost."""
    new = erased.beyond(erasures_in(vault))
    lines = "".join(f"{line}\n" for line in new.lines())
    if lines:
        _put_bytes(vault, f"erasures/{name}.txt", lines.encode(), folder=folder)
    return len(new.orders)


def erasures_of(copies: Copies, copy: Path) -> Erasures:
    """The erasures recorded in a copy of the database. Raises BadCopy."""
    return Erasures(
        orders=tuple(copies.erased_orders_in(copy)), addresses=tuple(copies.erased_addresses_in(copy))
    )


def erasures_in(vault: Vault) -> Erasures:
    """The erasures recorded in the vault. Raises OSError, NoBackup."""
    lines: list[str] = []
    for name in vault.names("erasures"):
        if not name.endswith(".txt"):
            continue
        if not _ERASURES.fullmatch(name):
            raise NoBackup(f"{name!r} in {vault.place} is no file of erasures: take it away")
        try:
            text = _text(vault, name)
            read_erasures(text, name=name)
        except (BadErasures, UnicodeDecodeError) as error:
            raise NoBackup(f"{vault.place}: {error}; put back the file as it was made") from error
        lines += text
    return read_erasures(lines, name="erasures")


def _text(vault: Vault, name: str) -> list[str]:
    """The lines of a small file."""
    content = b"".join(vault.read(name, most=_LARGEST_TEXT + 1))
    if len(content) > _LARGEST_TEXT:
        raise NoBackup(
            f"{name!r} in {vault.place} is larger than {_LARGEST_TEXT} bytes: Coatcheck did not write it"
        )
    return content.decode().split("\n")


def _put_bytes(vault: Vault, name: str, content: bytes, *, folder: Path) -> None:
    path = folder / Path(name).name
    path.write_bytes(content)
    vault.put(name, path, sha256=hashlib.sha256(content).hexdigest())


def _written(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def digest(path: Path) -> str:
    """The SHA-256 of a file, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def backups_in(vault: Vault) -> list[str]:
    """The names of the complete backups there, oldest first. Raises OSError."""
    found = (name.partition("/") for name in vault.names(""))
    return sorted(name for name, _, rest in found if rest == MANIFEST and NAMED.fullmatch(name))


def split_source(source: str) -> tuple[str, str | None]:
    """Split a source into a place and, if it names one, a backup there."""
    where, _, last = source.rstrip("/").rpartition("/")
    return (where or ".", last) if NAMED.fullmatch(last) else (source, None)


def manifest_of(vault: Vault, name: str) -> Manifest:
    """The manifest of a backup. Raises OSError, NoBackup."""
    try:
        text = "\n".join(_text(vault, f"{name}/{MANIFEST}"))
        manifest = msgspec.json.decode(text, type=Manifest)
    except FileNotFoundError:
        raise NoBackup(f"there is no backup {name} in {vault.place}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NoBackup(f"the manifest of {name} cannot be read ({error})") from error
    if manifest.format != _FORMAT:
        raise NoBackup(f"{name} was made by a newer Coatcheck ({manifest.coatcheck}): install that one first")
    return manifest


def fetch(vault: Vault, name: str, target: Path, *, kept: Kept, done: Progress) -> None:
    """Copy a file to `target`. Raises OSError, and NoBackup if its bytes do not match the manifest."""
    found = hashlib.sha256()
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in vault.read(name, most=kept.size + 1):
            found.update(chunk)
            file.write(chunk)
            done(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    if found.hexdigest() != kept.sha256:
        raise NoBackup(f"{name} is damaged: its SHA-256 is not the manifest's")


def is_sound(vault: Vault, name: str, *, kept: Kept, done: Progress) -> bool:
    """Whether a file's bytes match its hash; False also if it is missing. Raises OSError."""
    if vault.size(name) != kept.size:
        return False
    found = hashlib.sha256()
    for chunk in vault.read(name, most=kept.size + 1):
        found.update(chunk)
        done(len(chunk))
    return found.hexdigest() == kept.sha256
