"""Which nodes of a cluster get trials, and what that leaves these to compute on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autoft import fitness
from autoft.errors import UsageError
from autoft.events import Listener, Note
from autoft.options import SearchOptions
from autoft.pipeline import resources
from autoft.pipeline.plan import Plan
from autoft.pipeline.watch import Watch
from autoft.records import TrialSpec, to_json
from autoft.search.settings import Cluster

LOOKING: Final = 20.0
"""Seconds in which each node of a cluster should say whether it can run trials."""


def reaching(options: SearchOptions, there: Cluster) -> int:
    """Nodes that must reach what the search writes: where nodes are added, one is not all.

    Raises:
        UsageError: what the driver writes is on its own machine, where later nodes do not see it.
    """
    if not there.grows:
        return len(there.machines)
    if not options.storage and len(there.machines) < 2:
        raise UsageError(
            "a cluster that may add nodes needs a folder or bucket that all of them reach, but --storage is not given.",
            "Name one: --storage /mnt/shared/autoft or --storage s3://bucket/autoft",
        )
    return max(2, len(there.machines))


def fit(
    maker: Callable[[], Callable[[int, dict[str, Any]], TrialSpec]],
    made: Plan,
    asked: SearchOptions,
    options: SearchOptions,
    there: Cluster,
    listener: Listener,
) -> tuple[SearchOptions, Cluster]:
    """The nodes that can run trials, and the options as they are on these; what keeps the others from it is said of
    each once.

    Args:
        asked: the options as they were before GPUs were counted.

    Raises:
        UsageError: none can, or none that can holds a trial.
    """
    if not there.ray:
        return options, there
    from autoft.search import ray

    make_spec = maker()
    backends = {candidate.card.backend: name for name, candidate in made.candidates.items()}
    needs = fitness.Needs(specs=tuple(make_spec(0, {"model": name}) for name in backends.values()))
    left, bad = ray.fit(there, to_json(needs), LOOKING)
    for name, why in bad.items():
        listener(Note(text=f"{name} gets no trials: {why}", level="warning"))
    if not bad:
        return options, left
    if not left.grows and not any(machine.cpus >= 1 for machine in left.machines):
        name, why = next(iter(bad.items()))
        raise UsageError(f"no node of the cluster can run the trials; {name}: {why}")
    return resources.lessened(options, asked, left, listener), left


def waiting(watch: Watch) -> Callable[[str], None]:
    """Hears why no trial starts, or later why none runs any more, and an empty word when one does after all."""

    def told(words: str) -> None:
        if words and watch.specs:
            watch.listener(Note(text=f"no trial runs now: {words}", level="warning"))
        else:
            watch.waiting(words)

    return told
