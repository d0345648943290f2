"""Sounds that a browser plays."""

from __future__ import annotations

import io
import wave


def a_tone(seconds: int = 2) -> bytes:
    """A WAV file of so many seconds."""
    held = io.BytesIO()
    with wave.open(held, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\1" * 8000 * seconds)
    return held.getvalue()
