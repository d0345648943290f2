"""The catalogue port on a folder: checked at the start, and read again when something in it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.files.edition import Loaded, read_edition
from adapters.files.email_templates import CheckEmails, no_mistakes
from adapters.files.format import Shelve
from adapters.files.languages import CheckLanguage, only_as_written
from adapters.files.last_good import LastGood
from adapters.files.looking import look_at
from adapters.files.pictures import picture_type
from domain.product import CatalogueEdition
from domain.values import ProductId

_LOOKS_BETWEEN_TRIES: Final = 30


class FolderCatalogue:
    """Holds back what an edit broke, and says what and where. Its last good form stays, for those who own it."""

    def __init__(
        self,
        root: Path,
        *,
        complain: Callable[[str], None],
        shelve: Shelve,
        check_emails: CheckEmails = no_mistakes,
        check_language: CheckLanguage = only_as_written,
        warn: Callable[[str], None] = lambda _: None,
        kept: LastGood | None = None,
    ) -> None:
        """`shelve` takes each file of an edition into the goods before the edition goes live. `check_emails` says what
        is wrong with email templates, `check_language` with a language.

        `kept`: the last good forms; without it they are kept in memory. Raises CatalogueRefused with every problem of
        the folder if there is no shop.toml to go by, now or before.
        """
        self._root = root
        self._complain = complain
        self._warn = warn
        self._shelve = shelve
        self._check_emails, self._check_language = check_emails, check_language
        self._kept = LastGood(None) if kept is None else kept
        self._shop_id = ""
        self._loaded = self._read()
        self._seen = self._waiting = self._loaded.state
        self._in_doubt = False
        self._looks_left = _LOOKS_BETWEEN_TRIES if self._loaded.passing else 0
        self._edition = self._loaded.edition
        self._told: frozenset[str] = frozenset()
        self._tell()

    @property
    def declared_id(self) -> str | None:
        """The shop's id as shop.toml declares it; None if it leaves that to the database."""
        return self._loaded.declared_id

    @property
    def problems(self) -> tuple[str, ...]:
        """See Catalogue."""
        return self._loaded.problems

    @property
    def warnings(self) -> tuple[str, ...]:
        """See Catalogue."""
        return self._loaded.warnings

    def _tell(self) -> None:
        """Log what was not logged for the edition before."""
        loaded = self._loaded
        for problem in (*loaded.problems, *loaded.gone):
            if problem not in self._told:
                self._complain(problem)
        for warning in loaded.warnings:
            if warning not in self._told:
                self._warn(warning)
        self._told = frozenset((*loaded.problems, *loaded.gone, *loaded.warnings))

    def adopt(self, shop_id: str) -> None:
        """Take the stored id."""
        self._shop_id = shop_id
        self._edition = _with_id(self._loaded.edition, shop_id)

    def current(self) -> CatalogueEdition:
        """See Catalogue."""
        return self._edition

    def cover(self, product: ProductId) -> tuple[bytes, str] | None:
        """A cover's bytes and media type; None if the product has none."""
        held = self._loaded.covers.get(product)
        name = self._edition.products[product].cover if product in self._edition.products else None
        return None if held is None or name is None else (held, picture_type(name))

    def picture(self, product: ProductId, name: str) -> tuple[bytes, str] | None:
        """See Catalogue."""
        held = self._loaded.pictures.get(product, {}).get(name)
        return None if held is None else (held, picture_type(name))

    def logo(self) -> tuple[bytes, str] | None:
        """See Catalogue."""
        held = self._loaded.logo
        return None if held is None else (held, picture_type(self._edition.shop.logo))

    async def refresh(self) -> None:
        """Read the folder again if something in it changed. A problem is logged once.

        Call it about every second: a change of goods must have stood still from one look to the next, since it
        takes a while to copy a large file into the folder. A new problem must be there at the next look, too: many
        editors leave half a file, or none, for a moment.
        """
        state = await asyncio.to_thread(look_at, self._root)
        if state == self._seen and not self._in_doubt and not self._tries_again():
            return
        if state.goods not in (self._seen.goods, self._waiting.goods):
            self._waiting = state
            return
        self._seen = self._waiting = state
        loaded = await asyncio.to_thread(self._read)  # not refused: it was good once
        fresh = {*loaded.problems, *loaded.gone} - {*self._loaded.problems, *self._loaded.gone}
        self._in_doubt = bool(fresh) and not self._in_doubt
        if self._in_doubt:
            return
        self._looks_left = _LOOKS_BETWEEN_TRIES if loaded.passing else 0
        self._loaded = loaded
        self._edition = _with_id(loaded.edition, self._shop_id)
        self._tell()

    def _read(self) -> Loaded:
        return read_edition(
            self._root,
            self._shelve,
            self._kept,
            check_emails=self._check_emails,
            check_language=self._check_language,
        )

    def _tries_again(self) -> bool:
        """Whether it is time to try again what failed for a reason that may have passed."""
        self._looks_left -= 1
        return self._looks_left == 0

    async def forget(self, *, owned: AbstractSet[ProductId], now: datetime) -> None:
        """See Catalogue."""
        present = {product.id for product in self._edition.products.values() if product.present}
        await asyncio.to_thread(self._kept.forget_unseen, present=present, owned=owned, now=now)


def _with_id(edition: CatalogueEdition, shop_id: str) -> CatalogueEdition:
    return replace(edition, shop=replace(edition.shop, id=shop_id))
