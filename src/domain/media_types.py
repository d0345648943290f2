"""The media types of what pages show."""

from __future__ import annotations

from typing import Final

_TYPES: Final = {
    "aac": "audio/aac", "avif": "image/avif", "flac": "audio/flac", "m4a": "audio/mp4", "m4v": "video/mp4",
    "oga": "audio/ogg", "ogg": "audio/ogg", "opus": "audio/ogg", "webm": "video/webm", "webp": "image/webp",
}  # fmt: skip


def shown_type(name: str) -> str | None:
    """The media type of a picture, sound or video by its name; None for all others.

    Systems without a list of types, such as slim images of containers, do not know these. Browsers play no
    `application/octet-stream` that they may not sniff.
    """
    return _TYPES.get(name.rpartition(".")[2].lower())
