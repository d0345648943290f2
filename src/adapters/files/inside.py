"""Open files of the catalogue: only regular ones that really lie in their folder, whatever links there are."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Final

# Without O_NONBLOCK, opening a FIFO waits for a writer; without O_NOCTTY, a terminal may become ours.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


class NotInside(OSError):
    """The file is refused until the merchant changes it; `strerror` says why."""


def open_inside(folder: Path, path: Path) -> BufferedReader:
    """Open `path` for reading. Its real path must be in the real `folder`; its `name` is `path`.

    The folder itself may be a symbolic link, and so may everything below it that leads back inside: a Kubernetes
    volume links its files to `..data/…`. But where the folder is a link that leaves the place it lies in, all sorts of
    things may lie around it: then a link in it must not give another file's content for `path`. The real path is opened
    part by part without following links, so a link that is put in place meanwhile is refused, too.

    `..data` may lead out of the folder, to a mount: a link into that keeps its name, for the same reason. Raises
    OSError, NotInside.
    """
    home, real = _real(folder, "its folder"), _real(path)
    if not real.is_relative_to(home):
        home = _mount_with(path, real, folder)
    elif (
        folder.is_symlink()
        and not home.is_relative_to(_real(folder.parent))
        and not _same_name(real, path, folder)
    ):
        raise NotInside(
            errno.EXDEV,
            "it is a symbolic link to a file under another name, in a folder that is itself a link",
        )
    return BufferedReader(
        FileIO(path, opener=lambda _path, _flags: _open(home, real.relative_to(home).parts))
    )


def _mount_with(path: Path, real: Path, folder: Path) -> Path:
    """The mount that `..data` in the folder leads to, if `path` is there under its own name. Raises NotInside."""
    data = folder / "..data"
    if data.is_symlink():
        mount = _real(data)
        name = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
        if real == mount / name:
            return mount
    raise _outside()


def _same_name(real: Path, path: Path, folder: Path) -> bool:
    asked = path.relative_to(folder).parts
    return real.parts[-len(asked) :] == asked


def open_goods(path: Path) -> BufferedReader:
    """Open what buyers download, `<product>/files/<name>`: inside its product. Raises OSError, NotInside."""
    return open_inside(path.parents[1], path)


def check_folder(folder: Path, *, inside: Path) -> None:
    """Raises NotInside if a folder's real path is neither in `inside` nor where `..data` leads; OSError without one."""
    real = _real(folder)
    if not real.is_relative_to(_real(inside)):
        _mount_with(folder, real, inside)


def _real(path: Path, what: str = "it") -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself, before Python 3.13
        looped = isinstance(error, RuntimeError) or error.errno == errno.ELOOP
        if looped or (isinstance(error, FileNotFoundError) and path.is_symlink()):
            raise NotInside(
                errno.ELOOP, f"{what} is a symbolic link that leads nowhere: mend or delete that link"
            ) from error
        raise


def _open(home: Path, parts: tuple[str, ...]) -> int:
    at = os.open(home, _FOLDER)
    try:
        for part in parts[:-1]:
            within = os.open(part, _FOLDER, dir_fd=at)
            os.close(at)
            at = within
        return _open_regular(parts[-1] if parts else ".", at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):  # it became a link since its real path was found
            raise _outside() from error
        if error.errno == errno.ENXIO:  # a socket
            raise _irregular() from error
        raise
    finally:
        os.close(at)


def _open_regular(name: str, folder: int) -> int:
    descriptor = os.open(name, _FILE, dir_fd=folder)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _irregular()


def _outside() -> NotInside:
    return NotInside(
        errno.EXDEV, "it is a symbolic link to a place outside its folder: put a copy here instead"
    )


def _irregular() -> NotInside:
    return NotInside(errno.EINVAL, "it is not a regular file: put a file here, or delete it")
