"""Which folder of the cache processes of one machine share."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from autoft.data import cache


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "shared home" / "cache"))
    monkeypatch.setattr(cache, "MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(socket, "gethostname", lambda: ".node 1/a")
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "apart"),
    [("nfs4", True), ("lustre", True), ("fuse.sshfs", True), ("ext4", False), ("overlay", False), ("fuseblk", False)],
)
def test_machines_have_their_own_on_file_systems_of_networks(mounts: Path, kind: str, apart: bool) -> None:
    place = str(mounts / "shared home").replace(" ", "\\040")
    cache.MOUNTS.write_text(f"none / ext4 rw 0 0\nserver:/home {place} {kind} rw 0 0\nnone /proc proc rw 0 0\n")
    root = cache.cache_root() / "rows"
    assert cache.machine_root("rows") == (root / "node_1_a" if apart else root)


def test_the_deepest_mount_counts(mounts: Path) -> None:
    place = str(mounts / "shared home").replace(" ", "\\040")
    cache.MOUNTS.write_text(f"server:/ {mounts} nfs rw 0 0\nnone {place} xfs rw 0 0\n")
    assert cache.machine_root("rows") == cache.cache_root() / "rows"


def test_elsewhere_nothing_is_known_of_mounts(mounts: Path) -> None:
    assert cache.machine_root("rows") == cache.cache_root() / "rows"
