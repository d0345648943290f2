"""The last good form of shop.toml and of each product and page: kept in DATA_DIR, for owners of what broke or vanished.

shop.json  products/<id>.json  pages/<slug>.json
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from adapters.files.private import make_private, sync_folder
from domain.product import Page, Product, ShopInfo
from domain.values import ProductId, is_product_id

_SUFFIX: Final = ".json"
_INCOMING: Final = ".incoming-"
_DAY: Final = 86_400
KEPT_FOR: Final = timedelta(days=30)
"""How long the form of a product that nobody owns is kept after the catalogue had it last."""


class ShopForm(msgspec.Struct, frozen=True):
    """shop.toml, with the id that it declares and the bytes of its logo."""

    shop: ShopInfo
    declared_id: str | None = None
    logo: bytes | None = None


class ProductForm(msgspec.Struct, frozen=True):
    """A product and the bytes of its cover and of its other pictures, by name."""

    product: Product
    cover: bytes | None = None
    pictures: dict[str, bytes] = {}


class PageForm(msgspec.Struct, frozen=True):
    """One of the merchant's own pages."""

    page: Page


Form = ShopForm | ProductForm | PageForm
F = TypeVar("F", ShopForm, ProductForm, PageForm)


class LastGood:
    """What was good last, in memory and on disk.

    A form that cannot be read back is as good as none. Several processes may keep the same forms: each file is replaced
    at once.
    """

    def __init__(self, folder: Path | None, *, writes: bool = True) -> None:
        """`folder`: None for memory alone. `writes`: only the process that serves changes what is on disk."""
        self._folder = folder
        self._writes = writes and folder is not None
        self._forms: dict[str, Form] = {}
        self._on_disk: set[str] = set()

    def shop(self) -> ShopForm | None:
        """The last good shop.toml, if there ever was one."""
        return self._get("shop", ShopForm)

    def product(self, pid: ProductId) -> ProductForm | None:
        """The last good form of a product."""
        return self._get(f"products/{pid}", ProductForm)

    def products(self) -> AbstractSet[ProductId]:
        """Every product that ever was good, and was not forgotten."""
        return {ProductId(name) for name in self._names("products")}

    def page(self, slug: str) -> Page | None:
        """The last good form of a page."""
        found = self._get(f"pages/{slug}", PageForm)
        return None if found is None else found.page

    def pages(self) -> AbstractSet[str]:
        """Every page that was good last."""
        return self._names("pages")

    def keep(self, name: str, form: Form) -> None:
        """Keep a good form under `shop`, `products/<id>` or `pages/<slug>`.

        Raises OSError; then it is kept in memory, and written the next time.
        """
        if self._forms.get(name) == form and (name in self._on_disk or not self._writes):
            return
        self._forms[name] = form
        self._on_disk.discard(name)
        if self._folder is None or not self._writes:
            return
        path, written = self._folder / f"{name}{_SUFFIX}", msgspec.json.encode(form)
        if not _holds(path, written):
            _replace(path, written)
        self._on_disk.add(name)

    def forget(self, name: str) -> None:
        """Delete a form. Raises OSError."""
        self._forms.pop(name, None)
        if self._folder is not None and self._writes:
            (self._folder / f"{name}{_SUFFIX}").unlink(missing_ok=True)

    def forget_unseen(
        self, *, present: AbstractSet[ProductId], owned: AbstractSet[ProductId], now: datetime
    ) -> None:
        """Drop products that nobody owns, `KEPT_FOR` after the catalogue had them last. Raises OSError.

        A file's modification time says when that was, to the day.
        """
        if self._folder is None or not self._writes:
            return
        for pid in self.products():
            path = self._folder / "products" / f"{pid}{_SUFFIX}"
            try:
                unseen = now.timestamp() - path.stat().st_mtime
            except FileNotFoundError:
                continue
            if pid not in present and pid not in owned and unseen > KEPT_FOR.total_seconds():
                self.forget(f"products/{pid}")
            elif pid in present and unseen > _DAY:
                os.utime(path)

    def _names(self, kind: str) -> set[str]:
        found = {name.partition("/")[2] for name in self._forms if name.startswith(f"{kind}/")}
        if self._folder is not None:
            with contextlib.suppress(OSError):
                found |= {path.stem for path in (self._folder / kind).iterdir() if path.suffix == _SUFFIX}
        return {name for name in found if is_product_id(name)}

    def _get(self, name: str, kind: type[F]) -> F | None:
        held = self._forms.get(name)
        if held is None and self._folder is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError):  # ValidationError is one, too
                held = self._forms[name] = msgspec.json.decode(
                    (self._folder / f"{name}{_SUFFIX}").read_bytes(), type=kind
                )
        return held if isinstance(held, kind) else None


def _holds(path: Path, written: bytes) -> bool:
    try:
        return path.read_bytes() == written
    except OSError:
        return False


def _replace(path: Path, written: bytes) -> None:
    make_private(path.parent)
    new = path.with_name(f"{_INCOMING}{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        sync_folder(path.parent)
    finally:
        new.unlink(missing_ok=True)
