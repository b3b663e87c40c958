"""What would let all trials fail on one machine alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from autoft import fitness
from autoft.fitness import Needs, unfit
from autoft.records import TrialSpec, to_json


@pytest.fixture
def spec(make_spec: Any, fakes: Any) -> TrialSpec:
    made: TrialSpec = make_spec()
    Path(made.folder).parent.parent.mkdir(parents=True, exist_ok=True)
    return made


def said(spec: TrialSpec) -> str:
    return unfit(to_json(Needs(specs=(spec,))))


def test_nothing_speaks_against_this_machine(spec: TrialSpec) -> None:
    assert said(spec) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"versions": {"numpy": "0.1"}}, "the driver has numpy 0.1"),
        ({"backend": "numpi"}, "no backend 'numpi'"),
        ({"task": "tay"}, "no task 'tay'"),
    ],
)
def test_what_is_installed(spec: TrialSpec, changes: dict[str, Any], words: str) -> None:
    assert words in said(replace(spec, **changes))


def test_a_folder_that_is_not_mounted(spec: TrialSpec, tmp_path: Path) -> None:
    gone = replace(spec, data=replace(spec.data, dataset=str(tmp_path / "gone" / "dataset.json")))
    assert "is not seen there; every node must mount --storage" in said(gone)
    assert "cannot be written there" in said(replace(spec, folder=str(tmp_path / "gone" / "trials" / "t0001")))


def test_addresses_are_not_looked_at(spec: TrialSpec) -> None:
    data = replace(spec.data, dataset="s3://bucket/dataset.json", store="s3://bucket/store")
    assert said(replace(spec, data=data, folder="s3://bucket/trials/t0001")) == ""


def test_a_cache_without_room(spec: TrialSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, 5_000_000))
    assert "has 5 MB left" in said(spec)
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "file" / "cache"))
    assert "cannot be written" in said(spec)
