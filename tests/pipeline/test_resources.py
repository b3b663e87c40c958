"""How many trials run at a time, with how many threads, and what is refused or said before anything is waited for."""

from __future__ import annotations

import pytest

from autoft.errors import UsageError
from autoft.events import Note
from autoft.options import SearchOptions
from autoft.pipeline import resources
from autoft.search.settings import Cluster, Machine
from tests.pipeline.conftest import Heard


def nodes(*machines: tuple[float, float], ray: bool = True, grows: bool = False) -> Cluster:
    return Cluster(machines=tuple(Machine(cpus=cpus, gpus=gpus) for cpus, gpus in machines), ray=ray, grows=grows)


def options(**given: object) -> SearchOptions:
    return SearchOptions(**{"gpus_per_trial": 0.0, **given})


@pytest.mark.parametrize(
    ("given", "there", "trials"),
    [
        ({}, nodes((8, 0), ray=False), 8),
        ({"concurrency": 20}, nodes((8, 0), ray=False), 8),
        ({"cpus_per_trial": 16.0}, nodes((8, 0), ray=False), 1),
        ({"gpus_per_trial": 1.0}, nodes((16, 2), ray=False), 2),
        ({"address": "auto", "gpus_per_trial": 1.0}, nodes((0, 0), (8, 2), (2, 4)), 4),
        ({"address": "auto", "gpus_per_trial": 2.0}, nodes((8, 3), (8, 1)), 1),
        ({"address": "auto", "cpus_per_trial": 5.0}, nodes((8, 0), (8, 0), (4, 0)), 2),
        ({"address": "auto", "concurrency": 8}, nodes((0, 0)), 8),
        ({"address": "auto", "concurrency": 8, "gpus_per_trial": 1.0}, nodes((64, 2)), 8),
        ({"address": "local", "concurrency": 8}, nodes((2, 0)), 2),
    ],
)
def test_trials_at_a_time(given: dict[str, object], there: Cluster, trials: int) -> None:
    """A trial is on one node, and a cluster may grow to what the user asks for."""
    assert resources.concurrency(options(**given), there) == trials


@pytest.mark.parametrize(
    ("given", "there", "threads"),
    [
        ({}, nodes((8, 0), ray=False), 1),
        ({"gpus_per_trial": 1.0}, nodes((16, 1), ray=False), 16),
        ({"gpus_per_trial": 0.25}, nodes((18, 1), ray=False), 4),
        ({"gpus_per_trial": 1.0, "concurrency": 2}, nodes((16, 4), ray=False), 8),
        ({"gpus_per_trial": 1.0, "cpus_per_trial": 3.0}, nodes((16, 1), ray=False), 3),
        ({"gpus_per_trial": 1.0}, nodes((2, 8), ray=False), 1),
        ({"address": "auto", "gpus_per_trial": 1.0}, nodes((4, 0), (16, 2), (16, 4)), 4),
        ({"address": "auto", "gpus_per_trial": 1.0}, nodes((0, 0)), 1),
        ({"cpus_per_trial": 0.5}, nodes((8, 0), ray=False), 1),
    ],
)
def test_where_gpus_are_the_limit_trials_share_the_cores(
    given: dict[str, object], there: Cluster, threads: int
) -> None:
    asked = options(**given)
    assert resources.threads(asked, there, resources.concurrency(asked, there)) == threads


def check(there: Cluster, **given: object) -> list[str]:
    heard, asked = Heard(), SearchOptions(address="auto", **given)
    resources.check(resources.shared(asked, there.gpus), asked, there, heard)
    return [note.text for note in heard.of(Note)]


def test_what_no_node_holds_is_refused_unless_some_may_come() -> None:
    each = [(8.0, 1.0)] * 4
    with pytest.raises(UsageError, match=r"has 1 CPU and 2 GPUs, but the largest of 4 has 8 CPUs and 1 GPU\."):
        check(nodes(*each), gpus_per_trial=2.0)
    with pytest.raises(UsageError, match="has 16 CPUs and 1 GPU"):
        check(nodes(*each), cpus_per_trial=16.0)
    (told,) = check(nodes(*each, grows=True), gpus_per_trial=2.0)
    assert "trials begin when the cluster adds nodes" in told
    assert check(nodes(*each)) == check(nodes(*each, ray=False), cpus_per_trial=16.0) == []


def test_a_cluster_that_has_no_gpu_now_is_told_of() -> None:
    (told,) = check(nodes((8, 0), grows=True))
    assert "no GPU now" in told and "--gpus-per-trial 1" in told
    assert check(nodes((8, 0), grows=True), gpus_per_trial=0.0) == check(nodes((8, 0))) == []


def test_cores_below_0_are_refused() -> None:
    with pytest.raises(UsageError, match="--cpus-per-trial"):
        resources.shared(options(cpus_per_trial=-1.0), 0)


@pytest.mark.parametrize(
    ("given", "there", "now", "given_out"),
    [
        ({}, nodes((0, 0), grows=True), 1, 8),
        ({}, nodes((0, 0), (4, 0), grows=True), 4, 16),
        ({"concurrency": 3}, nodes((0, 0), (4, 0), grows=True), 3, 3),
        ({}, nodes((0, 0), (4, 0)), 4, 4),
        ({"gpus_per_trial": 1.0}, nodes((8, 1), (8, 2), grows=True), 3, 12),
    ],
)
def test_a_cluster_that_grows_is_asked_for_more_than_it_has(
    given: dict[str, object], there: Cluster, now: int, given_out: int
) -> None:
    """What is planned with is what is there."""
    room = resources.room(options(address="auto", **given), there)
    assert (room.now, room.given_out) == (now, given_out)


def tell(there: Cluster, **given: object) -> list[str]:
    heard = Heard()
    resources.tell(options(address="auto", **given), there, heard)
    return [note.text for note in heard.of(Note)]


def test_how_far_a_cluster_is_made_to_grow_is_told() -> None:
    (told,) = tell(nodes((0, 0), grows=True))
    assert "room for 0 trials now, and is asked for up to 8 at a time; --concurrency" in told
    assert tell(nodes((0, 0), grows=True), concurrency=4) == tell(nodes((4, 0))) == []


def test_nodes_that_are_left_idle_are_told_of() -> None:
    (told,) = tell(nodes((0, 0), (8, 0), (8, 1)), gpus_per_trial=1.0)
    assert told.startswith(
        "1 of 3 nodes gets no trials, as each trial asks for 1 CPU and 1 GPU: 'this machine'. --gpus"
    )
    (told,) = tell(nodes((2, 0), (8, 0)), cpus_per_trial=4.0)
    assert told.endswith("asks for 4 CPUs and 0 GPUs: 'this machine'")
    assert tell(nodes((2, 0), (8, 0)), cpus_per_trial=16.0) == [], "nothing runs at all: that is said elsewhere"
    assert tell(nodes((2, 0), ray=False)) == []


def test_memory_is_shared_as_cores_are() -> None:
    """A node that does not say how much it has is left to Ray."""
    asked = options(address="auto", memory_per_trial=3.0)
    there = Cluster(machines=tuple(Machine(cpus=8, gpus=0, memory=size) for size in (10e9, 2e9, 0.0)))
    assert resources.room(asked, there).now == 3 + 0 + 8
    assert resources.memory(asked) == 3_000_000_000
    assert resources.room(options(address="auto"), there).now == 24
    (told,) = tell(there, memory_per_trial=3.0)
    assert "1 of 3 nodes gets no trials, as each trial asks for 1 CPU, 0 GPUs and 3 GB of memory" in told
    with pytest.raises(UsageError, match="and 99 GB of memory, but the largest of 2 has 8 CPUs, 0 GPUs and 10 GB"):
        check(Cluster(machines=there.machines[:2]), memory_per_trial=99.0)


def test_memory_that_is_not_heeded_is_told_of() -> None:
    (told,) = tell(nodes((8, 0), ray=False), memory_per_trial=3.0)
    assert "--memory-per-trial is not heeded" in told and "--concurrency" in told
    with pytest.raises(UsageError, match="--memory-per-trial must be above 0"):
        resources.shared(options(memory_per_trial=-1.0), 0)
