"""What would let all trials fail on one machine alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from autoft import fitness, shelf, trialdata
from autoft.data.store import ABOUT
from autoft.fitness import APART, Needs, unfit, wrong_clock
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


@pytest.fixture
def far(spec: TrialSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialSpec:
    """With samples and weights in a bucket: 3 MB and 2 MB."""
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))
    bucket = tmp_path / "bucket"
    for name, size in (("store/images.npy", 3_000_000), ("weights/model.bin", 2_000_000)):
        (bucket / name).parent.mkdir(parents=True)
        (bucket / name).write_bytes(bytes(size))
    at = {name: (bucket / name).as_uri() for name in ("store", "weights", "dataset.json", "trials/t0001")}
    data = replace(spec.data, dataset=at["dataset.json"], store=at["store"])
    return replace(spec, data=data, card=replace(spec.card, weights=at["weights"]), folder=at["trials/t0001"])


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """So many bytes are free on every disk."""

    def leave(count: int) -> None:
        monkeypatch.setattr(fitness.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, count))

    return leave


def test_what_comes_from_a_bucket_must_fit_into_the_cache(far: TrialSpec, free: Callable[[int], None]) -> None:
    free(fitness.ROOM + 5_000_000)
    assert said(far) == ""
    free(fitness.ROOM + 4_999_999)
    assert "but 5 MB of samples and weights must be copied there" in said(far)
    shelf.cached(far.card.weights).mkdir(parents=True)
    assert said(far) == "", "the weights are there"
    free(fitness.ROOM)
    store = trialdata.cached(far.data)
    store.mkdir(parents=True)
    assert "but 3 MB of" in said(far), "a torn copy is made anew"
    (store / ABOUT).touch()
    assert said(far) == ""


def test_older_stores_make_room(far: TrialSpec, free: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFT_CACHE_MAX_GB", "0.004")
    old = trialdata.cached(far.data).parent / "old"
    old.mkdir(parents=True)
    (old / ABOUT).write_bytes(bytes(2_000_000))
    free(fitness.ROOM + 4_000_000)
    assert said(far) == "", "one of the two that are there goes"
    free(fitness.ROOM + 3_999_999)
    assert "has 104 MB left, but 4 MB of" in said(far)


def test_a_bucket_that_is_not_seen_there(far: TrialSpec) -> None:
    nothing = far.data.store.replace("store", "nothing")
    assert "there are none, seen from there" in said(replace(far, data=replace(far.data, store=nothing)))
    assert "must be readable" in said(replace(far, data=replace(far.data, store="nobody://knows")))


def test_a_cache_without_room(spec: TrialSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, 5_000_000))
    assert "has 5 MB left" in said(spec)
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "file" / "cache"))
    assert "cannot be written" in said(spec)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (1000.0, ""),
        (1020.0, ""),
        (1020.0 + APART, ""),
        (1000.0 - APART, ""),
        (1320.0, "its clock is 300 s ahead of the driver's"),
        (700.0, "its clock is 300 s behind the driver's"),
    ],
)
def test_a_clock_is_compared_with_the_drivers(there: float, words: str) -> None:
    """The answer took 20 seconds: somewhere between them the clocks were looked at."""
    said = wrong_clock(there, sent=1000.0, heard=1020.0)
    assert said.startswith(words) and bool(said) == bool(words)
    assert not words or "NTP" in said
