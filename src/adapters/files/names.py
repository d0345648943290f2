"""Names in the catalogue: which belong to a system and not to the shop, and which a customer can be shown."""

from __future__ import annotations

import unicodedata
from typing import Final

# Of the merchant (`.git`, `_drafts`), of NAS and desktop systems (`@eaDir`, `#recycle`, `$RECYCLE.BIN`, `~$open.docx`).
_SET_ASIDE: Final = (".", "_", "@", "#", "$", "~")
_SYSTEM_FOLDERS: Final = frozenset({"lost+found", "system volume information"})
_SYSTEM_FILES: Final = frozenset({"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"})
_OPEN_OFFICE_FILE: Final = "~$"
# Control characters, halves of surrogate pairs (what is not UTF-8 on the disk), line and paragraph separators.
_UNSHOWN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They reverse the text after them: a customer would read another file type than the one that is downloaded.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_set_aside(folder: str) -> bool:
    """Whether a folder of this name is never a product, nor a part of one."""
    return folder.startswith(_SET_ASIDE) or folder.lower() in _SYSTEM_FOLDERS


def is_litter(file: str) -> bool:
    """Whether a file of this name was left behind by a system: nobody sells it."""
    return file.startswith((".", _OPEN_OFFICE_FILE)) or file.endswith("~") or file.lower() in _SYSTEM_FILES


def composed(name: str) -> str:
    """A name in the one form that names are compared in (NFC): macOS decomposes them, editors compose them."""
    return unicodedata.normalize("NFC", name)


def can_be_shown(name: str) -> bool:
    """Whether a page, a URL and a download can carry this name of a file."""
    return "\\" not in name and not any(
        unicodedata.category(char) in _UNSHOWN or char in _TURNING for char in name
    )
