"""What every place for backups promises."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from entrypoints.maintenance.backup import Vault

LARGE = bytes(range(256)) * 4096 * 10  # more than one part of an upload


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(vault: Vault, name: str, content: bytes, *, folder: Path, sha256: str | None = None) -> None:
    source = folder / "source"
    source.write_bytes(content)
    vault.put(name, source, sha256=sha256 or sha(content))


class VaultContract:
    """Subclass it, and add a fixture `vault` that gives an empty one."""

    @pytest.mark.parametrize("content", [b"", b"one line\n", LARGE], ids=["empty", "small", "large"])
    def test_what_was_put_is_there_to_the_byte(self, vault: Vault, tmp_path: Path, content: bytes) -> None:
        assert (vault.size("a/b.txt"), vault.names("")) == (None, [])
        put(vault, "a/b.txt", content, folder=tmp_path)
        assert vault.size("a/b.txt") == len(content)
        assert b"".join(vault.read("a/b.txt", most=99_999_999)) == content

    def test_names_are_listed_by_folder_in_order(self, vault: Vault, tmp_path: Path) -> None:
        for name in ("b/2", "b/1", "a/1", "ab/1"):
            put(vault, name, b"x", folder=tmp_path)
        assert vault.names("b") == ["b/1", "b/2"]
        assert vault.names("a") == ["a/1"]
        assert vault.names("") == ["a/1", "ab/1", "b/1", "b/2"]
        assert vault.names("none") == []

    @pytest.mark.parametrize("content", [b"short", LARGE], ids=["small", "large"])
    def test_bytes_that_are_not_those_of_the_hash_leave_nothing(
        self, vault: Vault, tmp_path: Path, content: bytes
    ) -> None:
        with pytest.raises(OSError, match="damaged"):
            put(vault, "a/1", content, folder=tmp_path, sha256=sha(b"another"))
        assert (vault.size("a/1"), vault.names("")) == (None, [])

    def test_a_name_is_given_anew(self, vault: Vault, tmp_path: Path) -> None:
        put(vault, "a/1", b"old", folder=tmp_path)
        put(vault, "a/1", b"new one", folder=tmp_path)
        assert (vault.size("a/1"), b"".join(vault.read("a/1", most=99))) == (7, b"new one")

    def test_what_is_made_in_the_workspace_can_be_put_and_the_rest_goes(self, vault: Vault) -> None:
        with vault.workspace() as folder:
            (folder / "made").write_bytes(b"made here")
            (folder / "left").write_bytes(b"left behind")
            vault.put("a/1", folder / "made", sha256=sha(b"made here"))
            assert vault.names("") == ["a/1"]
        assert not folder.exists()
        assert b"".join(vault.read("a/1", most=99)) == b"made here"

    def test_what_is_not_there_cannot_be_read(self, vault: Vault) -> None:
        with pytest.raises(FileNotFoundError):
            list(vault.read("a/1", most=99))

    def test_a_source_that_is_gone_is_said_to_be(self, vault: Vault, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            vault.put("a/1", tmp_path / "none", sha256=sha(b""))
        assert vault.names("") == []
