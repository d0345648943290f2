"""Restore a backup where there is no database, or check that this would work; re-apply later erasures."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from domain.ports import Store
from domain.usecases.erase_again import ErasedAgain
from entrypoints.maintenance.backup import (
    DATABASE,
    Copied,
    Copies,
    Kept,
    Manifest,
    NoBackup,
    Progress,
    Vault,
    backups_in,
    blob_name,
    erasures_in,
    erasures_of,
    fetch,
    is_sound,
    manifest_of,
)
from entrypoints.maintenance.erasures import Erasures

EraseAgain = Callable[[Store, Erasures], Awaitable[ErasedAgain]]
"""Re-apply these erasures to a store."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of checking a backup."""

    name: str
    manifest: Manifest
    base_url: str | None
    """The BASE_URL that its shop was served under; None if it never was."""
    damaged_goods: tuple[str, ...]
    erasures: int
    """Erasures of people who are still in its database."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore."""

    name: str
    manifest: Manifest
    base_url: str | None
    """As in `Looked`."""
    goods: int
    """Contents that were missing here."""
    erased: ErasedAgain
    """Erasures made after the backup."""


def chosen(vault: Vault, name: str | None) -> str:
    """The name of the chosen backup, by default the newest. Raises OSError, NoBackup."""
    if name is not None:
        return name
    complete = backups_in(vault)
    if not complete:
        raise NoBackup(f"there is no complete backup in {vault.place}")
    return complete[-1]


def weight(manifest: Manifest) -> int:
    """The size of a backup in bytes."""
    return manifest.database.size + sum(kept.size for kept in manifest.goods)


def look_at(vault: Vault, copies: Copies, name: str, *, done: Progress) -> Looked:
    """Read a whole backup and change nothing. Raises OSError, NoBackup, BadCopy."""
    manifest = manifest_of(vault, name)
    with vault.workspace() as folder:
        copy = folder / DATABASE
        found = _fetch_database(vault, copies, name, manifest, copy, done=done)
        newer = erasures_in(vault).beyond(erasures_of(copies, copy))
    damaged = [
        kept.sha256
        for kept in manifest.goods
        if not is_sound(vault, blob_name(kept.sha256), kept=kept, done=done)
    ]
    return Looked(
        name=name,
        manifest=manifest,
        base_url=found.base_url,
        damaged_goods=tuple(damaged),
        erasures=len(newer.orders),
    )


async def restore(
    vault: Vault,
    copies: Copies,
    name: str,
    *,
    goods_dir: Path | None,
    erase_again: EraseAgain,
    done: Progress,
) -> Restored:
    """Restore a backup in place of a lost database. Raises OSError, NoBackup, BadCopy, InTheWay.

    All work is done on a copy beside the database's path; the copy gets that name as the last step.
    `goods_dir`: the folder of the goods on this machine; None if they are stored elsewhere.
    """
    manifest = manifest_of(vault, name)
    with copies.held_free():
        copy = copies.path.with_name(f".{copies.path.name}.restoring-{secrets.token_hex(4)}")
        try:
            found = _fetch_database(vault, copies, name, manifest, copy, done=done)
            goods = 0 if goods_dir is None else _fetch_goods(vault, manifest, goods_dir, done=done)
            erased = await _erase_newer(vault, copies, copy, erase_again)
            copies.make_fit(copy, moment=manifest.moment)
            copies.put_in_place(copy)
        finally:
            for left in copy.parent.glob(f"{copy.name}*"):
                left.unlink(missing_ok=True)
    return Restored(name=name, manifest=manifest, base_url=found.base_url, goods=goods, erased=erased)


def _fetch_database(
    vault: Vault, copies: Copies, name: str, manifest: Manifest, copy: Path, *, done: Progress
) -> Copied:
    try:
        fetch(vault, f"{name}/{DATABASE}", copy, kept=manifest.database, done=done)
    except FileNotFoundError:
        raise NoBackup(f"{name} has no database any more") from None
    found = copies.look_into(copy)
    if found.shop != manifest.shop:
        raise NoBackup(f"the database of {name} belongs to another shop than its manifest says")
    return found


def _fetch_goods(vault: Vault, manifest: Manifest, goods_dir: Path, *, done: Progress) -> int:
    """Copy the contents that are missing here, each completely or not at all; return how many."""
    brought = 0
    for kept in manifest.goods:
        target = goods_dir / kept.sha256[:2] / kept.sha256
        if not target.exists() or target.stat().st_size != kept.size:
            _fetch_content(vault, kept, goods_dir, done=done)
            brought += 1
    return brought


def _fetch_content(vault: Vault, kept: Kept, goods_dir: Path, *, done: Progress) -> None:
    target = goods_dir / kept.sha256[:2] / kept.sha256
    part = goods_dir / "incoming" / secrets.token_hex(16)
    for folder in (target.parent, part.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        fetch(vault, blob_name(kept.sha256), part, kept=kept, done=done)
        part.chmod(0o400)
        part.rename(target)
    except FileNotFoundError:
        raise NoBackup(f"the content {kept.sha256} is not in {vault.place} any more") from None
    finally:
        part.unlink(missing_ok=True)


async def _erase_newer(vault: Vault, copies: Copies, copy: Path, erase_again: EraseAgain) -> ErasedAgain:
    newer = erasures_in(vault).beyond(erasures_of(copies, copy))
    async with copies.opened_alone(copy) as store:
        return await erase_again(store, newer)
