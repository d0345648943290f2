"""The places where backups are kept: a folder, and a bucket on a server that speaks S3."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from contracts.vault import VaultContract, put

from adapters.files.vault import FolderVault
from adapters.s3.connecting import Place
from adapters.s3.vault import S3Vault
from testkit.s3 import KEY, SECRET, a_bucket


def at(endpoint: str, bucket: str, *, secret: str = SECRET) -> Place:
    return Place(
        bucket=bucket, prefix="backups/of-the-shop", region="us-east-1", endpoint=endpoint, key_id=KEY,
        secret=secret,
    )  # fmt: skip


class TestFolderVault(VaultContract):
    @pytest.fixture
    def vault(self, tmp_path: Path) -> FolderVault:
        return FolderVault(tmp_path / "backups")

    def test_nobody_else_reads_it(self, vault: FolderVault, tmp_path: Path) -> None:
        put(vault, "a/1", b"x", folder=tmp_path)
        modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (tmp_path / "backups").rglob("*")}
        assert modes == {0}

    def test_a_folder_that_cannot_be_written_is_said_to_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(OSError, match="file"):
            put(FolderVault(tmp_path / "file" / "backups"), "a/1", b"x", folder=tmp_path)


class TestS3Vault(VaultContract):
    @pytest.fixture
    def bucket(self, s3: str) -> Any:
        return a_bucket(s3)

    @pytest.fixture
    def vault(self, s3: str, bucket: Any, tmp_path: Path) -> S3Vault:
        return S3Vault(at(s3, bucket.name), scratch=tmp_path / "scratch")

    def test_everything_lies_under_the_prefix(self, vault: S3Vault, bucket: Any, tmp_path: Path) -> None:
        put(vault, "a/1", b"x", folder=tmp_path)
        assert [one.key for one in bucket.objects.all()] == ["backups/of-the-shop/a/1"]
        assert vault.place == f"s3://{bucket.name}/backups/of-the-shop"

    def test_a_bucket_that_is_none_is_said_to_be(self, s3: str, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="no such bucket"):
            put(S3Vault(at(s3, "none-of-that-name"), scratch=tmp_path), "a/1", b"x", folder=tmp_path)
