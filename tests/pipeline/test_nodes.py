"""Which nodes of a cluster get trials, and what a search that goes on with the others is told."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from autoft.errors import UsageError
from autoft.events import Note
from autoft.options import SearchOptions
from autoft.pipeline import nodes, resources
from autoft.search import ray
from autoft.search.settings import Cluster, Machine
from tests.pipeline.conftest import Heard

CPUS = Machine(cpus=8, gpus=0, name="plain")
CARDS = Machine(cpus=8, gpus=1, name="carded")


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[SearchOptions, Cluster, list[str]]]:
    """What is left of these nodes where the one with a GPU cannot run trials."""

    def unfit(there: Cluster, needs: str, seconds: float) -> tuple[Cluster, dict[str, str]]:
        left = tuple(one for one in there.machines if one != CARDS)
        return Cluster(machines=left, grows=there.grows), {"carded": "its cache is full"}

    monkeypatch.setattr(ray, "fit", unfit)
    made: Any = SimpleNamespace(candidates={})
    maker: Any = lambda: lambda number, params: None  # noqa: E731

    def go(*machines: Machine, grows: bool = False, **given: Any) -> tuple[SearchOptions, Cluster, list[str]]:
        heard, asked = Heard(), SearchOptions(address="auto", **given)
        there = Cluster(machines=machines, grows=grows)
        options = resources.shared(asked, there.gpus)
        options, left = nodes.fit(maker, made, asked, options, there, heard)
        return options, left, [note.text for note in heard.of(Note)]

    return go


def test_where_the_only_gpu_is_on_an_unfit_node_trials_compute_on_cpus(fitted: Callable[..., Any]) -> None:
    options, left, told = fitted(CPUS, CARDS)
    assert (options.gpus_per_trial, left.machines) == (0.0, (CPUS,))
    assert told[0] == "carded gets no trials: its cache is full"
    assert told[1:] == ["trials compute on CPUs: no node that can run them has a GPU"]


def test_a_gpu_that_was_asked_for_and_cannot_be_had_is_refused_at_once(fitted: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="has 1 CPU and 1 GPU, but the largest of 1 has 8 CPUs and 0 GPUs"):
        fitted(CPUS, CARDS, gpus_per_trial=1.0)


def test_or_waited_for_in_words_where_nodes_may_be_added(fitted: Callable[..., Any]) -> None:
    options, _, told = fitted(CPUS, CARDS, grows=True, gpus_per_trial=1.0)
    assert options.gpus_per_trial == 1.0
    assert "trials begin when the cluster adds nodes" in told[1]
    options, _, told = fitted(CPUS, CARDS, grows=True)
    assert options.gpus_per_trial == 0.0
    assert told[1].endswith("For GPUs that the cluster adds: --gpus-per-trial 1")


def test_another_node_with_a_gpu_is_enough(fitted: Callable[..., Any]) -> None:
    other = Machine(cpus=4, gpus=2, name="other")
    options, _, told = fitted(CPUS, CARDS, other)
    assert options.gpus_per_trial == 1.0 and len(told) == 1


def test_no_node_at_all_is_refused_with_the_first_reason(fitted: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="no node of the cluster can run the trials; carded: its cache is full"):
        fitted(Machine(cpus=0, gpus=0), CARDS)


@pytest.mark.parametrize(("grows", "count"), [(False, 1), (True, 2)])
def test_where_nodes_are_added_one_is_not_all(grows: bool, count: int) -> None:
    there = Cluster(machines=(CPUS,), grows=grows)
    assert nodes.reaching(SearchOptions(address="auto", storage="/mnt/shared"), there) == count
    if not grows:
        assert nodes.reaching(SearchOptions(address="auto"), there) == 1
        return
    with pytest.raises(UsageError, match="may add nodes needs a folder or bucket that all of them reach") as caught:
        nodes.reaching(SearchOptions(address="auto"), there)
    assert "--storage s3://" in caught.value.hint


def test_what_stands_still_in_the_middle_is_told_of_in_other_words() -> None:
    heard, waited = Heard(), list[str]()
    watch: Any = SimpleNamespace(specs={}, listener=heard, waiting=waited.append)
    told = nodes.waiting(watch)
    told("others use the cluster")
    watch.specs[0] = "a trial"
    told("")
    told("its nodes were lost")
    assert waited == ["others use the cluster", ""]
    assert [note.text for note in heard.of(Note)] == ["no trial runs now: its nodes were lost"]
