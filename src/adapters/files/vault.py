"""A folder where backups are kept, on a disk of its own, one hopes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.files.private import copy_durably, make_private, sync_folder

_INCOMING: Final = ".incoming"
_CHUNK: Final = 1024 * 1024


class FolderVault:
    """See Vault. A file gets its name when all of it is on the disk: what has a name is whole."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def place(self) -> str:
        """See Vault."""
        return str(self._root)

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """See Vault. In the folder itself: what is made there need only be renamed."""
        folder = self._root / _INCOMING / secrets.token_hex(8)
        make_private(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # another backup is at work there
                folder.parent.rmdir()

    def names(self, prefix: str) -> list[str]:
        """See Vault."""
        found = (path for path in (self._root / prefix).rglob("*") if path.is_file())
        return sorted(
            path.relative_to(self._root).as_posix() for path in found if _INCOMING not in path.parts
        )

    def size(self, name: str) -> int | None:
        """See Vault."""
        try:
            found = self._at(name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def put(self, name: str, source: Path, *, sha256: str) -> None:
        """See Vault."""
        target = self._at(name)
        with self.workspace() as folder:
            make_private(target.parent)
            copy = folder / "copy"
            if self._is_ours(source):
                source.rename(copy)
                _sync(copy)
            else:
                with source.open("rb") as file:
                    copy_durably(file, copy, spare=0)
            if _digest(copy) != sha256:
                raise OSError(errno.EIO, f"{source} is damaged: its SHA-256 is another")
            copy.chmod(0o400)
            copy.rename(target)
            for parent in (target.parent, *target.parent.parents):
                sync_folder(parent)
                if parent == self._root:
                    break

    def read(self, name: str, *, most: int) -> Iterator[bytes]:
        """See Vault. Only files: no device, no pipe, no link to one."""
        path = self._at(name)
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "this is no file", str(path))
            while most > 0 and (chunk := file.read(min(_CHUNK, most))):
                most -= len(chunk)
                yield chunk

    def _at(self, name: str) -> Path:
        """Never outside the folder, whatever a name is made of."""
        parts = name.split("/")
        if "\0" in name or not {"", ".", ".."}.isdisjoint(parts):
            raise OSError(errno.EINVAL, f"{name!r} is no name of a file in a backup")
        return self._root.joinpath(*parts)

    def _is_ours(self, source: Path) -> bool:
        return source.is_relative_to(self._root / _INCOMING)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
