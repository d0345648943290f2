"""The work of `coatcheck backup` and `coatcheck restore`, and their final messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from domain.ports import Store, StoreUnavailable
from domain.usecases.check_first_days import BACKED_UP
from domain.usecases.erase_again import EraseAgain, ErasedAgain
from domain.usecases.own_address import ServedElsewhere
from entrypoints.bucket import Bucket
from entrypoints.cli_words import counted
from entrypoints.container import Container
from entrypoints.maintenance.backup import Copies, Manifest, NoBackup, Vault, back_up, manifest_of
from entrypoints.maintenance.erasures import Erasures
from entrypoints.maintenance.progress import progress
from entrypoints.maintenance.restore import chosen, look_at, restore, weight
from entrypoints.places import vault_at
from entrypoints.run.address_watch import two_ways_on


async def copy_database(container: Container, target: Path) -> list[str]:
    """Copy the database alone, to one file."""
    with _in_words(str(target)):
        try:
            size = await asyncio.to_thread(_copied, container.copies(), target)
        except FileExistsError:
            raise NoBackup(f"{target} exists already: name a new file, or move it away") from None
    return [
        f"{target}: {size} bytes, the database alone (a folder takes the goods, too, and can be restored from)"
    ]


def _copied(copies: Copies, target: Path) -> int:
    copies.snapshot(target)
    return target.stat().st_size


async def backed_up_lines(container: Container, place: Path | Bucket) -> list[str]:
    """Make a backup; return a summary."""
    settings = container.settings()
    vault = vault_at(place, scratch=settings.data_dir)
    copies = container.copies()
    goods = container.goods()
    size = copies.path.stat().st_size + sum(blob.size for blob in goods.blobs())
    with _in_words(vault.place), progress("Backing up", length=size) as done:
        made = await asyncio.to_thread(
            back_up,
            vault,
            copies,
            goods,
            version=version("coatcheck"),
            now=container.clock().now,
            done=done,
        )
    await _note(container)
    lines = [
        f"{vault.place}/{made.name}: {_contents(made.manifest)}; {made.new_goods} contents were new there"
    ]
    if made.new_erasures:
        lines.append(f"Erased since the last backup, and noted apart: {counted(made.new_erasures, 'order')}")
    return lines


async def _note(container: Container) -> None:
    """Have the back office know of a backup; it was made, whether or not that can be written down."""
    now = container.clock().now()
    with contextlib.suppress(StoreUnavailable):
        await container.store().transact(lambda tx: tx.shop.advance_cursor(BACKED_UP, to=now))


async def looked_lines(
    container: Container, place: Path | Bucket, name: str | None
) -> tuple[list[str], bool]:
    """Read a whole backup; return a summary, and whether it is sound."""
    vault, name, manifest = _found(container, place, name)
    copies = container.copies()
    with _in_words(vault.place), progress("Checking", length=weight(manifest)) as done:
        looked = await asyncio.to_thread(look_at, vault, copies, name, done=done)
    lines = [
        f"{vault.place}/{name}: {_contents(manifest)}, of shop {manifest.shop}",
        f"It would be restored to {copies.path}"
        + (
            f", and {looked.erasures} orders of people erased since would be erased again"
            if looked.erasures
            else ""
        ),
    ]
    lines += _address_lines(looked.base_url, container)
    if copies.path.exists():
        lines.append(f"{copies.path} exists: it would have to be moved away first")
    lines += [f"DAMAGED: the content {sha256}" for sha256 in looked.damaged_goods]
    lines.append("Damaged contents are copied anew by the next `coatcheck backup`, once deleted there."
                 if looked.damaged_goods else "Every file is what it was, and the database is sound.")  # fmt: skip
    return lines, not looked.damaged_goods


async def restored_lines(container: Container, place: Path | Bucket, name: str | None) -> list[str]:
    """Restore a backup; return a summary and the next steps."""
    vault, name, manifest = _found(container, place, name)
    settings, copies, clock = container.settings(), container.copies(), container.clock()

    async def erase_again(store: Store, erasures: Erasures) -> ErasedAgain:
        erase = EraseAgain(store=store, clock=clock, keyring=container.keyring())
        return await erase(erasures.orders, erasures.addresses)

    goods_dir = None if container.goods().elsewhere else settings.goods_dir
    with _in_words(vault.place), progress("Restoring", length=weight(manifest)) as done:
        restored = await restore(vault, copies, name, goods_dir=goods_dir, erase_again=erase_again, done=done)
    lines = [
        f"{copies.path} is as it was on {manifest.moment:%Y-%m-%d at %H:%M:%S} UTC: {_contents(manifest)}"
    ]
    if restored.erased.orders:
        lines.append(f"Erased since then, and erased again: {restored.erased.orders} orders")
    lines += unknown_lines(restored.erased)
    return [
        *lines,
        *_address_lines(restored.base_url, container),
        "Everybody has to sign in again: the backup does not know who signed out since.",
        "Changes of address made after this backup are lost: those customers are known by their former address.",
        (
            "Now run `coatcheck reconcile`, which brings back what was sold, refunded or disputed since; then "
            "`coatcheck serve`."
        ),
    ]


def _address_lines(base_url: str | None, container: Container) -> list[str]:
    """A backup that is restored under another address than its shop was served under."""
    here = container.settings().base_url
    if base_url is None or base_url == here:
        return []
    return [f"Before anything else: {two_ways_on(ServedElsewhere(there=base_url, here=here))}."]


def unknown_lines(erased: ErasedAgain) -> list[str]:
    """Lines about erasures that could not be re-applied."""
    if not erased.unknown:
        return []
    return [
        (
            f"{erased.unknown} erased addresses cannot be recognised: SESSION_SECRET no longer holds the secret of "
            "that time. Their orders are erased. To erase what else names them, run this again with that secret "
            "added at the end of SESSION_SECRET."
        )
    ]


def _found(container: Container, place: Path | Bucket, name: str | None) -> tuple[Vault, str, Manifest]:
    vault = vault_at(place, scratch=container.settings().data_dir)
    with _in_words(vault.place):
        name = chosen(vault, name)
        return vault, name, manifest_of(vault, name)


def _contents(manifest: Manifest) -> str:
    goods = (
        f"goods stay in {manifest.goods_elsewhere}"
        if manifest.goods_elsewhere
        else f"{len(manifest.goods)} contents"
    )
    return f"{manifest.purchases} sales, {manifest.users} buyers, {goods}"


@contextlib.contextmanager
def _in_words(place: str) -> Iterator[None]:
    """Turn errors of a file or a bucket into a sentence."""
    try:
        yield
    except OSError as error:
        words = error.strerror or str(error)
        raise NoBackup(
            f"{place}: {error.filename}: {words}" if error.filename else f"{place}: {words}"
        ) from error
