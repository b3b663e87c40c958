"""A search on two nodes of a running Ray cluster, neither of which sees the driver's cache."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from autoft import remote
from autoft.errors import NoTrialSucceeded, UsageError
from autoft.events import Event, Finished, Note, Planned, TrialReported
from autoft.options import KEPT_MODELS, SearchOptions
from autoft.pipeline.search import run_search
from autoft.predictor import Predictor
from autoft.run import Run
from tests.cluster.conftest import cluster

Search = Callable[..., tuple[Finished, list[Event]]]


@pytest.fixture
def search(data: Path) -> Search:
    def go(also: Callable[[Event], None] = lambda event: None, **options: object) -> tuple[Finished, list[Event]]:
        told: list[Event] = []

        def listen(event: Event) -> None:
            told.append(event)
            also(event)

        plain = {"task": "toy", "data": str(data), "trials": 6, "time": 150.0, "scheduler": "none", "offline": True}
        overrides = {"epochs": "3", "batch_size": "8"}
        asked = SearchOptions(**{**plain, "overrides": overrides, **options})
        return run_search(asked, listen), told

    return go


def notes(told: list[Event]) -> list[str]:
    return [event.text for event in told if isinstance(event, Note)]


def check_run(finished: Finished, data: Path) -> Run:
    """The run folder of this machine is as after a search without a cluster."""
    run = Run(finished.folder)
    assert finished.summary["status"] == "finished"
    assert finished.summary["trials"] == {"finished": 6, "stopped": 0, "failed": 0}
    test = finished.summary["test"]
    assert test["samples"] > 0
    assert 0 <= test["metrics"]["accuracy"] <= 1
    rows = run.best.predict(data)
    assert len(rows) == 48
    assert {path.name for path in (run.path / "trials").iterdir()} == expected_models(run)
    return run


def expected_models(run: Run) -> set[str]:
    return {"t0000", *[row["trial"] for row in run.leaderboard()][:KEPT_MODELS]}


@pytest.mark.slow
def test_shared_folder(
    nodes: tuple[str, list[Path]], search: Search, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    finished, _ = search(address=nodes[0], storage="shared")  # relative: the workers' own folder is another one
    run = check_run(finished, data)
    assert run.path.parent == tmp_path / "shared" / "runs" / "toy"
    assert (run.path / "ray").is_dir()
    assert len(list((tmp_path / "shared" / "cache" / "stores").glob("[!.]*"))) == 1
    assert not (tmp_path / "driver-cache" / "stores").exists()
    assert not any((cache / "stores").exists() for cache in nodes[1])


def check_bucket(finished: Finished, told: list[Event], nodes: list[Path], tmp_path: Path, data: Path) -> None:
    run = check_run(finished, data)
    address = finished.summary["paths"]["storage"]
    assert f"the run and its best model are at {address}" in notes(told)
    assert run.path.parent == tmp_path / "runs" / "toy"
    assert [p.name for p in run.path.rglob(".*")] == [], "neither drafts nor locks are left"
    (key,) = [p.name for p in (tmp_path / "driver-cache" / "stores").iterdir() if not p.name.startswith(".")]
    for cache in nodes:  # one copy on each node that ran a trial
        assert all(p.name == key or p.name.startswith(".lock-") for p in (cache / "stores").glob("*"))
    assert any((cache / "stores" / key).is_dir() for cache in nodes)

    there = set(remote.sizes(address))
    plain = {"args.yaml", "dataset.json", "splits.json", "data_report.json", "trials.jsonl", "leaderboard.csv"}
    assert plain | {"metrics.json", "best/config.json", "best/README.md"} <= there
    models = [name.split("/")[1] for name in there if name.startswith("trials/") and name.endswith("/config.json")]
    assert sorted(models) == sorted(expected_models(run)), "one model for each trial that is kept"
    assert {name.split("/")[1] for name in there if name.startswith("trials/")} == expected_models(run)
    assert any(name.startswith("ray/") for name in there)
    remote.pull(remote.join(address, "best"), tmp_path / "elsewhere")
    assert Predictor(tmp_path / "elsewhere").predict(data) == run.best.predict(data)


@pytest.mark.slow
def test_file_bucket(nodes: tuple[str, list[Path]], search: Search, data: Path, tmp_path: Path) -> None:
    bucket = (tmp_path / "bucket").as_uri()
    finished, told = search(address=nodes[0], storage=bucket, name="first")
    check_bucket(finished, told, nodes[1], tmp_path, data)
    assert finished.summary["paths"]["storage"] == f"{bucket}/runs/toy/first"

    with pytest.raises(UsageError, match="a run named 'first' exists already"):
        search(address=nodes[0], storage=bucket, name="first", out="other")
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_s3_bucket(nodes: tuple[str, list[Path]], search: Search, data: Path, tmp_path: Path, s3: str) -> None:
    finished, told = search(address=nodes[0], storage=f"s3://bucket/{tmp_path.name}{s3}")
    check_bucket(finished, told, nodes[1], tmp_path, data)
    assert "pretend" not in (Path(finished.folder) / "args.yaml").read_text()


@pytest.mark.slow
def test_population_based_training_in_a_bucket(nodes: tuple[str, list[Path]], search: Search, tmp_path: Path) -> None:
    """States are taken over from trial to trial, on whatever node; every trial keeps its model under its own number."""
    finished, _ = search(
        address=nodes[0],
        storage=(tmp_path / "bucket").as_uri(),
        scheduler="pbt",
        trials=3,
        overrides={"epochs": "6", "lr": "1e-5..1e-2:log", "batch_size": "8"},
    )
    run = Run(finished.folder)
    assert len(run.results()) == 3
    for folder in (run.path / "trials").iterdir():
        assert json.loads((folder / "config.json").read_text())["trial"] == folder.name


@pytest.mark.slow
def test_the_command_line_without_a_cluster_writes_to_a_bucket_too(data: Path, tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    words = ["--task", "toy", "--data", str(data), "--time", "100s", "--trials", "4", "--offline", "--name", "mine"]
    command = [sys.executable, "-m", "autoft.cli.main", "search", *words, "--storage", bucket.as_uri(), "epochs=2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert f"the run and its best model are at {bucket.as_uri()}/runs/toy/mine" in " ".join(done.stdout.split())
    assert (bucket / "runs" / "toy" / "mine" / "best" / "config.json").is_file()
    assert Predictor(bucket / "runs" / "toy" / "mine" / "best").predict(data)
    assert len(Run(tmp_path / "runs" / "toy" / "mine").results()) == 4


@pytest.mark.slow
def test_several_nodes_need_a_storage(nodes: tuple[str, list[Path]], search: Search, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 nodes need a folder or bucket") as caught:
        search(address=nodes[0])
    assert "--storage s3://" in caught.value.hint
    with pytest.raises(UsageError, match="--out must lie below --storage"):
        search(address=nodes[0], storage=str(tmp_path / "shared"), out="elsewhere")
    assert not list(tmp_path.glob("**/args.yaml"))
    assert not (tmp_path / "runs").exists(), "no empty run folder is left"


@pytest.mark.slow
def test_what_no_node_holds_is_refused(nodes: tuple[str, list[Path]], search: Search, tmp_path: Path) -> None:
    """Two nodes of one CPU each do not hold a trial of two."""
    asked = {"address": nodes[0], "storage": str(tmp_path / "shared")}
    with pytest.raises(UsageError, match="has 2 CPUs and 0 GPUs, but the largest of 3 has 1 CPU and 0 GPUs"):
        search(**asked, cpus_per_trial=2.0)
    with pytest.raises(UsageError, match="has 1 CPU and 1 GPU"):
        search(**asked, gpus_per_trial=1.0)
    assert not list(tmp_path.glob("**/args.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("labels", [True, False])
def test_a_node_that_cannot_run_trials_gets_none(
    labels: bool, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cache cannot be written. It would fail trial after trial in no time."""
    from autoft.search import ray

    free: list[float] = []
    if not labels:  # as with an older Ray
        monkeypatch.setattr(ray.raynodes, "LABELS_SINCE", (99, 0))

    def look(event: Event) -> None:
        if isinstance(event, Planned):
            free.append(ray.ray.available_resources().get("CPU", 0.0))

    (tmp_path / "file").touch()
    with cluster([tmp_path / "cache", tmp_path / "file" / "cache"]) as (address, _):
        finished, told = search(look, address=address, storage=str(tmp_path / "shared"), trials=3)
    assert finished.summary["trials"] == {"finished": 3, "stopped": 0, "failed": 0}
    (said,) = [text for text in notes(told) if "gets no trials: its cache" in text]
    assert "file/cache" in said
    (planned,) = [event for event in told if isinstance(event, Planned)]
    assert planned.concurrency == 1
    assert not labels or free == [2.0], "others may use it"


@pytest.mark.slow
def test_nodes_by_another_clock_get_no_trials(
    nodes: tuple[str, list[Path]], search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would end every trial at once, or far too late. Here the driver's clock is the wrong one."""
    from autoft.search import raynodes

    slow = SimpleNamespace(time=lambda: time.time() - 300, monotonic=time.monotonic)
    monkeypatch.setattr(raynodes, "time", slow)
    with pytest.raises(UsageError, match=r"no node of the cluster can run .* 300 s ahead of the driver's"):
        search(address=nodes[0], storage=str(tmp_path / "shared"), trials=3)


@pytest.mark.slow
def test_workers_that_lose_the_bucket(nodes: tuple[str, list[Path]], search: Search, tmp_path: Path) -> None:
    """Every trial fails, and says why."""
    bucket = tmp_path / "bucket"

    def lose(event: Event) -> None:
        if isinstance(event, Planned):
            shutil.rmtree(bucket / "runs" / "toy")

    with pytest.raises(NoTrialSucceeded, match=r"dataset\.json' must be readable"):
        search(lose, address=nodes[0], storage=bucket.as_uri(), trials=2)


@pytest.mark.slow
def test_a_model_that_does_not_arrive_costs_the_lead_only(
    nodes: tuple[str, list[Path]], search: Search, tmp_path: Path
) -> None:
    """The bucket loses the models of two trials while they train their last epoch."""
    bucket = tmp_path / "bucket"

    def lose(event: Event) -> None:
        if isinstance(event, TrialReported) and event.number in (1, 2) and event.report.epoch == 3:
            for folder in bucket.glob(f"runs/toy/*/trials/t000{event.number}"):
                shutil.rmtree(folder)

    finished, told = search(lose, address=nodes[0], storage=bucket.as_uri())
    assert sum("is left out: there is no model at" in text for text in notes(told)) == 2
    assert finished.summary["trials"]["finished"] == 6
    assert finished.summary["best"]["trial"] not in ("t0001", "t0002")
    assert finished.summary["test"] is not None


def test_a_wrong_address_is_known_at_once(search: Search, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be writable") as caught:
        search(storage="s4://bucket/x")
    assert "s3://bucket/folder" in caught.value.hint
    assert not (tmp_path / "driver-cache").exists()
