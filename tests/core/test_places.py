"""Paths that mean the same from every folder, and names that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft import places


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("ckpt", "timm/resnet18", "imgs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "w.pth").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("./ckpt", "{}/ckpt"),
        ("ckpt", "{}/ckpt"),
        ("./ckpt@scratch", "{}/ckpt@scratch"),
        ("./ckpt@scratch:torch", "{}/ckpt@scratch:torch"),
        ("./ckpt:keras", "{}/ckpt:keras"),
        ("timm/resnet18@w.pth", "timm/resnet18@{}/w.pth"),
        ("timm/resnet18@scratch", "timm/resnet18@scratch"),
        ("timm/resnet18", "timm/resnet18"),
        ("./none", "./none"),
        ("hf/owner/name:torch", "hf/owner/name:torch"),
    ],
)
def test_networks(base: Path, written: str, meant: str) -> None:
    assert places.network(written, base) == meant.format(base)
    assert places.network(meant.format(base), Path("/")) == meant.format(base), "a second time changes nothing"


def test_options(base: Path) -> None:
    given = {"data": "imgs", "val": "", "test": "owner/set", "models": ["./ckpt"], "seed": 3}
    wanted = {"data": str(base / "imgs"), "models": [str(base / "ckpt")]}
    assert places.fixed(given, base) == {**given, **wanted}


def test_where_a_run_was_begun(base: Path) -> None:
    run = base / "runs" / "image-cls" / "search1"
    assert places.base_of({"folder": "/a", "data": "imgs"}, run) == Path("/a")
    assert places.base_of({"data": "imgs"}, run) == base, "older runs"
    assert places.base_of({"data": "none"}, run) is None
